/** Requests that end too early, and lengths in them that are not their own (as in CVE-2023-50711). */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { opcodeByNumber } from '../../src/protocol/fuse/opcodes';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { pack, text } from '../driver/pack';
import type { Segment } from '../driver/ringWriter';
import { Cell, INSIDE, ROOT, type Victim, needCell } from './cell';
import { goodRequests, request } from './goodRequests';

const MEMORY = 32 << 20;
const AT = MEMORY - 262144;
const REPLY = MEMORY - 65536;
const ROOM = 8192;
const O_RDWR = 2;

describe('requests that are cut short or lie about their length', () => {
  let cell: Cell;
  let victim: Victim;
  let file: { nodeid: bigint; fh: bigint };

  before(async function () {
    needCell(this);
    cell = new Cell();
    victim = await cell.attack({ device: { regions: [MEMORY] } });
    file = victim.calls.create(ROOT, 'file', O_RDWR, 0o644);
  });
  after(() => cell?.close());
  afterEach(() => cell.checkHealth(victim));

  /** Sends bytes as one piece; the reply's error, or undefined where none was written. */
  function send(bytes: Uint8Array): number | undefined {
    const { device } = victim;
    const { arena } = device.memory[0];
    const ring = device.ring(1);
    arena.u8.set(bytes, AT);
    const pieces: Segment[] = [
      { address: AT, length: bytes.length, write: false },
      { address: REPLY, length: ROOM, write: true },
    ];
    ring.offer(ring.chain(pieces));
    ring.armCalls();
    ring.publish();
    device.kick(1);
    let head = ring.take();
    for (const end = Date.now() + 2000; head < 0; head = ring.take()) {
      assert.ok(Date.now() < end, 'the request has not come back');
      device.wait(1, 100);
    }
    ring.free(head);
    return ring.usedLength >= 16 ? arena.getI32(REPLY + 4) : undefined;
  }

  const withLength = (bytes: Uint8Array, length: number): Uint8Array => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(0, length, true);
    return copy;
  };

  it('each at every length: what is not all there is not done', () => {
    const { calls } = victim;
    const folder = calls.mkdir(ROOT, 'folder').nodeid;
    const folderHandle = calls.opendir(ROOT).fh;
    const before = fs.readdirSync(cell.share).join();
    for (const good of goodRequests({ file: file.nodeid, fh: file.fh, folder, folderHandle })) {
      const opcode = new DataView(good.buffer).getUint32(4, true);
      for (let length = 0; length < good.length; length++) {
        const error = send(good.slice(0, length));
        const what = `${opcodeByNumber(opcode)?.name}, ${length} of ${good.length} bytes`;
        assert.ok(error === undefined || error < 0, what);
      }
      send(withLength(good, good.length + 1));
      send(withLength(good, 0xffff_ffff));
    }
    assert.equal(fs.readdirSync(cell.share).join(), before);
  });

  const data = new Uint8Array(100).fill(0x62);
  const odd = [0, 1, 99, 101, 4096, 65537, 2 ** 31, 2 ** 32 - 64, 2 ** 32 - 1];

  it('WRITE', () => {
    for (const size of odd) {
      const args = pack(wire.WriteIn, { fh: file.fh, size });
      assert.ok((send(request(Opcode.WRITE, file.nodeid, args, data)) ?? -1) < 0, `${size}`);
    }
    assert.equal(victim.calls.getattr(file.nodeid).size, 0);
  });

  it('SETXATTR', () => {
    // 99 and less would make the name longer, and so another one without its NUL where it should be.
    for (const size of odd) {
      const args = pack(wire.SetxattrIn, { size });
      const error = send(request(Opcode.SETXATTR, file.nodeid, args, text('user.odd'), data));
      assert.ok((error ?? -1) < 0, `${size}`);
    }
  });

  it('BATCH_FORGET', () => {
    const one = pack(wire.ForgetOne, { nodeid: file.nodeid, nlookup: 1 });
    for (const count of [0, 2, 3, 2 ** 28, 2 ** 28 + 1, 2 ** 32 - 1]) {
      send(request(Opcode.BATCH_FORGET, 0n, pack(wire.BatchForgetIn, { count }), one));
    }
    assert.equal(victim.calls.getattr(file.nodeid).nlink, 1, 'nothing was forgotten');
  });

  it('IOCTL', () => {
    for (const size of odd) {
      const args = pack(wire.IoctlIn, { fh: file.fh, cmd: 0x40086602, in_size: size, out_size: 0 });
      assert.ok((send(request(Opcode.IOCTL, file.nodeid, args, data)) ?? -1) < 0, `${size}`);
    }
    for (const size of odd.filter((bytes) => bytes > ROOM)) {
      const args = pack(wire.IoctlIn, { fh: file.fh, cmd: 0x80086601, out_size: size });
      assert.ok((send(request(Opcode.IOCTL, file.nodeid, args)) ?? -1) < 0, `${size} out`);
    }
  });

  it('READ, READDIR, GETXATTR and LISTXATTR with more than there is room for: no byte beyond the room', () => {
    const { calls, device } = victim;
    calls.write(file.nodeid, file.fh, 0, new Uint8Array(65536).fill(0x63));
    for (let i = 0; i < 200; i++) fs.writeFileSync(`${cell.share}/a file with quite a long name ${i}`, '');
    calls.setxattr(file.nodeid, 'user.long', new Uint8Array(3000).fill(0x64));
    const { fh } = calls.opendir(ROOT);
    const beyond = REPLY + ROOM;
    const { arena } = device.memory[0];
    arena.u8.fill(0xa5, beyond, beyond + 4096);
    for (const size of [ROOM - 16, ROOM, 65536, 2 ** 31, 2 ** 32 - 1]) {
      send(request(Opcode.READ, file.nodeid, pack(wire.ReadIn, { fh: file.fh, size })));
      send(request(Opcode.READDIR, ROOT, pack(wire.ReadIn, { fh, size })));
      send(request(Opcode.READDIRPLUS, ROOT, pack(wire.ReadIn, { fh, size })));
      send(request(Opcode.GETXATTR, file.nodeid, pack(wire.GetxattrIn, { size }), text('user.long')));
      send(request(Opcode.LISTXATTR, file.nodeid, pack(wire.GetxattrIn, { size })));
      assert.ok(
        arena.bytes(beyond, 4096).every((byte) => byte === 0xa5),
        `${size}`,
      );
    }
    calls.releasedir(ROOT, fh);
  });

  it('extensions longer than their request, or of no agreed kind', () => {
    const args = pack(wire.MkdirIn, { mode: 0o755 });
    const header = (length: number, total_extlen: number): Uint8Array =>
      pack(wire.InHeader, { len: length, opcode: Opcode.MKDIR, unique: 7, nodeid: ROOT, total_extlen });
    const attempt = (extension: Uint8Array, words: number): number | undefined => {
      const rest = Buffer.concat([args, text('extended'), extension]);
      return send(new Uint8Array(Buffer.concat([header(40 + rest.length, words), rest])));
    };
    const u32 = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
    for (const [extension, words] of [
      [u32(16, 32, 1, 0), 3],
      [u32(16, 32, 1, 0), 0xffff],
      [u32(8, 32), 1],
      [u32(16, 32, 1000, 0), 2],
      [u32(0, 32, 0, 0), 2],
      [u32(12, 32, 0, 0), 2],
      [u32(0xffff_fff8, 32, 0, 0), 2],
      [u32(16, 1, 0, 0), 2],
    ] as const) {
      assert.ok((attempt(extension, words) ?? -1) < 0);
    }
    assert.ok(!fs.existsSync(`${cell.share}/extended`));
  });

  it('and the file inside is as it was', () => {
    assert.equal(fs.readFileSync(`${cell.share}/inside`, 'utf8'), INSIDE);
  });
});
