/**
 * Keeps one view's idea of the active capture up to date: works in short slices, shows at most so often, and does
 * nothing while nobody looks. Knows nothing of vscode.
 */
import { breathe } from '../timeline/breathe';
import type { Captures } from './captures';
import type { OpenCapture } from './openCapture';

/** So long at most without letting others run, milliseconds. */
const SLICE_MS = 8;

export interface Follows {
  /** Another capture, or the same one from another place on; undefined: none. */
  begin(capture: OpenCapture | undefined): void;
  /** Looks at what has come, until `over`. True when that is all. */
  work(over: () => boolean): boolean;
  /** Row numbers are less by so many. */
  drop(rows: number): void;
  /** What was looked at so far can be seen. */
  show(): void;
}

export class Follower {
  private readonly heard: { dispose(): void };
  private listening: { dispose(): void } | undefined;
  private looked = false;
  private asked = false;
  private running = false;
  private disposed = false;

  /** `every`: milliseconds from one showing to the next; asked each time. */
  constructor(
    captures: Captures,
    private readonly part: Follows,
    private readonly every: () => number,
  ) {
    this.heard = captures.listen((event) => {
      if (event.kind === 'active') this.attach(event.capture);
    });
    this.attach(captures.active);
  }

  /** Whether somebody looks. */
  look(visible: boolean): void {
    this.looked = visible;
    if (visible) this.ask();
  }

  /** There is something to work at. */
  ask(): void {
    this.asked = true;
    if (!this.running && this.looked && !this.disposed) void this.run();
  }

  /** Does all of the work that there is, whether somebody looks or not; for who needs it now. */
  async catchUp(): Promise<void> {
    for (;;) {
      const until = performance.now() + SLICE_MS;
      if (this.disposed || this.part.work(() => performance.now() >= until)) break;
      await breathe();
    }
    this.part.show();
  }

  dispose(): void {
    this.disposed = true;
    this.heard.dispose();
    this.listening?.dispose();
  }

  private attach(capture: OpenCapture | undefined): void {
    this.listening?.dispose();
    this.listening = capture?.listen((event) => {
      if (event.kind === 'dropped') this.part.drop(event.rows);
      else if (event.kind === 'begun') this.part.begin(capture);
      // What comes while views stand still is not theirs to show.
      else if (event.kind === 'grown' && capture.paused) return;
      this.ask();
    });
    this.part.begin(capture);
    this.ask();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.asked && this.looked && !this.disposed) {
        this.asked = false;
        const shown = performance.now();
        for (;;) {
          const until = performance.now() + SLICE_MS;
          if (this.part.work(() => performance.now() >= until)) break;
          await breathe();
          if (this.disposed) return;
          if (performance.now() - shown > this.every()) {
            this.asked = true;
            break;
          }
        }
        this.part.show();
        await new Promise((resolve) => setTimeout(resolve, this.every()));
      }
    } finally {
      this.running = false;
    }
    if (this.asked && this.looked && !this.disposed) this.ask();
  }
}
