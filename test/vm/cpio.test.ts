/** The archive is what the kernel's "newc" description says. */
import * as assert from 'node:assert/strict';
import { writeCpio } from '../../src/vm/cpio';

interface Member {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
  readonly device: [number, number];
}

/** An independent reading of the format: 110 bytes of hexadecimal header, name, content, each padded to four. */
function readCpio(archive: Buffer): Member[] {
  const members: Member[] = [];
  let at = 0;
  for (;;) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701');
    const field = (index: number): number =>
      parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, major, minor, nameSize] = [1, 6, 9, 10, 11].map(field);
    const name = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const data = (at + 110 + nameSize + 3) & ~3;
    at = (data + size + 3) & ~3;
    if (name === 'TRAILER!!!') {
      assert.equal(at, archive.length);
      return members;
    }
    members.push({ name, mode, content: archive.toString('utf8', data, data + size), device: [major, minor] });
  }
}

describe('cpio', () => {
  it('holds files, links, devices, and folders before what is in them', () => {
    const members = readCpio(
      writeCpio([
        { path: 'bin/busybox', mode: 0o100755, content: 'program' },
        { path: 'bin/sh', mode: 0o120777, content: 'busybox' },
        { path: 'dev/console', mode: 0o020600, device: { major: 5, minor: 1 } },
        { path: 'empty', mode: 0o100644 },
      ]),
    );
    assert.deepEqual(
      members.map(({ name, mode, content, device }) => [name, mode.toString(8), content, device.join()]),
      [
        ['bin', '40755', '', '0,0'],
        ['bin/busybox', '100755', 'program', '0,0'],
        ['bin/sh', '120777', 'busybox', '0,0'],
        ['dev', '40755', '', '0,0'],
        ['dev/console', '20600', '', '5,1'],
        ['empty', '100644', '', '0,0'],
      ],
    );
  });

  it('pads names and contents of every length', () => {
    for (let length = 0; length < 9; length++) {
      const entry = { path: 'n'.repeat(length + 1), mode: 0o100644, content: 'c'.repeat(length) };
      const [member] = readCpio(writeCpio([entry]));
      assert.deepEqual([member.name, member.content], [entry.path, entry.content]);
    }
  });

  it('is the same for the same input', () => {
    const entries = [{ path: 'a', mode: 0o100644, content: 'x' }];
    assert.ok(writeCpio(entries).equals(writeCpio(entries)));
  });

  it('takes names that are not ASCII', () => {
    assert.equal(readCpio(writeCpio([{ path: 'Ü/名', mode: 0o100644 }]))[1].name, 'Ü/名');
  });

  for (const path of ['', '/a', 'a//b', 'a/', '../a', 'a/./b', 'a\0b']) {
    it(`refuses the path ${JSON.stringify(path)}`, () => {
      assert.throws(() => writeCpio([{ path, mode: 0o100644 }]), /is not a path inside an archive/);
    });
  }

  it('refuses two entries of one name, and a file that is also a folder', () => {
    const file = { path: 'a', mode: 0o100644 };
    assert.throws(() => writeCpio([file, file]), /two entries are named "a"/);
    assert.throws(() => writeCpio([file, { path: 'a/b', mode: 0o100644 }]), /both a file and the folder/);
  });
});
