/** What a daemon does, once its command line has been read: the options with their values. */
import { basename, resolve } from 'node:path';
import type { CacheMode } from '../fuse/options';

/** Each says what those before it say as well. */
export const LOG_LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface DaemonOptions {
  sharedDir: string;
  /** Without a tag the config space is not offered (QEMU 7.1 to 8.0 dislikes it). */
  tag?: string;
  /** What captures and `virtiofs-studio trace` call the share, where another name is wanted: `shareName`. */
  name?: string;
  /** Exactly one of `socketPath` (made and listened on) and `fd` (a listening socket handed over) is there. */
  socketPath?: string;
  fd?: number;
  /** Whose members may connect to the socket that is made, beside its owner. */
  socketGroup?: string;
  cache: CacheMode;
  writeback: boolean;
  xattr: boolean;
  readonly: boolean;
  readdirplus: boolean;
  allowDirectIo: boolean;
  allowMmap: boolean;
  announceSubmounts: boolean;
  posixLocks: boolean;
  flock: boolean;
  killprivV2: boolean;
  logLevel: LogLevel;
  /** Wanted RLIMIT_NOFILE; 0 leaves it as it is; undefined: as high as it goes, at most 1,000,000. */
  rlimitNofile?: number;
  /** An open descriptor that the capture (pcapng) is written to. */
  traceFd?: number;
  /** An open descriptor on which problems of the share are told: `control/problemLines.ts`. */
  problemsFd?: number;
  /** A file for the capture, and how large it and its older half may become together, in bytes. */
  capture?: string;
  captureLimit?: number;
  /** Bytes of data that a capture keeps of a message. */
  snapLength: number;
  /** Captures have each host system call. */
  traceSyscalls: boolean;
  /** Others of this user may connect and get a capture. */
  liveTrace: boolean;
  /** A debugger of this user may connect. */
  debug: boolean;
  /** Fault rules, as text that is good (docs/faults.md). */
  faults: readonly string[];
  /** How long an idle queue is polled before the worker sleeps. */
  pollMicroseconds: number;
  /** The queue worker stays on this CPU. */
  cpu?: number;
  /** Request queues offered to the front-end. */
  queues: number;
  /** Bytes of the DAX window; without it there is none. */
  dax?: number;
  /** Which files go through it, in the words of `fs/dax/policy.ts`. */
  daxPolicy?: string;
}

/** What captures and `virtiofs-studio trace` call the share. */
export function shareName({ name, tag, sharedDir }: Pick<DaemonOptions, 'name' | 'tag' | 'sharedDir'>): string {
  return name ?? tag ?? (basename(resolve(sharedDir)) || '/');
}
