/**
 * A capture in a file. With a limit the newest is kept: when half of it is full the file becomes `FILE.old`, in place
 * of an earlier one, and a new one begins, with the session so far, so that each of the two can be read by itself.
 *
 * Written synchronously on the main thread, which has nothing better to do: a block is in the file, or in the kernel's
 * hands, before its room in the ring is given back. Only its user may read it: it holds what the guest reads and
 * writes.
 *
 * One that cannot be written any more is cut behind its last whole block and closed; nothing is tried again, since a
 * capture with a hole in it would look like a whole one.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { trouble } from '../../base/catalogue';
import { systemReason } from '../../base/systemReason';
import { checkOlderHalf, openCaptureTarget } from '../../control/captureTarget';
import { quote } from '../../protocol/text';
import { type CaptureHeader, lostPackets } from './header';
import type { TraceSink } from './sink';
import { wholeBlocks } from './wholeBlocks';

export class CaptureFile implements TraceSink {
  private fd: number;
  private begun = false;
  private piece = 0;
  private size = 0;
  private lostHere = 0;
  private broken = false;

  /**
   * Makes the file, or empties the capture that is there, and writes what it starts with. Throws a Trouble. `failed` is
   * called once, when it cannot be written any more; it is then closed.
   */
  constructor(
    private readonly path: string,
    private readonly limit: number | undefined,
    private readonly header: CaptureHeader,
    private readonly failed: (why: string) => void,
  ) {
    this.fd = openCaptureTarget(path);
    try {
      this.putHeader();
    } catch (error) {
      this.stop();
      throw trouble('captureUnusable', quote(path), reason(error));
    }
  }

  get full(): boolean {
    return this.limit !== undefined && !this.broken && this.size >= this.limit / 2;
  }

  begin(preamble: readonly Uint8Array[]): void {
    this.guarded(() => {
      if (this.begun) this.next();
      this.begun = true;
      preamble.forEach((block) => this.put(block));
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
    if (!this.broken) closeSync(this.fd);
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
    this.putHeader();
  }

  private putHeader(): void {
    this.header.start(this.piece).forEach((block) => this.put(block));
  }

  private put(bytes: Uint8Array): void {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.fd, bytes, at, bytes.length - at);
    } catch (error) {
      at = wholeBlocks(bytes.subarray(0, at)).bytes;
      throw error;
    } finally {
      this.size += at;
    }
  }

  private guarded(action: () => void): void {
    if (this.broken) return;
    try {
      action();
    } catch (error) {
      this.stop();
      this.failed(reason(error));
    }
  }

  private stop(): void {
    this.broken = true;
    // A disk that is broken may refuse both. What has stopped the capture is told; this says no more, and is to stop
    // nothing else: the end of the file is then half a block, which readers leave out.
    attempt(() => {
      // What is no file, such as a pipe, cannot be cut.
      if (fstatSync(this.fd).isFile()) ftruncateSync(this.fd, this.size);
    });
    attempt(() => closeSync(this.fd));
  }
}

/** What the system says against it does not matter. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

function reason(error: unknown): string {
  return systemReason(error) ?? (error instanceof Error ? error.message : String(error));
}
