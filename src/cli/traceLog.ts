/**
 * Prints decoded requests as they come from a daemon's capture, and counts all of them.
 *
 * Everything is counted, not everything is printed: within one section (a step of the demo) each opcode shows its first
 * few requests and each kind of error its first few, and the section ends with how many more there were. So a person
 * sees every kind of request at any speed.
 */
import type { Readable } from 'node:stream';
import { errnoName } from '../protocol/errno';
import { replyLine, requestLine } from '../protocol/summary';
import { ExchangePairing } from '../trace/exchanges';
import type { TracedExchange } from '../trace/exchanges';
import { decodePacket } from '../trace/packet';
import { PcapngReader } from '../trace/pcapng';
import { OpcodeStatistics } from '../trace/statistics';

const SHOWN_OF_A_KIND = 2;
const QUIET_MS = 15;
const LONGEST_WAIT_MS = 300;

export class TraceLog {
  readonly statistics = new OpcodeStatistics();
  /** Requests seen, and requests the daemon could not keep up recording. */
  total = 0;
  dropped = 0;
  private readonly reader = new PcapngReader();
  private readonly pairing = new ExchangePairing();
  private readonly shown = new Map<string, number>();
  private readonly hidden = new Map<string, number>();
  private lastArrival = 0;

  constructor(
    private readonly print: (line: string) => void,
    private readonly width: () => number,
  ) {}

  /** Reads `stream` to its end. */
  follow(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => this.take(chunk));
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

  /** A table by opcode; times in microseconds, from taking the request to giving the reply. */
  table(): string[] {
    const time = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0));
    const cells = this.statistics
      .rows()
      .map((row) => [row.opcode, String(row.count), String(row.errors), ...[row.p50, row.p95, row.max].map(time)]);
    const all = [['opcode', 'count', 'errors', 'p50 µs', 'p95 µs', 'max µs'], ...cells];
    const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
    return all.map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
    );
  }

  private take(chunk: Buffer): void {
    this.lastArrival = performance.now();
    for (const event of this.reader.push(chunk)) {
      if (event.kind === 'dropped') {
        this.dropped = Number(event.count);
        continue;
      }
      const packet = decodePacket(event.time, event.bytes);
      const exchange = packet === undefined ? undefined : this.pairing.take(packet);
      if (exchange !== undefined) {
        this.count(exchange);
      }
    }
  }

  private count(exchange: TracedExchange): void {
    this.total++;
    this.statistics.add(exchange);
    const { name, error } = exchange;
    const kind = error === 0 ? name : `${name} (${errnoName(error)})`;
    const before = this.shown.get(kind) ?? 0;
    if (before < SHOWN_OF_A_KIND) {
      this.shown.set(kind, before + 1);
      this.print(this.line(exchange));
    } else {
      this.hidden.set(kind, (this.hidden.get(kind) ?? 0) + 1);
    }
  }

  private line({ request, reply, nanoseconds }: TracedExchange): string {
    const time = nanoseconds === undefined ? '' : `${(nanoseconds / 1000).toFixed(0)} µs`;
    const text = reply === undefined ? requestLine(request) : `${requestLine(request)} ${replyLine(reply)}`;
    const line = `  ${time.padStart(9)}  ${text}`;
    const width = this.width();
    return line.length > width ? `${line.slice(0, width - 1)}…` : line;
  }
}
