/**
 * The copy of a file's end: what the guest stores goes into the file, what others write comes here, neither is lost.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { DAX_AREAS_SIZE, daxAreas } from '../../../src/fs/dax/areas';
import { Shadow } from '../../../src/fs/dax/shadow';
import { LinuxCalls } from '../../../src/native/linuxCalls';
import { pinnedArena } from '../../../src/native/memory';
import { WrappedCalls } from '../wrappedCalls';

const PAGE = 4096;
const LENGTH = 40 * PAGE;

describe('the copy of a file’s end', () => {
  let folder: string;
  let fd: number;
  let shadow: Shadow;
  let wrapped: WrappedCalls;
  const arena = pinnedArena(DAX_AREAS_SIZE);

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'shadow-'));
    fd = fs.openSync(path.join(folder, 'file'), 'w+');
    wrapped = new WrappedCalls(new LinuxCalls());
  });
  afterEach(() => {
    shadow.close();
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  });

  const size = (): number => fs.fstatSync(fd).size;

  function copy(start: number): void {
    const memory = wrapped.calls.memoryFile(LENGTH);
    assert.ok(memory >= 0);
    shadow = new Shadow(wrapped.calls, arena, daxAreas(0), memory, fd, start, LENGTH);
    assert.equal(shadow.take(start, size(), size()), 0);
  }

  const store = (at: number, text: string): number => fs.writeSync(shadow.memory, text, at - shadow.start);
  const write = (at: number, text: string): number => fs.writeSync(fd, text, at);
  function load(at: number, length: number): string {
    const bytes = Buffer.alloc(length);
    fs.readSync(shadow.memory, bytes, 0, length, at - shadow.start);
    return bytes.toString('latin1');
  }
  function host(at: number, length: number): string {
    const bytes = Buffer.alloc(length);
    const got = fs.readSync(fd, bytes, 0, length, at);
    return bytes.subarray(0, got).toString('latin1');
  }

  it('has the bytes of the file and zeros behind', () => {
    write(0, 'x'.repeat(PAGE + 10));
    copy(PAGE);
    assert.equal(load(PAGE, 12), `${'x'.repeat(10)}\0\0`);
  });

  it('stores go to the file, but not behind its end', () => {
    write(0, 'x'.repeat(PAGE + 10));
    copy(PAGE);
    store(PAGE + 5, 'stored and more');
    assert.equal(shadow.push(size()), 0);
    assert.equal(host(PAGE, 100), 'xxxxxstore');
    assert.equal(size(), PAGE + 10);
  });

  it('both sides change: each keeps its own bytes, and what the file wrote last wins where both have', () => {
    write(0, 'x'.repeat(2 * PAGE));
    copy(0);
    store(10, 'guest');
    write(100, 'host');
    store(200, 'GGGG');
    write(202, 'HHHH');
    assert.equal(shadow.push(size()), 0);
    assert.equal(shadow.pull(size(), size()), 0);
    for (const text of [load(0, 2 * PAGE), host(0, 2 * PAGE)]) {
      assert.equal(text.slice(10, 15), 'guest');
      assert.equal(text.slice(100, 104), 'host');
      assert.equal(text.slice(200, 206), 'GGGGHH');
    }
  });

  it('the file grows and shrinks', () => {
    write(0, 'x'.repeat(10));
    copy(0);
    store(12, 'behind the end');
    let before = size();
    write(20, 'more');
    assert.equal(shadow.pull(before, size()), 0);
    assert.equal(load(8, 16), 'xx\0\0\0\0\0\0\0\0\0\0more', 'what was stored behind the end is not in it');
    before = size();
    fs.ftruncateSync(fd, 4);
    assert.equal(shadow.pull(before, 4), 0);
    assert.equal(load(0, 30), `xxxx${'\0'.repeat(26)}`);
    assert.equal(size(), 4);
  });

  it('errors are told, and lose nothing', () => {
    write(0, 'x'.repeat(PAGE));
    copy(0);
    store(3, 'kept');
    for (const name of ['preadv2', 'pwritev2']) {
      wrapped.failName = name;
      wrapped.failWith = 28;
      assert.equal(shadow.push(size()), -28);
    }
    wrapped.reset();
    assert.equal(shadow.push(size()), 0);
    assert.equal(host(0, 8), 'xxxkeptx');
  });

  it('whatever both sides do one after the other, they agree in the end, and nothing is lost', () => {
    const step = fc.record({
      who: fc.constantFrom('guest', 'host', 'request', 'truncate'),
      at: fc.nat(3 * PAGE),
      text: fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', 'b', 'c') }),
    });
    const start = PAGE;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        fs.ftruncateSync(fd, 0);
        write(0, 'x'.repeat(PAGE + 700));
        copy(start);
        const model = Buffer.alloc(start + LENGTH);
        let length = size();
        let known = length;
        model.fill('x', 0, length);
        const settle = (): void => {
          assert.equal(shadow.push(Math.min(known, size())), 0);
          assert.equal(shadow.pull(known, size()), 0);
          known = size();
        };
        for (const { who, at, text } of steps) {
          if (who === 'guest') {
            // Inside of the file, as a guest's kernel lets it.
            const place = start + at;
            const fits = Math.min(text.length, length - place);
            if (fits <= 0) continue;
            store(place, text.slice(0, fits));
            model.write(text.slice(0, fits), place);
          } else if (who === 'truncate') {
            settle();
            fs.ftruncateSync(fd, start + at);
            model.fill(0, Math.min(length, start + at));
            length = start + at;
          } else {
            settle();
            write(start + at, text);
            model.write(text, start + at);
            length = Math.max(length, start + at + text.length);
            if (who === 'request') {
              assert.equal(shadow.pull(known, size()), 0);
              assert.equal(shadow.take(start + at, start + at + text.length, size()), 0);
              known = size();
            }
          }
          settle();
        }
        assert.equal(size(), length);
        assert.equal(host(0, length), model.toString('latin1', 0, length));
        assert.equal(load(start, LENGTH), model.toString('latin1', start));
        shadow.close();
      }),
      { numRuns: 40 },
    );
    copy(0);
  });
});
