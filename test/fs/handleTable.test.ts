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
});
