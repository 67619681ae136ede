/**
 * What a conformance case is: a name, what it needs, and a function that works in a fresh empty folder and throws when
 * something is not as POSIX and Linux have it.
 */
import assert from 'node:assert/strict';
import { O, type Posix } from './posix';

/** What not every place can give: the case is left out there, by name. */
export type Feature =
  /** The shared folder can be looked at from the host's side. */
  | 'host'
  /** fcntl locks reach the server, or the kernel keeps them. */
  | 'posixLocks'
  | 'flock'
  | 'xattr'
  /** trusted.* attributes. */
  | 'trustedXattr'
  | 'tmpfile'
  | 'exchange'
  /** RENAME_WHITEOUT. */
  | 'whiteout'
  /** FS_IOC_GETFLAGS on the file system below. */
  | 'fileFlags'
  | 'seekData'
  | 'copyRange'
  /** Shared writable mappings. */
  | 'mmap'
  /** Shared mappings of a share whose guest caches nothing: refused. */
  | 'mmapRefused';

export interface Context {
  /** Root, umask 022, in a folder of its own. */
  readonly fs: Posix;
  /** Another process in that folder. */
  fork(): Promise<Posix>;
  /** The folder on the host. Only with `host`. */
  readonly hostFolder: string;
}

export interface Case {
  readonly name: string;
  readonly needs: readonly Feature[];
  run(context: Context): Promise<void>;
}

export const test = (name: string, run: Case['run'], ...needs: readonly Feature[]): Case => ({ name, needs, run });

/** The call fails with this errno. */
export async function fails(code: string, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    const got = error instanceof Error && 'code' in error ? error.code : undefined;
    assert.equal(got, code, `${code} expected, got ${String(error)}`);
    return true;
  });
}

/** Makes a file with this content. */
export async function put(fs: Posix, path: string, content: string | Uint8Array = '', mode = 0o644): Promise<void> {
  const fd = await fs.open(path, O.CREAT | O.WRONLY | O.TRUNC, mode);
  const data = Buffer.from(content);
  if (data.length > 0) assert.equal(await fs.pwrite(fd, data, 0), data.length);
  await fs.close(fd);
}

/** The whole content of a file, as text. */
export async function get(fs: Posix, path: string): Promise<string> {
  const fd = await fs.open(path, O.RDONLY);
  const parts: Buffer[] = [];
  for (;;) {
    const part = await fs.read(fd, 65536);
    if (part.length === 0) break;
    parts.push(part);
  }
  await fs.close(fd);
  return Buffer.concat(parts).toString();
}

/** Names in a folder, sorted, without "." and "..". */
export async function list(fs: Posix, path: string): Promise<string[]> {
  const fd = await fs.open(path, O.RDONLY | O.DIRECTORY);
  const names: string[] = [];
  for (;;) {
    const entries = await fs.getdents(fd, 4096);
    if (entries.length === 0) break;
    names.push(...entries.map((entry) => entry.name));
  }
  await fs.close(fd);
  return names.filter((name) => name !== '.' && name !== '..').sort();
}

/** Opens, does something, closes. */
export async function opened<T>(fs: Posix, path: string, flags: number, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = await fs.open(path, flags, 0o644);
  try {
    return await work(fd);
  } finally {
    await fs.close(fd);
  }
}

export const permissions = (mode: number): number => mode & 0o7777;
