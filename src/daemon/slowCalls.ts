/**
 * System calls that may wait long (cold reads, fsync, …), handed to other threads so that the queue worker never waits.
 *
 * Memory shared by the queue worker and the blocking workers: a header and SLOTS slots. The queue worker fills a free
 * slot and wakes one waiter; a blocking worker claims it, makes the call, writes the result and signals the worker's
 * eventfd. Addresses in a slot are good in every thread of the process; the iovecs are copied into memory that belongs
 * to the slot's job, since the arena's are overwritten by the next request. When all slots are taken, jobs wait here.
 */
import type { BlockingCalls, Done } from '../fs/hostCalls';
import type { Arena } from '../base/arena';
import { pinnedArena, copyBytes } from '../native/memory';

export const enum Call {
  Preadv = 1,
  Pwritev2,
  Fsync,
  Fdatasync,
  Syncfs,
  Fallocate,
  CopyFileRange,
  Close,
}

export const enum State {
  Free,
  Queued,
  Running,
  Done,
}

export const SLOTS = 64;
/** Int32 words of the header: how many jobs were ever queued (what blocking workers wait on). */
export const QUEUED = 0;
const HEADER_WORDS = 2;
/** Float64 words of a slot: state and call share the first as two int32; arguments; result last. */
const SLOT_WORDS = 8;
const RESULT = 7;
const IOVEC = 16;

/** Views over the shared block, the same on every thread. */
export class SlowCallBoard {
  readonly words: Int32Array;
  private readonly values: Float64Array;

  constructor(readonly block: SharedArrayBuffer = new SharedArrayBuffer(8 * (HEADER_WORDS + SLOTS * SLOT_WORDS))) {
    this.words = new Int32Array(block);
    this.values = new Float64Array(block);
  }

  stateIndex(slot: number): number {
    return 2 * (HEADER_WORDS + slot * SLOT_WORDS);
  }

  call(slot: number): Call {
    return this.words[this.stateIndex(slot) + 1];
  }

  argument(slot: number, index: number): number {
    return this.values[HEADER_WORDS + slot * SLOT_WORDS + 1 + index];
  }

  result(slot: number): number {
    return this.values[HEADER_WORDS + slot * SLOT_WORDS + RESULT];
  }

  fill(slot: number, call: Call, values: readonly number[]): void {
    this.words[this.stateIndex(slot) + 1] = call;
    values.forEach((value, index) => (this.values[HEADER_WORDS + slot * SLOT_WORDS + 1 + index] = value));
    Atomics.store(this.words, this.stateIndex(slot), State.Queued);
    Atomics.add(this.words, QUEUED, 1);
    Atomics.notify(this.words, QUEUED, 1);
  }

  finish(slot: number, result: number): void {
    this.values[HEADER_WORDS + slot * SLOT_WORDS + RESULT] = result;
    Atomics.store(this.words, this.stateIndex(slot), State.Done);
  }
}

interface Job {
  readonly call: Call;
  readonly values: readonly number[];
  readonly done: Done;
  /** The copied iovecs, which live until the call is over. */
  readonly vectors: Arena | undefined;
}

/** The queue worker's end. */
export class SlowCalls implements BlockingCalls {
  private readonly jobs: (Job | undefined)[] = new Array<Job | undefined>(SLOTS).fill(undefined);
  private readonly waiting: Job[] = [];
  private started = false;

  /** `start` is called once, at the first job: it brings the blocking workers up. */
  constructor(
    private readonly board: SlowCallBoard,
    private readonly start: () => void,
  ) {}

  get inProgress(): number {
    return this.jobs.reduce((count, job) => count + (job ? 1 : 0), 0) + this.waiting.length;
  }

  /** Whether a call that has not ended reads from or writes to memory in [address, address + length). */
  uses(address: number, length: number): boolean {
    const within = ({ vectors }: Job): boolean => {
      for (let at = 0; vectors !== undefined && at < vectors.u8.length; at += IOVEC) {
        const start = vectors.getU64(at);
        if (start < address + length && start + vectors.getU64(at + 8) > address) return true;
      }
      return false;
    };
    return this.jobs.some((job) => job && within(job)) || this.waiting.some(within);
  }

  preadv(fd: number, vectors: number, count: number, offset: number, done: Done): void {
    this.transfer(Call.Preadv, fd, vectors, count, offset, 0, done);
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number, done: Done): void {
    this.transfer(Call.Pwritev2, fd, vectors, count, offset, flags, done);
  }

  fsync(fd: number, dataOnly: boolean, done: Done): void {
    this.submit({ call: dataOnly ? Call.Fdatasync : Call.Fsync, values: [fd], done, vectors: undefined });
  }

  syncfs(fd: number, done: Done): void {
    this.submit({ call: Call.Syncfs, values: [fd], done, vectors: undefined });
  }

  close(fd: number, done: Done): void {
    this.submit({ call: Call.Close, values: [fd], done, vectors: undefined });
  }

  fallocate(fd: number, mode: number, offset: number, length: number, done: Done): void {
    this.submit({ call: Call.Fallocate, values: [fd, mode, offset, length], done, vectors: undefined });
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
    const values = [from, fromOffset, to, toOffset, length, flags];
    this.submit({ call: Call.CopyFileRange, values, done, vectors: undefined });
  }

  /** Hands results to those who wait for them; call when the eventfd says that something is done. */
  collect(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const job = this.jobs[slot];
      if (!job || Atomics.load(this.board.words, this.board.stateIndex(slot)) !== State.Done) continue;
      const result = this.board.result(slot);
      this.jobs[slot] = undefined;
      Atomics.store(this.board.words, this.board.stateIndex(slot), State.Free);
      const next = this.waiting.shift();
      if (next) this.place(slot, next);
      job.done(result);
    }
  }

  private transfer(
    call: Call,
    fd: number,
    vectors: number,
    count: number,
    offset: number,
    flags: number,
    done: Done,
  ): void {
    const copy = pinnedArena(Math.max(64, count * IOVEC));
    copyBytes(copy.address(0), vectors, count * IOVEC);
    this.submit({ call, values: [fd, copy.address(0), count, offset, flags], done, vectors: copy });
  }

  private submit(job: Job): void {
    if (!this.started) {
      this.started = true;
      this.start();
    }
    const slot = this.jobs.indexOf(undefined);
    if (slot < 0) this.waiting.push(job);
    else this.place(slot, job);
  }

  private place(slot: number, job: Job): void {
    this.jobs[slot] = job;
    this.board.fill(slot, job.call, job.values);
  }
}
