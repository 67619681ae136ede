/**
 * What there is between requests, as lines or JSON: vhost-user messages and places where packets were lost, each before
 * the first row that came after it.
 *
 * A growing capture is asked again and again; what was given once is not given again.
 */
import type { Capture } from './capture';
import { controlLine } from './controlLine';
import { jsonControl } from './jsonRow';
import { paint, type Palette } from './palette';
import { printInstant, printSeconds } from './times';

export interface EventOptions {
  readonly control: boolean;
  readonly json: boolean;
  readonly absolute: boolean;
  readonly palette: Palette;
}

export class EventLines {
  private nextMessage = 0;
  private nextGap = 0;

  constructor(
    private readonly capture: Capture,
    private readonly options: EventOptions,
  ) {}

  /** Those before `row`; all that are left when `row` is the number of rows. */
  before(row: number): string[] {
    const { capture, options } = this;
    const lines: string[] = [];
    const until = row < capture.count ? capture.columns.start[row] : Infinity;
    while (this.nextMessage < capture.control.length && capture.control[this.nextMessage].start <= until) {
      const index = this.nextMessage++;
      if (options.control) lines.push(this.messageLine(index));
    }
    while (this.nextGap < capture.gaps.length && capture.gaps[this.nextGap].row <= row) {
      lines.push(this.gapLine(capture.gaps[this.nextGap++].packets));
    }
    return lines;
  }

  private messageLine(index: number): string {
    const { capture } = this;
    const { absolute, json, palette } = this.options;
    const message = capture.control[index];
    if (json) return jsonControl(capture, message);
    const time = absolute
      ? printInstant(capture.origin + BigInt(Math.round(message.start)))
      : printSeconds(message.start).padStart(12);
    return `${paint(palette, 'dim', time)}  ${paint(palette, 'note', `vhost-user ${controlLine(message)}`)}`;
  }

  private gapLine(packets: number): string {
    if (this.options.json) return JSON.stringify({ kind: 'lost', packets });
    return paint(this.options.palette, 'note', `… ${packets} packets lost here`);
  }
}
