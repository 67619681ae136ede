/** A capture on a descriptor that somebody has handed over, often a pipe: it is waited for, the ring is the buffer. */
import { write } from 'node:fs';
import { type CaptureHeader, lostPackets } from './header';
import type { TraceSink } from './sink';

export class CaptureStream implements TraceSink {
  readonly full = false;
  private total = 0;
  private broken = false;
  /** Blocks that go before the next ones. */
  private before: Uint8Array[] = [];
  private last: Promise<void> = Promise.resolve();

  /** `failed` is called once, when it cannot be written any more. The descriptor stays the caller's. */
  constructor(
    private readonly fd: number,
    private readonly header: CaptureHeader,
    private readonly failed: (error: NodeJS.ErrnoException) => void,
  ) {}

  begin(preamble: readonly Uint8Array[]): void {
    this.before = [...this.header.start(), ...preamble];
    // A descriptor that is no good is told at once, not at the first request.
    void this.write([]);
  }

  write(pieces: readonly Uint8Array[]): void | Promise<void> {
    if (this.broken) return undefined;
    const bytes = Buffer.concat([...this.before.splice(0), ...pieces]);
    if (bytes.length === 0) return undefined;
    this.last = this.last.then(() => this.put(bytes));
    return this.last;
  }

  lost(packets: number): void {
    this.total += packets;
    this.before.push(lostPackets(this.total));
  }

  async end(): Promise<void> {
    await this.write([]);
  }

  private put(bytes: Buffer): Promise<void> {
    return writeAll(this.fd, bytes).catch((error: NodeJS.ErrnoException) => {
      if (this.broken) return;
      this.broken = true;
      this.failed(error);
    });
  }
}

function writeAll(fd: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (at: number): void => {
      write(fd, bytes, at, bytes.length - at, null, (error, written) => {
        if (error?.code === 'EAGAIN') setTimeout(() => next(at), 1);
        else if (error) reject(error);
        else if (at + written < bytes.length) next(at + written);
        else resolve();
      });
    };
    next(0);
  });
}
