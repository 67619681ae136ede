/**
 * slow-requests: single requests that took a multiple of their opcode's median and long enough to be felt, with the
 * phase that took the time. How long a debugger held one does not count. The median comes from a histogram, so that a
 * million latencies need no memory.
 */
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import type { Row } from './row';
import { slow } from './thresholds';
import { duration, list, placeOf, times } from './words';

/** They wait for somebody else by purpose. */
const waiting = new Set<number>([Opcode.SETLKW, Opcode.POLL, Opcode.INIT, Opcode.DESTROY]);
const syncing = new Set<number>([Opcode.FSYNC, Opcode.FSYNCDIR, Opcode.SYNCFS, Opcode.FLUSH]);

/** Four buckets to each doubling: 19 % wide. */
const STEPS = 4;
const BUCKETS = 64 * STEPS;

class OpcodeLatencies {
  count = 0;
  /** The slowest, unordered, and where the least of them is. */
  readonly rows: number[] = [];
  readonly latencies: number[] = [];
  private least = 0;
  private readonly histogram = new Uint32Array(BUCKETS);

  add(row: number, latency: number): void {
    this.count++;
    this.histogram[latency < 1 ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log2(latency) * STEPS))]++;
    const { rows, latencies } = this;
    if (rows.length === slow.kept) {
      if (latency <= latencies[this.least]) return;
      rows[this.least] = row;
      latencies[this.least] = latency;
    } else {
      rows.push(row);
      latencies.push(latency);
    }
    this.least = latencies.indexOf(Math.min(...latencies));
  }

  /** The upper bound of the bucket that holds it. */
  median(): number {
    let left = this.count / 2;
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.histogram[at];
      if (left <= 0) return 2 ** ((at + 1) / STEPS);
    }
    return Infinity;
  }

  /** How many took at least `limit`, to a bucket's width; exact where all of them are remembered. */
  over(limit: number): number {
    const kept = this.latencies.filter((each) => each >= limit).length;
    if (kept < slow.kept) return kept;
    let count = 0;
    for (let at = Math.ceil(Math.log2(limit) * STEPS); at < BUCKETS; at++) count += this.histogram[at];
    return Math.max(count, kept);
  }
}

interface Outlier {
  readonly row: number;
  readonly latency: number;
  readonly median: number;
}

export class SlowRequests implements Detector {
  readonly ownOnly = true;
  private readonly byOpcode: (OpcodeLatencies | undefined)[] = [];

  constructor(private readonly context: DetectorContext) {}

  take(row: Row): void {
    const { opcode } = row;
    if (!row.replied || opcode > 63 || waiting.has(opcode)) return;
    (this.byOpcode[opcode] ??= new OpcodeLatencies()).add(row.index, row.latency - row.held);
  }

  end(): readonly Finding[] {
    const outliers: Outlier[] = [];
    let total = 0;
    this.byOpcode.forEach((of, opcode) => {
      if (!of) return;
      const median = of.median();
      const limit = limitOf(opcode, of.count, median);
      total += of.over(limit);
      of.rows.forEach((row, i) => {
        if (of.latencies[i] >= limit) outliers.push({ row, latency: of.latencies[i], median });
      });
    });
    if (outliers.length === 0) return [];
    outliers.sort((a, b) => b.latency - a.latency || a.row - b.row);
    const proof = new Proof(this.context.rows);
    for (const { row } of outliers) proof.add(row);
    proof.total = total;
    const named = outliers.slice(0, 3).map((each) => this.describe(each));
    const text = `${times(total, 'request')}: ${list(named, total - named.length)}.`;
    const { capture } = this.context;
    const path = capture.path(capture.columns.path[outliers[0].row]);
    const severity = outliers[0].latency >= slow.alone ? 'warning' : 'info';
    return [finding('slow-requests', proof, text, { path, severity })];
  }

  private describe({ row, latency, median }: Outlier): string {
    const { capture } = this.context;
    const { columns } = capture;
    const name = opcodeByNumber(columns.opcode[row])?.name ?? `opcode ${columns.opcode[row]}`;
    const where = placeOf(capture, row);
    const usual = Number.isFinite(median) ? `, usually ${duration(median)}` : '';
    return `${name} ${where} ${duration(latency)}${usual}, ${this.phase(row, latency)}`;
  }

  private phase(row: number, latency: number): string {
    const { host, writing } = this.context.capture.columns;
    const daemon = Math.max(0, latency - host[row] - writing[row]);
    if (host[row] >= latency / 2) return `${duration(host[row])} of it in host system calls`;
    if (writing[row] >= latency / 2) return `${duration(writing[row])} of it after the last host system call`;
    return `${duration(daemon)} of it in the daemon`;
  }
}

/** From which latency on a request of this opcode is slow. */
function limitOf(opcode: number, count: number, median: number): number {
  const least = syncing.has(opcode) ? slow.syncLeast : slow.least;
  return Math.max(count < slow.samples ? slow.alone : slow.factor * median, least);
}
