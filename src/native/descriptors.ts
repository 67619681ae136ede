/**
 * Descriptors: listening and connected Unix sockets that pass descriptors, eventfds, epoll, memfds.
 *
 * Node's own sockets cannot receive descriptors, and its event loop costs several times a direct epoll_wait; so the
 * queue worker waits here. Set-up calls throw NativeError; those of the running loop return negative errnos.
 */
import type { Arena } from '../base/arena';
import { Errno } from '../protocol/errno';
import { HUGETLBFS, MEMORY_FILE_SYSTEMS } from '../fs/linux';
import { INT, LONG, checked, declare, failure } from './libc';
import { pinnedArena } from './memory';

const socket = declare('socket', INT, [INT, INT, INT]);
const bind = declare('bind', INT, [INT, LONG, INT]);
const listen = declare('listen', INT, [INT, INT]);
const connect = declare('connect', INT, [INT, LONG, INT]);
const accept4 = declare('accept4', INT, [INT, LONG, LONG, INT]);
const getsockopt = declare('getsockopt', INT, [INT, INT, INT, LONG, LONG]);
const recvmsg = declare('recvmsg', INT, [INT, LONG, INT]);
const sendmsg = declare('sendmsg', INT, [INT, LONG, INT]);
const closeCall = declare('close', INT, [INT]);
const eventfdCall = declare('eventfd', INT, [INT, INT]);
const memfdCreate = declare('memfd_create', INT, [LONG, INT]);
const ftruncate = declare('ftruncate', INT, [INT, LONG]);
const readCall = declare('read', INT, [INT, LONG, LONG]);
const writeCall = declare('write', INT, [INT, LONG, LONG]);
const epollCreate = declare('epoll_create1', INT, [INT]);
const epollCtl = declare('epoll_ctl', INT, [INT, INT, INT, LONG]);
const epollWait = declare('epoll_wait', INT, [INT, LONG, INT, INT]);
const fcntl = declare('fcntl', INT, [INT, INT, INT]);
const lseek = declare('lseek', LONG, [INT, LONG, INT]);
const ioctl = declare('ioctl', INT, [INT, LONG, LONG]);
const fstatfs = declare('fstatfs', INT, [INT, LONG]);
const statx = declare('statx', INT, [INT, LONG, INT, INT, LONG]);

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_CTRUNC = 0x8;
const EFD_FLAGS = 0o2004000; // EFD_CLOEXEC | EFD_NONBLOCK

export const EPOLLIN = 0x1;
export const EPOLLHUP = 0x10;
export const EPOLLET = 0x8000_0000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
/** struct epoll_event is packed on x86-64 only. */
const EPOLL_EVENT = process.arch === 'x64' ? 12 : 16;
const EPOLL_DATA = process.arch === 'x64' ? 4 : 8;

/** Most descriptors that one message may carry (VHOST_USER_MAX_RAM_SLOTS is sent one at a time; tables carry 8). */
export const MAX_DESCRIPTORS = 32;

const MSGHDR = 0;
const IOVEC = 64;
const EVENT = 96;
const WORD = 112;
const ADDRESS = 128;
const CONTROL = 256;
const CONTROL_ROOM = 16 + MAX_DESCRIPTORS * 4;
const STATX = 512;
const scratch = pinnedArena(1024);

/** struct sockaddr_un; its length. */
function unixAddress(path: string): number {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > 107) throw new RangeError(`a socket path is at most 107 bytes long: ${path}`);
  scratch.zero(ADDRESS, 110);
  scratch.setU16(ADDRESS, AF_UNIX);
  scratch.u8.set(bytes, ADDRESS + 2);
  return 2 + bytes.length + 1;
}

export function close(fd: number): void {
  closeCall(fd);
}

/** A listening socket at a path that must not exist. `made` is called when it is there and nobody can connect yet. */
export function listenUnix(path: string, made: () => void = () => undefined): number {
  const fd = checked('socket', socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    const length = unixAddress(path);
    checked('bind', bind(fd, scratch.address(ADDRESS), length));
    made();
    checked('listen', listen(fd, 1));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

export function connectUnix(path: string): number {
  const fd = checked('socket', socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    const length = unixAddress(path);
    checked('connect', connect(fd, scratch.address(ADDRESS), length));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Whether a socket's file has outlived everyone who had it open. The kernel tells a socket of another type that it is
 * of the wrong type where there is an owner, so the owner sees nothing of the question, and it cannot block.
 */
export function isLeftBehind(path: string): boolean {
  const fd = checked('socket', socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    const length = unixAddress(path);
    return connect(fd, scratch.address(ADDRESS), length) < 0 && failure() === -Errno.ECONNREFUSED;
  } finally {
    close(fd);
  }
}

/** The next connection, blocking unless the socket is non-blocking; or a negative errno. */
export function accept(fd: number): number {
  const got = accept4(fd, 0, 0, SOCK_CLOEXEC);
  return got < 0 ? failure() : got;
}

export interface Received {
  /** Bytes, 0 at the end of the stream, or a negative errno. */
  length: number;
  /** Descriptors that came along; they belong to the caller. */
  descriptors: number[];
  /** Some descriptors were lost because the process has too many. */
  truncated: boolean;
}

/** Receives up to `capacity` bytes to an address. Control path: allocates. */
export function receive(fd: number, into: number, capacity: number, wait: boolean): Received {
  scratch.setU64(IOVEC, into);
  scratch.setU64(IOVEC + 8, capacity);
  scratch.zero(MSGHDR, 56);
  scratch.setU64(MSGHDR + 16, scratch.address(IOVEC));
  scratch.setU64(MSGHDR + 24, 1);
  scratch.setU64(MSGHDR + 32, scratch.address(CONTROL));
  scratch.setU64(MSGHDR + 40, CONTROL_ROOM);
  const length = recvmsg(fd, scratch.address(MSGHDR), MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  if (length < 0) return { length: failure(), descriptors: [], truncated: false };
  const descriptors: number[] = [];
  const controlLength = scratch.getU64(MSGHDR + 40);
  if (
    controlLength >= 16 &&
    scratch.getU32(CONTROL + 8) === SOL_SOCKET &&
    scratch.getU32(CONTROL + 12) === SCM_RIGHTS
  ) {
    const end = Math.min(scratch.getU64(CONTROL), controlLength);
    for (let at = 16; at + 4 <= end; at += 4) descriptors.push(scratch.getI32(CONTROL + at));
  }
  return { length, descriptors, truncated: (scratch.getU32(MSGHDR + 48) & MSG_CTRUNC) !== 0 };
}

/** Sends bytes with descriptors (which stay the caller's); bytes sent or a negative errno. */
export function send(fd: number, from: number, length: number, descriptors: readonly number[] = []): number {
  scratch.setU64(IOVEC, from);
  scratch.setU64(IOVEC + 8, length);
  scratch.zero(MSGHDR, 56);
  scratch.setU64(MSGHDR + 16, scratch.address(IOVEC));
  scratch.setU64(MSGHDR + 24, 1);
  if (descriptors.length > 0) {
    scratch.setU64(CONTROL, 16 + descriptors.length * 4);
    scratch.setU32(CONTROL + 8, SOL_SOCKET);
    scratch.setU32(CONTROL + 12, SCM_RIGHTS);
    descriptors.forEach((descriptor, index) => scratch.setU32(CONTROL + 16 + index * 4, descriptor));
    scratch.setU64(MSGHDR + 32, scratch.address(CONTROL));
    scratch.setU64(MSGHDR + 40, 16 + Math.ceil(descriptors.length / 2) * 8);
  }
  const sent = sendmsg(fd, scratch.address(MSGHDR), MSG_NOSIGNAL);
  return sent < 0 ? failure() : sent;
}

/** A non-blocking eventfd. */
export function eventfd(): number {
  return checked('eventfd', eventfdCall(0, EFD_FLAGS));
}

const one = pinnedArena(64);
one.setU64(0, 1);
const oneAddress = one.address(0);

/** Adds 1 to an eventfd. Also right for UML's socketpairs, which take any 8 bytes. 0 or a negative errno. */
export function signal(fd: number): number {
  return writeCall(fd, oneAddress, 8) < 0 ? failure() : 0;
}

/** Empties an eventfd (or what 8-byte writes have left in a socketpair). */
export function drain(fd: number): void {
  while (readCall(fd, one.address(8), 8) === 8);
}

/** A memory file of `size` bytes. */
export function memfd(name: string, size: number): number {
  scratch.u8.set(new TextEncoder().encode(`${name}\0`), ADDRESS);
  const fd = checked('memfd_create', memfdCreate(scratch.address(ADDRESS), 1));
  checked('ftruncate', ftruncate(fd, size));
  return fd;
}

const F_GETFL = 3;
const F_GET_SEALS = 1034;
const F_SEAL_SHRINK = 2;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const FIONREAD = 0x541b;
const SEEK_END = 2;

/** Whether a number names an open socket that listens. */
export function isListening(fd: number): boolean {
  scratch.setU32(WORD, 4);
  const asked = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, scratch.address(WORD + 4), scratch.address(WORD));
  return asked === 0 && scratch.getU32(WORD + 4) === 1;
}

/** Calls on the descriptor do not wait any more, nor on others of the same description. 0 or a negative errno. */
export function setNonBlocking(fd: number): number {
  const flags = fcntl(fd, F_GETFL, 0);
  return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? failure() : 0;
}

/** Size of a file in bytes; -1 when it has none that can be asked for. */
export function fileSize(fd: number): number {
  const end = Number(lseek(fd, 0, SEEK_END));
  return end < 0 ? -1 : end;
}

/**
 * Whether a file is memory of somebody's alone, a memfd or the like: it is on a file system in memory (f_type is the
 * first field of struct statfs), and sealed against being shortened or without a name by which others could have it.
 * Huge pages are nobody's shared folder.
 */
export function isLastingMemory(fd: number): boolean {
  if (fstatfs(fd, scratch.address(STATX)) < 0) return false;
  const type = scratch.getU32(STATX);
  if (!MEMORY_FILE_SYSTEMS.includes(type)) return false;
  if (type === HUGETLBFS) return true;
  const seals = fcntl(fd, F_GET_SEALS, 0);
  if (seals >= 0 && seals & F_SEAL_SHRINK) return true;
  scratch.setU32(ADDRESS, 0);
  const asked = statx(fd, scratch.address(ADDRESS), AT_EMPTY_PATH, STATX_NLINK, scratch.address(STATX));
  return asked === 0 && scratch.getU32(STATX + STATX_NLINK_AT) === 0;
}

const AT_EMPTY_PATH = 0x1000;
const STATX_NLINK = 0x4;
const STATX_NLINK_AT = 16;
const STATX_INO = 0x100;
const STATX_INO_AT = 32;
const STATX_DEVICE_AT = 136;

/** The same for two descriptors of one file, whatever else they are of. Empty where that cannot be told. */
export function fileIdentity(fd: number): string {
  scratch.setU32(ADDRESS, 0);
  if (statx(fd, scratch.address(ADDRESS), AT_EMPTY_PATH, STATX_INO, scratch.address(STATX)) < 0) return '';
  const words = [0, 4].map((at) => scratch.getU32(STATX + STATX_DEVICE_AT + at));
  return [...words, scratch.getU32(STATX + STATX_INO_AT + 4), scratch.getU32(STATX + STATX_INO_AT)].join(':');
}

/** Bytes that can be read at once. */
export function readableBytes(fd: number): number {
  return ioctl(fd, FIONREAD, scratch.address(WORD)) < 0 ? 0 : scratch.getU32(WORD);
}

/** An epoll set whose events carry a small number each. One thread uses it. */
export class Epoll {
  private readonly fd = checked('epoll_create1', epollCreate(SOCK_CLOEXEC));
  private readonly events: Arena;
  private readonly eventsAddress: number;

  constructor(private readonly capacity = 16) {
    this.events = pinnedArena(capacity * 16);
    this.eventsAddress = this.events.address(0);
  }

  add(fd: number, events: number, key: number): void {
    scratch.setU32(EVENT, events);
    scratch.setU32(EVENT + EPOLL_DATA, key);
    scratch.setU32(EVENT + EPOLL_DATA + 4, 0);
    checked('epoll_ctl', epollCtl(this.fd, EPOLL_CTL_ADD, fd, scratch.address(EVENT)));
  }

  remove(fd: number): void {
    epollCtl(this.fd, EPOLL_CTL_DEL, fd, scratch.address(EVENT));
  }

  /** Number of events; 0 when the time is up or a signal came. `milliseconds`: -1 waits without end. */
  wait(milliseconds: number): number {
    const count = epollWait(this.fd, this.eventsAddress, this.capacity, milliseconds);
    return count < 0 ? 0 : count;
  }

  key(index: number): number {
    const at = index * EPOLL_EVENT + EPOLL_DATA;
    return this.events.u32[at >>> 2];
  }

  flags(index: number): number {
    return this.events.u32[(index * EPOLL_EVENT) >>> 2];
  }

  close(): void {
    close(this.fd);
  }
}
