/**
 * The back-end channel as the DAX window uses it: SHMEM_MAP and SHMEM_UNMAP, one after the other, and their answers
 * (QEMU's docs/interop/vhost-user.rst; QEMU 11.1).
 *
 * A mapping counts as there when the front-end has answered and, where memory slots are agreed on, has told of the new
 * region as well: QEMU answers before it commits. That is waited for only so long. Whatever ends a request early
 * (`suspend`, patience, a channel that closes) leaves no mapping behind: when the answer comes after all, a MAP that
 * nobody waits for is undone before anything else is asked. Pure: descriptors are numbers, sending and time are
 * injected. Knows no file and no guest.
 */
import { Errno } from '../protocol/errno';
import { BackendRequest } from '../protocol/vhostUser/requests';
import { HeaderFlag, Mmap, shmemFlags } from '../protocol/vhostUser/structs';
import { HEADER_SIZE, MessageReader } from './framing';

/** What the channel needs of the process around it. */
export interface ChannelHost {
  /** Sends a whole message with one descriptor (-1: none). False when it could not be sent. */
  send(channel: number, bytes: Uint8Array, fd: number): boolean;
  /** Begins to watch a channel for what can be read from it. */
  watch(channel: number): void;
  /** The channel is no longer used; its descriptor is closed by the caller. */
  unwatch(channel: number): void;
  /** Calls `tick` after so many milliseconds. A later call replaces an earlier one. */
  wake(afterMilliseconds: number): void;
  now(): number;
  warn(text: string): void;
}

/** What the front-end is told of the window, and what it tells. Given to the back-end where a window is offered. */
export interface SharedWindow {
  /** Bytes. */
  readonly size: number;
  /** All that is needed has been agreed on, or not any more. `slots`: new regions are told one by one. */
  negotiated(usable: boolean, slots: boolean): void;
  /** A new channel (-1: none). The one before is closed by the caller afterwards. */
  channelChanged(channel: number): void;
  /** A region of so many bytes has been added. */
  regionAdded(size: number): void;
}

/** `result`: 0, or a negative errno, after which there is no such mapping. */
export type Done = (result: number) => void;

interface Job {
  readonly id: number;
  readonly windowOffset: number;
  readonly length: number;
  readonly fileOffset: number;
  readonly fd: number;
  done: Done | undefined;
  sent: number;
  answered: boolean;
  told: boolean;
}

/** How long a region is waited for after the answer. QEMU takes 0.1 to 4 ms. */
const COMMIT_PATIENCE = 50;
/** A front-end that has not told of so many regions in a row does not tell at all. */
const UNTOLD_LIMIT = 3;
/** How long an answer may take before the guest gets an error. QEMU may be stopped or busy for seconds. */
export const ANSWER_PATIENCE = 10_000;
const SAFE_BYTES = 8;

export class WindowChannel implements SharedWindow {
  private channel = -1;
  private usable = false;
  private slots = false;
  private reader = new MessageReader();
  private readonly waiting: Job[] = [];
  private current: Job | undefined;
  private untold = 0;

  constructor(
    readonly size: number,
    private readonly host: ChannelHost,
  ) {}

  /** Whether a mapping can be asked for. */
  get ready(): boolean {
    return this.usable && this.channel >= 0;
  }

  /** Requests whose answer somebody waits for. */
  get pending(): number {
    return this.waiting.length + (this.current?.done ? 1 : 0);
  }

  /** Bytes to be read next, so that no read goes beyond one message. */
  get wanted(): number {
    return this.reader.wanted;
  }

  negotiated(usable: boolean, slots: boolean): void {
    this.usable = usable;
    this.slots = slots;
    this.untold = 0;
  }

  channelChanged(channel: number): void {
    this.close(-Errno.EAGAIN);
    this.channel = channel;
    if (channel >= 0) this.host.watch(channel);
  }

  /** Maps `length` bytes of `fd` from `fileOffset` at `windowOffset`, for reading and writing. */
  map(fd: number, fileOffset: number, windowOffset: number, length: number, done: Done): void {
    this.ask({ id: BackendRequest.SHMEM_MAP, fd, fileOffset, windowOffset, length, done });
  }

  /** Takes out exactly what one `map` has put in. */
  unmap(windowOffset: number, length: number, done: Done): void {
    this.ask({ id: BackendRequest.SHMEM_UNMAP, fd: -1, fileOffset: 0, windowOffset, length, done });
  }

  /** Nobody waits any longer: a ring stops, and the front-end may only answer after that. */
  suspend(): void {
    const given = this.waiting.splice(0);
    const { current } = this;
    const done = current?.done;
    if (current) current.done = undefined;
    done?.(-Errno.EAGAIN);
    for (const job of given) job.done?.(-Errno.EAGAIN);
  }

  regionAdded(size: number): void {
    const { current } = this;
    if (current?.id !== BackendRequest.SHMEM_MAP || current.length !== size) return;
    current.told = true;
    this.untold = 0;
    this.settle();
  }

  /** Bytes have come on the channel. False when it is of no more use: it makes no sense, or has closed. */
  take(bytes: Uint8Array, descriptors: readonly number[]): boolean {
    const messages = bytes.length === 0 ? 'it has closed' : this.reader.push(bytes, descriptors);
    if (typeof messages === 'string') return this.giveUp(messages);
    for (const message of messages) {
      const { current } = this;
      const { payload } = message;
      const flags = new DataView(payload.buffer, payload.byteOffset - HEADER_SIZE).getUint32(4, true);
      const isAnswer = (flags & HeaderFlag.REPLY) !== 0 && payload.byteLength >= SAFE_BYTES;
      if (!isAnswer || current?.id !== message.request || current.answered) {
        return this.giveUp(`it got message ${message.request}, which answers nothing`);
      }
      current.answered = true;
      if (payload.getBigUint64(0, true) !== 0n) this.end(current, -Errno.EIO);
      else this.settle();
    }
    return true;
  }

  /** Time has passed: see `wake`. */
  tick(): void {
    const { current } = this;
    if (!current) return;
    const waited = this.host.now() - current.sent;
    if (current.answered) {
      if (waited < COMMIT_PATIENCE) return this.host.wake(COMMIT_PATIENCE - waited);
      this.untold++;
      this.end(current, 0);
    } else if (waited < ANSWER_PATIENCE) {
      this.host.wake(ANSWER_PATIENCE - waited);
    } else if (this.pending > 0) {
      this.host.warn('the front-end does not answer on its back-end channel: the DAX window stands still');
      this.suspend();
    }
  }

  private ask(order: Omit<Job, 'sent' | 'answered' | 'told'>): void {
    // After a request that was never answered nothing can be told of the next one.
    const silent = this.current !== undefined && this.current.done === undefined && this.overdue(this.current);
    if (!this.ready || silent) return order.done?.(silent ? -Errno.EIO : -Errno.ENODEV);
    this.waiting.push({ ...order, sent: 0, answered: false, told: false });
    this.next();
  }

  private overdue(job: Job): boolean {
    return this.host.now() - job.sent >= ANSWER_PATIENCE;
  }

  private next(): void {
    while (!this.current && this.waiting.length > 0) {
      const job = this.waiting.shift() as Job;
      job.sent = this.host.now();
      this.current = job;
      if (this.host.send(this.channel, message(job), job.fd)) {
        this.host.wake(ANSWER_PATIENCE);
        return;
      }
      this.current = undefined;
      job.done?.(-Errno.EIO);
    }
  }

  /** Goes on when all that `current` waits for has come. */
  private settle(): void {
    const { current } = this;
    if (!current?.answered) return;
    const told = current.id !== BackendRequest.SHMEM_MAP || current.told || !this.slots || this.untold >= UNTOLD_LIMIT;
    if (told) return this.end(current, 0);
    current.sent = this.host.now();
    this.host.wake(COMMIT_PATIENCE);
  }

  private end(job: Job, result: number): void {
    this.current = undefined;
    const { done } = job;
    job.done = undefined;
    if (result === 0 && done === undefined && job.id === BackendRequest.SHMEM_MAP) this.undo(job);
    // Before the next one is sent: what is done now may ask for more.
    done?.(result);
    this.next();
  }

  /** A mapping that nobody waits for any more was made after all. */
  private undo({ windowOffset, length }: Job): void {
    const id = BackendRequest.SHMEM_UNMAP;
    const rest = { fd: -1, fileOffset: 0, done: undefined, sent: 0, answered: false, told: false };
    this.waiting.unshift({ id, windowOffset, length, ...rest });
  }

  private giveUp(why: string): false {
    this.host.warn(`the DAX window ends with its back-end channel: ${why}`);
    this.close(-Errno.EIO);
    return false;
  }

  private close(result: number): void {
    const jobs = [...(this.current ? [this.current] : []), ...this.waiting.splice(0)];
    this.current = undefined;
    this.reader = new MessageReader();
    if (this.channel >= 0) this.host.unwatch(this.channel);
    this.channel = -1;
    for (const job of jobs) job.done?.(result);
  }
}

function message(job: Job): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + Mmap.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, job.id, true);
  view.setUint32(4, HeaderFlag.VERSION | HeaderFlag.NEED_REPLY, true);
  view.setUint32(8, Mmap.size, true);
  const { offset } = Mmap;
  const word = (at: number, value: number): void => view.setBigUint64(HEADER_SIZE + at, BigInt(value), true);
  word(offset.fd_offset, job.fileOffset);
  word(offset.shm_offset, job.windowOffset);
  word(offset.len, job.length);
  word(offset.flags, job.id === BackendRequest.SHMEM_MAP ? shmemFlags.value.MAP_RW : 0);
  return bytes;
}
