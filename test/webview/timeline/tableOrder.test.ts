import assert from 'node:assert/strict';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import { type ColumnName, columns } from '../../../src/webview/timeline/model/tableColumns';
import { orderBy } from '../../../src/webview/timeline/model/tableOrder';
import { rowsOf } from './columns';

describe("the requests' table", () => {
  const rows = rowsOf([
    { start: 30, latency: 5, queue: 2, pid: 7, path: 1, opcode: Opcode.WRITE },
    { start: 10, latency: 9, queue: 1, pid: 9, path: 2, opcode: Opcode.GETATTR, error: -2 },
    { start: 20, queue: 3, pid: 8, path: 0, opcode: Opcode.LOOKUP },
  ]);
  const asked = {
    paths: () => Promise.resolve(Uint32Array.of(1, 0, 2)),
    payloads: () => Promise.resolve(Uint32Array.of(4096, 0, 100)),
  };
  const order = async (column: ColumnName, answers = asked): Promise<number[]> => [
    ...(await orderBy(column, rows, Uint32Array.of(0, 1, 2), answers)),
  ];

  const expected: Readonly<Record<ColumnName, readonly number[]>> = {
    row: [0, 1, 2],
    start: [1, 2, 0],
    queue: [1, 0, 2],
    pid: [0, 2, 1],
    opcode: [1, 2, 0],
    path: [0, 2, 1],
    what: [0, 1, 2],
    latency: [2, 0, 1],
    result: [1, 0, 2],
    payload: [1, 2, 0],
  };
  for (const { name, title, sortable } of columns) {
    it(sortable ? `is sorted by ${title}` : `is as the requests came where ${title} would be sorted by`, async () => {
      assert.deepEqual(await order(name), expected[name]);
    });
  }

  it('is as the requests came where what it would be sorted by cannot be had', async () => {
    const none = (): Promise<never> => Promise.reject(new Error('no answer'));
    for (const column of ['path', 'payload'] as const) {
      assert.deepEqual(await order(column, { paths: none, payloads: none }), [0, 1, 2]);
    }
  });
});
