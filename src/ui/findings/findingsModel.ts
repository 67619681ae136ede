/**
 * Findings of the active capture, kept up to date: pass after pass over all rows in short slices, each as long after
 * the one before as that took ten times, so that it costs a tenth of the time at most. Knows nothing of vscode.
 */
import { type Finding, FindingsPass } from '../../trace/findings/findings';
import type { Follows } from '../captures/follower';
import type { OpenCapture } from '../captures/openCapture';

const LEAST_PAUSE_MS = 2000;
const PART_OF_TIME = 10;
const MOST_STALE = 4096;

/** When an inode was stale: the requests that show it (stable numbers), and for how long. */
export interface Stale {
  readonly first: number;
  readonly second: number;
  readonly nanoseconds: number;
}

export class FindingsModel implements Follows {
  capture: OpenCapture | undefined;
  found: readonly Finding[] = [];
  /** Requests that a fault or a debugger changed: `found` does not speak of them. */
  changed = 0;
  /** Row numbers in `found` are less than the stable ones by so many. */
  base = 0;
  /** By nodeid. */
  stale: ReadonlyMap<number, Stale> = new Map();
  /** Asks to be asked again in so many milliseconds. */
  later: (milliseconds: number) => void = () => undefined;
  private pass: FindingsPass | undefined;
  private passStale = new Map<number, Stale>();
  /** Rows of the last pass that came to its end; -1: there was none. */
  private seen = -1;
  private phase = '';
  private rows = 0;
  private spent = 0;
  private lastEnd = -Infinity;

  constructor(private readonly shown: () => void) {}

  /** How long until a pass may begin again. */
  get pause(): number {
    return Math.max(LEAST_PAUSE_MS, PART_OF_TIME * this.spent);
  }

  begin(capture: OpenCapture | undefined): void {
    this.capture = capture;
    this.found = [];
    this.changed = 0;
    this.stale = new Map();
    this.pass = undefined;
    this.seen = -1;
    this.phase = '';
    this.lastEnd = -Infinity;
    this.shown();
  }

  work(over: () => boolean): boolean {
    const { capture } = this;
    if (!capture) return true;
    if (!this.pass) {
      const { count } = capture.reader;
      if (count - capture.from === 0) {
        // That it is no capture is known when it has been read.
        if (capture.phase !== this.phase) this.shown();
        this.phase = capture.phase;
        return true;
      }
      // What has ended is looked at once more: requests in flight are a finding then.
      if (count === this.seen && capture.phase === this.phase) return true;
      const left = this.lastEnd + this.pause - performance.now();
      if (left > 0 && capture.phase === this.phase) {
        this.later(left);
        return true;
      }
      this.rows = count;
      this.phase = capture.phase;
      this.spent = 0;
      this.passStale = new Map();
      const { dropped } = capture;
      const stale = (nodeid: number, first: number, second: number, nanoseconds: number): void => {
        if (this.passStale.size >= MOST_STALE && !this.passStale.has(nodeid)) return;
        this.passStale.set(nodeid, { first: first + dropped, second: second + dropped, nanoseconds });
      };
      this.pass = new FindingsPass(capture.reader, { stale }, capture.from);
    }
    const started = performance.now();
    const all = this.pass.advance(over);
    this.spent += performance.now() - started;
    if (!all) return false;
    this.found = this.pass.found();
    this.changed = this.pass.changed;
    this.stale = this.passStale;
    this.base = capture.dropped;
    this.pass = undefined;
    this.seen = this.rows;
    this.lastEnd = performance.now();
    this.shown();
    return true;
  }

  /** A pass under way would mix up rows. */
  drop(): void {
    this.pass = undefined;
    this.seen = -1;
  }

  show(): void {
    // Told when a pass has come to its end.
  }

  get errors(): number {
    return this.found.filter(({ severity }) => severity === 'error').length;
  }

  get warnings(): number {
    return this.found.filter(({ severity }) => severity === 'warning').length;
  }
}
