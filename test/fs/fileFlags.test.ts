/** IOCTL on a host whose answers are known: which flags of a file a guest may change, and in what. */
import assert from 'node:assert/strict';
import type { Arena } from '../../src/base/arena';
import { ROOT } from '../../src/fs/fileSystem';
import type { HostCalls } from '../../src/fs/hostCalls';
import { Errno as E } from '../../src/protocol/errno';
import { check } from './client';
import { sharing } from './sharing';
import { otherwise } from './wrappedCalls';

const GETFLAGS = 0x80086601;
const SETFLAGS = 0x40086602;
const FSGETXATTR = 0x801c581f;
const FSSETXATTR = 0x401c5820;
const XATTR_SIZE = 28;

const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit);

describe('flags of a file', () => {
  const { open } = sharing();
  let arena: Arena;
  /** What the host has, and what it is asked to set. */
  let flags: number;
  let attributes: number[];
  let fails: number;
  let set: number[][];

  const host = (real: HostCalls): HostCalls =>
    otherwise(real, 'ioctl', (_fd, command, address) => {
      const at = address - arena.base;
      const words = (count: number): number[] => Array.from({ length: count }, (_, i) => arena.getU32(at + 4 * i));
      if (fails !== 0) return -fails;
      if (command === GETFLAGS) arena.setU32(at, flags);
      else if (command === FSGETXATTR) attributes.forEach((word, i) => arena.setU32(at + 4 * i, word));
      else if (command === SETFLAGS) set.push(words(1));
      else if (command === FSSETXATTR) set.push(words(XATTR_SIZE / 4));
      else assert.fail(`command ${command}`);
      return 0;
    });

  interface Opened {
    /** `words`: what goes in; `room`: for what comes out. */
    ask(command: number, words?: readonly number[], room?: number, length?: number): number;
    out(count: number): number[];
  }

  async function opened(readOnly = false): Promise<Opened> {
    const { client, fs: file } = open({ readOnly }, false, host);
    ({ arena } = client);
    [flags, attributes, fails, set] = [0, [0, 0, 0, 0, 0, 0, 0], 0, []];
    const handle = readOnly ? check(file.opendir(ROOT, 0)) : (await client.create(ROOT, 'a')).handle;
    const data = client.name('');
    return {
      ask: (command, words = [], room = 0, length = words.length * 4) => {
        words.forEach((word, i) => arena.setU32(data + 4 * i, word));
        return file.ioctl(handle, command, data, length, room);
      },
      out: (count) => Array.from({ length: count }, (_, i) => arena.getU32(data + 4 * i)),
    };
  }

  it('are told as the host has them, where there is room', async () => {
    const { ask, out } = await opened();
    flags = 0x80010;
    assert.equal(ask(GETFLAGS, [], 4), 4);
    assert.deepEqual(out(1), [0x80010]);
    attributes = [1, 2, 3, 4, 5, 6, 7];
    assert.equal(ask(FSGETXATTR, [], XATTR_SIZE), XATTR_SIZE);
    assert.deepEqual(out(7), attributes);
    assert.equal(ask(GETFLAGS, [], 3), -E.EINVAL);
    assert.equal(ask(FSGETXATTR, [], XATTR_SIZE - 1), -E.EINVAL);
  });

  it('may be changed where they say how a file is kept: SYNC, COMPR, NODUMP, NOATIME, DIRSYNC, NOCOW', async () => {
    const { ask } = await opened();
    const may = [0x8, 0x4, 0x40, 0x80, 0x10000, 0x800000];
    for (const bit of bits) {
      for (flags of [0, 0xffff_ffff]) {
        const wanted = (flags ^ bit) >>> 0;
        set = [];
        assert.equal(ask(SETFLAGS, [wanted]), may.includes(bit) ? 0 : -E.EPERM, bit.toString(16));
        assert.deepEqual(set, may.includes(bit) ? [[wanted]] : []);
        assert.equal(ask(SETFLAGS, [flags]), 0, 'no change');
      }
    }
  });

  it('as attributes as well: SYNC, NOATIME, NODUMP; neither project nor sizes of extents', async () => {
    const { ask } = await opened();
    const may = [0x20, 0x40, 0x80];
    for (const bit of bits) {
      attributes = [0x100, 4096, 7, 5, 8192, 0, 0];
      const wanted = [(attributes[0] ^ bit) >>> 0, ...attributes.slice(1)];
      set = [];
      assert.equal(ask(FSSETXATTR, wanted), may.includes(bit) ? 0 : -E.EPERM, bit.toString(16));
      assert.deepEqual(set, may.includes(bit) ? [wanted] : []);
    }
    const [extentSize, extents, project, cowExtentSize] = [1, 2, 3, 4];
    for (const [word, result] of [
      [extentSize, -E.EPERM],
      [extents, 0],
      [project, -E.EPERM],
      [cowExtentSize, -E.EPERM],
    ]) {
      const wanted = attributes.map((value, i) => (i === word ? value + 1 : value));
      assert.equal(ask(FSSETXATTR, wanted), result, `word ${word}`);
    }
  });

  it('are set only by what is long enough, and where the host has said how they are', async () => {
    const { ask } = await opened();
    assert.equal(ask(SETFLAGS, [0x40], 0, 3), -E.EINVAL);
    assert.equal(ask(FSSETXATTR, [0x80, 0, 0, 0, 0, 0, 0], 0, XATTR_SIZE - 1), -E.EINVAL);
    fails = E.EOPNOTSUPP;
    for (const command of [SETFLAGS, FSSETXATTR]) {
      assert.equal(ask(command, [0, 0, 0, 0, 0, 0, 0]), -E.EOPNOTSUPP);
    }
    for (const command of [GETFLAGS, FSGETXATTR]) assert.equal(ask(command, [], 64), -E.EOPNOTSUPP);
    assert.deepEqual(set, []);
  });

  it('stay as they are in a share that is read-only', async () => {
    const { ask } = await opened(true);
    for (const command of [SETFLAGS, FSSETXATTR]) assert.equal(ask(command, [0, 0, 0, 0, 0, 0, 0]), -E.EROFS);
    assert.equal(ask(GETFLAGS, [], 4), 4);
    assert.deepEqual(set, []);
  });

  it('are all that there is: nothing else reaches the host', async () => {
    const { ask } = await opened();
    for (const command of [0, 0x5401, GETFLAGS + 1, FSSETXATTR + 1, 0xffff_ffff]) {
      assert.equal(ask(command, [0, 0, 0, 0, 0, 0, 0], 64), -E.ENOTTY);
    }
  });
});
