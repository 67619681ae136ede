/**
 * A POSIX process that is real: every call is a system call made by the agent (`agent.pl`), on this machine or in a
 * guest. Knows x86-64 call numbers and structure layouts, nothing of FUSE.
 */
import { errnoName } from '../../src/protocol/errno';
import {
  type DirectoryEntry,
  type FileSystemFigures,
  exact,
  type Lock,
  type Mapping,
  type Posix,
  PosixError,
  type Stat,
  type Time,
} from './posix';

/** A line each way; lines from the agent in order. */
export interface AgentChannel {
  send(line: string): void;
  onLine(listener: (line: string) => void): void;
  /** The agent is gone. */
  onEnd(listener: () => void): void;
}

type Argument = number | bigint | string | Uint8Array | { readonly room: number } | { readonly inOut: Uint8Array };

/** Longest line sent at once. */
const PIECE = 1000;

const AT_FDCWD = -100;
const NOFOLLOW = 0x100;
const EMPTY_PATH = 0x1000;
const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;

function word(argument: Argument): string {
  if (typeof argument === 'number' || typeof argument === 'bigint') return `i${argument}`;
  if (typeof argument === 'string') return `s${Buffer.from(`${argument}\0`).toString('hex')}`;
  if (argument instanceof Uint8Array) {
    const [first] = argument;
    const same = argument.length > 64 && argument.every((byte) => byte === first);
    return same
      ? `f${argument.length},${Buffer.of(first).toString('hex')}`
      : `s${Buffer.from(argument).toString('hex')}`;
  }
  return 'room' in argument ? `o${argument.room}` : `b${Buffer.from(argument.inOut).toString('hex')}`;
}

function bytes(text: string): Buffer {
  if (text === '-') return Buffer.alloc(0);
  if (!text.startsWith('*')) return Buffer.from(text, 'hex');
  const [length, byte] = text.slice(1).split(',');
  return Buffer.alloc(Number(length), Number.parseInt(byte, 16));
}

interface Answer {
  readonly result: number;
  readonly buffers: Buffer[];
}

interface Waiting {
  readonly call: string;
  done(answer: Answer): void;
  fail(error: Error): void;
}

/** The agent's processes, by number; a process answers its calls in their order. */
export class Agent {
  private readonly waiting = new Map<number, Waiting[]>();
  /** What is sent before the agent listens may be lost. */
  private readonly ready: Promise<void>;
  private isReady: () => void = () => {};
  private isTaken: () => void = () => {};
  private sent: Promise<void> = Promise.resolve();
  private last = 0;
  private gone = false;

  constructor(private readonly channel: AgentChannel) {
    this.ready = new Promise((resolve) => (this.isReady = resolve));
    channel.onLine((line) => this.answered(line));
    channel.onEnd(() => this.ended());
  }

  /** The first process. */
  process(): SyscallPosix {
    return new SyscallPosix(this, 0);
  }

  async fork(): Promise<SyscallPosix> {
    const number = ++this.last;
    await this.say(number, 'F', 'fork');
    return new SyscallPosix(this, number);
  }

  async say(process: number, text: string, call: string): Promise<Answer> {
    await this.ready;
    if (this.gone) throw new Error('the agent has ended');
    return new Promise((done, fail) => {
      const before = this.waiting.get(process);
      if (before) before.push({ call, done, fail });
      else this.waiting.set(process, [{ call, done, fail }]);
      this.sent = this.sent.then(() => this.send(`${process} ${text}`));
    });
  }

  /** A guest's terminal holds few bytes: long lines go in pieces, each taken before the next is sent. */
  private async send(line: string): Promise<void> {
    let rest = line;
    while (rest.length > PIECE && !this.gone) {
      const taken = new Promise<void>((resolve) => (this.isTaken = resolve));
      this.channel.send(`+${rest.slice(0, PIECE)}`);
      await taken;
      rest = rest.slice(PIECE);
    }
    this.channel.send(rest);
  }

  private answered(line: string): void {
    if (line.trim() === 'ready') this.isReady();
    if (line.trim() === '+') this.isTaken();
    const [process, result, errno, ...buffers] = line.trim().split(' ');
    const entry = errno === undefined ? undefined : this.waiting.get(Number(process))?.shift();
    if (!entry) return;
    if (errno !== '0') entry.fail(new PosixError(errnoName(Number(errno)), entry.call));
    else entry.done({ result: Number(result), buffers: buffers.map(bytes) });
  }

  private ended(): void {
    this.gone = true;
    this.isReady();
    this.isTaken();
    for (const entry of [...this.waiting.values()].flat()) entry.fail(new Error(`${entry.call}: the agent has ended`));
    this.waiting.clear();
  }
}

function timespecs(...times: readonly Time[]): Uint8Array {
  const out = Buffer.alloc(32);
  times.forEach((time, i) => {
    const nanoseconds = time === 'now' ? UTIME_NOW : time === 'omit' ? UTIME_OMIT : time % 1_000_000_000n;
    const negative = typeof time === 'bigint' && nanoseconds < 0n;
    const seconds = typeof time === 'bigint' ? time / 1_000_000_000n - (negative ? 1n : 0n) : 0n;
    out.writeBigInt64LE(seconds, 16 * i);
    out.writeBigInt64LE(negative ? nanoseconds + 1_000_000_000n : nanoseconds, 16 * i + 8);
  });
  return out;
}

function statOf(b: Buffer): Stat {
  const time = (at: number): bigint => b.readBigInt64LE(at) * 1_000_000_000n + b.readBigInt64LE(at + 8);
  return {
    ino: b.readBigUInt64LE(8),
    nlink: Number(b.readBigUInt64LE(16)),
    mode: b.readUInt32LE(24),
    uid: b.readUInt32LE(28),
    gid: b.readUInt32LE(32),
    rdev: Number(b.readBigUInt64LE(40)),
    size: Number(b.readBigInt64LE(48)),
    blksize: Number(b.readBigInt64LE(56)),
    blocks: Number(b.readBigInt64LE(64)),
    atime: time(72),
    mtime: time(88),
    ctime: time(104),
  };
}

function flockBytes({ type, start, length }: Lock): Buffer {
  const out = Buffer.alloc(32);
  out.writeInt16LE(type, 0);
  out.writeBigInt64LE(BigInt(start), 8);
  out.writeBigInt64LE(BigInt(length), 16);
  return out;
}

export class SyscallPosix implements Posix {
  private ended = false;

  constructor(
    private readonly agent: Agent,
    private readonly number: number,
  ) {}

  /** Any system call by number; result and filled buffers. */
  async call(name: string, number: number, ...args: readonly Argument[]): Promise<Answer> {
    return this.agent.say(this.number, ['S', number, ...args.map(word)].join(' '), name);
  }

  private async none(name: string, number: number, ...args: readonly Argument[]): Promise<void> {
    await this.call(name, number, ...args);
  }

  private async value(name: string, number: number, ...args: readonly Argument[]): Promise<number> {
    return (await this.call(name, number, ...args)).result;
  }

  private async filled(name: string, number: number, ...args: readonly Argument[]): Promise<Buffer> {
    const { result, buffers } = await this.call(name, number, ...args);
    return buffers[0].subarray(0, result);
  }

  private async statCall(fd: number, path: string, flags: number): Promise<Stat> {
    return statOf((await this.call('stat', 262, fd, path, { room: 144 }, flags)).buffers[0]);
  }

  chdir = (path: string): Promise<void> => this.none('chdir', 80, path);
  open = (path: string, flags: number, mode = 0o644): Promise<number> =>
    this.value('open', 257, AT_FDCWD, path, flags, mode);
  close = (fd: number): Promise<void> => this.none('close', 3, fd);
  pread = (fd: number, length: number, offset: number): Promise<Buffer> =>
    this.filled('pread', 17, fd, { room: length }, length, offset);
  pwrite = (fd: number, data: Uint8Array, offset: number): Promise<number> =>
    this.value('pwrite', 18, fd, data, data.length, offset);
  read = (fd: number, length: number): Promise<Buffer> => this.filled('read', 0, fd, { room: length }, length);
  write = (fd: number, data: Uint8Array): Promise<number> => this.value('write', 1, fd, data, data.length);
  lseek = (fd: number, offset: number, whence: number): Promise<number> => this.value('lseek', 8, fd, offset, whence);
  setFlags = (fd: number, flags: number): Promise<void> => this.none('fcntl', 72, fd, 4, flags);
  truncate = (path: string, length: number): Promise<void> => this.none('truncate', 76, path, length);
  ftruncate = (fd: number, length: number): Promise<void> => this.none('ftruncate', 77, fd, length);
  fallocate = (fd: number, mode: number, offset: number, length: number): Promise<void> =>
    this.none('fallocate', 285, fd, mode, offset, length);
  fsync = (fd: number): Promise<void> => this.none('fsync', 74, fd);
  fdatasync = (fd: number): Promise<void> => this.none('fdatasync', 75, fd);
  syncfs = (fd: number): Promise<void> => this.none('syncfs', 306, fd);

  async copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): Promise<number> {
    const offset = (value: number): { inOut: Buffer } => {
      const out = Buffer.alloc(8);
      out.writeBigInt64LE(BigInt(value));
      return { inOut: out };
    };
    return this.value('copy_file_range', 326, from, offset(fromOffset), to, offset(toOffset), length, 0);
  }

  stat = (path: string): Promise<Stat> => this.statCall(AT_FDCWD, path, 0);
  lstat = (path: string): Promise<Stat> => this.statCall(AT_FDCWD, path, NOFOLLOW);
  fstat = (fd: number): Promise<Stat> => this.statCall(fd, '', EMPTY_PATH);
  access = (path: string, mask: number): Promise<void> => this.none('access', 21, path, mask);
  chmod = (path: string, mode: number): Promise<void> => this.none('chmod', 90, path, mode);
  fchmod = (fd: number, mode: number): Promise<void> => this.none('fchmod', 91, fd, mode);
  chown = (path: string, uid: number, gid: number): Promise<void> => this.none('chown', 92, path, uid, gid);
  lchown = (path: string, uid: number, gid: number): Promise<void> => this.none('lchown', 94, path, uid, gid);
  utimens = (path: string, atime: Time, mtime: Time, follow = true): Promise<void> =>
    this.none('utimensat', 280, AT_FDCWD, path, timespecs(atime, mtime), follow ? 0 : NOFOLLOW);
  futimens = (fd: number, atime: Time, mtime: Time): Promise<void> =>
    this.none('utimensat', 280, fd, 0, timespecs(atime, mtime), 0);

  mkdir = (path: string, mode = 0o777): Promise<void> => this.none('mkdir', 83, path, mode);
  rmdir = (path: string): Promise<void> => this.none('rmdir', 84, path);
  mknod = (path: string, mode: number, device = 0): Promise<void> => this.none('mknod', 133, path, mode, device);
  unlink = (path: string): Promise<void> => this.none('unlink', 87, path);
  link = (from: string, to: string): Promise<void> => this.none('link', 86, from, to);
  symlink = (target: string, path: string): Promise<void> => this.none('symlink', 88, target, path);
  rename = (from: string, to: string, flags = 0): Promise<void> =>
    this.none('rename', 316, AT_FDCWD, from, AT_FDCWD, to, flags);
  async readlink(path: string): Promise<string> {
    return (await this.filled('readlink', 89, path, { room: 4096 }, 4096)).toString();
  }

  async getdents(fd: number, size: number): Promise<DirectoryEntry[]> {
    const b = await this.filled('getdents64', 217, fd, { room: size }, size);
    const found: DirectoryEntry[] = [];
    for (let at = 0; at < b.length; at += b.readUInt16LE(at + 16)) {
      found.push({
        ino: b.readBigUInt64LE(at),
        next: b.readBigInt64LE(at + 8),
        type: b[at + 18],
        name: b.toString('utf8', at + 19, b.indexOf(0, at + 19)),
      });
    }
    return found;
  }

  seekDirectory = (fd: number, position: bigint): Promise<void> => this.none('lseek', 8, fd, position, 0);

  getxattr = (path: string, name: string, size = 4096): Promise<Buffer> =>
    this.filled('getxattr', 192, path, name, { room: size }, size);
  async listxattr(path: string): Promise<string[]> {
    return (await this.filled('listxattr', 195, path, { room: 4096 }, 4096)).toString().split('\0').slice(0, -1);
  }
  setxattr = (path: string, name: string, value: Uint8Array, flags = 0): Promise<void> =>
    this.none('setxattr', 189, path, name, value, value.length, flags);
  removexattr = (path: string, name: string): Promise<void> => this.none('removexattr', 198, path, name);

  async getLock(fd: number, lock: Lock): Promise<Lock> {
    const b = (await this.call('fcntl', 72, fd, 5, { inOut: flockBytes(lock) })).buffers[0];
    const type = b.readInt16LE(0);
    if (type === 2) return { ...lock, type };
    return { type, start: exact(b.readBigInt64LE(8)), length: exact(b.readBigInt64LE(16)) };
  }
  setLock = (fd: number, lock: Lock, wait = false): Promise<void> =>
    this.none('fcntl', 72, fd, wait ? 7 : 6, flockBytes(lock));
  flock = (fd: number, operation: number): Promise<void> => this.none('flock', 73, fd, operation);

  /** The memory is read and written by the kernel on our behalf: through a pipe. */
  async map(fd: number, length: number): Promise<Mapping> {
    const address = await this.value('mmap', 9, 0, length, 3, 1, fd, 0);
    const [from, to] = await this.pipe();
    return {
      load: async (offset, count) => {
        await this.call('write', 1, to, address + offset, count);
        return this.read(from, count);
      },
      store: async (offset, data) => {
        await this.write(to, data);
        await this.call('read', 0, from, address + offset, data.length);
      },
      sync: () => this.none('msync', 26, address, length, 4),
      unmap: async () => {
        await this.none('munmap', 11, address, length);
        await this.close(from);
        await this.close(to);
      },
    };
  }

  private async pipe(): Promise<[number, number]> {
    const b = (await this.call('pipe', 22, { room: 8 })).buffers[0];
    return [b.readInt32LE(0), b.readInt32LE(4)];
  }

  async statfs(path: string): Promise<FileSystemFigures> {
    const b = (await this.call('statfs', 137, path, { room: 120 })).buffers[0];
    const at = (index: number): number => Number(b.readBigInt64LE(8 * index));
    return { bsize: at(1), blocks: at(2), bfree: at(3), files: at(5), namelen: at(8) };
  }

  async ioctl(fd: number, command: number, argument: number): Promise<number> {
    const inOut = Buffer.alloc(8);
    inOut.writeInt32LE(argument);
    return (await this.call('ioctl', 16, fd, command, { inOut })).buffers[0].readInt32LE(0);
  }

  umask = (mask: number): Promise<number> => this.value('umask', 95, mask);

  async become(uid: number, gid: number, groups: readonly number[] = []): Promise<void> {
    const list = Buffer.alloc(4 * groups.length);
    groups.forEach((group, i) => list.writeUInt32LE(group, 4 * i));
    await this.none('setgroups', 116, groups.length, list);
    await this.none('setresgid', 119, gid, gid, gid);
    await this.none('setresuid', 117, uid, uid, uid);
  }

  fork = (): Promise<Posix> => this.agent.fork();

  async exit(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.agent.say(this.number, 'X', 'exit');
  }
}
