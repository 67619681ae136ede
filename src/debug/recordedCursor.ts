/**
 * Where in a capture one stands: at a request's entry, after one of its host calls, or at its reply; and the way from
 * there, step by step or from stop to stop, forward and back. On the way forward log points are written.
 *
 * Owns the place. Knows neither what is shown there, nor how breakpoints are searched for.
 */
import { Trouble } from '../base/catalogue';
import type { Capture } from '../trace/capture';
import type { CaptureContent } from '../trace/captureContent';
import { printSeconds } from '../trace/times';
import type { LongWork } from './longWork';
import { rankOf, type Phase, type Place, type RecordedStops } from './recordedStops';
import type { Move, StopReason } from './target';

export interface CursorEvents {
  stopped(reason: StopReason, description: string, rules: readonly number[]): void;
  output(category: 'stdout' | 'important', text: string): void;
}

export class RecordedCursor {
  private row_ = 0;
  /** 0: entry; then its host calls, one by one; the last one is the reply, where there is one. */
  private step_ = 0;
  /** Of the way to the next stop. */
  private going: AbortController | undefined;

  constructor(
    private readonly capture: Capture & Pick<CaptureContent, 'reply' | 'hostCalls'>,
    private readonly stops: RecordedStops,
    private readonly work: LongWork,
    private readonly events: CursorEvents,
  ) {}

  get row(): number {
    return this.row_;
  }

  /** How many host calls are behind, where it is not at the reply. */
  get step(): number {
    return this.step_;
  }

  get atReply(): boolean {
    return this.capture.reply(this.row) !== undefined && this.step === this.lastStep;
  }

  get isGoing(): boolean {
    return this.going !== undefined;
  }

  /** What log points say of the first place as well: nobody goes there. */
  begin(): void {
    this.go(-1, 0, () => this.stopped('entry', edge(false)));
  }

  move(how: Move): void {
    const { row, step, atReply, lastStep } = this;
    switch (how) {
      case 'continue':
        return this.run(this.stops.after(row, this.phase), true);
      case 'reverseContinue':
        return this.run(this.stops.before(row, step === 0 ? 'entry' : 'reply'), false);
      case 'stepIn':
        return this.stepTo(step < lastStep ? step + 1 : undefined, true);
      case 'next':
      case 'stepOut':
        return this.stepTo(step < lastStep ? lastStep : undefined, true);
      case 'stepBack':
        return this.stepTo(step > 0 ? (atReply ? 0 : step - 1) : undefined, false);
    }
  }

  /** Where it has come to. Where it stands already there is nothing to pause. */
  pause(): void {
    this.going?.abort();
  }

  private get lastStep(): number {
    return this.capture.hostCalls(this.row).length + (this.capture.reply(this.row) === undefined ? 0 : 1);
  }

  private get phase(): Phase {
    return this.atReply ? 'reply' : 'entry';
  }

  private get rank(): number {
    return rankOf(this.row, this.phase);
  }

  /** To a step of this row; undefined: to the row after it, or before it. */
  private stepTo(step: number | undefined, forward: boolean): void {
    const row = step === undefined ? this.row + (forward ? 1 : -1) : this.row;
    if (row < 0 || row >= this.capture.count) return this.stopped('step', edge(forward));
    const from = this.rank;
    this.stand(row, step ?? (forward ? 0 : Infinity));
    const stop = (): void => this.stopped('step', this.where());
    if (forward) this.go(from, this.rank, stop);
    else stop();
  }

  private run(place: Place | undefined, forward: boolean): void {
    const from = this.rank;
    if (place === undefined) this.stand(forward ? this.capture.count - 1 : 0, forward ? Infinity : 0);
    else this.stand(place.row, place.phase === 'entry' ? 0 : Infinity);
    const stop = (): void =>
      place === undefined
        ? this.stopped('entry', edge(forward))
        : this.stopped(place.reason, this.where(), place.rules);
    if (forward) this.go(from, place === undefined ? Infinity : this.rank, stop);
    else stop();
  }

  /** At its last step where it has fewer. */
  private stand(row: number, step: number): void {
    this.row_ = row;
    this.step_ = Math.min(step, this.lastStep);
  }

  /**
   * Writes what log points say of the places behind the rank `from`, up to and with `to`, where it stands already; then
   * stops. Someone who pauses meanwhile stops where it has come to.
   */
  private go(from: number, to: number, stop: () => void): void {
    const control = new AbortController();
    const first = Math.max(0, Math.floor(from / 2));
    this.going = control;
    void this.work
      .inTurns('Writing log lines', control, async (turns) => {
        let written = 0;
        for (const { row, phase, text } of this.stops.logs(from, to)) {
          this.events.output('stdout', text);
          if (++written % LINES_AT_ONCE === 0) await turns.give(row - first, this.row - first, REST_MS);
          else if (turns.isOver) await turns.give(row - first, this.row - first);
          if (!turns.isCancelled) continue;
          this.stand(row, phase === 'entry' ? 0 : Infinity);
          return () => this.stopped('pause', this.where());
        }
        return stop;
      })
      .catch((error: unknown) => {
        this.events.output('important', error instanceof Trouble ? error.toString() : String(error));
        return stop;
      })
      .then((stopped) => {
        this.going = undefined;
        if (!this.work.closed) stopped();
      });
  }

  private stopped(reason: StopReason, description: string, rules: readonly number[] = []): void {
    this.events.stopped(reason, description, rules);
  }

  /** With a single thread VS Code shows this, and not the thread's name. */
  private where(): string {
    const { count, columns } = this.capture;
    const phase = this.step === 0 ? 'entry' : this.atReply ? 'reply' : 'after a host call';
    return `${phase}, #${this.row} of ${count}, ${printSeconds(columns.start[this.row])} s`;
  }
}

/**
 * A client says nothing of the lines that it has not shown yet: written faster than it can, they would be in the way of
 * a stop, and of a person who pauses, for many seconds.
 */
const LINES_AT_ONCE = 256;
const REST_MS = 12;

const edge = (forward: boolean): string => (forward ? 'end of the capture' : 'beginning of the capture');
