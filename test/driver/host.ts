/**
 * What the front-end needs of Linux beyond `src/native`: shared guest memory, counted eventfds, waiting with a limit.
 *
 * Everything blocks the calling thread: the daemon is another process, and a test that waits has nothing else to do.
 * Failures throw `NativeError` with the call's name.
 */
import { Arena } from '../../src/base/arena';
import {
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  Epoll,
  close,
  memfd,
  receive,
  send,
  signal as signalEventfd,
} from '../../src/native/descriptors';
import { INT, LONG, checked, declare } from '../../src/native/libc';
import { mapShared, pinnedArena, release, seal, viewOf } from '../../src/native/memory';

export { close, connectUnix, eventfd, listenUnix } from '../../src/native/descriptors';

const poll = declare('poll', INT, [LONG, INT, INT]);
const read = declare('read', INT, [INT, LONG, LONG]);
const affinity = declare('sched_setaffinity', INT, [INT, LONG, LONG]);
const setScheduler = declare('sched_setscheduler', INT, [INT, INT, LONG]);

const socketpair = declare('socketpair', INT, [INT, INT, INT, LONG]);
const mmap = declare('mmap', LONG, [LONG, LONG, INT, INT, INT, LONG]);
const munmap = declare('munmap', INT, [LONG, LONG]);
const fcntl = declare('fcntl', INT, [INT, INT, INT]);
const lseek = declare('lseek', LONG, [INT, LONG, INT]);

const EPIPE = 32;
const ECONNRESET = 104;
const POLLFD = 0;
const WORD = 64;
const CPUS = 128;
const DATA = 4096;
const DATA_ROOM = 64 * 1024;
const scratch = pinnedArena(DATA + DATA_ROOM);

/** Shared memory of the front-end; `fd` is the memfd, `arena` covers it all from its offset 0. */
export interface SharedMemory {
  readonly fd: number;
  readonly size: number;
  readonly arena: Arena;
  unmap(): void;
}

/** A fresh memfd of `size` bytes (at most 1 GiB), mapped. */
export function shareMemory(size: number): SharedMemory {
  const fd = memfd('guest', size);
  const address = mapShared(fd, 0, size);
  return {
    fd,
    size,
    arena: new Arena(viewOf(address, size).buffer as ArrayBuffer, address),
    unmap: () => {
      seal(address, size);
      release(address, size);
      close(fd);
    },
  };
}

/** Two ends of one stream. */
export function socketPair(): [one: number, other: number] {
  checked('socketpair', socketpair(1, 1, 0, scratch.address(WORD)));
  return [scratch.getI32(WORD), scratch.getI32(WORD + 4)];
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

/** Maps a file, shared, at an address (0: anywhere) over whatever is there; `fd` -1: fresh zeros. The address. */
export function mapAt(address: number, length: number, fd: number, offset: number): number {
  const flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | (address === 0 ? 0 : MAP_FIXED);
  return checked('mmap', mmap(address, length, PROT_READ_WRITE, flags, fd, offset));
}

export function unmapAt(address: number, length: number): void {
  checked('munmap', munmap(address, length));
}

const F_GETFL = 3;
const O_ACCMODE = 3;
const O_RDWR = 2;
const SEEK_END = 2;

/** Size of a file, and whether the descriptor is open for reading and writing. */
export function fileStatus(fd: number): { readonly size: number; readonly writable: boolean } {
  const writable = (checked('fcntl', fcntl(fd, F_GETFL, 0)) & O_ACCMODE) === O_RDWR;
  return { size: checked('lseek', Number(lseek(fd, 0, SEEK_END))), writable };
}

/** Adds one to an eventfd. */
export function signal(fd: number): void {
  checked('write', signalEventfd(fd));
}

/** The eventfd's count, which becomes 0; 0 when nobody has signalled. */
export function drain(fd: number): number {
  return readable(fd, 0) && read(fd, scratch.address(WORD), 8) === 8 ? scratch.getU64(WORD) : 0;
}

const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Calls on the descriptor wait again, and on others of the same description. */
export function setBlocking(fd: number): void {
  const flags = checked('fcntl', fcntl(fd, F_GETFL, 0));
  checked('fcntl', fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

/** Waits until `fd` can be read or its other end is gone; false when that took too long. */
export function readable(fd: number, milliseconds: number): boolean {
  scratch.setU32(POLLFD, fd);
  scratch.setU32(POLLFD + 4, 1);
  return checked('poll', poll(scratch.address(POLLFD), 1, milliseconds)) > 0;
}

/** Sends bytes (at most 64 KiB) with descriptors beside the first one. False when the other end is gone. */
export function sendBytes(socket: number, bytes: Uint8Array, descriptors: readonly number[] = []): boolean {
  scratch.u8.set(bytes, DATA);
  const sent = send(socket, scratch.address(DATA), bytes.length, descriptors);
  if (sent === -EPIPE || sent === -ECONNRESET) return false;
  if (sent !== bytes.length) throw new Error(`sendmsg of ${bytes.length} bytes: ${sent}`);
  return true;
}

/** Exactly `length` bytes and what descriptors came with them; undefined when the other end is gone or too slow. */
export function receiveBytes(
  socket: number,
  length: number,
  milliseconds: number,
): { bytes: Uint8Array; descriptors: number[] } | undefined {
  const bytes = new Uint8Array(length);
  const descriptors: number[] = [];
  for (let have = 0; have < length;) {
    if (!readable(socket, milliseconds)) return undefined;
    const got = receive(socket, scratch.address(DATA), Math.min(length - have, DATA_ROOM), true);
    if (got.length <= 0) return undefined;
    bytes.set(scratch.bytes(DATA, got.length), have);
    have += got.length;
    descriptors.push(...got.descriptors);
  }
  return { bytes, descriptors };
}

/** Waits for an eventfd with one system call and no allocation: edge-triggered, so that nobody needs to read it. */
export class Waiter {
  private readonly epoll = new Epoll(1);
  private listening = false;

  constructor(private readonly fd: number) {}

  /** True when it was signalled since the last call. */
  wait(milliseconds: number): boolean {
    if (!this.listening) this.epoll.add(this.fd, (EPOLLIN | EPOLLET | EPOLLHUP) >>> 0, 0);
    this.listening = true;
    return this.epoll.wait(milliseconds) > 0;
  }

  /** Whoever signals is not to have this waiter's part of the work, until the next wait. */
  pause(): void {
    if (this.listening) this.epoll.remove(this.fd);
    this.listening = false;
  }

  close(): void {
    this.epoll.close();
  }
}

/** The calling thread (0) or thread `tid` runs on this CPU only; -1: on any. */
export function runOn(cpu: number, tid = 0): void {
  scratch.setU64(CPUS, cpu < 0 ? 0xffff_ffff : 2 ** cpu);
  checked('sched_setaffinity', affinity(tid, 8, scratch.address(CPUS)));
}

const SCHED_BATCH = 3;
const SCHED_RESET_ON_FORK = 0x4000_0000;

/** This thread, when it is woken, lets whoever runs on its CPU go on until it sleeps. Not inherited by children. */
export function waitForTurn(): void {
  scratch.setU32(CPUS, 0);
  checked('sched_setscheduler', setScheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, scratch.address(CPUS)));
}
