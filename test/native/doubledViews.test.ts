/** Views of memory for a V8 that takes only its own: tried in any V8. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { close, memfd } from '../../src/native/descriptors';
import { DoubledViews, ownMemoryOnly } from '../../src/native/doubledViews';
import { NativeError } from '../../src/native/libc';
import { mapAnonymous, mapShared, release, seal } from '../../src/native/memory';

const PAGE = 4096;
const SIZE = 8 * PAGE;
const EINVAL = 22;

describe('doubled views', () => {
  let fd: number;
  let address: number;
  let views: DoubledViews;

  beforeEach(() => {
    fd = memfd('test', SIZE);
    address = mapShared(fd, 0, SIZE);
    views = new DoubledViews();
  });
  afterEach(() => {
    views.giveBack(address, SIZE);
    seal(address, SIZE);
    release(address, SIZE);
    close(fd);
  });

  const inFile = (at: number): number => {
    const byte = Buffer.alloc(1);
    fs.readSync(fd, byte, 0, 1, at);
    return byte[0];
  };

  it('are what this V8 needs, or not', () => {
    assert.equal(ownMemoryOnly, process.versions['electron'] !== undefined);
  });

  it('show the bytes at an address, both ways, wherever it lies in a page', () => {
    for (const [at, length] of [
      [0, SIZE],
      [0, 1],
      [100, 8],
      [PAGE - 1, 2],
      [3 * PAGE, PAGE],
      [SIZE - 1, 1],
    ]) {
      const view = views.view(address + at, length);
      assert.equal(view.length, length);
      fs.writeSync(fd, Buffer.of(at & 0xff, 7), 0, 1, at);
      assert.equal(view[0], at & 0xff);
      view[length - 1] = 201;
      assert.equal(inFile(at + length - 1), 201);
      views.giveBack(address, SIZE);
    }
  });

  it('keep the alignment of the address', () => {
    for (const at of [0, 4, 64, PAGE + 12]) assert.equal(views.view(address + at, 4).byteOffset % 4, 0);
  });

  it('are doubled once: what is in an earlier one shares it', () => {
    const whole = views.view(address, SIZE);
    for (let at = 0; at < SIZE; at += 512) assert.equal(views.view(address + at, 512).buffer, whole.buffer);
    assert.equal(views.count, 1);
  });

  it('are ordinary memory of V8 again when they are given back, and the file stays as it is', () => {
    const [first, last] = [views.view(address, PAGE), views.view(address + SIZE - PAGE, PAGE)];
    first[0] = last[0] = 5;
    views.giveBack(address, SIZE);
    assert.deepEqual([views.count, first[0], last[0]], [0, 0, 0]);
    first[0] = last[0] = 6;
    assert.deepEqual([inFile(0), inFile(SIZE - PAGE)], [5, 5]);
  });

  it('of other mappings stay when one is given back', () => {
    const other = mapShared(fd, 0, SIZE);
    const view = views.view(other, PAGE);
    views.view(address, PAGE);
    views.giveBack(address, SIZE);
    view[0] = 9;
    assert.deepEqual([views.count, inFile(0)], [1, 9]);
    views.giveBack(other, SIZE);
    release(other, SIZE);
  });

  it('come and go without leaving anything mapped', () => {
    const maps = (): number =>
      fs
        .readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter((line) => line.includes('memfd:test')).length;
    const before = maps();
    for (let time = 0; time < 500; time++) {
      views.view(address, SIZE);
      views.giveBack(address, SIZE);
    }
    assert.equal(maps(), before);
  });

  it('of gigabytes cost nothing until they are touched', () => {
    const size = 1 << 30;
    const large = memfd('large', size);
    const at = mapShared(large, 0, size);
    const resident = process.memoryUsage.rss();
    const view = views.view(at, size);
    view[size - 1] = 3;
    assert.ok(process.memoryUsage.rss() - resident < 64 << 20);
    views.giveBack(at, size);
    seal(at, size);
    release(at, size);
    close(large);
  });

  it('are refused, with the kernel’s reason, of memory that it does not map twice', () => {
    const own = mapAnonymous(PAGE);
    assert.throws(
      () => views.view(own, PAGE),
      (error: unknown) => error instanceof NativeError && error.errno === EINVAL,
    );
    assert.equal(views.count, 0);
  });
});
