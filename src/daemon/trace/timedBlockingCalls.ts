/**
 * Calls that other threads make, timed for the request that waits for them. Their duration includes the way to the
 * other thread and back, which is what the guest waits for. Rare and slow: closures are no matter here.
 */
import type { BlockingCalls, Done } from '../../fs/hostCalls';
import { hostCallNumber } from '../../protocol/hostCalls';
import { now } from './clock';
import type { Tracer } from './tracer';

export class TimedBlockingCalls implements BlockingCalls {
  constructor(
    private readonly calls: BlockingCalls,
    private readonly trace: Tracer,
  ) {}

  preadv(fd: number, vectors: number, count: number, offset: number, done: Done): void {
    this.calls.preadv(fd, vectors, count, offset, this.timed('preadv', [fd, vectors, count, offset], done));
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number, done: Done): void {
    const timed = this.timed('pwritev2', [fd, vectors, count, offset, flags], done);
    this.calls.pwritev2(fd, vectors, count, offset, flags, timed);
  }

  fsync(fd: number, dataOnly: boolean, done: Done): void {
    this.calls.fsync(fd, dataOnly, this.timed(dataOnly ? 'fdatasync' : 'fsync', [fd], done));
  }

  close(fd: number, done: Done): void {
    this.calls.close(fd, this.timed('close', [fd], done));
  }

  syncfs(fd: number, done: Done): void {
    this.calls.syncfs(fd, this.timed('syncfs', [fd], done));
  }

  fallocate(fd: number, mode: number, offset: number, length: number, done: Done): void {
    this.calls.fallocate(fd, mode, offset, length, this.timed('fallocate', [fd, mode, offset, length], done));
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
    const timed = this.timed('copy_file_range', [from, fromOffset, to, toOffset, length, flags], done);
    this.calls.copyFileRange(from, fromOffset, to, toOffset, length, flags, timed);
  }

  private timed(name: string, values: readonly number[], done: Done): Done {
    const { trace } = this;
    if (!trace.on) return done;
    const waiting = trace.current;
    const began = now();
    return (result) => {
      // What follows is the waiting request's business, in the middle of whatever is being served.
      const interrupted = trace.current;
      trace.current = waiting;
      trace.calledElsewhere(waiting, hostCallNumber[name], began, result, values);
      done(result);
      trace.current = interrupted;
    };
  }
}
