/**
 * Tells the share's counters to whoever connects, one line a second: see `control/counters.ts`. Costs nothing while
 * nobody does. A reader that does not read is cut off rather than waited for.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { COUNTERS_INTERVAL_MS } from '../control/counters';
import { countersSocketOf, openSharesFolder } from '../control/runningShares';
import type { CounterBoard } from './counterBoard';

/** Bytes that may wait for one reader. */
const MOST_WAITING = 64 << 10;

export class CounterLines {
  private server: Server | undefined;
  private readonly readers = new Set<Socket>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly board: CounterBoard) {}

  /** Where the folder of shares cannot be used, that has been said for the captures already: no counters then. */
  listen(): void {
    try {
      const path = countersSocketOf(process.pid, openSharesFolder());
      const server = createServer((socket) => this.serve(socket));
      server.on('error', () => this.close());
      server.listen(path);
      server.unref();
      this.server = server;
    } catch {
      this.close();
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.server?.close();
    this.server = undefined;
    for (const reader of this.readers) reader.destroy();
  }

  private serve(socket: Socket): void {
    this.readers.add(socket);
    const gone = (): void => {
      this.readers.delete(socket);
      if (this.readers.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
    socket.on('error', gone);
    socket.on('close', gone);
    socket.resume();
    socket.write(this.line());
    this.timer ??= setInterval(() => this.tell(), COUNTERS_INTERVAL_MS);
  }

  private tell(): void {
    const line = this.line();
    for (const reader of this.readers) {
      if (reader.writableLength > MOST_WAITING) reader.destroy();
      else reader.write(line);
    }
  }

  private line(): string {
    return `${JSON.stringify(this.board.read())}\n`;
  }
}
