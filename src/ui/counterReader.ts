/**
 * Reads a running share's counters from its socket, a line a second, and says what goes on. Ends by itself when the
 * share does; then tries again as long as it is wanted. Knows nothing of vscode.
 */
import { type Socket, createConnection } from 'node:net';
import {
  COUNTERS_INTERVAL_MS,
  LONGEST_COUNTERS,
  type ShareActivity,
  type ShareCounters,
  activityBetween,
  parseCounters,
} from '../control/counters';

const RETRY_MS = 2000;

export class CounterReader {
  activity: ShareActivity | undefined;
  private socket: Socket | undefined;
  private retry: NodeJS.Timeout | undefined;
  private last: ShareCounters | undefined;

  /** `told` is called at each reading. */
  constructor(
    private readonly path: string,
    private readonly told: () => void,
  ) {
    this.connect();
  }

  dispose(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.socket?.removeAllListeners('close');
    this.socket?.destroy();
  }

  private connect(): void {
    let rest = '';
    const socket = createConnection(this.path);
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // `close` follows
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_COUNTERS) socket.destroy();
      for (const line of lines) this.take(line);
    });
    socket.once('close', () => {
      this.last = undefined;
      this.activity = undefined;
      this.retry = setTimeout(() => this.connect(), RETRY_MS);
      this.retry.unref?.();
    });
  }

  private take(line: string): void {
    const counters = parseCounters(line);
    if (counters === undefined) {
      this.socket?.destroy();
      return;
    }
    // The first comes at once, the next whenever all readers get theirs: of so little time nothing is said.
    if (this.last && counters.time - this.last.time < COUNTERS_INTERVAL_MS / 2) return;
    this.activity = activityBetween(this.last, counters);
    this.last = counters;
    this.told();
  }
}
