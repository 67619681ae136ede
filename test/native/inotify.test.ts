/** Changes of files, told by the kernel; and files known again by their descriptors. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileIdentity } from '../../src/native/descriptors';
import { Inotify } from '../../src/native/inotify';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';

describe('inotify', () => {
  let folder: string;
  let inotify: Inotify;
  const arena = pinnedArena(4096);

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'inotify-'));
    inotify = new Inotify();
  });
  afterEach(() => {
    inotify.close();
    fs.rmSync(folder, { recursive: true });
  });

  function watch(file: string): number {
    arena.u8.set(new TextEncoder().encode(`${file}\0`));
    return inotify.watch(arena.address(0));
  }

  it('tells which of the watched files were modified, and does not wait', () => {
    const [one, two] = ['one', 'two'].map((name) => path.join(folder, name));
    for (const file of [one, two]) fs.writeFileSync(file, 'x');
    const [first, second] = [watch(one), watch(two)];
    assert.ok(first >= 0 && second >= 0 && first !== second);
    assert.deepEqual(inotify.changes(), new Set());
    fs.appendFileSync(two, 'y');
    fs.truncateSync(two, 0);
    assert.deepEqual(inotify.changes(), new Set([second]));
    fs.readFileSync(one);
    fs.chmodSync(one, 0o600);
    assert.deepEqual(inotify.changes(), new Set());
    inotify.end(first);
    fs.appendFileSync(one, 'y');
    assert.deepEqual(inotify.changes(), new Set());
  });

  it('a file that is not there is an errno', () => {
    assert.equal(watch(path.join(folder, 'none')), -2);
  });
});

describe('files and their descriptors', () => {
  it('a file is known again by another descriptor, and is no other file', () => {
    const calls = new LinuxCalls();
    const [one, two] = [calls.memoryFile(8192), calls.memoryFile(8192)];
    const again = fs.openSync(`/proc/self/fd/${one}`, 'r');
    assert.equal(fileIdentity(one), fileIdentity(again));
    assert.notEqual(fileIdentity(one), fileIdentity(two));
    assert.equal(fs.fstatSync(one).size, 8192);
    assert.equal(fileIdentity(-1), '');
    fs.closeSync(again);
    for (const fd of [one, two]) calls.close(fd);
  });
});
