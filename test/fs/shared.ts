/** A real folder shared through the real system calls, for tests: made anew for each, removed afterwards. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Alarm, BlockingCalls, Done, HostCalls } from '../../src/fs/hostCalls';
import {
  openPassthrough,
  PASSTHROUGH_AREAS_SIZE,
  passthroughAreas,
  type PassthroughFileSystem,
  type PassthroughOptions,
} from '../../src/fs/passthrough';
import { LinuxCalls, clearUmask } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';
import { CLIENT_AREA, Client } from './client';

/** Blocking calls made on this thread, a turn later; counts them. */
export class LaterCalls implements BlockingCalls {
  made = 0;

  constructor(private readonly calls: HostCalls) {}

  private later(call: () => number, done: Done): void {
    this.made++;
    setImmediate(() => done(call()));
  }

  preadv(fd: number, vectors: number, count: number, offset: number, done: Done): void {
    this.later(() => this.calls.preadv2(fd, vectors, count, offset, 0), done);
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number, done: Done): void {
    this.later(() => this.calls.pwritev2(fd, vectors, count, offset, flags), done);
  }

  fsync(fd: number, dataOnly: boolean, done: Done): void {
    this.later(() => (dataOnly ? this.calls.fdatasync(fd) : this.calls.fsync(fd)), done);
  }

  syncfs(fd: number, done: Done): void {
    this.later(() => this.calls.syncfs(fd), done);
  }

  close(fd: number, done: Done): void {
    this.later(() => this.calls.close(fd), done);
  }

  fallocate(fd: number, mode: number, offset: number, length: number, done: Done): void {
    this.later(() => this.calls.fallocate(fd, mode, offset, length), done);
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
    this.later(() => this.calls.copyFileRange(from, fromOffset, to, toOffset, length, flags), done);
  }
}

export class TimerAlarm implements Alarm {
  private timer: NodeJS.Timeout | undefined;

  wake(afterMilliseconds: number, then: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, afterMilliseconds);
  }
}

export interface Shared {
  readonly folder: string;
  readonly client: Client;
  readonly fs: PassthroughFileSystem;
  readonly blocking: LaterCalls;
  end(): void;
}

export const isRoot = process.getuid?.() === 0;

/** Of a share for which nothing else is said. */
export const OPTIONS: PassthroughOptions = {
  readOnly: false,
  xattr: true,
  writeback: false,
  allowDirectIo: false,
  canImpersonate: isRoot,
  descriptors: 4096,
  inodes: 1 << 22,
};

/** Shares a new temporary folder (in memory when `inMemory`); `host`: a host that is otherwise. */
export function share(
  options: Partial<PassthroughOptions> = {},
  wrap: (calls: HostCalls) => HostCalls = (calls) => calls,
  inMemory = false,
  host: (calls: HostCalls) => HostCalls = (calls) => calls,
): Shared {
  clearUmask();
  const folder = fs.mkdtempSync(path.join(inMemory ? '/dev/shm' : os.tmpdir(), 'passthrough-'));
  const arena = pinnedArena(PASSTHROUGH_AREAS_SIZE + CLIENT_AREA);
  const blocking = new LaterCalls(host(new LinuxCalls()));
  const opened = openPassthrough(
    {
      calls: wrap(host(new LinuxCalls())),
      blocking,
      alarm: new TimerAlarm(),
      arena,
      areas: passthroughAreas(CLIENT_AREA),
    },
    folder,
    { ...OPTIONS, ...options },
  );
  if (typeof opened === 'number') throw new Error(`cannot share ${folder}: ${opened}`);
  return {
    folder,
    client: new Client(opened, arena, 0),
    fs: opened,
    blocking,
    end() {
      opened.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Descriptors that this process has open. */
export function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}
