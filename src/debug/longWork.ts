/**
 * The long work of one session: each is done in turns with others, shown, and may be cancelled. When the session is
 * closed all of it ends, and none begins any more.
 */
import { Turns, type Shown } from './turns';

export class LongWork {
  private readonly underWay = new Set<AbortController>();
  private closed_ = false;

  constructor(
    private readonly show: (title: string, cancel: () => void) => Shown,
    private readonly now: (() => number) | undefined,
  ) {}

  get closed(): boolean {
    return this.closed_;
  }

  /** `control` ends it as well. */
  async inTurns<Done>(title: string, control: AbortController, work: (turns: Turns) => Promise<Done>): Promise<Done> {
    if (this.closed) control.abort();
    const turns = new Turns(control.signal, () => this.show(title, () => control.abort()), this.now);
    this.underWay.add(control);
    try {
      return await work(turns);
    } finally {
      this.underWay.delete(control);
      turns.end();
    }
  }

  close(): void {
    this.closed_ = true;
    for (const control of this.underWay) control.abort();
  }
}
