/** The grid of the DAX Window view, without a page. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RangeView } from '../../../src/control/daxWindow';
import { cellAt, cellByKey, gridOf, layOut, MOST_CELLS } from '../../../src/webview/dax/model/grid';

const MIB = 1 << 20;
const range = (offset: number, length: number): RangeView => ({
  offset,
  length,
  file: 0,
  fileOffset: 0,
  writable: false,
  since: 0,
  request: 1,
  pid: 1,
  uses: 1,
});

describe('the grid of a window', () => {
  it('has a cell for each 2 MiB', () => {
    const grid = gridOf({ size: 8 * MIB, ranges: [range(0, 2 * MIB), range(4 * MIB, 2 * MIB)] });
    assert.deepEqual([...grid.range], [0, -1, 1, -1]);
    assert.deepEqual([...grid.filled], [1, 0, 1, 0]);
  });

  it('has larger cells where there would be too many', () => {
    const grid = gridOf({ size: 16 * 1024 * MIB, ranges: [range(4 * MIB, 2 * MIB)] });
    assert.equal(grid.bytes, 4 * MIB);
    assert.equal(grid.count, MOST_CELLS);
    assert.equal(grid.range[1], 0);
    assert.equal(grid.filled[1], 0.5);
  });

  it('shows in each cell the range that has most of it, and how many there are', () => {
    const grid = gridOf({ size: 2 * MIB, ranges: [range(0, 4096), range(4096, 8192), range(MIB, 4096)] });
    assert.equal(grid.range[0], 1);
    assert.equal(grid.ranges[0], 3);
  });

  it('takes any sizes and places', () =>
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2 ** 52, noNaN: true }),
        fc.array(fc.tuple(fc.nat(2 ** 31), fc.integer({ min: 1, max: 2 ** 31 - 1 })), { maxLength: 20 }),
        (size, places) => {
          const grid = gridOf({ size, ranges: places.map(([offset, length]) => range(offset * 4096, length)) });
          assert.ok(grid.count <= MOST_CELLS);
          for (const index of grid.range) assert.ok(index >= -1 && index < places.length);
        },
      ),
    ));

  it('is laid out so that every cell can be pointed at, and 4096 can be told apart in a side bar', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MOST_CELLS }), fc.integer({ min: 1, max: 3000 }), (count, width) => {
        const layout = layOut(count, width, 300);
        const { columns, rows, pitch, cell } = layout;
        assert.ok(cell >= 3 && columns * rows >= count && (columns * pitch <= width || columns === 1));
        for (const at of [0, count >> 1, count - 1]) {
          const x = (at % columns) * pitch + 1;
          const y = Math.floor(at / columns) * pitch + 1;
          assert.equal(cellAt(layout, count, x, y), at);
        }
        assert.equal(cellAt(layout, count, -1, 0), -1);
        assert.equal(cellAt(layout, count, columns * pitch + 1, 0), -1);
      }),
    ));

  it('fits into 260 by 300 pixels with 4096 cells', () => assert.ok(layOut(MOST_CELLS, 260, 300).height <= 300));

  it('is walked through by keys, never out of it', () => {
    const layout = { columns: 8, rows: 4, pitch: 10, cell: 9, height: 40 };
    const go = (key: string, from: number): number | undefined => cellByKey(key, from, layout, 30);
    assert.equal(go('ArrowRight', 7), 8);
    assert.equal(go('ArrowDown', 7), 15);
    assert.equal(go('ArrowDown', 27), 27);
    assert.equal(go('ArrowUp', 3), 3);
    assert.equal(go('ArrowLeft', 0), 0);
    assert.equal(go('End', 3), 29);
    assert.equal(go('Home', 29), 0);
    assert.equal(go('ArrowRight', -1), 0);
    assert.equal(go('a', 3), undefined);
    assert.equal(go('toString', 3), undefined);
    assert.equal(cellByKey('End', 0, layout, 0), undefined);
  });
});
