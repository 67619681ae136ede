/**
 * Calls that other threads make, each heard of: when it is handed over, and when its result is back.
 *
 * Knows the calls and the names that captures have for them; who listens, and what for, is the listener's business.
 * Always in place, since these calls are rare and slow: closures are no matter here.
 */
import type { BlockingCalls, Done } from '../fs/hostCalls';
import { hostCallNumber } from '../protocol/hostCalls';

/** A call is about to go to another thread; what is returned takes its result in place of `done`. */
export type Listener = (call: number, values: readonly number[], done: Done) => Done;

export class HeardBlockingCalls implements BlockingCalls {
  constructor(
    private readonly calls: BlockingCalls,
    private readonly listener: Listener,
  ) {}

  preadv(fd: number, vectors: number, count: number, offset: number, done: Done): void {
    this.calls.preadv(fd, vectors, count, offset, this.heard('preadv', [fd, vectors, count, offset], done));
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number, done: Done): void {
    const heard = this.heard('pwritev2', [fd, vectors, count, offset, flags], done);
    this.calls.pwritev2(fd, vectors, count, offset, flags, heard);
  }

  fsync(fd: number, dataOnly: boolean, done: Done): void {
    this.calls.fsync(fd, dataOnly, this.heard(dataOnly ? 'fdatasync' : 'fsync', [fd], done));
  }

  close(fd: number, done: Done): void {
    this.calls.close(fd, this.heard('close', [fd], done));
  }

  syncfs(fd: number, done: Done): void {
    this.calls.syncfs(fd, this.heard('syncfs', [fd], done));
  }

  fallocate(fd: number, mode: number, offset: number, length: number, done: Done): void {
    this.calls.fallocate(fd, mode, offset, length, this.heard('fallocate', [fd, mode, offset, length], done));
  }

  copyFileRange(
    from: number,
    fromOffset: number,
    to: number,
    toOffset: number,
    length: number,
    flags: number,
    done: Done,
  ): void {
    const heard = this.heard('copy_file_range', [from, fromOffset, to, toOffset, length, flags], done);
    this.calls.copyFileRange(from, fromOffset, to, toOffset, length, flags, heard);
  }

  private heard(name: string, values: readonly number[], done: Done): Done {
    return this.listener(hostCallNumber[name], values, done);
  }
}
