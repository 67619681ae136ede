import assert from 'node:assert/strict';
import { HostFolder } from '../../src/fs/hostFolder';
import { PASSTHROUGH_AREAS_SIZE, passthroughAreas } from '../../src/fs/passthrough';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';

describe('the shared folder as the host has it', () => {
  it('names a descriptor by all of its digits, and no other one', () => {
    const arena = pinnedArena(PASSTHROUGH_AREAS_SIZE);
    const options = {
      readOnly: false,
      xattr: false,
      writeback: false,
      allowDirectIo: false,
      canImpersonate: false,
      descriptors: 10,
      inodes: 10,
    };
    const folder = new HostFolder(new LinuxCalls(), arena, passthroughAreas(0), options, 3);
    const textAt = (address: number): string => {
      const at = address - arena.base;
      return Buffer.from(arena.bytes(at, arena.stringLength(at, 64))).toString();
    };
    for (const fd of [0, 9, 10, 11, 99, 100, 101, 1000, 65_535, 1_048_576, 2, 2 ** 31 - 1]) {
      assert.equal(textAt(folder.pathOf(fd)), `/proc/self/fd/${fd}`);
      assert.equal(textAt(folder.nameOf(fd)), String(fd));
    }
  });
});
