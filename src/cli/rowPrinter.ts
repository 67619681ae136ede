/**
 * Prints the rows of a capture, file or live: lines, JSON or chosen columns, up to a limit, with what lies between
 * them.
 *
 * Owns which rows are printed and when; how one looks is src/trace's business.
 */
import type { Capture } from '../trace/capture';
import { Completion } from '../trace/completion';
import { EventLines } from '../trace/eventLines';
import { jsonRow } from '../trace/jsonRow';
import type { TimeStyle } from '../trace/line';
import type { Palette } from '../trace/palette';
import { rowText } from '../trace/rowText';
import type { Output } from './output';
import type { RowTest } from './rowFilter';

export interface PrintOptions {
  readonly palette: Palette;
  readonly time: TimeStyle;
  readonly json: boolean;
  readonly hex: boolean;
  readonly brief: boolean;
  readonly syscalls: boolean;
  readonly control: boolean;
  readonly limit: number;
  /** Undefined: every row. */
  readonly wanted: RowTest | undefined;
  /** A row as columns, in place of its line. */
  readonly columns: ((capture: Capture, row: number) => string) | undefined;
  /** Rows are looked at and kept, not printed. */
  readonly silent: boolean;
}

export class RowPrinter {
  /** Rows that passed, for statistics. */
  readonly passed: number[] = [];
  private readonly completion: Completion;
  private readonly events: EventLines;
  /** Nothing has passed so far, of what is complete or waits. */
  none = true;
  private last: number | undefined;
  private count = 0;

  constructor(
    private readonly capture: Capture,
    private readonly output: Output,
    private readonly options: PrintOptions,
    private readonly keep: boolean,
  ) {
    this.completion = new Completion(capture);
    const { control, json, time, palette } = options;
    this.events = new EventLines(capture, { control, json, absolute: time === 'absolute', palette });
  }

  get full(): boolean {
    return this.count >= this.options.limit;
  }

  /** Every row, in order: of a capture that has ended. */
  async all(): Promise<void> {
    for (let row = 0; row < this.capture.count && !this.full; row++) {
      const wait = this.offer(row);
      if (wait) await wait;
    }
    await this.end();
  }

  /** What has become complete. */
  async fresh(): Promise<void> {
    await this.offerAll(this.completion.take());
    if (!this.full && this.options.control) this.between(this.capture.count);
    await this.output.flush();
  }

  /** What waits for its reply, once each, because that takes long. It comes again when it is complete. */
  async late(): Promise<void> {
    const rows = this.completion.takeLate();
    for (const row of rows) {
      if (this.full || this.options.silent || !this.passes(row)) continue;
      const wait = this.write(row);
      if (wait) await wait;
    }
    if (rows.length > 0) await this.output.flush();
  }

  /** At the end: what still waits. */
  async rest(): Promise<void> {
    await this.offerAll(this.completion.take());
    const { fresh, late } = this.completion.takeRest();
    if (this.keep) for (const row of late) if (this.passes(row)) this.passed.push(row);
    await this.offerAll(fresh);
    await this.end();
  }

  private async end(): Promise<void> {
    if (!this.full) this.between(this.capture.count);
    await this.output.flush();
  }

  private async offerAll(rows: readonly number[]): Promise<void> {
    for (const row of rows) {
      const wait = this.full ? undefined : this.offer(row);
      if (wait) await wait;
    }
  }

  private passes(row: number): boolean {
    const { wanted } = this.options;
    const passes = wanted === undefined || wanted(this.capture, row);
    if (passes) this.none = false;
    return passes;
  }

  /** Something to wait for, or undefined: most rows are not worth a promise. */
  private offer(row: number): Promise<void> | undefined {
    if (!this.passes(row)) return undefined;
    if (this.keep) this.passed.push(row);
    this.count++;
    return this.options.silent ? undefined : this.write(row);
  }

  private write(row: number): Promise<void> | undefined {
    this.between(row);
    const text = this.textOf(row);
    this.last = row;
    return this.output.push(text);
  }

  private textOf(row: number): string {
    const { json, columns } = this.options;
    if (columns) return `${columns(this.capture, row)}\n`;
    if (json) return `${jsonRow(this.capture, row)}\n`;
    return `${rowText(this.capture, row, this.options, this.last).join('\n')}\n`;
  }

  private between(row: number): void {
    if (this.options.silent || this.options.columns) return;
    // So few that they need not be waited for.
    for (const line of this.events.before(row)) this.output.add(`${line}\n`);
  }
}
