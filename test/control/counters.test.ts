import assert from 'node:assert/strict';
import fc from 'fast-check';
import { activityBetween, parseCounters } from '../../src/control/counters';

describe('the counters of a share', () => {
  const line = (errors: number, ...queues: [taken: number, answered: number][]): string =>
    lineAt(5000, errors, ...queues);
  const lineAt = (time: number, errors: number, ...queues: [taken: number, answered: number][]): string =>
    JSON.stringify({ time, errors, queues: queues.map(([taken, answered]) => ({ taken, answered })) });

  it('are read from a line', () =>
    assert.deepEqual(parseCounters(line(3, [0, 0], [10, 8])), {
      time: 5000,
      errors: 3,
      queues: [
        { taken: 0, answered: 0 },
        { taken: 10, answered: 8 },
      ],
    }));

  it('are not believed when they make no sense', () => {
    for (const bad of [
      '',
      'null',
      '{}',
      '[]',
      '{"time":1,"errors":1}',
      '{"time":1,"errors":-1,"queues":[]}',
      '{"errors":1,"queues":[]}',
      line(NaN, [1, 1]),
    ]) {
      assert.equal(parseCounters(bad), undefined, bad);
    }
    assert.equal(parseCounters('{"time":1,"errors":0,"queues":[{"taken":"1","answered":0}]}'), undefined);
    assert.equal(parseCounters(line(0, ...Array.from({ length: 2000 }, () => [1, 1] as [number, number]))), undefined);
  });

  it('never throw, whatever comes', () =>
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseCounters(text))));

  it('say how many requests a second there were between two readings, and how many are in flight', () => {
    const [before, now] = [
      parseCounters(lineAt(1000, 0, [4, 4], [100, 100])),
      parseCounters(lineAt(3000, 7, [4, 4], [300, 290])),
    ];
    assert.ok(before && now);
    assert.deepEqual(activityBetween(before, now), {
      perSecond: 100,
      inFlight: 10,
      total: 304,
      errors: 7,
      queues: [
        { perSecond: 0, inFlight: 0, total: 4 },
        { perSecond: 100, inFlight: 10, total: 300 },
      ],
    });
  });

  it('have no rate without an earlier reading, and none below zero after a restart', () => {
    const [small, large] = [parseCounters(lineAt(1000, 0, [5, 5])), parseCounters(line(0, [50, 50]))];
    assert.ok(small && large);
    assert.equal(activityBetween(undefined, large).perSecond, 0);
    assert.equal(activityBetween(large, small).perSecond, 0);
    assert.equal(activityBetween(large, { ...small, time: 6000 }).perSecond, 0);
  });
});
