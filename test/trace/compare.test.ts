/** Two captures side by side. */
import assert from 'node:assert/strict';
import { compareCaptures, type CompareOptions, type Comparison } from '../../src/trace/compare';
import { comparisonJson, comparisonText } from '../../src/trace/compareText';
import { whatOf } from '../../src/trace/line';
import { CaptureBuilder } from './captureBuilder';

const options: CompareOptions = { by: 'queue', context: 2, most: 10 };
const folder = (nodeid: number) => ({ nodeid, attr: { mode: 0o40755 } });
const file = (nodeid: number) => ({ nodeid, attr: { mode: 0o100644 } });

/** The same work, as two runs of it look: other nodeids, handles, processes, times. */
function work(run: number, change: (builder: CaptureBuilder) => CaptureBuilder = (same) => same): CaptureBuilder {
  const id = (index: number): number => run * 1000 + index;
  const pid = 100 * run;
  const builder = new CaptureBuilder()
    .init({ minor: 40 + run, pid: 0 })
    .exchange('LOOKUP', { names: ['d'], out: folder(id(1)), pid, latency: run * 1_000 })
    .exchange('CREATE', {
      nodeid: id(1),
      names: ['a'],
      in: { flags: 0o102, mode: 0o644 },
      out: [file(id(2)), { fh: id(3) }],
      pid,
    })
    .exchange('WRITE', {
      nodeid: id(2),
      in: { fh: id(3), lock_owner: id(4) },
      payload: String(run).repeat(64),
      pid,
      out: { size: 64 },
    })
    .exchange('SETATTR', { nodeid: id(2), in: { valid: 1 << 5, mtime: run, mtimensec: run }, pid });
  return change(builder)
    .exchange('RELEASE', { nodeid: id(2), in: { fh: id(3) }, pid })
    .exchange('FORGET', { nodeid: id(2), in: { nlookup: run }, pid: 0 });
}

const compared = (a: CaptureBuilder, b: CaptureBuilder, with_: Partial<CompareOptions> = {}): Comparison =>
  compareCaptures(a.capture(), b.capture(), { ...options, ...with_ });

describe('comparing captures', () => {
  it('finds two runs of the same work the same, whatever nodeids, handles, processes, times and data are', () => {
    for (const by of ['queue', 'process'] as const) {
      const result = compared(work(1), work(2), { by });
      assert.deepEqual([result.kindsOnlyInA, result.kindsOnlyInB, result.divergence], [0, 0, undefined], by);
    }
  });

  it('counts requests, errors and latency by opcode, with what only one has', () => {
    const more = work(2, (builder) =>
      builder.exchange('FSYNC', { error: 'EIO', latency: 5 }).exchange('FSYNC', { latency: 9 }),
    );
    const { opcodes } = compared(work(1), more);
    const row = (opcode: number) => opcodes.find((each) => each.opcode === opcode);
    assert.deepEqual(row(1), {
      opcode: 1,
      a: { count: 1, errors: 0, p50: 1_000, p95: 1_000 },
      b: { count: 1, errors: 0, p50: 2_000, p95: 2_000 },
    });
    assert.deepEqual(row(20), {
      opcode: 20,
      a: { count: 0, errors: 0, p50: NaN, p95: NaN },
      b: { count: 2, errors: 1, p50: 5, p95: 9 },
    });
    assert.deepEqual(row(2)?.a, { count: 1, errors: 0, p50: NaN, p95: NaN });
  });

  for (const [what, change] of [
    ['another name', (b) => b.exchange('UNLINK', { names: ['z'] })],
    ['another path', (b) => b.exchange('GETATTR', { nodeid: 1 })],
    ['another offset', (b) => b.exchange('WRITE', { nodeid: 2002, in: { fh: 2003, offset: 64 }, payload: 64 })],
    ['another mode', (b) => b.exchange('MKDIR', { names: ['d'], in: { mode: 0o700 } })],
    ['an opcode that nobody knows', (b) => b.exchange(4711)],
  ] as [string, (builder: CaptureBuilder) => CaptureBuilder][]) {
    it(`sees ${what} as another request`, () => {
      const b = work(2, change);
      const result = compared(work(1), b);
      assert.deepEqual([result.kindsOnlyInA, result.kindsOnlyInB], [0, 1]);
      assert.equal(result.onlyInB[0].row, 5);
      assert.deepEqual([result.divergence?.group, result.divergence?.same], [[1, 1], 5]);
      assert.deepEqual(result.divergence?.rows, [[5], [5, 6]]);
      assert.deepEqual(result.divergence?.before, [
        [3, 4],
        [3, 4],
      ]);
    });
  }

  it('compares names behind structures that a session makes shorter', () => {
    const with_ = (flags: string[], name: string): CaptureBuilder =>
      new CaptureBuilder().init({ flags }).exchange('SETXATTR', { names: [name], in: {}, payload: 'v' });
    const ext = with_(['SETXATTR_EXT'], 'user.one');
    assert.equal(compared(ext, with_(['SETXATTR_EXT'], 'user.two')).kindsOnlyInB, 1);
    assert.equal(compared(ext, with_(['SETXATTR_EXT'], 'user.one')).kindsOnlyInB, 0);
  });

  it('lists what only one has by how often it asks, and says how many more there are', () => {
    const builder = work(2, (b) => {
      for (let i = 0; i < 15; i++)
        for (let k = 0; k <= i; k++) b.exchange('LOOKUP', { names: [`n${i}`], error: 'ENOENT' });
      return b;
    });
    const result = compared(work(1), builder);
    assert.equal(result.kindsOnlyInB, 15);
    assert.deepEqual(
      result.onlyInB.map(({ count }) => count),
      [15, 14, 13, 12, 11, 10, 9, 8, 7, 6],
    );
    assert.match(whatOf(builder.capture(), result.onlyInB[0].row), /LOOKUP "\/n14"/);
  });

  it('holds processes against each other in the order in which they come', () => {
    const two = (first: number, second: number, swap: boolean): CaptureBuilder => {
      const builder = new CaptureBuilder().exchange('STATFS', { pid: first }).exchange('GETATTR', { pid: second });
      const [one, other] = swap ? [second, first] : [first, second];
      return builder
        .exchange('LOOKUP', { names: [one === first ? 'x' : 'y'], pid: one, error: 'ENOENT' })
        .exchange('LOOKUP', { names: [other === first ? 'x' : 'y'], pid: other, error: 'ENOENT' });
    };
    const [a, b] = [two(5, 6, false), two(70, 80, true)];
    assert.equal(compared(a, b, { by: 'process' }).divergence, undefined);
    assert.equal(compared(a, b, { by: 'queue' }).divergence?.same, 2);
  });

  it('names no process where one capture has fewer', () => {
    const [a, b] = [[5, 6], [7]].map((pids) => {
      const builder = new CaptureBuilder();
      for (const pid of pids) builder.exchange('STATFS', { pid });
      return builder.capture();
    });
    const result = compareCaptures(a, b, { ...options, by: 'process' });
    assert.deepEqual(result.divergence?.group, [6, undefined]);
    const text = comparisonText([a, b], ['"a"', '"b"'], result, 'process').join('\n');
    assert.match(text, /^They part in process 6 of A, none of B, after 0 requests/m);
    assert.match(comparisonJson([a, b], ['a', 'b'], result), /"group": \[\s*6,\s*null\s*\]/);
  });

  it('takes the divergence that comes first in time', () => {
    const run = (late: string, early: string): CaptureBuilder =>
      new CaptureBuilder({ queues: 3 })
        .exchange('LOOKUP', { names: [late], queue: 1, at: 900, error: 'ENOENT' })
        .exchange('LOOKUP', { names: [early], queue: 2, at: 100, error: 'ENOENT' });
    assert.deepEqual(compared(run('a', 'b'), run('c', 'd')).divergence?.group, [2, 2]);
  });

  it('is told in words and as JSON', () => {
    const [a, b] = [work(1).capture(), work(2, (builder) => builder.exchange('FSYNC', { latency: 900 })).capture()];
    const result = compareCaptures(a, b, options);
    const text = comparisonText([a, b], ['"a"', '"b"'], result, 'queue').join('\n');
    assert.match(text, /^LOOKUP +1 +1 +×1\.00 +0 +0 +1\.00 µs +2\.00 µs +×2\.00/m);
    assert.match(text, /^Every request of A is in the other one too\.$/m);
    assert.match(text, /^Only in B:\n {2}1 × {2}FSYNC "\/"/m);
    assert.match(
      text,
      /^They part on queue 1, after 5 requests that are the same:\n {4}WRITE .*\n {4}SETATTR .*\n {2}A RELEASE/m,
    );
    const json = JSON.parse(comparisonJson([a, b], ['a', 'b'], result)) as {
      opcodes: { opcode: string; a: { p50: number | null } }[];
      divergence: { same: number; b: { request: string }[] };
    };
    assert.equal(json.divergence.same, 5);
    assert.match(json.divergence.b[0].request, /^FSYNC/);
    assert.equal(json.opcodes.find(({ opcode }) => opcode === 'FSYNC')?.a.p50, null);
    const same = comparisonText([a, a], ['', ''], compareCaptures(a, a, options), 'process').join('\n');
    assert.match(same, /Both ask the same in the same order \(by process\)\.$/);
  });

  it('takes empty captures', () => {
    const result = compared(new CaptureBuilder(), work(1));
    assert.equal(result.divergence?.same, 0);
    assert.deepEqual(compared(new CaptureBuilder(), new CaptureBuilder()).opcodes, []);
  });
});
