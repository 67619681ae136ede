/** Memory with a fixed address: arenas, views, mappings, and what is left of one that has been given up. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { close, memfd } from '../../src/native/descriptors';
import { NativeError } from '../../src/native/libc';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { copyBytes, mapAnonymous, mapShared, pinnedArena, release, seal, viewOf } from '../../src/native/memory';
import { NativeArena } from './nativeArena';

const PAGE = 4096;
const EFAULT = 14;
const EBADF = 9;

describe('native memory', () => {
  it('an arena’s address is that of its bytes, and stays', () => {
    const arena = pinnedArena(1 << 16);
    const small = pinnedArena(16);
    arena.u8.set([1, 2, 3, 4], 100);
    const before = arena.base;
    // What makes V8 move small typed arrays.
    for (let round = 0; round < 200; round++) new Array(10_000).fill(round);
    assert.equal(arena.base, before);
    copyBytes(small.address(4), arena.address(100), 4);
    assert.deepEqual([...small.u8.subarray(4, 8)], [1, 2, 3, 4]);
    assert.notEqual(small.base, arena.base);
  });

  it('a view shows the bytes at an address, both ways', () => {
    const address = mapAnonymous(PAGE);
    const [one, other] = [viewOf(address, PAGE), viewOf(address + 8, 16)];
    assert.ok(one.every((byte) => byte === 0));
    one[8] = 7;
    assert.equal(other[0], 7);
    other[15] = 9;
    assert.equal(one[23], 9);
  });

  it('no view is made that V8 would die of', () => {
    for (const length of [0, -1, 2 ** 32, 2 ** 40, NaN]) assert.throws(() => viewOf(4096, length), RangeError);
  });

  it('a shared mapping is the file, from its offset on', () => {
    const fd = memfd('test', 4 * PAGE);
    const address = mapShared(fd, PAGE, 2 * PAGE);
    const view = viewOf(address, 2 * PAGE);
    view.set([1, 2, 3], PAGE);
    const read = Buffer.alloc(3);
    fs.readSync(fd, read, 0, 3, 2 * PAGE);
    assert.deepEqual([...read], [1, 2, 3]);
    fs.writeSync(fd, Buffer.of(9), 0, 1, PAGE);
    assert.equal(view[0], 9);
    close(fd);
    assert.equal(view[PAGE], 1, 'the mapping needs no descriptor');
    seal(address, 2 * PAGE);
    release(address, 2 * PAGE);
  });

  it('a mapping of gigabytes costs nothing until it is touched', () => {
    const size = 8 * 2 ** 30;
    const fd = memfd('large', size);
    const address = mapShared(fd, 0, size);
    const end = viewOf(address + size - PAGE, PAGE);
    end[PAGE - 1] = 1;
    assert.equal(fs.fstatSync(fd).blocks, PAGE / 512);
    seal(address, size);
    release(address, size);
    close(fd);
  });

  it('what cannot be mapped is an exception with its errno', () => {
    const failed = (errno: number) => (error: unknown) => error instanceof NativeError && error.errno === errno;
    assert.throws(() => mapShared(-1, 0, PAGE), failed(EBADF));
    const fd = memfd('bad', PAGE);
    assert.throws(() => mapShared(fd, 1, PAGE), failed(22), 'an offset within a page');
    close(fd);
  });

  it('system calls get -EFAULT from a mapping that has been given up, and its addresses stay taken', () => {
    const calls = new LinuxCalls();
    const native = new NativeArena();
    const fd = memfd('sealed', 2 * PAGE);
    const address = mapShared(fd, 0, 2 * PAGE);
    const { arena } = native;
    arena.setU64(0, address);
    arena.setU64(8, 16);
    assert.equal(calls.preadv2(fd, native.at(0), 1, 0, 0), 16);
    seal(address, 2 * PAGE);
    assert.equal(calls.preadv2(fd, native.at(0), 1, 0, 0), -EFAULT);
    assert.equal(calls.pwritev2(fd, native.at(0), 1, 0, 0), -EFAULT);
    const other = mapAnonymous(2 * PAGE);
    assert.ok(other + 2 * PAGE <= address || other >= address + 2 * PAGE);
    release(address, 2 * PAGE);
    close(fd);
  });
});
