/** What the DAX Window view says and how it colours, without a page. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { FiguresView, WindowView } from '../../../src/control/daxWindow';
import { gridOf } from '../../../src/webview/dax/model/grid';
import { COLOURINGS, FILE_SHADES, legendOf, shadeOf } from '../../../src/webview/dax/model/shades';
import { cellsOf, cellWords, nextOf, percentWords, ratesAt, rateWords } from '../../../src/webview/dax/model/words';

const MIB = 1 << 20;
const S = 1e9;

const view: WindowView = {
  time: 10 * S,
  following: true,
  end: 10 * S,
  size: 16 * MIB,
  mapped: 6 * MIB,
  maps: 9,
  unmaps: 6,
  refusals: 0,
  more: 0,
  files: [
    { nodeid: '7', path: '/data/orders.db', number: 0 },
    { nodeid: '8', path: '/data/a\nb', number: 13 },
  ],
  ranges: [
    {
      offset: 0,
      length: 2 * MIB,
      file: 0,
      fileOffset: 4 * MIB,
      writable: true,
      since: 8 * S,
      request: 3,
      pid: 41,
      uses: 4,
    },
    {
      offset: 4 * MIB,
      length: 2 * MIB,
      file: 1,
      fileOffset: 0,
      writable: false,
      since: 9.995 * S,
      request: -1,
      pid: 0,
      uses: 1,
    },
    {
      offset: 6 * MIB,
      length: 2 * MIB,
      file: 0,
      fileOffset: 0,
      writable: true,
      since: 0,
      request: 4,
      pid: 41,
      uses: 20,
    },
  ],
};
const grid = gridOf(view);

describe('words for a range', () => {
  it('say file, part, access, who mapped it when, and how often it was reclaimed', () => {
    assert.equal(
      cellWords(view, grid, 0),
      'Range 1 of 8: file /data/orders.db, file range 4 MiB to 6 MiB, window 0 bytes to 2 MiB, access read, write, ' +
        'mapped by process 41, 2.00 s ago, reclaimed 3 times.',
    );
    assert.equal(cellWords(view, grid, 1), 'Range 2 of 8: window 2 MiB to 4 MiB, state free.');
    assert.match(cellWords(view, grid, 2), /mapped before the capture.*reclaimed never/);
  });

  it('have no control characters of a path', () => assert.doesNotMatch(cellWords(view, grid, 2), /\n/));

  it('are short for parts and rates', () => {
    assert.deepEqual([0, 0.012, 0.5, 1].map(percentWords), ['0 %', '1.2 %', '50 %', '100 %']);
    assert.deepEqual([0, 2.25, 1234].map(rateWords), ['0/s', '2.3/s', '1,234/s']);
  });
});

describe('finding a file', () => {
  it('gives its cells, whatever the case', () => {
    assert.deepEqual(cellsOf(view, grid, ' ORDERS '), [0, 3]);
    assert.deepEqual(cellsOf(view, grid, ''), []);
    assert.deepEqual(cellsOf(view, grid, 'nothing'), []);
  });

  it('goes from one to the next and around', () => {
    assert.equal(nextOf([0, 3], -1, true), 0);
    assert.equal(nextOf([0, 3], 3, true), 0);
    assert.equal(nextOf([0, 3], 0, false), 3);
    assert.equal(nextOf([], 0, true), undefined);
  });
});

describe('colours', () => {
  it('are by file, access, age or churn', () => {
    const shades = (by: (typeof COLOURINGS)[number]): number[] => view.ranges.map((range) => shadeOf(view, range, by));
    assert.deepEqual(shades('file'), [0, 13 % FILE_SHADES, 0]);
    assert.deepEqual(shades('access'), [1, 0, 1]);
    assert.deepEqual(shades('age'), [3, 0, 4]);
    assert.deepEqual(shades('churn'), [2, 0, 5]);
  });

  it('are explained, each with its count', () => {
    assert.deepEqual(legendOf(view, 'access'), [
      { text: 'read', shade: 0, count: 1 },
      { text: 'read, write', shade: 1, count: 2 },
    ]);
    assert.deepEqual(
      legendOf(view, 'file', 1).map(({ text, count }) => [text, count]),
      [['/data/orders.db', 2]],
    );
    for (const by of COLOURINGS) {
      assert.equal(
        legendOf(view, by).reduce((sum, { count }) => sum + count, 0),
        3,
      );
    }
  });

  it('are there for every age and number of uses', () =>
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.nat(), (since, uses) => {
        const range = { ...view.ranges[0], since, uses };
        for (const by of COLOURINGS) {
          const shade = shadeOf(view, range, by);
          assert.ok(shade >= 0 && shade < FILE_SHADES);
        }
      }),
    ));
});

describe('rates', () => {
  const figures: FiguresView = {
    end: 4 * S,
    maps: 9,
    again: 0,
    thrashNs: S,
    slices: [0, 1, 2, 3].map((at) => ({ start: at * S, end: 0, most: 0, maps: at * 10, unmaps: at })),
    files: [],
    moreFiles: 0,
    roundTrips: [],
    reasons: [],
    moreReasons: 0,
  };

  it('are those of the slice that a moment lies in', () => {
    assert.deepEqual(ratesAt(figures, 2.5 * S), { maps: 20, unmaps: 2 });
    assert.deepEqual(ratesAt(figures, 99 * S), { maps: 30, unmaps: 3 });
    assert.deepEqual(ratesAt({ ...figures, slices: [] }, 1), { maps: 0, unmaps: 0 });
    assert.deepEqual(ratesAt({ ...figures, end: 0 }, 0), { maps: 0, unmaps: 0 });
  });
});
