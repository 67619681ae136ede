/**
 * The captures that are open in this window, and the one that the views are about. Other parts of the extension ask
 * here rather than connect again. Knows nothing of vscode.
 */
import { type RunningShare, runningShares } from '../../control/runningShares';
import { LiveCapture, type LiveLimits } from './liveCapture';
import type { OpenCapture } from './openCapture';
import { OpenFile } from './openFile';

export type CapturesEvent =
  | { readonly kind: 'opened' | 'closed'; readonly capture: OpenCapture }
  | { readonly kind: 'active'; readonly capture: OpenCapture | undefined };

const NONE: ReadonlySet<number> = new Set();

export class Captures {
  private readonly open: OpenCapture[] = [];
  private readonly listeners = new Set<(event: CapturesEvent) => void>();
  private chosen: OpenCapture | undefined;
  /** Processes of shares of this window that there has been a chance to turn to. */
  private readonly seen = new Set<number>();

  constructor(private readonly limits: () => LiveLimits) {}

  get all(): readonly OpenCapture[] {
    return this.open;
  }

  get active(): OpenCapture | undefined {
    return this.chosen;
  }

  listen(listener: (event: CapturesEvent) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  /**
   * The capture of a share: the one that is open (taken up again where it had ended), or a new one; the views turn to
   * it.
   */
  watch(share: RunningShare): LiveCapture {
    const known = this.open.find(
      (one): one is LiveCapture =>
        one instanceof LiveCapture && one.about === share.directory && one.title === share.tag,
    );
    if (known) {
      known.reconnect(share);
      this.activate(known);
      return known;
    }
    return this.add(new LiveCapture(share, this.limits()));
  }

  /** The same for a file. Throws a Trouble. */
  openFile(path: string): OpenFile {
    const known = this.open.find((one): one is OpenFile => one instanceof OpenFile && one.about === path);
    if (known) {
      this.activate(known);
      return known;
    }
    return this.add(new OpenFile(path));
  }

  activate(capture: OpenCapture | undefined): void {
    if (capture === this.chosen) return;
    this.chosen = capture;
    this.tell({ kind: 'active', capture });
  }

  close(capture: OpenCapture): void {
    const at = this.open.indexOf(capture);
    if (at < 0) return;
    this.open.splice(at, 1);
    capture.close();
    this.tell({ kind: 'closed', capture });
    if (capture === this.chosen) this.activate(this.open.at(-1));
  }

  /**
   * While somebody looks: turns to a share that runs when there is nothing to look at, or when that of a capture which
   * has ended runs again; else from such a capture to a share that this window has started since. `own`: the processes
   * that serve this window's shares.
   */
  look(own: ReadonlySet<number> = NONE): void {
    const { chosen } = this;
    const over = chosen instanceof LiveCapture && (chosen.phase === 'ended' || chosen.phase === 'broken');
    const unseen = [...own].some((pid) => !this.seen.has(pid));
    if (chosen !== undefined && !over && !unseen) return;
    const shares = runningOrNone();
    const begun = shares.filter(({ pid }) => own.has(pid) && !this.seen.has(pid));
    for (const { pid } of begun) this.seen.add(pid);
    if (chosen === undefined) {
      if (shares.length > 0) this.watch(shares[shares.length - 1]);
    } else if (over) {
      const again = shares.find(
        ({ directory, tag, pid }) => directory === chosen.about && tag === chosen.title && pid !== chosen.pid,
      );
      const next = again ?? begun.at(-1);
      if (next) this.watch(next);
    }
  }

  dispose(): void {
    for (const capture of this.open.splice(0)) capture.close();
    this.listeners.clear();
  }

  private add<C extends OpenCapture>(capture: C): C {
    this.open.push(capture);
    this.tell({ kind: 'opened', capture });
    this.activate(capture);
    return capture;
  }

  private tell(event: CapturesEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}

/** A folder of shares that cannot be trusted has none; `Watch Share…` tells why. */
function runningOrNone(): RunningShare[] {
  try {
    return runningShares();
  } catch {
    return [];
  }
}
