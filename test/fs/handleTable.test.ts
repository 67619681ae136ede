import assert from 'node:assert/strict';
import { LAST_GENERATION } from '../../src/fs/generations';
import { FlushWay, HandleKind, HandleTable, ReadWay } from '../../src/fs/handleTable';

const NODE = 5;

describe('handle table', () => {
  const open = (table: HandleTable): number =>
    table.open(9, NODE, 0, HandleKind.File, ReadWay.NoWait, FlushWay.Unknown);

  it('gives a slot to the next handle under another generation', () => {
    const table = new HandleTable();
    const handle = open(table);
    assert.equal(table.resolve(handle, 0, NODE), handle);
    assert.equal(table.resolve(handle, 0, NODE + 1), -1);
    assert.equal(table.end(handle), true);
    table.free(handle);
    assert.equal(table.resolve(handle, 1, NODE), -1);
    assert.equal(open(table), handle);
    assert.equal(table.resolve(handle, 0, NODE), -1);
    assert.equal(table.resolve(handle, 1, NODE), handle);
  });

  it('gives out no fh that a double cannot hold: a slot whose generations are used up stays empty', () => {
    const table = new HandleTable();
    const first = open(table);
    table.generation[first] = LAST_GENERATION - 1;
    table.free(first);
    assert.equal(open(table), first);
    assert.ok(Number.isSafeInteger(table.generation[first] * 2 ** 32 + 0xffff_ffff));
    table.free(first);
    const [other, another] = [open(table), open(table)];
    assert.equal([other, another].includes(first), false);
    for (const generation of [0, LAST_GENERATION, LAST_GENERATION + 1]) {
      assert.equal(table.resolve(first, generation, NODE), -1);
    }
    assert.equal(table.count, 2);
    const alive: number[] = [];
    table.forEach((handle) => alive.push(handle));
    assert.deepEqual(alive, [other, another]);
  });

  it('knows all that it knew of each handle when it has grown', () => {
    const table = new HandleTable();
    table.free(table.open(3, 1, 0, HandleKind.File, ReadWay.NoWait, FlushWay.Unknown));
    const handle = table.open(10, 11, 12, HandleKind.Folder, ReadWay.Elsewhere, FlushWay.Ask);
    table.flocked[handle] = 1;
    table.positionLow[handle] = 13;
    table.positionHigh[handle] = 14;
    table.hold(handle);
    const all = (): number[] => {
      const { fd, node, flags, kind, readWay, flushWay, flocked, generation, positionLow, positionHigh } = table;
      const columns = [fd, node, flags, kind, readWay, flushWay, flocked, generation, positionLow, positionHigh];
      return columns.map((column) => column[handle]);
    };
    const before = all();
    assert.deepEqual(before, [10, 11, 12, HandleKind.Folder, ReadWay.Elsewhere, FlushWay.Ask, 1, 1, 13, 14]);
    for (let i = 0; i < 300; i++) table.open(100 + i, 1, 0, HandleKind.File, ReadWay.NoWait, FlushWay.Unknown);
    assert.deepEqual(all(), before);
    assert.equal(table.resolve(handle, 1, 11), handle);
    assert.equal(table.end(handle), false, 'a call runs on it');
    assert.equal(table.letGo(handle), true);
  });
});
