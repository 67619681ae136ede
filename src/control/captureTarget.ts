/**
 * Where a capture may be written: a new file, a capture of before, or what is no file at all, such as a FIFO. Any other
 * file is somebody's, and stays as it is. Knows nothing of what is written.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { quote } from '../protocol/text';
import { isPcapng, TELLING_BYTES } from '../trace/pcapngReader';

const OWNER_ONLY = 0o600;

/**
 * Throws the Trouble of a capture that could not be written to `path`; makes nothing. `limited`: it is renamed to
 * `PATH.old` now and then. `shared`: folders that guests may write to.
 */
export function checkCaptureTarget(path: string, limited: boolean, shared: readonly string[]): void {
  refuseWithin(path, shared);
  guarded(path, () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    refuseLink(path, stat);
    if (stat === undefined) {
      // Also asks whether it is a folder.
      accessSync(`${dirname(path)}/`, constants.W_OK | constants.X_OK);
    } else {
      if (stat.isDirectory()) throw trouble('captureUnusable', quote(path), 'it is a folder');
      accessSync(path, constants.W_OK);
      if (stat.isFile()) refuseForeign(path);
    }
  });
  if (limited) checkOlderHalf(path);
}

/** Throws the Trouble of a capture whose `name`, as it was given, is not meant to be that of a file. */
export function checkCaptureName(name: string): void {
  if (name === '-') throw trouble('captureDash');
}

/** In a folder within a shared one: a guest could have it written anywhere by putting a link in that folder's place. */
function refuseWithin(path: string, shared: readonly string[]): void {
  guarded(path, () => {
    for (let at = dirname(resolve(path)); at !== '/'; at = dirname(at)) {
      if (!existsSync(at)) continue;
      const place = realpathSync(at);
      const folder = shared.find((each) => isBelow(place, realpathSync(each)));
      if (folder !== undefined) throw trouble('captureInShare', quote(path), quote(folder));
    }
  });
}

/** Everything but itself is below the root. */
function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === '/' ? folder : `${folder}/`);
}

/** Throws the Trouble that stands in the way of renaming `path` to `PATH.old`. */
export function checkOlderHalf(path: string): void {
  const old = `${path}.old`;
  guarded(old, () => {
    // Not what a link leads to: the name itself is moved, and /dev/null or /dev/stdout would be.
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw trouble('captureUnusable', quote(path), '--capture-limit renames it, which is for regular files');
    }
    const stat = lstatSync(old, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isFile()) throw trouble('captureTaken', quote(old));
    refuseForeign(old);
  });
}

/** Makes the file, or empties the capture that is there; from then on only its owner may read it. Throws a Trouble. */
export function openCaptureTarget(path: string): number {
  return guarded(path, () => {
    const there = statSync(path, { throwIfNoEntry: false });
    refuseLink(path, there);
    // Opening a FIFO waits for who reads it, which it would not if it were opened for reading as well.
    if (there !== undefined && !there.isFile()) return openSync(path, constants.O_WRONLY);
    // Not emptied by opening: it may have become another file since it was looked at.
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, OWNER_ONLY);
    try {
      const stat = fstatSync(fd);
      if (!isFree(fd, stat)) throw trouble('captureTaken', quote(path));
      closeToOthers(fd, stat);
      ftruncateSync(fd);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/** A link to a file, or to none yet: in a shared folder a guest may have made it. Not one to a terminal or a pipe. */
function refuseLink(path: string, target: Stats | undefined): void {
  if (target?.isFile() === false || lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw trouble('captureUnusable', quote(path), 'it is a symbolic link');
}

function refuseForeign(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!isFree(fd, fstatSync(fd))) throw trouble('captureTaken', quote(path));
  } finally {
    closeSync(fd);
  }
}

function isFree(fd: number, { size }: Stats): boolean {
  const start = new Uint8Array(TELLING_BYTES);
  return size === 0 || isPcapng(start.subarray(0, readSync(fd, start, 0, start.length, 0)));
}

function closeToOthers(fd: number, { mode, uid }: Stats): void {
  if ((mode & 0o077) === 0) return;
  try {
    fchmodSync(fd, OWNER_ONLY);
  } catch (error) {
    // A file system without modes says so of files that are our own as well: who mounted it has decided who reads it.
    if (uid !== process.geteuid?.()) throw error;
  }
}

/** What the system says becomes a Trouble; Troubles stay. */
function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('captureUnusable', quote(path), why);
  }
}
