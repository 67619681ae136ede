/** What an expression means over a stopped request: which of its names is meant, and what names nothing. */
import assert from 'node:assert/strict';
import type { Entry } from '../../src/debug/entries';
import { evaluate, findEntry } from '../../src/debug/expressions';
import type { Fact, Picture } from '../../src/debug/picture';
import type { Target } from '../../src/debug/target';
import { encodeReply, encodeRequest, encodeStruct } from '../../src/protocol/encode';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { AttrOut } from '../../src/protocol/fuse/structs';
import { answered, picture } from './pictures';
import { lookup } from './samples';

const found: Fact[] = [{ name: 'offset below', value: '-7' }];
const asked: string[] = [];
const target = {
  inode: (nodeid: string) => {
    asked.push(`inode ${nodeid}`);
    return Promise.resolve(found);
  },
  handle: (fh: string, nodeid: string) => {
    asked.push(`handle ${fh} of ${nodeid}`);
    return Promise.resolve(found);
  },
} as Partial<Target> as Target;

const value = async (at: Picture, text: string): Promise<string> => (await evaluate(target, at, text)).value;
const entry = (at: Picture, text: string): Promise<Entry | undefined> => findEntry(target, at, text);
const bad = (at: Picture, text: string, why: RegExp): Promise<void> =>
  assert.rejects(evaluate(target, at, text), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'debugExpressionBad');
    assert.match(error.message, why);
    return true;
  });

describe('expressions over a stopped request', () => {
  it('are filters over its reply too: latency, time in host calls, their count', async () => {
    for (const [text, said] of [
      ['latency == 3us', 'true'],
      ['host == 1500ns', 'true'],
      ['calls == 2', 'true'],
      ['error == 0', 'true'],
    ]) {
      assert.equal(await value(answered(), text), said, text);
    }
  });

  it('have nothing of a reply before it is there, nor of one without bytes', async () => {
    for (const at of [picture(), picture({ replyBytes: new Uint8Array(0) })]) {
      assert.equal(await value(at, 'error == 0'), 'false');
      assert.equal(await value(at, 'size == 8'), 'true');
    }
  });

  it('name what every request has, as far as it is known', async () => {
    const at = answered();
    assert.equal(await value(at, 'queue'), '1');
    assert.equal(await value(at, 'head'), '4');
    assert.equal(await value(at, 'phase'), 'reply');
    assert.equal(await value(at, 'latency'), '3.00 µs');
    const bare = picture({ path: '', head: undefined });
    for (const name of ['path', 'name', 'head', 'latency']) assert.equal(await entry(bare, name), undefined, name);
    assert.equal(await entry(at, 'LOOKUP'), undefined, 'another opcode');
    assert.equal(await entry(at, 'queue.size'), undefined, 'a number has no parts');
  });

  it('name scopes in any case, those of two words by one', async () => {
    const at = answered({
      current: 1,
      inode: found,
      model: found,
      descriptors: [{ address: 4096n, length: 80, writable: false }],
    });
    for (const [text, name] of [
      ['call', 'Host call'],
      ['calls', 'Host calls'],
      ['raw', 'Raw bytes'],
      ['share', 'Share at that moment'],
      ['Inode', 'Inode'],
      ['DESCRIPTORS', 'Descriptors'],
    ]) {
      assert.equal((await entry(at, text))?.name, name);
    }
    assert.equal(await value(at, 'inode.offset_below'), '-7', 'a name with a space is written with _');
  });

  it('name fields behind the own opcode, and no other', async () => {
    const at = answered();
    assert.equal(await value(at, 'READ.size'), '8');
    assert.equal(await value(at, 'read.reply.error'), '0');
    assert.equal(await entry(at, 'write.size'), undefined);
  });

  it('reach into structures in between, but not into other parts', async () => {
    const at = picture({
      opcode: Opcode.GETATTR,
      name: 'GETATTR',
      requestBytes: encodeRequest({ opcode: Opcode.GETATTR, unique: 1, nodeid: 5, uid: 0, gid: 0, pid: 0 }),
      replyBytes: encodeReply(1, 0, encodeStruct(AttrOut, { attr: { size: 77 } })),
    });
    assert.equal(await value(at, 'reply.size'), '77');
    const nested = picture({ inode: [{ name: 'part', value: '', inside: [{ name: 'deep', value: '1' }] }] });
    assert.equal(await entry(nested, 'inode.deep'), undefined);
    assert.equal(await value(nested, 'inode.part.deep'), '1');
  });

  it('ask for an inode and a handle by number or field, of the request where nothing is said', async () => {
    asked.length = 0;
    for (const text of ['inode()', 'inode(0x10)', 'inode(fh)', 'handle()', 'handle(9)', 'handle(9, 0x11)']) {
      await evaluate(target, picture(), text);
    }
    assert.deepEqual(asked, ['inode 5', 'inode 16', 'inode 3', 'handle 3 of 5', 'handle 9 of 5', 'handle 9 of 17']);
    await bad(picture(), 'inode(sise)', /"sise" is no number/);
    await bad(picture(), 'inode(path)', /"path" is no number/);
  });

  it('give the bytes of a message or a field in hexadecimal, and numbers, also below 0', async () => {
    const at = answered({ inode: found, requestBytes: lookup().request, replyBytes: Uint8Array.of(16, 0, 0, 255) });
    assert.equal(await value(at, 'hex(reply)'), '10 00 00 ff');
    assert.equal(await value(at, 'hex(inode.offset_below)'), '-0x7');
    await bad(picture(), 'hex(reply)', /has no bytes/);
  });
});
