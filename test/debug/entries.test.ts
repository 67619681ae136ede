/** What is shown of a stopped request: scopes, what is in them, and where that is in a message. */
import assert from 'node:assert/strict';
import { bytesOf, type Entry, hexOf, sameEntry, scopesOf } from '../../src/debug/entries';
import type { Picture } from '../../src/debug/picture';
import { encodeRequest, encodeStruct } from '../../src/protocol/encode';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { ReadIn } from '../../src/protocol/fuse/structs';
import { answered, call, picture } from './pictures';

/** By names, one inside the other; undefined where one is not there. */
function at(of: Picture, ...names: readonly string[]): Entry | undefined {
  let list: readonly Entry[] = scopesOf(of);
  let entry: Entry | undefined;
  for (const name of names) {
    entry = list.find((one) => one.name === name);
    list = entry?.children?.() ?? [];
  }
  return entry;
}

const namesIn = (entry: Entry | undefined): string[] => (entry?.children?.() ?? []).map(({ name }) => name);

describe('what is shown of a stopped request', () => {
  it('its caller, each number under its own name', () => {
    const at4 = picture({ uid: 1, gid: 2, pid: 3 });
    assert.deepEqual(
      at(at4, 'Credentials')
        ?.children?.()
        .map(({ name, value }) => [name, value]),
      [
        ['uid', '1'],
        ['gid', '2'],
        ['pid', '3'],
      ],
    );
  });

  it('bytes without fields by their length', () => {
    assert.equal(at(answered(), 'Reply', 'data')?.value, '8 bytes');
  });

  it('facts with what is in them, and their memory', () => {
    const inode = [{ name: 'window', value: '', inside: [{ name: 'range', value: '4K', memory: 'guest/0/1000' }] }];
    const range = at(picture({ inode }), 'Inode', 'window', 'range');
    assert.deepEqual(range, { name: 'range', value: '4K', memory: 'guest/0/1000' });
  });

  it('of a host call that failed, what the error means; of one that was made, whose thread it was', () => {
    const calls = [call(1_000, { result: -2, otherThread: true }), call(0, { result: undefined })];
    const of = (index: string, name: string): Entry | undefined => at(answered({ calls }), 'Host calls', index, name);
    assert.match(of('[0]', 'result')?.doc ?? '', /./);
    assert.equal(of('[0]', 'other thread')?.value, 'true');
    assert.equal(of('[1]', 'result')?.value, 'not made yet');
    assert.equal(of('[1]', 'took'), undefined);
    assert.equal(at(answered(), 'Host calls', '[0]', 'result')?.doc, undefined);
    assert.equal(at(answered(), 'Host calls', '[0]', 'other thread')?.value, 'false');
  });

  it('raw bytes of what is there', () => {
    assert.deepEqual(namesIn(at(picture(), 'Raw bytes')), ['request']);
    assert.deepEqual(namesIn(at(picture({ replyBytes: new Uint8Array(0) }), 'Raw bytes')), ['request']);
    assert.deepEqual(namesIn(at(answered(), 'Raw bytes')), ['request', 'reply']);
  });

  it('at most 4096 bytes in hexadecimal', () => {
    assert.equal(hexOf(new Uint8Array(5000)).length, 4096 * 3 - 1);
  });
});

describe('an entry after its request was changed', () => {
  const changed = picture({
    requestBytes: encodeRequest(
      { opcode: Opcode.READ, unique: 812, nodeid: 5, uid: 0, gid: 0, pid: 0 },
      encodeStruct(ReadIn, { fh: 3, offset: 8192, size: 77 }),
    ),
  });

  it('is the one of that name at that place, with the value of now', () => {
    for (const [name, value] of [
      ['size', '77'],
      ['offset', '8192'],
    ]) {
      const before = at(picture(), 'Request', 'fuse_read_in', name) ?? assert.fail(name);
      assert.equal(sameEntry(changed, before)?.value, value);
      assert.equal(sameEntry(changed, { ...before, name: 'gone' }), undefined);
    }
    // A structure begins where its first field does.
    const struct = at(picture(), 'Request', 'fuse_read_in') ?? assert.fail();
    assert.equal(sameEntry(changed, struct)?.name, 'fuse_read_in');
    const fh = at(picture(), 'Request', 'fuse_read_in', 'fh') ?? assert.fail();
    assert.equal(sameEntry(changed, fh)?.name, 'fh');
  });

  it('of that name somewhere else is another', () => {
    const before = at(picture(), 'Request', 'fuse_read_in', 'size') ?? assert.fail();
    const node = { ...(before.place?.node ?? assert.fail()), at: 0 };
    assert.equal(sameEntry(changed, { ...before, place: { side: 'request', node } }), undefined);
  });

  it('has the bytes of now, and none of a reply that is not there', () => {
    const place = at(picture(), 'Request', 'fuse_read_in', 'size')?.place ?? assert.fail();
    assert.deepEqual([...bytesOf(changed.facts, place)], [77, 0, 0, 0]);
    assert.equal(bytesOf(changed.facts, { ...place, side: 'reply' }).length, 0);
  });
});
