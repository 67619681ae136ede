/**
 * The main thread's end of the trace: takes finished blocks out of the ring and gives them to the sinks.
 *
 * A sink that is waited for holds up only this: blocks then stay in the ring, and beyond its size they are dropped
 * there, counted, and the count is told. A sink that joins while a guest is at work begins at a certain place of the
 * ring, with what the queue worker says of the session up to that place. It is asked one question at a time, since two
 * may get one answer. Until it has answered nothing is taken out and the trace stays on, whoever leaves: all that comes
 * behind the place is there for whoever begins at it.
 */
import type { TraceReader } from './ring';
import type { TraceSink } from './sink';

const INTERVAL = 10;

/** What the queue worker answers when it is asked: the session so far, and up to where in the ring that is. */
export interface SessionSoFar {
  readonly written: number;
  readonly preamble: readonly Uint8Array[];
}

export class TraceDrain {
  private readonly sinks = new Set<TraceSink>();
  /** Sinks that begin when the queue worker has answered. */
  private joining: TraceSink[] = [];
  /** The queue worker has been asked, and its answer's place is not reached yet. */
  private asked = false;
  private timer: NodeJS.Timeout | undefined;
  /** Blocks are on their way to sinks that are waited for. */
  private writing: Promise<void> | undefined;
  private toldLost = 0;

  /** `ask` asks the queue worker for the session so far, which `answered` is then called with. */
  constructor(
    private readonly reader: TraceReader,
    private readonly ask: () => void,
  ) {}

  /** A sink that is there before the queue worker is: nothing has been said yet. */
  start(sink: TraceSink): void {
    sink.begin([]);
    this.add(sink);
  }

  join(sink: TraceSink): void {
    this.reader.on = true;
    this.joining.push(sink);
    this.askOnce();
  }

  leave(sink: TraceSink): void {
    this.joining = this.joining.filter((one) => one !== sink);
    this.sinks.delete(sink);
    this.stopIfAlone();
  }

  answered({ written, preamble }: SessionSoFar): void {
    const begin = (): void => {
      this.asked = false;
      for (const sink of this.joining.splice(0)) {
        sink.begin(preamble);
        this.add(sink);
      }
      this.stopIfAlone();
    };
    const taken = this.writing ? this.writing.then(() => this.take(written)) : this.take(written);
    if (taken) void taken.then(begin);
    else begin();
  }

  /** Everything that is in the ring is written; then no more. A sink that takes nothing is not waited for longer. */
  async end(patience = 1000): Promise<void> {
    clearInterval(this.timer);
    this.joining = [];
    const all = (async () => {
      await this.writing;
      await this.take(this.reader.written);
      await Promise.all([...this.sinks].map((sink) => Promise.resolve(sink.end())));
    })();
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, patience).unref())]);
  }

  private add(sink: TraceSink): void {
    this.reader.on = true;
    this.sinks.add(sink);
    this.timer ??= setInterval(() => this.tick(), INTERVAL);
  }

  private tick(): void {
    if (this.writing || this.asked) return;
    void this.take(this.reader.written);
    if (this.writing) return;
    const full = [...this.sinks].filter((sink) => sink.full);
    if (full.length === 0) return;
    this.joining.push(...full);
    this.askOnce();
  }

  private askOnce(): void {
    if (this.asked) return;
    this.asked = true;
    this.ask();
  }

  /** Nobody is there or to come: nothing is captured any more. */
  private stopIfAlone(): void {
    if (this.sinks.size > 0 || this.asked || this.writing) return;
    this.reader.on = false;
    clearInterval(this.timer);
    this.timer = undefined;
    this.reader.release(this.reader.written);
  }

  /** Hands over the blocks up to a place, and gives their room back. */
  private take(to: number): void | Promise<void> {
    const { reader } = this;
    if (((to - reader.released) | 0) <= 0) return this.tellLost();
    const pieces = reader.between(reader.released, to);
    const waits = [...this.sinks].map((sink) => sink.write(pieces)).filter((one) => one !== undefined);
    const done = (): void => {
      reader.release(to);
      this.tellLost();
    };
    if (waits.length === 0) return done();
    this.writing = Promise.all(waits).then(() => {
      this.writing = undefined;
      done();
      this.stopIfAlone();
    });
    return this.writing;
  }

  private tellLost(): void {
    const { dropped } = this.reader;
    if (dropped === this.toldLost) return;
    for (const sink of this.sinks) sink.lost(dropped - this.toldLost);
    this.toldLost = dropped;
  }
}
