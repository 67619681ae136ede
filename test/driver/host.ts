/**
 * What the front-end needs of Linux: memory that can be handed over, eventfds, a socket that passes descriptors.
 *
 * The only file of the driver that makes system calls. Everything blocks the calling thread (with a time limit): the
 * daemon is another process, and a test that waits has nothing else to do. Failures throw with the call's name.
 */
import { createRequire } from 'node:module';
import { Arena } from '../../src/base/arena';

interface Koffi {
  load(library: string): { func(name: string, result: string, parameters: string[]): (...values: number[]) => number };
  address(of: Uint8Array): bigint;
  view(address: number, length: number): ArrayBuffer;
  errno(): number;
}
const koffi = createRequire(__filename)('koffi') as Koffi;

const libc = koffi.load('libc.so.6');
const declare = (name: string, result: string, args: string[]): ((...values: number[]) => number) =>
  libc.func(name, result, args);

const L = 'int64_t';
const memfdCreate = declare('memfd_create', 'int', [L, 'int']);
const ftruncate = declare('ftruncate', 'int', ['int', L]);
const mmap = declare('mmap', L, [L, L, 'int', 'int', 'int', L]);
const eventfdCall = declare('eventfd', 'int', ['int', 'int']);
const socketCall = declare('socket', 'int', ['int', 'int', 'int']);
const connectCall = declare('connect', 'int', ['int', L, 'int']);
const bindCall = declare('bind', 'int', ['int', L, 'int']);
const listenCall = declare('listen', 'int', ['int', 'int']);
const sendmsg = declare('sendmsg', L, ['int', L, 'int']);
const recvmsg = declare('recvmsg', L, ['int', L, 'int']);
const pollCall = declare('poll', 'int', [L, 'int', 'int']);
const readCall = declare('read', L, ['int', L, L]);
const writeCall = declare('write', L, ['int', L, L]);
const closeCall = declare('close', 'int', ['int']);
const epollCreate = declare('epoll_create1', 'int', ['int']);
const epollCtl = declare('epoll_ctl', 'int', ['int', 'int', 'int', L]);
const epollWait = declare('epoll_wait', 'int', ['int', L, 'int', 'int']);
const affinity = declare('sched_setaffinity', 'int', ['int', L, L]);

const buffer = new ArrayBuffer(128 * 1024);
const scratch = new Arena(buffer, Number(koffi.address(new Uint8Array(buffer))));

// Areas of the scratch block.
const MSGHDR = 0;
const IOVEC = 64;
const CONTROL = 128;
const SMALL = 512;
const NAME = 1024;
const DATA = 4096;
const CONTROL_ROOM = 256;

function checked(call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: errno ${koffi.errno()}`);
  return result;
}

/** Shared memory of the front-end; `fd` is the memfd, `arena` covers it all from its offset 0. */
export interface SharedMemory {
  readonly fd: number;
  readonly size: number;
  readonly arena: Arena;
  unmap(): void;
}

/** A fresh memfd of `size` bytes (at most 1 GiB), mapped. */
export function shareMemory(size: number): SharedMemory {
  scratch.u8.set(Buffer.from('guest\0'), NAME);
  const fd = checked('memfd_create', memfdCreate(scratch.address(NAME), 1));
  checked('ftruncate', ftruncate(fd, size));
  const address = checked('mmap', mmap(0, size, 3, 1, fd, 0));
  const view = koffi.view(address, size);
  return {
    fd,
    size,
    arena: new Arena(view, address),
    unmap: () => {
      // The view cannot be detached: leave a hole that faults instead of memory of somebody else.
      checked('mmap', mmap(address, size, 0, 0x4032, -1, 0));
      close(fd);
    },
  };
}

export const eventfd = (): number => checked('eventfd', eventfdCall(0, 0o2004000));
export const close = (fd: number): void => void closeCall(fd);

/** Adds one to an eventfd. */
export function signal(fd: number): void {
  scratch.setU64(SMALL, 1);
  checked('write', writeCall(fd, scratch.address(SMALL), 8));
}

/** Waits until `fd` can be read or its other end is gone; false when that took too long. */
export function readable(fd: number, milliseconds: number): boolean {
  scratch.setU32(SMALL + 64, fd);
  scratch.setU32(SMALL + 68, 1);
  return checked('poll', pollCall(scratch.address(SMALL + 64), 1, milliseconds)) > 0;
}

/** The eventfd's count, which becomes 0; 0 when nobody has signalled. */
export function drain(fd: number): number {
  return readCall(fd, scratch.address(SMALL + 128), 8) === 8 ? scratch.getU64(SMALL + 128) : 0;
}

function unixAddress(path: string): number {
  const bytes = Buffer.from(path);
  if (bytes.length > 107) throw new Error(`socket path too long: ${path}`);
  scratch.zero(NAME, 110);
  scratch.setU16(NAME, 1);
  scratch.u8.set(bytes, NAME + 2);
  return 3 + bytes.length;
}

/** A connected stream socket. Throws when nobody listens. */
export function connect(path: string): number {
  const fd = checked('socket', socketCall(1, 0o2000001, 0));
  const length = unixAddress(path);
  if (connectCall(fd, scratch.address(NAME), length) === 0) return fd;
  const errno = koffi.errno();
  close(fd);
  throw new Error(`connect ${path}: errno ${errno}`);
}

/** A listening stream socket that a daemon may inherit. */
export function listen(path: string): number {
  const fd = checked('socket', socketCall(1, 1, 0));
  checked('bind', bindCall(fd, scratch.address(NAME), unixAddress(path)));
  checked('listen', listenCall(fd, 1));
  return fd;
}

function message(dataLength: number, controlLength: number): number {
  scratch.zero(MSGHDR, 56);
  scratch.setU64(IOVEC, scratch.address(DATA));
  scratch.setU64(IOVEC + 8, dataLength);
  scratch.setU64(MSGHDR + 16, scratch.address(IOVEC));
  scratch.setU64(MSGHDR + 24, 1);
  if (controlLength > 0) scratch.setU64(MSGHDR + 32, scratch.address(CONTROL));
  scratch.setU64(MSGHDR + 40, controlLength);
  return scratch.address(MSGHDR);
}

/** Sends bytes (at most 64 KiB) with descriptors beside the first one. False when the other end is gone. */
export function sendBytes(socket: number, bytes: Uint8Array, descriptors: readonly number[] = []): boolean {
  scratch.u8.set(bytes, DATA);
  const length = descriptors.length > 0 ? 16 + 4 * descriptors.length : 0;
  if (length > 0) {
    scratch.setU64(CONTROL, length);
    scratch.setU32(CONTROL + 8, 1);
    scratch.setU32(CONTROL + 12, 1);
    descriptors.forEach((fd, i) => scratch.setU32(CONTROL + 16 + 4 * i, fd));
  }
  const room = Math.ceil(length / 8) * 8;
  const sent = sendmsg(socket, message(bytes.length, room), 0x4000);
  if (sent === bytes.length) return true;
  const errno = koffi.errno();
  if (sent < 0 && errno !== 32 && errno !== 104) throw new Error(`sendmsg: errno ${errno}`);
  return false;
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
    const got = recvmsg(socket, message(length - have, CONTROL_ROOM), 0x40000000);
    if (got <= 0) return undefined;
    bytes.set(scratch.bytes(DATA, got), have);
    have += got;
    const control = scratch.getU64(MSGHDR + 40);
    if (control >= 16) {
      const count = (scratch.getU64(CONTROL) - 16) >>> 2;
      for (let i = 0; i < count; i++) descriptors.push(scratch.getI32(CONTROL + 16 + 4 * i));
    }
  }
  return { bytes, descriptors };
}

/**
 * Waits for eventfds with one system call and no allocation: edge-triggered, so that nobody needs to read them.
 */
export class Waiter {
  private readonly epoll = checked('epoll_create1', epollCreate(0o2000000));

  add(fd: number): void {
    scratch.setU32(SMALL + 32, 0x80000001);
    scratch.setU64(SMALL + 36, fd);
    checked('epoll_ctl', epollCtl(this.epoll, 1, fd, scratch.address(SMALL + 32)));
  }

  /** True when one was signalled since the last call. */
  wait(milliseconds: number): boolean {
    return checked('epoll_wait', epollWait(this.epoll, scratch.address(SMALL + 48), 1, milliseconds)) > 0;
  }

  close(): void {
    close(this.epoll);
  }
}

/** The calling thread (0) or thread `tid` runs on this CPU only; -1: on any. */
export function runOn(cpu: number, tid = 0): void {
  scratch.setU64(SMALL + 192, cpu < 0 ? 0xffffffff : 2 ** cpu);
  checked('sched_setaffinity', affinity(tid, 8, scratch.address(SMALL + 192)));
}
