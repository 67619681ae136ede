/** Requests and replies changed while they are held, memory and facts looked at, handlers run again. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import { pack } from '../../driver/pack';
import { Debugged } from './debugged';

const HEADER = wire.InHeader.size;
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const u32 = (...values: number[]): string => base64(new Uint8Array(new Uint32Array(values).buffer));

describe('changing', () => {
  let it_: Debugged;

  beforeEach(async () => {
    it_ = await Debugged.begin();
  });
  afterEach(() => it_.end());

  const inShare = (name: string): string => path.join(it_.home, 'share', name);

  describe('a request', () => {
    it("READ's size", async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'READ' });
      const read = it_.read(nodeid, fh, 4096);
      const { request } = await it_.next('held');
      const offset = HEADER + wire.ReadIn.offset.size;
      const { problems } = await it_.client.ask('writeRequest', { request, offset, bytes: u32(100) });
      assert.deepEqual(problems, []);
      assert.equal((await it_.client.ask('held', {})).held[0].changed, true);
      await it_.go();
      assert.equal(it_.bodyOf(read).length, 100);
    });

    it('a name, for a longer one', async () => {
      await it_.breakOn({ opcodes: 'MKDIR' });
      const parts = [pack(wire.MkdirIn, { mode: 0o755 }), Buffer.from('one\0')];
      const mkdir = it_.start(Opcode.MKDIR, 1n, parts, { room: wire.EntryOut.size });
      const { request } = await it_.next('held');
      const offset = HEADER + wire.MkdirIn.size;
      const change = { request, offset, bytes: base64('another\0'), replace: 4 };
      const { total } = await it_.client.ask('writeRequest', change);
      assert.equal(total, offset + 8);
      const { held, requestBytes } = await it_.client.ask('request', { request });
      assert.deepEqual([held.path, requestBytes], ['/another', total]);
      const length = await it_.client.ask('readRequest', { request, offset: 0, count: 4 });
      assert.equal(length.bytes, u32(total));
      await it_.go();
      assert.equal(it_.errorOf(mkdir), 0);
      assert.deepEqual([fs.existsSync(inShare('one')), fs.existsSync(inShare('another'))], [false, true]);
    });

    it("the bytes that WRITE writes, and the guest's own memory stays", async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'WRITE' });
      const write = it_.write(nodeid, fh, Buffer.from('0123456789'));
      const { request } = await it_.next('held');
      const data = HEADER + wire.WriteIn.size;
      await it_.client.ask('writeRequest', { request, offset: data + 2, bytes: base64('XY') });
      const { descriptors } = await it_.client.ask('descriptors', { request });
      const part = descriptors.find(({ length }) => length === 10);
      assert.ok(part && !part.writable);
      const { bytes } = await it_.client.ask('readMemory', { address: part.address, count: 10 });
      assert.equal(bytes, base64('0123456789'));
      await it_.go();
      assert.equal(it_.errorOf(write), 0);
      assert.equal(fs.readFileSync(inShare('file'), 'utf8').slice(0, 12), '01XY456789cd');
    });

    it('where WRITE writes, and more bytes before those that it brings', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'WRITE' });
      const write = it_.write(nodeid, fh, Buffer.from('0123456789'));
      const { request } = await it_.next('held');
      const change = (offset: number, bytes: string, replace?: number) =>
        it_.client.ask('writeRequest', { request, offset, bytes, ...(replace === undefined ? {} : { replace }) });
      const data = HEADER + wire.WriteIn.size;
      await change(HEADER + wire.WriteIn.offset.offset, u32(4, 0));
      const whole = await it_.client.ask('readRequest', { request, offset: 0, count: data + 10 });
      const bytes = Buffer.from(whole.bytes, 'base64');
      assert.equal(bytes.readUInt32LE(HEADER + wire.WriteIn.offset.offset), 4);
      assert.equal(bytes.subarray(data).toString(), '0123456789');
      assert.equal((await change(data, base64('XY'), 0)).total, data + 12);
      await change(HEADER + wire.WriteIn.offset.size, u32(12));
      await it_.go();
      assert.equal(it_.errorOf(write), 0);
      assert.equal(fs.readFileSync(inShare('file'), 'utf8').slice(0, 18), 'abcdXY0123456789ab');
    });

    it('what the guest writes while it is held changes nothing', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      const lookup = it_.lookup('file');
      const { request } = await it_.next('held');
      const [memory] = it_.session.device.memory;
      const name = Buffer.from(memory.arena.u8.buffer, memory.arena.u8.byteOffset).indexOf('file\0');
      assert.ok(name > 0);
      memory.arena.u8.set(Buffer.from('gone'), name);
      const { bytes } = await it_.client.ask('readRequest', { request, offset: HEADER, count: 5 });
      assert.equal(bytes, base64('file\0'));
      await it_.go();
      assert.equal(it_.errorOf(lookup), 0);
    });

    it('is refused where the guest would not know it again', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      const lookup = it_.lookup('file');
      const { request } = await it_.next('held');
      const write = (offset: number, bytes: string, replace?: number) =>
        it_.client.ask('writeRequest', { request, offset, bytes, ...(replace === undefined ? {} : { replace }) });
      await assert.rejects(write(wire.InHeader.offset.unique, u32(1, 2)), {
        code: 'debugValueRefused',
        message: /unique/,
      });
      await assert.rejects(write(wire.InHeader.offset.len, u32(9999)), /"len" would be 9999/);
      await assert.rejects(write(wire.InHeader.offset.opcode, u32(Opcode.FORGET)), /has a reply/);
      await assert.rejects(write(wire.InHeader.offset.opcode, u32(4000)), /has a reply/);
      await assert.rejects(write(5000, u32(1)), /the request has 45 bytes/);
      await assert.rejects(write(0, '', 20), /shorter than a header/);
      await assert.rejects(write(HEADER, base64(Buffer.alloc(100_000, 'a')), 5), /at most/);
      assert.equal((await it_.client.ask('held', {})).held[0].changed, false);
      // Nonsense within the rules is let through, with what is wrong about it; the server refuses it as ever.
      const { problems } = await write(HEADER, base64('fileX'), 5);
      assert.deepEqual(problems, ['name has no NUL']);
      await it_.go();
      assert.equal(it_.errorOf(lookup), -Errno.EINVAL);
    });

    it('only at its entry', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP', phase: 'reply' });
      it_.lookup('file');
      const { request } = await it_.next('held');
      await assert.rejects(it_.client.ask('writeRequest', { request, offset: 0, bytes: '' }), {
        code: 'debugRefused',
        message: /stands at its entry/,
      });
    });
  });

  describe('a reply', () => {
    it('a field of it', async () => {
      await it_.breakOn({ opcodes: 'GETATTR', phase: 'reply' });
      const getattr = it_.getattr();
      const { request } = await it_.next('held');
      const size = wire.OutHeader.size + wire.AttrOut.offset.attr + wire.Attr.offset.size;
      const { problems } = await it_.client.ask('writeReply', { request, offset: size, bytes: u32(424242, 0) });
      assert.deepEqual(problems, []);
      await it_.go();
      const body = Buffer.from(it_.bodyOf(getattr));
      assert.equal(body.readUInt32LE(wire.AttrOut.offset.attr + wire.Attr.offset.size), 424242);
    });

    it('its length: less was read', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'READ', phase: 'reply' });
      const read = it_.read(nodeid, fh, 4096);
      const { request } = await it_.next('held');
      const change = { request, offset: 16, bytes: base64('hello'), length: 21 };
      assert.equal((await it_.client.ask('writeReply', change)).total, 21);
      const reply = await it_.client.ask('readReply', { request, offset: 16, count: 100 });
      assert.deepEqual(reply, { bytes: base64('hello'), total: 21 });
      await it_.go();
      assert.equal(Buffer.from(it_.bodyOf(read)).toString(), 'hello');
    });

    it('its length, back again: what was cut off does not come back', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'READ', phase: 'reply' });
      const read = it_.read(nodeid, fh, 10);
      const { request } = await it_.next('held');
      for (const length of [18, 26]) await it_.client.ask('writeReply', { request, offset: 0, bytes: '', length });
      await it_.go();
      assert.equal(Buffer.from(it_.bodyOf(read)).toString(), `ab${'\0'.repeat(8)}`);
    });

    it('an errno in its place', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP', phase: 'reply' });
      const lookup = it_.lookup('file');
      const { request } = await it_.next('held');
      await it_.client.ask('answer', { request, errno: Errno.EACCES });
      const stands = await it_.next('stepped');
      assert.deepEqual([stands.phase, stands.why.kind, stands.changed], ['reply', 'answer', true]);
      assert.equal((await it_.client.ask('request', { request })).error, Errno.EACCES);
      await it_.go();
      assert.equal(it_.errorOf(lookup), -Errno.EACCES);
    });

    it('is refused where the guest could not take it', async () => {
      await it_.breakOn({ opcodes: 'GETATTR', phase: 'reply' });
      const getattr = it_.getattr();
      const { request } = await it_.next('held');
      const write = (offset: number, bytes: string, length?: number) =>
        it_.client.ask('writeReply', { request, offset, bytes, ...(length === undefined ? {} : { length }) });
      await assert.rejects(write(8, u32(1, 2)), { code: 'debugValueRefused', message: /unique/ });
      await assert.rejects(write(0, u32(77)), /"len" would be 77/);
      await assert.rejects(write(4, u32(5)), /error is 0 or/);
      await assert.rejects(write(4, u32(-2 >>> 0)), /nothing but its header/);
      await assert.rejects(write(16, base64(new Uint8Array(200))), /room for 120 bytes/);
      await assert.rejects(write(0, '', 8), /header at least/);
      const { problems } = await write(0, '', 50);
      assert.equal(problems.length, 1);
      await write(0, '', 120);
      await it_.go();
      assert.equal(it_.bodyOf(getattr).length, 104);
    });
  });

  it('an errno without its handler', async () => {
    await it_.breakOn({ opcodes: 'MKDIR' });
    const parts = [pack(wire.MkdirIn, { mode: 0o755 }), Buffer.from('never\0')];
    const mkdir = it_.start(Opcode.MKDIR, 1n, parts, { room: wire.EntryOut.size });
    const { request } = await it_.next('held');
    await it_.client.ask('answer', { request, errno: Errno.EROFS });
    assert.equal((await it_.next('stepped')).phase, 'reply');
    await it_.go();
    assert.equal(it_.errorOf(mkdir), -Errno.EROFS);
    assert.ok(!fs.existsSync(inShare('never')));
  });

  it('a handler runs again where that is harmless', async () => {
    const { nodeid, fh } = it_.open();
    await it_.breakOn({ opcodes: 'READ,OPEN' });
    const read = it_.read(nodeid, fh, 4);
    const { request } = await it_.next('held');
    await it_.step('stepOut', request, 'reply');
    fs.writeFileSync(inShare('file'), 'zyxw');
    await it_.client.ask('rerun', { request });
    assert.deepEqual((await it_.next('stepped')).phase, 'entry');
    await it_.go();
    assert.equal(Buffer.from(it_.bodyOf(read)).toString(), 'zyxw');

    it_.start(Opcode.OPEN, nodeid, [pack(wire.OpenIn, {})], { room: wire.OpenOut.size });
    const open = await it_.next('held');
    await assert.rejects(it_.client.ask('rerun', { request: open.request }), /has not ended/);
    await it_.step('stepOut', open.request, 'reply');
    await assert.rejects(it_.client.ask('rerun', { request: open.request }), /cannot be done twice/);
  });

  it('facts: inode, handle, credentials, session, descriptors', async () => {
    const { nodeid } = it_.session.calls.lookup(1n, 'folder');
    const file = it_.open();
    await it_.breakOn({ opcodes: 'READ' });
    it_.read(file.nodeid, file.fh, 4096);
    const { request } = await it_.next('held');
    const facts = await it_.client.ask('request', { request });
    const stat = fs.statSync(inShare('file'));
    assert.equal(facts.inode?.path, '/file');
    assert.equal(facts.inode.type, 'file');
    assert.equal(facts.inode.ino, String(stat.ino));
    assert.equal(facts.handle?.fh, String(file.fh));
    assert.equal(facts.handle.kind, 'file');
    assert.equal(facts.handle.flags & 3, 2);
    assert.equal(facts.session.minor, it_.session.calls.minor);
    assert.equal(facts.replyRoom, 16 + 4096);
    assert.deepEqual(facts.can, ['continue', 'stepIn', 'stepOver', 'stepOut', 'answer', 'writeRequest']);
    const { descriptors } = await it_.client.ask('descriptors', { request });
    assert.equal(
      descriptors.filter(({ writable }) => !writable).reduce((sum, { length }) => sum + length, 0),
      HEADER + wire.ReadIn.size,
    );
    const inode = await it_.client.ask('inode', { nodeid: String(nodeid) });
    assert.deepEqual([inode.inode?.path, inode.inode?.type], ['/folder', 'folder']);
    assert.deepEqual(await it_.client.ask('inode', { nodeid: '123456789' }), {});
    assert.deepEqual(await it_.client.ask('handle', { fh: '77', nodeid: String(nodeid) }), {});
    const { bytes } = await it_.client.ask('readMemory', { address: '1', count: 0 });
    assert.equal(bytes, '');
    assert.equal((await it_.client.ask('readMemory', { address: '-1', count: 9 })).bytes, '');
    assert.equal((await it_.client.ask('readMemory', { address: '99999999999999999', count: 9 })).bytes, '');
  });
});
