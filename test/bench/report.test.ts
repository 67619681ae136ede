/** The arithmetic and the words of the benchmark's tables. */
import assert from 'node:assert/strict';
import { geometricMean, median } from './measure';
import type { RowResult } from './measurement';
import { brief, meanRatio, ratio, report, withBenchmark } from './report';

const figures = (
  microseconds: number,
): { microseconds: number; cpuMicroseconds: number; kicks: number; calls: number } => ({
  microseconds,
  cpuMicroseconds: microseconds / 2,
  kicks: 1,
  calls: 1,
});

const row = (name: string, depth: number, ours: number, rust: number, c: number, disturbed = 0): RowResult => ({
  name,
  depth,
  operations: 1000,
  figures: { ours: figures(ours), rust: figures(rust), c: figures(c) },
  disturbed,
});

describe('the benchmark’s report', () => {
  it('takes medians', () => {
    assert.equal(median([5, 1, 9]), 5);
    assert.equal(median([4, 1, 9, 2]), 3);
  });

  it('compares with the better peer of each row', () => {
    assert.equal(ratio(row('GETATTR', 1, 8, 10, 20)), 0.8);
    assert.equal(ratio(row('READ', 1, 8, 20, 10)), 0.8);
    assert.equal(ratio({ name: 'x', depth: 1, operations: 1, figures: { ours: figures(1) }, disturbed: 0 }), undefined);
  });

  it('takes the geometric mean of a depth’s ratios', () => {
    const rows = [row('a', 1, 5, 10, 10), row('b', 1, 20, 10, 10), row('c', 16, 1, 10, 10)];
    assert.equal(meanRatio(rows, 1)?.toFixed(6), '1.000000');
    assert.equal(meanRatio(rows, 16)?.toFixed(6), '0.100000');
    assert.equal(meanRatio(rows, 64), undefined);
    assert.equal(geometricMean([4, 9]).toFixed(6), '6.000000');
  });

  it('prints times, ratios, costs and processes, and marks rows that were disturbed', () => {
    const rows = [row('GETATTR', 1, 8, 10, 20), row('READ 1 MiB', 1, 1200, 2000, 3000, 0.4)];
    const processes = (['ours', 'rust', 'c'] as const).map((kind) => ({
      kind,
      startMilliseconds: [90, 110, 100],
      residentBytes: 50e6,
    }));
    const text = report(rows, processes, new Map([['GETATTR', 0.9]]));
    assert.match(text, /^depth 1 .*one CPU/);
    assert.match(text, /^GETATTR +8\.00 +10\.00 +20\.00 +0\.80 +0\.90$/m);
    assert.match(text, /^READ 1 MiB \* +1200 +2000 +3000 +0\.60 +–$/m);
    assert.match(text, /^geometric mean of ours against the better peer: 0\.693$/m);
    assert.match(text, /^\* other programs were at work/m);
    assert.match(text, /^ours +50\.0 +100$/m);
  });

  it('comes to one row a depth', () => {
    const rows = [row('a', 1, 5, 10, 20), row('b', 1, 20, 10, 10), row('c', 16, 1, 10, 10)];
    assert.match(brief(rows), /^requests in flight .*\n1 +1\.000 +0\.50 +2\.00\n16 +0\.100 +0\.10 +0\.10$/);
    assert.equal(brief([]), '');
  });

  it('replaces its own section of the README and nothing else', () => {
    const other = '<!-- bench other: begin -->\nkept\n<!-- bench other: end -->\n';
    const readme = `before\n${other}<!-- bench daemons: begin -->\nold\n<!-- bench daemons: end -->\nafter\n`;
    const fresh = withBenchmark(readme, 'daemons', 'Made on 2026-11-21.', { text: 'TABLE\n\n' });
    assert.ok(fresh.startsWith(`before\n${other}<!-- bench daemons: begin -->\n\nMade on 2026-11-21.\n`));
    assert.match(fresh, /```text\nTABLE\n```\n\n<!-- bench daemons: end -->\nafter\n$/);
    assert.doesNotMatch(fresh, /old|<details>/);
    assert.equal(withBenchmark(fresh, 'daemons', 'Made on 2026-11-21.', { text: 'TABLE' }), fresh);
    assert.throws(() => withBenchmark('nothing here', 'daemons', '', { text: '' }), /bench daemons: begin/);
  });

  it('has long tables folded away in the README, below what they come to', () => {
    const readme = '<!-- bench daemons: begin -->\nold\n<!-- bench daemons: end -->\n';
    const result = { text: 'LINE\n'.repeat(13), brief: 'SHORT' };
    const fresh = withBenchmark(readme, 'daemons', 'Made.', result);
    assert.match(
      fresh,
      /```text\nSHORT\n```\n\n<details>\n<summary>.+<\/summary>\n\n```text\n(LINE\n){13}```\n\n<\/details>\n/,
    );
    assert.equal(withBenchmark(fresh, 'daemons', 'Made.', result), fresh);
  });
});
