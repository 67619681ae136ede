/**
 * The trace of one daemon, on its main thread: the ring, and the sinks that the options ask for.
 *
 * Nothing is captured, and nothing costs the queue worker more than a look at a flag, while there is no sink.
 */
import { type Trouble, trouble } from '../../base/catalogue';
import { eventfd, signal } from '../../native/descriptors';
import { quote } from '../../protocol/text';
import { type DaemonOptions, shareName } from '../daemonOptions';
import { CaptureFile } from './captureFile';
import { CaptureLines } from './captureLines';
import { CaptureStream } from './captureStream';
import { type SessionSoFar, TraceDrain } from './drain';
import { CaptureHeader } from './header';
import { LiveCaptures } from './liveCaptures';
import { TraceReader, makeTraceRing } from './ring';

/** Half a second of a hundred thousand requests a second. */
const RING_BYTES = 16 << 20;

export class Tracing {
  /** What the queue worker needs. */
  readonly trace: { readonly address: number; readonly size: number; readonly askFd: number };
  private readonly drain: TraceDrain;
  private readonly live: LiveCaptures | undefined;

  /**
   * `troubled` is told of a capture that cannot be written any more, `line` takes decoded requests, where they are
   * wanted. Throws a Trouble for a capture that cannot be made.
   */
  constructor(
    options: DaemonOptions,
    warn: (text: string) => void,
    troubled: (problem: Trouble) => void,
    line: ((text: string) => void) | undefined,
  ) {
    const address = makeTraceRing(RING_BYTES);
    const askFd = eventfd();
    this.trace = { address, size: RING_BYTES, askFd };
    this.drain = new TraceDrain(new TraceReader(address, RING_BYTES), () => signal(askFd));
    const header = new CaptureHeader(options);
    const { capture, captureLimit, traceFd } = options;
    if (capture !== undefined) {
      const file = new CaptureFile(capture, captureLimit, header, (why) => {
        troubled(trouble('captureStopped', quote(capture), why));
        // Not at once: the drain is in the middle of handing blocks over.
        setImmediate(() => this.drain.leave(file));
      });
      this.drain.start(file);
    }
    if (traceFd !== undefined) {
      const failed = (error: Error): void => warn(`the capture is not written any more: ${error.message}`);
      this.drain.start(new CaptureStream(traceFd, header, failed));
    }
    if (line !== undefined) this.drain.start(new CaptureLines(header, line));
    if (options.liveTrace) {
      this.live = new LiveCaptures(this.drain, header, {
        tag: shareName(options),
        directory: options.sharedDir,
      });
      this.live.listen((why) => warn(`nobody can connect to watch this share: ${why}`));
    }
  }

  answered(session: SessionSoFar): void {
    this.drain.answered(session);
  }

  /** Everything captured so far goes to where it belongs. */
  async end(): Promise<void> {
    this.live?.close();
    await this.drain.end();
  }
}
