/** The DAX window's lane: few points for many events, and what each pixel shows of them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WindowEvent, WindowEvents } from '../../../src/trace/dax/windowEvents';
import { WindowHistory } from '../../../src/trace/dax/windowHistory';
import { type Occupancy, OccupancyWalk } from '../../../src/trace/dax/windowOccupancy';
import { partAt, windowStrip } from '../../../src/webview/timeline/model/windowLane';

const RANGE = 2 << 20;

/** One event a microsecond: a place that is mapped, or taken away. */
function historyOf(steps: readonly (readonly [place: number, mapped: boolean])[]): WindowHistory {
  const events = new WindowEvents();
  steps.forEach(([place, mapped], index) =>
    events.add(mapped ? WindowEvent.Map : WindowEvent.Unmap, index * 1000, place * RANGE, RANGE, 0, 1, 0, 0, index),
  );
  return new WindowHistory(events, 8 * RANGE);
}

function walked(history: WindowHistory, points?: number): Occupancy {
  const walk = new OccupancyWalk(history, points);
  while (!walk.advance(() => true));
  return walk.result;
}

const someSteps = fc.array(fc.tuple(fc.nat(7), fc.boolean()), { maxLength: 300 });

describe('occupancy over time', () => {
  it('is that of the window after each event', () =>
    fc.assert(
      fc.property(someSteps, fc.nat(300_000), (steps, time) => {
        const history = historyOf(steps);
        assert.equal(partAt(walked(history), time), history.at(time).mappedBytes / history.size);
      }),
    ));

  it('has as many points as are wanted, loses no peak, and ends right', () =>
    fc.assert(
      fc.property(someSteps, fc.integer({ min: 1, max: 40 }), (steps, points) => {
        const history = historyOf(steps);
        const [few, all] = [walked(history, points), walked(history)];
        assert.ok(few.times.length <= points);
        assert.equal(Math.max(0, ...few.most), Math.max(0, ...all.most));
        assert.equal(few.mapped.at(-1), all.mapped.at(-1));
      }),
    ));

  it('fills each pixel with what was there at its end and at most', () => {
    const occupancy = walked(
      historyOf([
        [0, true],
        [1, true],
        [2, true],
        [2, false],
        [1, false],
      ]),
    );
    const { end, most } = windowStrip(occupancy, { from: 0, to: 8000 }, 4);
    assert.deepEqual([...end], [3 / 8, 1 / 8, 1 / 8, 1 / 8]);
    assert.deepEqual([...most], [3 / 8, 3 / 8, 1 / 8, 1 / 8]);
    const before = windowStrip(occupancy, { from: -4000, to: -2000 }, 2);
    assert.deepEqual([...before.end, ...before.most], [0, 0, 0, 0]);
  });

  it('is nothing for a window without a size', () => {
    const none: Occupancy = {
      size: 0,
      times: Float64Array.of(1),
      mapped: Float64Array.of(5),
      most: Float64Array.of(5),
    };
    assert.equal(partAt(none, 2), 0);
    assert.deepEqual([...windowStrip(none, { from: 0, to: 4 }, 2).end], [0, 0]);
  });
});
