import assert from 'node:assert/strict';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { Dirent, EntryOut, ReadIn } from '../../src/protocol/fuse/structs';
import { Fields, pack } from '../driver/pack';
import { fh, nodeid, request, Workbench } from './workbench';

interface Told {
  readonly name: string;
  readonly ino: number;
  readonly next: bigint;
  readonly type: number;
  /** READDIRPLUS: 0n for what was not looked up. */
  readonly nodeid?: bigint;
}

function entries(body: Uint8Array, plus: boolean): Told[] {
  const told: Told[] = [];
  for (let at = 0; at < body.length;) {
    const entry = plus ? { nodeid: new Fields<string>(EntryOut, body, at).big('nodeid') } : {};
    const start = plus ? at + EntryOut.size : at;
    const dirent = new Fields<string>(Dirent, body, start);
    const length = dirent.number('namelen');
    const name = Buffer.from(body.subarray(start + Dirent.size, start + Dirent.size + length)).toString();
    told.push({ name, ino: dirent.number('ino'), next: dirent.big('off'), type: dirent.number('type'), ...entry });
    at = start + Dirent.size + ((length + 7) & ~7);
  }
  return told;
}

const FOLDER = 4;
const FILE = 8;
const folder = [
  { name: '.', ino: 1, type: FOLDER },
  { name: '..', ino: 1, type: FOLDER },
  { name: 'eight888', ino: 20, type: FILE },
  { name: 'a', ino: 21, type: FILE },
];

function read(
  bench: Workbench,
  opcode: number,
  size: number,
  offset = 0n,
  room = 65536,
): ReturnType<Workbench['send']> {
  const args = pack(ReadIn, { fh: fh(2), size, offset });
  return bench.send(request({ opcode, nodeid: nodeid(5) }, args), room);
}

function prepared(): Workbench {
  const bench = Workbench.started();
  bench.fs.entries = folder;
  return bench;
}

describe('FUSE directories', () => {
  it('READDIR tells names, padded to 8 bytes, with positions of 64 bits', () => {
    const bench = prepared();
    const { body } = read(bench, Opcode.READDIR, 4096, 0x7fff_ffff_0000_0001n);
    assert.deepEqual(bench.fs.log, ['readdir(2, 1, 2147483647, 4096)']);
    assert.deepEqual(entries(body, false), [
      { name: '..', ino: 1, next: 0x7fff_ffff_0000_0002n, type: FOLDER },
      { name: 'eight888', ino: 20, next: 0x7fff_ffff_0000_0003n, type: FILE },
      { name: 'a', ino: 21, next: 0x7fff_ffff_0000_0004n, type: FILE },
    ]);
  });

  it('READDIR stops where the next entry does not fit', () => {
    for (const [size, count] of [
      [32, 1],
      [63, 1],
      [64, 2],
      [95, 2],
      [96, 3],
      [127, 3],
      [128, 4],
    ] as const) {
      assert.equal(entries(read(prepared(), Opcode.READDIR, size).body, false).length, count, `${size} bytes`);
      assert.equal(entries(read(prepared(), Opcode.READDIR, 4096, 0n, 16 + size).body, false).length, count);
    }
  });

  it('READDIRPLUS looks up what it tells, and neither "." nor ".."', () => {
    const bench = prepared();
    const { body } = read(bench, Opcode.READDIRPLUS, 4096);
    assert.deepEqual(bench.fs.log, ['readdir(2, 0, 0, 4096)', 'lookup(5, eight888)', 'lookup(5, a)']);
    assert.deepEqual(
      entries(body, true).map((entry) => [entry.name, entry.nodeid]),
      [
        ['.', 0n],
        ['..', 0n],
        ['eight888', nodeid(5)],
        ['a', nodeid(5)],
      ],
    );
  });

  it('READDIRPLUS looks nothing up that does not fit', () => {
    const one = EntryOut.size + Dirent.size + 8;
    const bench = prepared();
    assert.equal(entries(read(bench, Opcode.READDIRPLUS, 4 * one - 1).body, true).length, 3);
    assert.deepEqual(bench.fs.log.slice(1), ['lookup(5, eight888)']);
  });

  it('READDIRPLUS tells what cannot be looked up without attributes', () => {
    const bench = prepared();
    bench.fs.answer('lookup', -24);
    const told = entries(read(bench, Opcode.READDIRPLUS, 4096).body, true);
    assert.deepEqual(
      told.map((entry) => entry.nodeid),
      [0n, 0n, 0n, 0n],
    );
  });

  it('a failure after some entries comes with the next request', () => {
    const bench = prepared();
    bench.fs.answer('readdir', -5);
    assert.equal(entries(read(bench, Opcode.READDIR, 4096).body, false).length, 4);
    bench.fs.entries = [];
    assert.equal(read(bench, Opcode.READDIR, 4096).error, -5);
  });

  it('the end is an empty reply; no room for any entry an error', () => {
    assert.equal(read(prepared(), Opcode.READDIR, 4096, 4n).used, 16);
    for (const size of [0, 8, 24, 31]) assert.equal(read(prepared(), Opcode.READDIR, size).error, -22);
    const one = EntryOut.size + Dirent.size + 8;
    assert.equal(read(prepared(), Opcode.READDIRPLUS, one - 1).error, -22);
    assert.equal(read(prepared(), Opcode.READDIRPLUS, one).error, 0);
    assert.equal(read(prepared(), Opcode.READDIR, 0, 4n).used, 16, 'nor does the end need any');
  });

  it('a huge reply is bounded, not refused', () => {
    const bench = prepared();
    bench.fs.entries = Array.from({ length: 20_000 }, (_, i) => ({ name: `file${i}`, ino: 100 + i, type: FILE }));
    const { used, body } = read(bench, Opcode.READDIRPLUS, 0xffff_ffff, 0n, 4 << 20);
    assert.ok(used > 200_000 && used <= 256 * 1024);
    assert.equal(bench.fs.log.length - 1, entries(body, true).length);
  });
});
