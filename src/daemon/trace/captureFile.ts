/**
 * A capture in a file. With a limit the newest is kept: when half of it is full the file becomes `FILE.old`, in place of
 * an earlier one, and a new one begins, with the session so far, so that each of the two can be read by itself.
 *
 * Written synchronously on the main thread, which has nothing better to do: a block is in the file, or in the kernel's
 * hands, before its room in the ring is given back. Only its user may read it: it holds what the guest reads and writes.
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { checkOlderHalf, openCaptureTarget } from '../../control/captureTarget';
import { type CaptureHeader, lostPackets } from './header';
import type { TraceSink } from './sink';

export class CaptureFile implements TraceSink {
  private fd: number;
  private piece = 0;
  private size = 0;
  private lostHere = 0;
  private broken = false;

  /**
   * Makes the file, or empties the capture that is there. Throws a Trouble. `failed` is called once, when it cannot be
   * written any more.
   */
  constructor(
    private readonly path: string,
    private readonly limit: number | undefined,
    private readonly header: CaptureHeader,
    private readonly failed: (error: Error) => void,
  ) {
    this.fd = openCaptureTarget(path);
  }

  get full(): boolean {
    return this.limit !== undefined && !this.broken && this.size >= this.limit / 2;
  }

  begin(preamble: readonly Uint8Array[]): void {
    this.guarded(() => {
      if (this.size > 0) this.next();
      for (const block of [...this.header.start(this.piece), ...preamble]) this.put(block);
    });
  }

  write(pieces: readonly Uint8Array[]): void {
    this.guarded(() => pieces.forEach((piece) => this.put(piece)));
  }

  lost(packets: number): void {
    this.lostHere += packets;
    this.guarded(() => this.put(lostPackets(this.lostHere)));
  }

  end(): void {
    closeSync(this.fd);
  }

  private next(): void {
    checkOlderHalf(this.path);
    renameSync(this.path, `${this.path}.old`);
    const fd = openSync(this.path, 'wx', 0o600);
    closeSync(this.fd);
    this.fd = fd;
    this.piece++;
    this.size = 0;
    this.lostHere = 0;
  }

  private put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at, bytes.length - at);
    this.size += bytes.length;
  }

  private guarded(action: () => void): void {
    if (this.broken) return;
    try {
      action();
    } catch (error) {
      this.broken = true;
      this.failed(error as Error);
    }
  }
}
