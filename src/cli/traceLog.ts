/**
 * Prints decoded requests as they come from a daemon's capture, and counts all of them.
 *
 * Everything is counted, not everything is printed: within one section (a step of the demo) each opcode shows its first
 * few requests and each kind of error its first few, and the section ends with how many more there were. So a person
 * sees every kind of request at any speed.
 */
import type { Readable } from 'node:stream';
import { CaptureReader } from '../trace/captureReader';
import { errorName, kindOf, whatOf } from '../trace/line';
import { statistics } from '../trace/statistics';
import { alignColumns, cutToWidth } from '../trace/textTable';
import { printDuration } from '../trace/times';

const SHOWN_OF_A_KIND = 2;
const QUIET_MS = 15;
const LONGEST_WAIT_MS = 300;
const TIME_WIDTH = 8;

export class TraceLog {
  private readonly capture = new CaptureReader({ completed: (row) => this.count(row) });
  private readonly shown = new Map<string, number>();
  private readonly hidden = new Map<string, number>();
  private lastArrival = 0;

  constructor(
    private readonly print: (line: string) => void,
    private readonly width: () => number,
  ) {}

  /** Requests seen. */
  get total(): number {
    return this.capture.count;
  }

  /** Packets the daemon could not keep up recording. */
  get dropped(): number {
    return this.capture.gaps.reduce((sum, { packets }) => sum + packets, 0);
  }

  /** Reads `stream` to its end. */
  follow(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => {
      this.lastArrival = performance.now();
      this.capture.push(chunk);
    });
  }

  /** Waits until nothing has come for a moment, then says what the section has not shown, and begins a new one. */
  async endSection(): Promise<void> {
    const begun = performance.now();
    do {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    } while (performance.now() - this.lastArrival < QUIET_MS && performance.now() - begun < LONGEST_WAIT_MS);
    if (this.hidden.size > 0) {
      const counts = [...this.hidden].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${count} ${kind}`);
      this.print(`    … and ${counts.join(', ')}`);
    }
    this.shown.clear();
    this.hidden.clear();
  }

  /** A table by opcode; times from taking the request to giving the reply. */
  table(): string[] {
    const time = (value: number | undefined): string => printDuration(value ?? NaN);
    const rows = statistics(this.capture, undefined, 'opcode').map(({ name, count, errors, p50, p95, max }) => [
      name,
      String(count),
      String(errors),
      ...[p50, p95, max].map(time),
    ]);
    return alignColumns([['opcode', 'count', 'errors', 'p50', 'p95', 'max'], ...rows]);
  }

  private count(row: number): void {
    const error = errorName(this.capture, row);
    const kind = kindOf(this.capture, row) + (error === '' ? '' : ` (${error})`);
    const before = this.shown.get(kind) ?? 0;
    if (before < SHOWN_OF_A_KIND) {
      this.shown.set(kind, before + 1);
      this.print(this.line(row));
    } else {
      this.hidden.set(kind, (this.hidden.get(kind) ?? 0) + 1);
    }
  }

  private line(row: number): string {
    const latency = this.capture.columns.latency[row];
    const time = Number.isNaN(latency) ? '' : printDuration(latency);
    return cutToWidth(`  ${time.padStart(TIME_WIDTH)}  ${whatOf(this.capture, row)}`, this.width());
  }
}
