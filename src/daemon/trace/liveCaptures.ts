/**
 * Captures for whoever connects while the share runs: `virtiofs-studio trace SHARE`, editors.
 *
 * A socket in the user's own folder, beside a note that says what is shared. Each connection gets a whole capture that
 * begins now, and is never waited for: what a slow one does not take is dropped for it alone, counted, and told.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { announceShare, openSharesFolder, socketOf, withdrawShare } from '../../control/runningShares';
import type { TraceDrain } from './drain';
import { type CaptureHeader, lostPackets } from './header';
import type { TraceSink } from './sink';
import { wholeBlocks } from './wholeBlocks';

/** Bytes that may wait for one connection. */
const MOST_WAITING = 32 << 20;

class LiveCapture implements TraceSink {
  readonly full = false;
  private lostTotal = 0;
  private told = 0;

  constructor(
    private readonly socket: Socket,
    private readonly header: CaptureHeader,
  ) {}

  begin(preamble: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat([...this.header.start(), ...preamble]));
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.socket.writableLength > MOST_WAITING) {
      this.lostTotal += pieces.reduce((sum, piece) => sum + wholeBlocks(piece).count, 0);
      return;
    }
    this.tellLost();
    // A copy: the ring is written over while the socket still has it.
    this.socket.write(Buffer.concat(pieces));
  }

  lost(packets: number): void {
    this.lostTotal += packets;
  }

  end(): void {
    this.tellLost();
    this.socket.end();
  }

  private tellLost(): void {
    if (this.lostTotal === this.told) return;
    this.socket.write(lostPackets(this.lostTotal));
    this.told = this.lostTotal;
  }
}

export class LiveCaptures {
  private server: Server | undefined;
  private readonly pid = process.pid;

  constructor(
    private readonly drain: TraceDrain,
    private readonly header: CaptureHeader,
    private readonly facts: { readonly tag: string; readonly directory: string },
  ) {}

  /** Listens and says so. `failed` is told why nobody can connect; the share goes on without. */
  listen(failed: (why: string) => void): void {
    try {
      const folder = openSharesFolder();
      withdrawShare(this.pid);
      const server = createServer((socket) => this.serve(socket));
      this.server = server;
      server.on('error', (error) => failed(error.message));
      server.listen(socketOf(this.pid, folder), () => {
        announceShare({ pid: this.pid, ...this.facts, started: new Date().toISOString() });
      });
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.server?.close();
    if (this.server) withdrawShare(this.pid);
  }

  private serve(socket: Socket): void {
    const capture = new LiveCapture(socket, this.header);
    // Nothing is said to us; reading notices when the other end goes.
    socket.resume();
    socket.on('error', () => this.drain.leave(capture));
    socket.on('close', () => this.drain.leave(capture));
    this.drain.join(capture);
  }
}
