/**
 * Which daemons of this user run, so that `trace` and others find them by tag, folder, process or socket.
 *
 * A daemon has `PID.sock`, which gives a capture to whoever connects, `PID.debug`, where a debugger connects, and
 * `PID.json` beside them in one folder of the user's. The folder is believed only when it is the user's own and closed
 * to everybody else; entries of processes that are gone are removed by whoever sees them. Knows nothing of what comes
 * over the socket.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { quote } from '../protocol/text';

export interface RunningShare {
  readonly pid: number;
  readonly tag: string;
  readonly directory: string;
  /** ISO 8601. */
  readonly started: string;
  readonly socket: string;
  /** Tells its counters: `control/counters.ts`. */
  readonly counters: string;
}

export type ShareFacts = Omit<RunningShare, 'socket' | 'counters'>;

/** Longest PID.json that is read: a path and a tag, with room to spare. */
const MOST_BYTES = 64 << 10;
/** How many entries are looked at. */
const MOST_ENTRIES = 10_000;

/** A Unix socket's path has at most 107 bytes, and Node.js 20 cuts a longer one off without a word. */
const LONGEST_RUNTIME = 107 - '/virtiofs-studio/1234567890.counters'.length;

/** The folder of this user's shares; it need not be there. */
export function sharesFolder(): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return runtime !== undefined && Buffer.byteLength(runtime) <= LONGEST_RUNTIME && isOwn(runtime)
    ? join(runtime, 'virtiofs-studio')
    : `/tmp/virtiofs-studio-${userId()}`;
}

/** Under `sudo -E` it is another user's, whose own shares would then find no room in what root has made there. */
function isOwn(folder: string): boolean {
  if (!folder.startsWith('/')) return false;
  try {
    const stat = statSync(folder);
    return stat.isDirectory() && stat.uid === userId();
  } catch {
    return false; // Not there, or not for us to look at.
  }
}

const userId = (): number => process.geteuid?.() ?? 0;

/** Makes the folder where it is not there. Throws a Trouble when what is there cannot be trusted. */
export function openSharesFolder(folder = sharesFolder()): string {
  try {
    mkdirSync(folder, { mode: 0o700 });
    // The umask may have taken bits that the owner needs.
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw trouble('sharesFolderUnusable', folder, systemReason(error) ?? String(error));
    }
  }
  if (!isTrusted(folder)) throw trouble('sharesFolderUnusable', folder, 'it is missing');
  return folder;
}

/** False when there is none. Throws a Trouble when others could have put something there. */
function isTrusted(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isDirectory()) throw trouble('sharesFolderUnusable', folder, 'it is not a folder');
  if (stat.uid !== userId()) throw trouble('sharesFolderUnusable', folder, `it belongs to user ${stat.uid}`);
  if ((stat.mode & 0o077) !== 0) throw trouble('sharesFolderUnusable', folder, 'other users may look into it');
  return true;
}

export const socketOf = (pid: number, folder = sharesFolder()): string => join(folder, `${pid}.sock`);
export const countersSocketOf = (pid: number, folder = sharesFolder()): string => join(folder, `${pid}.counters`);
/** Where a debugger connects (`debug.ts`). */
export const debugSocketOf = (pid: number, folder = sharesFolder()): string => join(folder, `${pid}.debug`);
const recordOf = (pid: number, folder: string): string => join(folder, `${pid}.json`);
const freshRecordOf = (pid: number, folder: string): string => `${recordOf(pid, folder)}.new`;
/** What a daemon has in the folder; the number is its process. */
const OF_A_DAEMON = /^([1-9]\d{0,9})\.(?:json|json\.new|sock|counters|debug)$/;

/** Tells others of a share, once its socket listens. Whole or not at all. The folder is there (`openSharesFolder`). */
export function announceShare(facts: ShareFacts, folder = sharesFolder()): void {
  const { pid, tag, directory, started } = facts;
  const fresh = freshRecordOf(pid, folder);
  writeFileSync(fresh, JSON.stringify({ pid, tag, directory, started }), { mode: 0o600 });
  renameSync(fresh, recordOf(pid, folder));
}

/** Takes it back, with its sockets. */
export function withdrawShare(pid: number, folder = sharesFolder()): void {
  for (const nameOf of [recordOf, freshRecordOf, socketOf, countersSocketOf, debugSocketOf]) {
    rmSync(nameOf(pid, folder), { force: true });
  }
}

/** Shares that run, the oldest first. */
export function runningShares(folder = sharesFolder()): RunningShare[] {
  if (!isTrusted(folder)) return [];
  const names = readdirSync(folder).slice(0, MOST_ENTRIES);
  const shares: RunningShare[] = [];
  // A daemon that was ended before it announced itself has sockets alone.
  for (const pid of new Set(names.flatMap(processOf))) {
    if (!isAlive(pid)) {
      withdrawShare(pid, folder);
      continue;
    }
    const share = readRecord(pid, folder);
    if (share !== undefined) shares.push(share);
  }
  return shares.sort((a, b) => (a.started < b.started ? -1 : a.started > b.started ? 1 : a.pid - b.pid));
}

function processOf(name: string): number[] {
  const match = OF_A_DAEMON.exec(name);
  return match === null ? [] : [Number(match[1])];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Undefined for a record that does not say what it has to, or whose socket is not there. */
function readRecord(pid: number, folder: string): RunningShare | undefined {
  const socket = socketOf(pid, folder);
  try {
    const name = recordOf(pid, folder);
    const stat = lstatSync(name);
    if (!stat.isFile() || stat.size > MOST_BYTES || !lstatSync(socket).isSocket()) return undefined;
    const facts = JSON.parse(readFileSync(name, 'utf8')) as Partial<Record<keyof ShareFacts, unknown>> | null;
    const { tag, directory, started } = facts ?? {};
    if (typeof tag !== 'string' || typeof directory !== 'string' || typeof started !== 'string') return undefined;
    return { pid, tag, directory, started, socket, counters: countersSocketOf(pid, folder) };
  } catch {
    return undefined;
  }
}

/**
 * The shares that `name` means: by tag, folder, process id (the daemon's, or that of the command that started it and
 * that a person knows from `share … &`) or path of the socket.
 */
export function sharesMeant(name: string, shares: readonly RunningShare[] = runningShares()): readonly RunningShare[] {
  const meanings: ((share: RunningShare) => boolean)[] = [
    (share) => share.tag === name,
    (share) => String(share.pid) === name,
    (share) => String(parentOf(share.pid)) === name,
    (share) => share.socket === resolve(name),
    (share) => realPath(share.directory) === realPath(name),
  ];
  for (const means of meanings) {
    const found = shares.filter(means);
    if (found.length > 0) return found;
  }
  return [];
}

/** The one share that `name` means. Throws a Trouble that lists what runs when there is none or more than one. */
export function resolveShare(name: string, shares: readonly RunningShare[] = runningShares()): RunningShare {
  const found = sharesMeant(name, shares);
  if (found.length === 1) return found[0];
  if (found.length > 1) throw trouble('shareAmbiguous', quote(name), listOfShares(found));
  throw trouble('shareUnknown', quote(name), listOfShares(shares));
}

/** Undefined for a process that has just gone. */
function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** One line each, for a person: `4711  "work"  "/srv/work"  since 2026-11-26T04:39:00.000Z`. */
export function listOfShares(shares: readonly RunningShare[]): string {
  return shares
    .map(
      ({ pid, tag, directory, started }) => `${pid}  ${quote(tag)}  ${quote(directory)}  since ${started.slice(0, 40)}`,
    )
    .join('\n');
}
