/** The rows of a capture while it is read. */
import assert from 'node:assert/strict';
import { Columns } from '../../src/trace/columns';

const isColumn = (value: unknown): value is Uint32Array => ArrayBuffer.isView(value);
const rowOf = (columns: Columns, row: number): Record<string, number> =>
  Object.fromEntries(Object.entries(columns).flatMap(([name, value]) => (isColumn(value) ? [[name, value[row]]] : [])));
const fillRow = (columns: Columns, row: number, value: number): void => {
  for (const column of Object.values(columns)) if (isColumn(column)) column[row] = value;
};

describe('columns', () => {
  it('grow together and keep what is in them', () => {
    const columns = new Columns(2);
    for (let row = 0; row < 5000; row++) fillRow(columns, columns.add(), row % 100);
    assert.equal(columns.count, 5000);
    assert.deepEqual([...new Set(Object.values(rowOf(columns, 1234)))], [34]);
  });

  it('rows move up when the first ones go, and a new one has nothing of what was in its place', () => {
    const columns = new Columns();
    for (let row = 0; row < 6; row++) fillRow(columns, columns.add(), row + 1);
    columns.drop(4);
    assert.equal(columns.count, 2);
    assert.deepEqual([...new Set(Object.values(rowOf(columns, 0)))], [5]);
    assert.equal(columns.add(), 2);
    assert.deepEqual([...new Set(Object.values(rowOf(columns, 2)))], [0]);
  });
});
