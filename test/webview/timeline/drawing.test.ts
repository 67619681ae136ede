import assert from 'node:assert/strict';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import fc from 'fast-check';
import { ANY, rowAt, TAILS, trackAt } from '../../../src/webview/timeline/model/hitTest';
import { Image, mix, packColour } from '../../../src/webview/timeline/model/image';
import { type Lane, Lanes } from '../../../src/webview/timeline/model/lanes';
import { laneAt, type NameOf, place, TRACK } from '../../../src/webview/timeline/model/layout';
import { overviewOf } from '../../../src/webview/timeline/model/overview';
import { colourOf, Labels, latencyPart, paintLane, type PaintOptions } from '../../../src/webview/timeline/model/paint';
import { rowsOf, type RowOptions } from './columns';

const BACK = packColour(0, 0, 0);
const READ = packColour(0, 200, 0);
const RED = packColour(255, 0, 0);
const HOST = packColour(200, 200, 0);
const OTHER = packColour(9, 9, 9);

const options: PaintOptions = {
  colour: 'opcode',
  height: 'overlap',
  ratio: 1,
  quickest: 1e3,
  slowest: 1e8,
  palette: {
    background: BACK,
    lane: OTHER,
    families: [OTHER, OTHER, OTHER, READ, OTHER, OTHER, OTHER, OTHER],
    error: RED,
    good: READ,
    muted: OTHER,
    ramp: [OTHER, RED],
    queued: OTHER,
    daemon: OTHER,
    host: HOST,
    writing: OTHER,
  },
};

function painted(list: readonly RowOptions[], to: number, more: Partial<PaintOptions> = {}, width = 100, from = 0) {
  const rows = rowsOf(list);
  const lanes = new Lanes(rows, 'queue');
  lanes.takeAll();
  const image = new Image(width, 30);
  image.clear(BACK);
  const labels = new Labels();
  const lane = lanes.list[0];
  const span = { from, to };
  paintLane({ image, top: 0, height: 30, side: 0, lane, rows, span, options: { ...options, ...more }, labels });
  return { image, labels, at: (x: number, y: number) => image.pixels[y * width + x] };
}

describe('the picture of a lane', () => {
  it('has a bar where a request was under way', () => {
    const { at } = painted([{ start: 20_000, latency: 10_000 }], 100_000);
    assert.equal(at(19, 10), BACK);
    assert.equal(at(20, 10), READ);
    assert.equal(at(28, 10), READ);
    assert.equal(at(31, 10), BACK);
  });

  it('shows phases and a text when there is room', () => {
    const { at, labels } = painted([{ start: 10_000, latency: 80_000, host: 40_000 }], 100_000);
    assert.equal(labels.count, 1);
    assert.equal(at(80, 24), HOST);
    assert.equal(at(20, 24), OTHER);
    assert.equal(at(20, 8), READ);
  });

  it('marks what failed, not answers that guests expect', () => {
    const { at } = painted([{ start: 0, latency: 50_000, error: -2 }], 100_000);
    assert.equal(at(10, 4), RED);
    assert.equal(at(10, 12), READ);
    const lookup = { start: 0, latency: 50_000, opcode: Opcode.LOOKUP };
    assert.equal(painted([{ ...lookup, error: -Errno.EIO }], 100_000).at(10, 4), RED);
    assert.notEqual(painted([{ ...lookup, error: -Errno.ENOENT }], 100_000).at(10, 4), RED);
  });

  it('marks a reply that a fault dropped, as of one in flight the guest waits for it', () => {
    const end = { start: 90_000, latency: 1 };
    const rows = (dropped: boolean) => [{ start: 0, dropped }, end];
    for (const [dropped, top] of [
      [true, RED],
      [false, READ],
    ] as const) {
      const { image, at } = painted(rows(dropped), 100_000);
      assert.equal(at(0, 4), top);
      const hatched = Array.from({ length: 80 }, (_, x) => at(5 + x, 12));
      assert.ok(hatched.includes(READ) && hatched.some((pixel) => pixel !== READ), 'hatched to the end');
      const byResult = painted(rows(dropped), 100_000, { colour: 'result' });
      assert.equal(byResult.image.pixels.includes(RED), dropped);
      assert.equal(image.pixels.includes(RED), dropped);
    }
  });

  it('shows what began before', () => {
    const { at } = painted(
      [
        { start: 0, latency: 1e9 },
        { start: 10, latency: 5 },
      ],
      1e6,
    );
    assert.equal(at(99, 7), READ);
  });

  it('draws each pixel once when there is too much for bars', () => {
    const many = Array.from({ length: 4000 }, (_, i) => ({
      start: i * 10_000,
      latency: 1000,
      error: i === 2000 ? -5 : 0,
    }));
    const { image, at } = painted(many, 40_000_000);
    assert.equal(at(10, 25), READ);
    assert.equal(at(49, 25), RED);
    assert.ok(image.pixels.includes(READ));
  });

  for (const [when, from] of [
    ['that begins in view', 0],
    ['that began before', 20_000_000],
  ] as const) {
    it(`shows one long request ${when} among thousands of short ones, as long as it is`, () => {
      const long = { start: 15_000_000, latency: 10_000_000, opcode: Opcode.WRITE };
      const short = Array.from({ length: 4000 }, (_, i) => ({ start: i * 10_000, latency: 1000 }));
      const list = [...short, long].sort((a, b) => a.start - b.start);
      const families = [OTHER, OTHER, OTHER, READ, HOST, OTHER, OTHER, OTHER];
      const palette = { ...options.palette, families, lane: BACK };
      const { at, image } = painted(list, from + 40_000_000, { palette }, 100, from);
      const first = Math.max(0, 15_000_000 - from) / 400_000;
      const last = (25_000_000 - from) / 400_000;
      const isLong = Array.from({ length: image.width }, (_, x) => at(x, 5) === HOST);
      assert.equal(isLong.indexOf(true), Math.floor(first));
      assert.equal(isLong.lastIndexOf(true), Math.round(last) - 1);
      const middle = Math.floor((first + last) / 2);
      assert.deepEqual(
        [5, 8, 12].map((y) => at(middle, y)),
        [HOST, BACK, READ],
      );
      assert.equal(at(Math.round(last) + 2, 5), READ);
    });
  }

  for (const height of ['overlap', 'latency'] as const) {
    it(`shows one that still waits among thousands that came and went, hatched up to the end (${height})`, () => {
      const short = Array.from({ length: 4000 }, (_, i) => ({ start: i * 10_000, latency: 1000 }));
      const list = [...short, { start: 15_000_000, opcode: Opcode.WRITE }].sort((a, b) => a.start - b.start);
      const families = [OTHER, OTHER, OTHER, READ, HOST, OTHER, OTHER, OTHER];
      const { at, image } = painted(list, 40_000_000, { height, palette: { ...options.palette, families } });
      const hatched = Array.from({ length: image.width }, (_, x) => at(x, 5) === HOST);
      const drawn = hatched.map((_, x) => x >= 37 && x < 100 && ((x + 5) & 3) < 2);
      assert.deepEqual(hatched, drawn);
    });
  }

  it('has taller bars for longer latencies, where height says so', () => {
    const { at } = painted(
      [
        { start: 0, latency: 1500 },
        { start: 50_000, latency: 5_000_000 },
      ],
      100_000,
      { height: 'latency' },
    );
    assert.equal(at(0, 10), BACK);
    assert.equal(at(60, 12), READ);
  });

  it('has the colour of how long it took, where colour says so, and of none where that is not known', () => {
    const colours = (latencies: readonly (number | undefined)[]): number[] => {
      const rows = rowsOf(latencies.map((latency, i) => ({ start: i, latency })));
      return latencies.map((_, row) => colourOf(rows, row, { ...options, colour: 'latency' }));
    };
    const { ramp, muted } = options.palette;
    const { quickest, slowest } = options;
    const middle = Math.sqrt(quickest * slowest);
    assert.deepEqual(colours([1, quickest, 0.9 * middle]), [ramp[0], ramp[0], ramp[0]]);
    assert.deepEqual(colours([1.1 * middle, slowest, 9 * slowest]), [ramp[1], ramp[1], ramp[1]]);
    assert.deepEqual(colours([undefined]), [muted]);
  });

  it('never leaves the image', () => {
    const row = fc.record({
      start: fc.integer({ min: 0, max: 1e12 }),
      latency: fc.option(fc.double({ min: 0, max: 1e13, noNaN: true }), { nil: undefined }),
      error: fc.constantFrom(0, -1),
      queued: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.integer({ min: 300, max: 1e12 }), (rows, to) => {
        const { image } = painted(rows, to, {}, 20);
        assert.equal(image.pixels.length, 600);
      }),
    );
  });
});

describe('latency as a part', () => {
  it('grows with its logarithm between the ends', () => {
    assert.equal(latencyPart(500, options), 0);
    assert.equal(latencyPart(1e12, options), 1);
    assert.ok(Math.abs(latencyPart(1e5, options) - 0.4) < 1e-9);
    assert.equal(latencyPart(NaN, options), 0);
  });
});

describe('an image', () => {
  it('cuts what lies outside', () => {
    const image = new Image(4, 4);
    image.fill(-5, -5, 2, 1, RED);
    image.fill(3, 3, 400, 400, RED);
    image.fill(9, 0, 12, 4, RED);
    assert.equal(image.pixels.filter((pixel) => pixel === RED).length, 3);
  });

  it('mixes colours', () => {
    assert.equal(mix(packColour(0, 100, 200), packColour(100, 200, 0), 0.5), packColour(50, 150, 100));
  });
});

describe('what is under the pointer', () => {
  const rows = rowsOf([
    { start: 0, latency: 1000 },
    { start: 100, latency: 50 },
    { start: 2000, latency: 10 },
    { start: 3000 },
  ]);
  const lanes = new Lanes(rows, 'queue');
  lanes.takeAll();
  const [lane] = lanes.list;

  it('is the row of that time and track', () => {
    assert.equal(rowAt(rows, lane, 120, 5, 0), 0);
    assert.equal(rowAt(rows, lane, 120, 5, 1), 1);
    assert.equal(rowAt(rows, lane, 1500, 5), -1);
  });

  it('is the nearest one within reach', () => {
    assert.equal(rowAt(rows, lane, 1990, 20), 2);
    assert.equal(rowAt(rows, lane, 1600, 2000), 2);
  });

  it('is one in flight up to the end of what is known', () => {
    assert.equal(rowAt(rows, lane, 3000, 1), 3);
  });

  it('is what still waits where tails above the bars are pointed at, else what came and went', () => {
    const waiting = rowsOf([{ start: 0 }, { start: 500, latency: 100 }, { start: 900, latency: 10 }]);
    const both = new Lanes(waiting, 'queue');
    both.takeAll();
    const [of] = both.list;
    assert.deepEqual([rowAt(waiting, of, 550, 5, TAILS), rowAt(waiting, of, 550, 5)], [0, 1]);
    assert.deepEqual(
      [3, 4, 6, 7].map((y) => trackAt(of, y, 40, true)),
      [ANY, TAILS, TAILS, 0],
    );
    assert.equal(trackAt(of, 4, 40), 0);
  });

  it('is on no track in the padding', () => {
    assert.equal(trackAt(lane, 1, 40), -1);
    assert.equal(trackAt(lane, 6, 40), 0);
    assert.equal(trackAt(lane, 34, 40), 1);
  });
});

describe('the layout of lanes', () => {
  const lanesFor = (queues: readonly number[]) => {
    const lanes = new Lanes(rowsOf(queues.map((queue, i) => ({ start: i, latency: 1, queue }))), 'queue');
    lanes.takeAll();
    return lanes.list;
  };

  it('puts them under each other without gaps', () => {
    const layout = place([lanesFor([0, 1, 2])], byKey, 300);
    layout.lanes.reduce((top, lane) => {
      assert.equal(lane.top, top);
      return top + lane.height;
    }, 0);
    assert.equal(laneAt(layout, layout.lanes[1].top)?.lane.key, 1);
    assert.equal(laneAt(layout, layout.height), undefined);
    assert.equal(laneAt(layout, -1), undefined);
  });

  const byKey: NameOf = (_side, { key }) => key;
  const placed = (sides: readonly (readonly Lane[])[], nameOf: NameOf) =>
    place(sides, nameOf, 500).lanes.map(({ side, lane, caption }) => [side, lane.key, ...(caption ? ['caption'] : [])]);

  it('pairs the lanes of two captures, and puts those of only one below', () => {
    assert.deepEqual(placed([lanesFor([0, 1, 2]), lanesFor([1, 2, 3, 5])], byKey), [
      [0, 1],
      [1, 1],
      [0, 2],
      [1, 2],
      [0, 0, 'caption'],
      [1, 3, 'caption'],
      [1, 5],
    ]);
  });

  it('pairs lanes by what they are called, whatever their numbers', () => {
    const names: readonly Readonly<Record<number, string>>[] = [
      { 1: '/main.c', 2: '/util.c', 3: '/only-here' },
      { 1: '/util.c', 4: '/main.c' },
    ];
    const sides = [lanesFor([1, 2, 3]), lanesFor([1, 4])];
    assert.deepEqual(
      placed(sides, (side, { key }) => names[side][key]),
      [
        [0, 1],
        [1, 4],
        [0, 2],
        [1, 1],
        [0, 3, 'caption'],
      ],
    );
  });

  it('has no pairs of lanes whose names are not known yet', () => {
    const sides = [lanesFor([1, 2]), lanesFor([1, 2])];
    assert.deepEqual(
      placed(sides, (_side, { key }) => (key === 2 ? '/known' : undefined)),
      [
        [0, 2],
        [1, 2],
        [0, 1, 'caption'],
        [1, 1, 'caption'],
      ],
    );
  });

  it('has every lane once, even where one capture has a name twice', () => {
    const sides = [lanesFor([1, 2]), lanesFor([1, 2, 3])];
    assert.deepEqual(
      placed(sides, () => '/the same'),
      [
        [0, 1],
        [1, 1],
        [0, 2, 'caption'],
        [1, 2, 'caption'],
        [1, 3],
      ],
    );
  });

  it('makes both lanes of a pair as high as the one with more tracks', () => {
    const overlapping = Array.from({ length: 4 }, (_, i) => ({ start: i, latency: 1000, queue: 1 }));
    const busy = new Lanes(rowsOf(overlapping), 'queue');
    busy.takeAll();
    const [a, b] = place([lanesFor([1]), busy.list], byKey, 10).lanes;
    assert.equal(b.lane.tracks, 4);
    assert.equal(a.height, b.height);
    assert.ok(a.height >= 4 * TRACK);
    assert.equal(b.top, a.height);
  });

  it('is empty without captures', () => {
    assert.deepEqual(place([], byKey, 100), { lanes: [], pairs: 0, height: 0 });
  });
});

describe('the overview', () => {
  const stripOf = (list: readonly RowOptions[], to: number, width = 50) => {
    const rows = rowsOf(list);
    const lanes = new Lanes(rows, 'queue');
    lanes.takeAll();
    return overviewOf(lanes.list, rows, { from: 0, to }, width);
  };

  for (const step of [1000, 100_000]) {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      start: i * step,
      latency: 10,
      queue: i % 3,
      error: i % 100 === 0 ? -5 : 0,
    }));
    const words = `of ${step / 1000} ms as well`;

    it(`counts every row, ${words}`, () => {
      const strip = stripOf(many, 1000 * step);
      const sum = (counts: Float64Array): number => Math.round(counts.reduce((total, count) => total + count));
      assert.deepEqual([sum(strip.rows), sum(strip.failed)], [1000, 10]);
      assert.equal(strip.most, Math.max(...strip.rows));
      assert.ok(strip.rows.every((count) => count > 0));
    });

    it(`has the one row that is much longer than all others, ${words}`, () => {
      const rows = many.map((row, i) => ({ ...row, latency: i === 700 ? 101 : row.latency }));
      assert.deepEqual(stripOf(rows, 1000 * step).slow, [700]);
      const notMuch = many.map((row, i) => ({ ...row, latency: i === 700 ? 99 : row.latency }));
      assert.deepEqual(stripOf(notMuch, 1000 * step).slow, []);
    });
  }

  it('takes none for much longer where none has a reply, or there is one alone', () => {
    assert.deepEqual(stripOf([{ start: 0 }, { start: 10 }], 100).slow, []);
    assert.deepEqual(stripOf([{ start: 0, latency: 1e9 }], 100).slow, []);
  });

  it('has what still waits, once that is much longer than usual', () => {
    const replied = [1, 20, 40, 60, 80].map((start) => ({ start, latency: 10 }));
    const waiting = (start: number): readonly number[] =>
      stripOf(
        [...replied, { start }].sort((a, b) => a.start - b.start),
        100_000,
        100,
      ).slow;
    assert.deepEqual(waiting(70), []);
    assert.deepEqual(waiting(0), []);
    const late = { start: 99_000, latency: 10 };
    assert.deepEqual(stripOf([...replied, { start: 90 }, late], 100_000, 100).slow, [5]);
  });

  it('is even where what happens is, however wide its pixels', () => {
    const even = Array.from({ length: 60_000 }, (_, i) => ({ start: i * 20_000, latency: 10 }));
    for (const width of [900, 1144, 1200, 1900]) {
      const { rows } = stripOf(even, 60_000 * 20_000, width);
      const inner = [...rows.subarray(2, -2)];
      assert.ok(Math.max(...inner) < 1.1 * Math.min(...inner), `${Math.min(...inner)} to ${Math.max(...inner)}`);
    }
  });
});
