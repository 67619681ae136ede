/**
 * negative-lookups: LOOKUPs of the same names that end in ENOENT again and again, and make up much of the traffic. An
 * answer with nodeid 0 is no error: the guest may remember it, and it is not counted.
 */
import { Errno } from '../../protocol/errno';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { quote } from '../../protocol/text';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import type { Row } from './row';
import { MOST_PATHS, NAMED, negative } from './thresholds';
import { list, percent, times } from './words';

export class NegativeLookups implements Detector {
  readonly ownOnly = true;
  readonly opcodes = [Opcode.LOOKUP];
  /** By index of the path. */
  private readonly counts: Uint32Array;
  private readonly firstRow: Uint32Array;
  private readonly proof: Proof;

  constructor(private readonly context: DetectorContext) {
    const paths = Math.min(context.capture.paths, MOST_PATHS);
    this.counts = new Uint32Array(paths);
    this.firstRow = new Uint32Array(paths);
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    const { path } = row;
    if (row.error !== -Errno.ENOENT || path === 0 || path >= this.counts.length) return;
    if (++this.counts[path] === 1) this.firstRow[path] = row.index;
    if (this.counts[path] > negative.free) this.proof.add(row.index);
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    const { capture } = this.context;
    if (total < negative.requests || total < negative.share * capture.count) return [];
    const { worst, repeated } = this.largest();
    const named = worst.map((path) => `${quote(capture.path(path))} ${times(this.counts[path], 'time')}`);
    const text =
      `${times(total, 'LOOKUP')} of ${times(repeated, 'name')} that are not there, each looked up more than ` +
      `${negative.free} times, are ${percent(total, capture.count)} of all requests: ${list(named, repeated - worst.length)}.`;
    return [finding('negative-lookups', this.proof, text, { path: capture.path(worst[0]) })];
  }

  /** The paths that were looked up most often, and how many were more often than is free. */
  private largest(): { worst: number[]; repeated: number } {
    const worst: number[] = [];
    let repeated = 0;
    this.counts.forEach((count, path) => {
      if (count <= negative.free) return;
      repeated++;
      worst.push(path);
      worst.sort((a, b) => this.counts[b] - this.counts[a] || this.firstRow[a] - this.firstRow[b]);
      if (worst.length > NAMED) worst.pop();
    });
    return { worst, repeated };
  }
}
