/**
 * A capture that is open in this window, whoever fills it: a guest at work, or a file. What views, the timeline and the
 * debugger see of it. Knows nothing of vscode.
 *
 * Everything that comes is kept, within limits; what is shown may stand still (`paused`) or begin later (`clear`).
 */
import type { CaptureReader } from '../../trace/captureReader';

export type CaptureEvent =
  /** Rows were added, or have got their replies, shown or not; at most ten times a second. */
  | { readonly kind: 'grown' }
  /** The oldest rows are gone: row numbers are less by so many. */
  | { readonly kind: 'dropped'; readonly rows: number }
  /** What is shown begins elsewhere (`from`), or another reader has taken the place of the old one: look anew. */
  | { readonly kind: 'begun' }
  /** Paused, resumed, ended, broken, connected: look at `state`. */
  | { readonly kind: 'state' };

export type CaptureListener = (event: CaptureEvent) => void;

/**
 * connecting: nobody has answered yet. live: more comes while the guest works. reading: more of a file comes. ended:
 * the daemon has gone, or the file is read. broken: it never came, or what came is no capture.
 */
export type CapturePhase = 'connecting' | 'live' | 'reading' | 'ended' | 'broken';

export interface OpenCapture {
  /** Of this window, never given out again. */
  readonly id: string;
  readonly title: string;
  readonly kind: 'live' | 'file';
  /** The file, or the shared folder. */
  readonly about: string;
  /** May be another one after `begun`. */
  readonly reader: CaptureReader;
  readonly phase: CapturePhase;
  /** Why it ended or broke, and what else a person should know: one sentence each. */
  readonly notes: readonly string[];
  readonly paused: boolean;
  /** Rows in [from, to) are shown; `to` stands still while it is paused. */
  readonly from: number;
  readonly to: number;
  /** How many rows were dropped: row 0 was the request number `dropped`. */
  readonly dropped: number;
  /** Given to `dispose` of what is returned, nothing is told any more. */
  listen(listener: CaptureListener): { dispose(): void };
  pause(paused: boolean): void;
  /** What came so far is not shown any more. */
  clear(): void;
  /** Takes a live capture up again. */
  reconnect(): void;
  close(): void;
}

/** Listeners of one capture. */
export class Listeners {
  private readonly all = new Set<CaptureListener>();

  add(listener: CaptureListener): { dispose(): void } {
    this.all.add(listener);
    return { dispose: () => void this.all.delete(listener) };
  }

  tell(event: CaptureEvent): void {
    for (const listener of [...this.all]) listener(event);
  }

  clear(): void {
    this.all.clear();
  }
}
