/**
 * When to look for a share to watch: while somebody looks at captures, now and then; and all the time while a guest of
 * this window is on its way, so that what it asks first is there. Knows nothing of vscode.
 */

/** From one look to the next, milliseconds. */
const NOW_AND_THEN = 1500;
/** A guest is up in a second, and whoever waits for it begins to type at once. */
const ON_ITS_WAY = 100;

export class ShareWatch {
  private timer: NodeJS.Timeout | undefined;
  private watching = false;

  /** `look` turns to a share that runs; `expected`: a share is about to. */
  constructor(
    private readonly look: () => void,
    private readonly expected: () => boolean,
  ) {}

  /** Whether somebody looks at captures. */
  watch(on: boolean): void {
    if (on === this.watching) return;
    this.watching = on;
    this.turn();
  }

  /** Guests have come, gone, or got further. */
  turn(): void {
    clearTimeout(this.timer);
    if (!this.watching) return;
    this.look();
    this.timer = setTimeout(() => this.turn(), this.expected() ? ON_ITS_WAY : NOW_AND_THEN);
  }

  dispose(): void {
    this.watch(false);
  }
}
