/** Chrome trace JSON: valid by the format's rules, and showing what there was. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chromeTrace } from '../../../src/trace/export/chrome';
import { counterSeries, MOST_POINTS } from '../../../src/trace/export/counters';
import { LANES } from '../../../src/trace/export/lanes';
import type { Capture } from '../../../src/trace/capture';
import { CaptureBuilder } from '../captureBuilder';
import { checkTrace, type Trace, type TraceEvent } from './traceEvents';

const all = (capture: Capture): Uint32Array => Uint32Array.from({ length: capture.count }, (_, row) => row);
const traceOf = (builder: CaptureBuilder): Trace => {
  const capture = builder.capture();
  return checkTrace([...chromeTrace(capture, all(capture))].join(''));
};
const slices = (trace: Trace, cat: string): TraceEvent[] =>
  trace.traceEvents.filter((event) => event.cat === cat && event.ph !== 'e');
const brief = ({ name, ts, dur }: TraceEvent): unknown[] => [name, ts, dur];

describe('a capture as Chrome trace', () => {
  it('is valid when it is empty', () => {
    const { traceEvents } = traceOf(new CaptureBuilder({ tag: 'work' }));
    assert.deepEqual(
      traceEvents.map(({ ph, args }) => [ph, args]),
      [['M', { name: 'virtio-fs work' }]],
    );
  });

  it('has a slice for each request, from when it could be seen to its reply, with path and arguments', () => {
    const trace = traceOf(
      new CaptureBuilder().exchange('LOOKUP', {
        names: ['a'],
        error: 'ENOENT',
        at: 10_000,
        queued: 2_500,
        latency: 7_001,
      }),
    );
    const [slice] = slices(trace, 'fuse');
    assert.deepEqual(brief(slice), ['LOOKUP', -2.5, 9.501]);
    assert.deepEqual(slice.args, {
      ...{ row: 0, path: '/a', nodeid: '1', arguments: '', pid: 100, uid: 1000, reply: 'ENOENT' },
    });
  });

  it('has the phases inside of it, in their order, and they fill it', () => {
    const trace = traceOf(
      new CaptureBuilder().exchange('READ', { queued: 1_000, latency: 10_000, host: 6_000, writing: 1_500, calls: 1 }),
    );
    assert.deepEqual(slices(trace, 'phase').map(brief), [
      ['queued', -1, 1],
      ['daemon', 0, 2.5],
      ['host calls', 2.5, 6],
      ['reply', 8.5, 1.5],
    ]);
  });

  it('says for how long a debugger or a fault held it, and whether it was changed', () => {
    const trace = traceOf(
      new CaptureBuilder()
        .exchange('STATFS', { error: 'EIO', latency: 10_000, host: 1_000, writing: 500, held: 6_000, changed: true })
        .exchange('STATFS', { latency: 10_000, changed: true }),
    );
    assert.deepEqual(slices(trace, 'phase').slice(0, 4).map(brief), [
      ['daemon', 0, 2.5],
      ['held', 2.5, 6],
      ['host calls', 8.5, 1],
      ['reply', 9.5, 0.5],
    ]);
    assert.deepEqual(
      slices(trace, 'fuse').map(({ args }) => [args?.['held'], args?.['changed']]),
      [
        ['6.00 µs', true],
        [undefined, true],
      ],
    );
  });

  it('has the host calls where the capture has them, each at its own time', () => {
    const hostCalls = [
      { call: 'statx', at: 22_000, duration: 1_000 },
      { call: 'openat', at: 24_000, duration: 2_000, result: 5 },
    ];
    const trace = traceOf(
      new CaptureBuilder().exchange('OPEN', { hostCalls, latency: 9_000, writing: 1_000, host: 3_000 }),
    );
    assert.deepEqual(slices(trace, 'phase').map(brief), [
      ['statx', 2, 1],
      ['openat', 4, 2],
      ['reply', 8, 1],
    ]);
  });

  it('puts requests that overlap on threads of their own, named after their queue', () => {
    const builder = new CaptureBuilder({ queues: 3 });
    const sent = [0, 1_000, 2_000].map((at) => builder.request('READ', { at, queue: 2 }));
    for (const each of sent) builder.reply(each, { latency: 10_000 });
    builder.exchange('READ', { at: 50_000, queue: 2 }).exchange('FORGET', { at: 60_000, in: { nlookup: 1 } });
    const trace = traceOf(builder);
    const names = trace.traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.['name']);
    assert.deepEqual(names, ['queue 0 (hiprio)', 'queue 2', 'queue 2 #2', 'queue 2 #3']);
    const threads = slices(trace, 'fuse').map(({ tid }) => tid);
    assert.equal(new Set(threads).size, 4);
  });

  it('shows what has no reply as a slice that does not end, and a reply without a request as an instant', () => {
    const builder = new CaptureBuilder();
    builder.request('SETLKW', { in: { fh: 1 } });
    builder.exchange('STATFS').notification(2, new Uint8Array(24));
    const trace = traceOf(builder);
    assert.deepEqual(
      slices(trace, 'fuse').map(({ ph, name }) => [ph, name]),
      [
        ['B', 'SETLKW'],
        ['X', 'STATFS'],
        ['i', 'NOTIFY_INVAL_INODE'],
      ],
    );
  });

  it('counts requests in flight and bytes per second', () => {
    const builder = new CaptureBuilder();
    const first = builder.request('READ', { at: 0 });
    const second = builder.request('READ', { at: 2_000_000 });
    builder
      .reply(first, { latency: 5_000_000, outPayload: 4096 })
      .reply(second, { latency: 8_000_000, outPayload: 4096 });
    const counters = traceOf(builder).traceEvents.filter(({ ph }) => ph === 'C');
    const flight = counters
      .filter(({ name }) => name === 'requests in flight')
      .map(({ ts, args }) => [ts, args?.['value']]);
    assert.deepEqual(
      flight.map(([, value]) => value),
      [1, 2, 1, 0],
    );
    const bytes = counters.filter(({ name }) => name === 'READ bytes/s');
    const total = bytes.reduce((sum, { args }) => sum + Number(args?.['value']), 0);
    assert.ok(total > 0);
  });

  it('counts at no more points than a screen can show, and misses no peak', () => {
    const builder = new CaptureBuilder();
    for (let i = 0; i < MOST_POINTS + 2_000; i++) builder.exchange('STATFS', { latency: 10_000 });
    const [first, second] = [builder.request('READ'), builder.request('READ')];
    builder.reply(first, { latency: 500_000 }).reply(second, { latency: 500_000 });
    const capture = builder.capture();
    const [{ values }] = counterSeries(capture, all(capture));
    assert.ok(values.length <= MOST_POINTS + 2);
    assert.equal(Math.max(...values.map(([, value]) => value)), 2);
    assert.deepEqual(values.at(-1)?.[1], 0);
  });

  it('keeps its order with more at a time than there are threads for', () => {
    const builder = new CaptureBuilder({ snaplen: 0 });
    for (let i = 0; i < LANES + 20; i++) builder.request('GETATTR', { at: i });
    const trace = traceOf(builder);
    assert.equal(trace.traceEvents.filter(({ ph }) => ph === 'B').length, LANES);
    assert.equal(trace.traceEvents.filter(({ ph }) => ph === 'b').length, 20);
  });

  it('is valid whatever times and phases a capture claims', () => {
    const time = fc.integer({ min: 0, max: 40_000 });
    const one = fc.record({
      ...{ at: time, queued: time, latency: time, host: time, writing: time },
      queue: fc.integer({ min: 0, max: 1 }),
      calls: fc.array(fc.record({ at: time, duration: time }), { maxLength: 3 }),
      open: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), (list) => {
        const builder = new CaptureBuilder();
        list.forEach(({ open, calls, ...rest }, head) => {
          const sent = builder.request('READ', { ...rest, head });
          for (const call of calls) builder.hostCall('preadv2', call);
          if (!open) builder.reply(sent, rest);
        });
        const trace = traceOf(builder);
        assert.equal(slices(trace, 'fuse').length, list.length);
      }),
      { numRuns: 200 },
    );
  });
});
