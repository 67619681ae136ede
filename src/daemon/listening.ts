/**
 * Where the daemon waits for its front-end: a socket that was handed over, or one that it makes at a path and takes
 * away at its end.
 *
 * A socket file that nobody has open any more is replaced; one that is served is not, nor one that cannot be asked, and
 * neither is any other file.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  type Stats,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { isLeftBehind, isListening, listenUnix } from '../native/descriptors';
import { NativeError } from '../native/libc';
import { errnoReason, reasonOf } from '../protocol/errno';
import type { DaemonOptions } from './daemonOptions';

const O_PATH = 0o10000000;

export interface Listening {
  readonly fd: number;
  /** Takes the socket's file away, where it is still ours. */
  remove(): void;
}

type Wanted = Pick<DaemonOptions, 'fd' | 'socketPath' | 'socketGroup'>;

/** One of descriptor and path is given. Throws a Trouble. */
export function listen({ fd, socketPath, socketGroup }: Wanted): Listening {
  if (fd !== undefined) {
    if (!isListening(fd)) throw trouble('socketNotListening', String(fd));
    return { fd, remove: () => undefined };
  }
  if (socketPath === undefined) throw trouble('socketMissing');
  const gid = socketGroup === undefined ? undefined : groupId(socketGroup);
  try {
    if (existsSync(socketPath) && lstatSync(socketPath).isSocket() && isLeftBehind(socketPath)) clear(socketPath);
    const made =
      gid === undefined || socketGroup === undefined
        ? listenUnix(socketPath)
        : listenForGroup(socketPath, socketGroup, gid);
    const stat = lstatSync(socketPath);
    return { fd: made, remove: () => removeSocket(socketPath, stat) };
  } catch (error) {
    throw error instanceof Trouble ? error : trouble('socketUnusable', socketPath, reason(error));
  }
}

/**
 * Takes a socket that was left behind away. Another daemon may have done so since and have its own there: what is there
 * is asked once more, where nobody can put another in its place.
 */
function clear(path: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  const fd = openSync(aside, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).isSocket() && isLeftBehind(`/proc/self/fd/${fd}`)) unlinkSync(aside);
    else renameSync(aside, path);
  } finally {
    closeSync(fd);
  }
}

function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** The system's own answer, which may come from elsewhere than /etc/group. */
function groupId(name: string): number {
  const { status, stdout, error } = spawnSync('getent', ['group', '--', name], { encoding: 'utf8' });
  if (error !== undefined) throw trouble('programNotRun', 'getent', reasonOf(error));
  const [, , gid] = stdout.split(':');
  if (status !== 0 || !/^\d+$/.test(gid ?? '')) throw trouble('socketGroupUnusable', name, 'there is no such group');
  return Number(gid);
}

/** It is its owner's alone until it is the group's as well: never open to anybody else. */
function listenForGroup(path: string, name: string, gid: number): number {
  const before = process.umask(0o177);
  try {
    return listenUnix(path, () => {
      process.umask(before);
      giveToGroup(path, name, gid);
    });
  } finally {
    process.umask(before);
  }
}

/** By a descriptor of the file: in a folder that others may write to its name could be another file's by now. */
function giveToGroup(path: string, name: string, gid: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (!stat.isSocket() || stat.uid !== process.geteuid?.()) throw new Error('another file has taken its place');
    try {
      chownSync(`/proc/self/fd/${fd}`, -1, gid);
      chmodSync(`/proc/self/fd/${fd}`, 0o660);
    } catch (error) {
      removeSocket(path, stat);
      throw trouble('socketGroupUnusable', name, reason(error));
    }
  } finally {
    closeSync(fd);
  }
}

function reason(error: unknown): string {
  if (error instanceof NativeError) return errnoReason(error.errno);
  if (error instanceof RangeError) return 'the path is too long';
  return systemReason(error) ?? (error instanceof Error ? error.message : String(error));
}

function removeSocket(socketPath: string, { ino, mtimeMs }: Stats): void {
  // Another daemon may have taken the path since, and the host have given its socket the number that ours had.
  const stat = lstatSync(socketPath, { throwIfNoEntry: false });
  if (stat?.ino === ino && stat.mtimeMs === mtimeMs) unlinkSync(socketPath);
}
