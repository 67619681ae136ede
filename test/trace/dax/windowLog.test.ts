/** The history of a window while its capture grows: the same as of the whole capture, whenever it is looked at. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CaptureReader } from '../../../src/trace/captureReader';
import { WindowEvent, WindowEvents } from '../../../src/trace/dax/windowEvents';
import { windowFigures } from '../../../src/trace/dax/windowFigures';
import { MOST_ENTRIES, WindowHistory } from '../../../src/trace/dax/windowHistory';
import { WindowLog } from '../../../src/trace/dax/windowLog';
import { MOST_RANGES, WindowState } from '../../../src/trace/dax/windowState';
import { windowText } from '../../../src/trace/dax/windowText';
import { windowCapture } from './windowCapture';

const RANGE = 2 << 20;
const never = (): boolean => false;

/** Mappings and removals on 16 places, one each two milliseconds, some of them refused. */
function busy(steps: readonly (readonly [place: number, file: number, remove: boolean])[]): Uint8Array {
  return windowCapture((c) => {
    c.shmem(32 * RANGE);
    c.init(1);
    c.mapped(2, 9, 'old', 0, RANGE, 20 * RANGE);
    steps.forEach(([place, file, remove], index) => {
      if (remove) c.remove(10 + 2 * index, 5 + file, [[place * RANGE, RANGE]]);
      else
        c.setup(
          10 + 2 * index,
          5 + file,
          (index % 4) * RANGE,
          RANGE,
          place * RANGE,
          2 + (index % 2),
          index % 9 === 8 ? -5 : 0,
        );
    });
  });
}

const someSteps = fc.array(fc.tuple(fc.nat(15), fc.nat(3), fc.boolean()), { maxLength: 80 });

describe('the log of a DAX window', () => {
  it('is that of the whole capture, in whatever pieces it came', () =>
    fc.assert(
      fc.property(
        someSteps,
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 30 }),
        (steps, cuts) => {
          const bytes = busy(steps);
          const reader = new CaptureReader();
          const log = new WindowLog();
          let at = 0;
          for (let piece = 0; at < bytes.length; piece++) {
            const end = Math.min(bytes.length, at + cuts[piece % cuts.length]);
            reader.push(bytes.subarray(at, end));
            log.advance(reader, reader.count, never);
            at = end;
          }
          reader.end();
          log.advance(reader, reader.count, never);
          const whole = WindowHistory.of(reader);
          assert.equal(log.history.size, whole.size);
          assert.equal(log.events.count, whole.events.count);
          for (let count = 0; count <= whole.events.count; count += 7) {
            assert.deepEqual(log.history.after(count), whole.after(count));
          }
        },
      ),
      { numRuns: 40 },
    ));

  it('stops when it has to, and goes on from there', () => {
    const reader = new CaptureReader();
    reader.push(busy(Array.from({ length: 6000 }, (_, index) => [index % 16, 1, false] as const)));
    reader.end();
    const log = new WindowLog();
    let turns = 1;
    while (!log.advance(reader, reader.count, () => true)) turns++;
    assert.ok(turns > 1);
    assert.deepEqual(log.history.at(Infinity), WindowHistory.of(reader).at(Infinity));
  });

  it('keeps what is mapped when the capture drops its oldest rows', () => {
    const reader = new CaptureReader();
    reader.push(
      busy(Array.from({ length: 3000 }, (_, index) => [index < 10 ? index : 10 + (index % 6), 1, false] as const)),
    );
    reader.end();
    const log = new WindowLog();
    log.advance(reader, reader.count, never);
    const before = log.history.at(Infinity).all;
    const dropped = reader.drop(2048);
    assert.equal(dropped, 2048);
    log.drop(dropped);
    assert.equal(log.advance(reader, reader.count, never), true);
    const after = log.history.at(Infinity).all;
    assert.deepEqual(
      after,
      before.map((range) => ({ ...range, row: Math.max(-1, range.row - dropped) })),
    );
    assert.ok(after.some(({ row }) => row === -1) && after.some(({ row }) => row > 0));
  });

  it('forgets the oldest of very many events, not what they had left', () => {
    const reader = new CaptureReader();
    reader.push(busy(Array.from({ length: 3000 }, (_, index) => [index % 13, index % 3, index % 5 === 0] as const)));
    reader.end();
    const [short, long] = [new WindowLog(500), new WindowLog()];
    for (let to = 0; to <= reader.count; to += 100) {
      short.advance(reader, Math.min(to + 100, reader.count), never);
      assert.ok(short.events.count <= 500 + 100);
    }
    long.advance(reader, reader.count, never);
    assert.deepEqual(short.history.at(Infinity).all, long.history.at(Infinity).all);
    assert.equal(short.history.at(Infinity).maps, long.history.at(Infinity).maps);
  });
});

describe('the order of events', () => {
  it('is settled from where it was broken', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 60 }), fc.nat(60), (times, split) => {
        const events = new WindowEvents();
        const add = (time: number, index: number): void =>
          events.add(WindowEvent.Map, time, index, 1, 0, 1, 0, 0, index, index);
        const first = Math.min(split, times.length);
        times.slice(0, first).forEach(add);
        events.settle(0);
        const before = events.time.slice(0, first);
        times.slice(first).forEach((time, index) => add(time, first + index));
        const lowest = events.settle(first);
        for (let at = 1; at < events.count; at++) assert.ok(events.time[at - 1] <= events.time[at]);
        for (let at = 0; at < events.count; at++) assert.equal(times[events.row[at]], events.time[at]);
        for (let at = 0; at < Math.min(lowest, first); at++) assert.equal(events.time[at], before[at]);
      }),
    ));

  it('is found for many that come the wrong way round', () => {
    const events = new WindowEvents();
    for (let at = 0; at < 3000; at++) events.add(WindowEvent.Map, 3000 - at, at, 1, 0, 1, 0, 0, at);
    assert.equal(events.settle(0), 0);
    for (let at = 1; at < events.count; at++) assert.ok(events.time[at - 1] <= events.time[at]);
  });

  it('and states are kept in bounds however long a history grows', () => {
    const events = new WindowEvents();
    const history = new WindowHistory(events, 0);
    for (let round = 0; round < 40; round++) {
      const from = events.count;
      for (let at = 0; at < 8000; at++) {
        events.add(
          WindowEvent.Map,
          events.count,
          (events.count % 5) * RANGE,
          RANGE,
          0,
          events.count % 7,
          0,
          0,
          events.count,
        );
      }
      history.grow(from);
    }
    assert.ok(events.count / history.stride <= 1024);
    assert.deepEqual(history.after(123_457), new WindowHistory(events, 0).after(123_457));
  });
});

describe('a capture that was crafted to map more than any window has', () => {
  const COUNT = 3 * MOST_RANGES;

  /** Mappings that are never removed, each at a place of its own, and now and then a removal of one. */
  function many(): WindowEvents {
    const events = new WindowEvents();
    for (let at = 0; at < COUNT; at++) {
      const kind = at % 16 === 15 ? WindowEvent.Unmap : WindowEvent.Map;
      const place = kind === WindowEvent.Map ? at : at - 8;
      events.add(kind, at, place * RANGE, RANGE, at * RANGE, 1 + (at % 9), 0, 0, at);
    }
    return events;
  }

  it('is followed as far as there is room, and the rest counted', () => {
    const events = many();
    const state = new WindowHistory(events, 0).at(Infinity);
    assert.ok(state.all.length <= MOST_RANGES);
    assert.ok(state.leftOut > 0);
    assert.equal(state.mappedBytes, state.all.length * RANGE);
    const asked = events.kind.subarray(0, COUNT).filter((kind) => kind === (WindowEvent.Map as number)).length;
    assert.equal(state.maps + state.leftOut, asked);
  });

  it('takes no more memory for the states that are kept, which are as right as ever', () => {
    const events = many();
    const history = new WindowHistory(events, 0);
    assert.ok(history.entries <= MOST_ENTRIES);
    const played = new WindowState();
    for (const wanted of [4097, 2 * MOST_RANGES + 77, COUNT]) {
      while (played.applied < wanted) played.apply(events, played.applied);
      assert.deepEqual(history.after(wanted), played);
    }
    history.forget(COUNT - 1000);
    assert.ok(history.entries <= MOST_ENTRIES);
    assert.deepEqual({ ...history.at(Infinity), applied: COUNT }, { ...played });
  });

  it('is told with what was left out', () => {
    const reader = new CaptureReader();
    reader.push(windowCapture((c) => c.init(1)));
    const history = new WindowHistory(many(), 0);
    const { leftOut } = history.at(Infinity);
    const figures = windowFigures(reader, history);
    assert.equal(figures.leftOut, leftOut);
    assert.ok(
      windowText(figures).includes(`left out    ${leftOut} made beside ${MOST_RANGES} others: no more are followed`),
    );
  });

  it('is applied piece by piece, so that others have their turns', () => {
    const reader = new CaptureReader();
    reader.push(
      windowCapture((c) => {
        const all = Array.from({ length: 1000 }, (_, at) => [at * RANGE, RANGE] as const);
        for (let at = 0; at < 10; at++) c.remove(1 + at, 5, all);
      }),
    );
    reader.end();
    const log = new WindowLog();
    let applied = 0;
    for (let done = false; !done;) {
      done = log.advance(reader, reader.count, () => true);
      assert.ok(log.events.count - applied <= 4000);
      applied = log.events.count;
    }
    assert.equal(applied, 10_000);
  });
});
