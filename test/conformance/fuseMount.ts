/**
 * What a kernel keeps per mount: the session, names to inodes, lookup counts given back, permission checks.
 *
 * The part of Linux's work above a FUSE server that decides results (fs/namei.c, generic_permission), as far as the
 * conformance cases need it. Caches nothing: each walk asks the server anew.
 */
import type { Attributes, FuseCalls } from '../driver/fuseCalls';
import { FuseError } from '../driver/fuseCalls';
import { PosixError, S } from './posix';

export const ROOT_ID = 1n;
const MAX_LINKS = 40;

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Where a path leads: the folders on the way (the last one holds the name), the name, and what is there. */
export interface Walked {
  readonly folders: readonly bigint[];
  readonly name: string;
  readonly found: Found | undefined;
  readonly trailingSlash: boolean;
}

export interface Found {
  readonly nodeid: bigint;
  readonly attributes: Attributes;
}

export const isFolder = (a: Attributes): boolean => (a.mode & S.IFMT) === S.IFDIR;
export const isLink = (a: Attributes): boolean => (a.mode & S.IFMT) === S.IFLNK;

export function refuse(code: string, call: string): never {
  throw new PosixError(code, call);
}

/** Read 4, write 2, execute 1, as a user that is not root is checked. */
export function permits(a: Attributes, who: Credentials, mask: number): boolean {
  if (who.uid === 0) return true;
  const shift = a.uid === who.uid ? 6 : a.gid === who.gid || who.groups.includes(a.gid) ? 3 : 0;
  return ((a.mode >> shift) & mask) === mask;
}

export class FuseMount {
  /** Lookups of the operation that runs, not yet given back. */
  private taken: bigint[] = [];

  constructor(readonly calls: FuseCalls) {}

  /** Runs one operation as somebody; what it looked up is forgotten afterwards, except what it kept. */
  as<T>(who: Credentials, pid: number, umask: number, operation: () => T): T {
    const { client } = this.calls;
    client.uid = who.uid;
    client.gid = who.gid;
    client.pid = pid;
    this.calls.umask = umask;
    this.calls.group = who.groups[0] ?? -1;
    try {
      return operation();
    } finally {
      const all = this.taken;
      this.taken = [];
      for (const nodeid of all) this.calls.forget(nodeid);
    }
  }

  /** A reply has counted one lookup of this inode. */
  took(nodeid: bigint): void {
    this.taken.push(nodeid);
  }

  /** This operation's lookup of the inode stays, until `drop`. False when it made none (the root, a working folder). */
  keep(nodeid: bigint): boolean {
    const index = this.taken.lastIndexOf(nodeid);
    if (index >= 0) this.taken.splice(index, 1);
    return index >= 0;
  }

  drop(nodeid: bigint): void {
    this.calls.forget(nodeid);
  }

  lookup(parent: bigint, name: string): Found | undefined {
    try {
      const { nodeid, attributes } = this.calls.lookup(parent, name);
      this.took(nodeid);
      return { nodeid, attributes };
    } catch (error) {
      if (error instanceof FuseError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Resolves a path from a folder (given with those above it). The last component may be missing. */
  walk(from: readonly bigint[], path: string, who: Credentials, follow: boolean, links = 0): Walked {
    if (path === '') refuse('ENOENT', 'walk');
    let folders = path.startsWith('/') ? [ROOT_ID] : [...from];
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const trailingSlash = path.endsWith('/');
    if (parts.length === 0 || parts.at(-1) === '..') {
      for (const part of parts) folders = part === '..' ? this.up(folders) : this.enter(folders, part, who, links);
      const nodeid = folders[folders.length - 1];
      return { folders, name: '.', found: { nodeid, attributes: this.calls.getattr(nodeid) }, trailingSlash };
    }
    for (const part of parts.slice(0, -1)) {
      folders = part === '..' ? this.up(folders) : this.enter(folders, part, who, links);
    }
    const name = parts[parts.length - 1];
    const found = this.search(folders, name, who);
    if (found && isLink(found.attributes) && (follow || trailingSlash)) {
      if (links >= MAX_LINKS) refuse('ELOOP', 'walk');
      const target = this.calls.readlink(found.nodeid);
      return this.walk(folders, trailingSlash ? `${target}/` : target, who, true, links + 1);
    }
    if (found && trailingSlash && !isFolder(found.attributes)) refuse('ENOTDIR', 'walk');
    return { folders, name, found, trailingSlash };
  }

  private up(folders: readonly bigint[]): bigint[] {
    return folders.length > 1 ? folders.slice(0, -1) : [...folders];
  }

  private search(folders: readonly bigint[], name: string, who: Credentials): Found | undefined {
    const parent = folders[folders.length - 1];
    if (who.uid !== 0 && !permits(this.calls.getattr(parent), who, 1)) refuse('EACCES', 'walk');
    return this.lookup(parent, name);
  }

  private enter(folders: readonly bigint[], name: string, who: Credentials, links: number): bigint[] {
    const found = this.search(folders, name, who) ?? refuse('ENOENT', 'walk');
    if (isLink(found.attributes)) {
      if (links >= MAX_LINKS) refuse('ELOOP', 'walk');
      const walked = this.walk(folders, this.calls.readlink(found.nodeid), who, true, links + 1);
      const target = walked.found ?? refuse('ENOENT', 'walk');
      if (!isFolder(target.attributes)) refuse('ENOTDIR', 'walk');
      return walked.name === '.' ? [...walked.folders] : [...walked.folders, target.nodeid];
    }
    if (!isFolder(found.attributes)) refuse('ENOTDIR', 'walk');
    return [...folders, found.nodeid];
  }
}
