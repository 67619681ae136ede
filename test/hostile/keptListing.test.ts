/** A guest that leaves a listing half read while the daemon does something else on its behalf. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { entry } from '../driver/fuseCalls';
import { pack } from '../driver/pack';
import { Cell, ROOT, needCell } from './cell';

const O_RDWR = 2;
/** struct linux_dirent64 of a name of four letters, and where its name is. */
const ENTRY = 24;
const NAME = 19;

describe('a listing that is half read when a capture goes on in a new file', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
    cell = new Cell();
  });

  after(() => cell?.close());

  it('goes on with names of the folder, not with paths of the host that the guest has made up', async () => {
    const capture = path.join(cell.home, 'driver-capture');
    const { calls, client } = await cell.attack({ arguments: ['--capture', capture, '--capture-limit', '8M'] });
    const list = calls.mkdir(ROOT, 'list').nodeid;
    for (let number = 10; number < 99; number++) calls.mknod(list, `nn${number}`, 0o100644);
    // The path on the host of a folder of the share has the canary's whole path where the second entry's name would be.
    let folder = calls.mkdir(ROOT, 'z'.repeat(ENTRY + NAME - `${cell.share}/`.length)).nodeid;
    for (const part of path.join(cell.outside, 'canary').split('/').slice(1)) folder = calls.mkdir(folder, part).nodeid;
    // From now on the daemon has a descriptor of it, and asks the kernel for its path.
    calls.getattr(folder);
    const { fh } = calls.opendir(list);
    const [first] = calls.readdir(list, fh, 0n, 32);
    while (!fs.existsSync(`${capture}.old`)) calls.getattr(ROOT);
    const args = pack(wire.ReadIn, { fh, offset: first.next, size: 200_000 });
    const { body } = client.call(Opcode.READDIRPLUS, list, [args], { room: 200_000 });
    const names = decodeNames(body);
    assert.ok(names.length > 80, `${names.length} names`);
    for (const name of names) assert.match(name, /^(?:\.\.?|nn\d\d)$/);
    const { nodeid } = entry(body);
    if (nodeid !== 0n) assert.equal(Buffer.from(calls.read(nodeid, calls.open(nodeid, O_RDWR).fh, 0, 100)).length, 0);
    cell.checkOutside();
  });
});

function decodeNames(body: Uint8Array): string[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const names: string[] = [];
  const { namelen } = wire.Dirent.offset;
  for (let at = 0; at < body.length;) {
    const dirent = at + wire.Direntplus.offset.dirent;
    const length = view.getUint32(dirent + namelen, true);
    const from = dirent + wire.Dirent.size;
    names.push(Buffer.from(body.subarray(from, from + length)).toString('latin1'));
    at = from + ((length + 7) & ~7);
  }
  return names;
}
