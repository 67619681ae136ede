/**
 * A POSIX process on top of our FUSE client: what the kernel of a guest would make of each system call, with
 * cache=never. Where Linux answers without asking the server (EISDIR, EACCES, ELOOP, ...), so does this; everything
 * else is the server's answer.
 */
import { SetattrFlag } from '../../src/protocol/fuse/flags';
import { type Found, isFolder, isLink, permits, refuse } from './fuseMount';
import { FuseProcess } from './fuseProcess';
import { type FileSystemFigures, type Posix, S, type Stat, type Time } from './posix';

export class FusePosix extends FuseProcess implements Posix {
  stat(path: string): Promise<Stat> {
    return this.run(() => this.calls.getattr(this.find(path).nodeid));
  }

  lstat(path: string): Promise<Stat> {
    return this.run(() => this.calls.getattr(this.find(path, false).nodeid));
  }

  fstat(fd: number): Promise<Stat> {
    return this.run(() => {
      const { nodeid, fh, folder } = this.file(fd);
      return folder ? this.calls.getattr(nodeid) : this.calls.getattr(nodeid, fh);
    });
  }

  access(path: string, mask: number): Promise<void> {
    return this.run(() => {
      const { nodeid, attributes } = this.find(path);
      if (mask !== 0 && !permits(attributes, this.who, mask)) refuse('EACCES', path);
      if (this.privileged && (mask & 1) !== 0 && !isFolder(attributes) && (attributes.mode & 0o111) === 0) {
        refuse('EACCES', path);
      }
      this.tolerant(() => this.calls.access(nodeid, mask));
    });
  }

  private change(found: Found, mode: number, fh?: bigint): void {
    const { uid, gid } = found.attributes;
    if (!this.privileged && uid !== this.who.uid) refuse('EPERM', 'chmod');
    const member = gid === this.who.gid || this.who.groups.includes(gid);
    const kept = this.privileged || member ? mode : mode & ~0o2000;
    const valid = SetattrFlag.MODE | (fh === undefined ? 0 : SetattrFlag.FH);
    const type = found.attributes.mode & S.IFMT;
    this.calls.setattr(found.nodeid, { valid, mode: type | (kept & 0o7777), ...(fh === undefined ? {} : { fh }) });
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.run(() => this.change(this.find(path), mode));
  }

  fchmod(fd: number, mode: number): Promise<void> {
    return this.run(() => {
      const { nodeid, fh, folder } = this.file(fd);
      this.change({ nodeid, attributes: this.calls.getattr(nodeid) }, mode, folder ? undefined : fh);
    });
  }

  private give({ nodeid, attributes }: Found, uid: number, gid: number): void {
    if (!this.privileged) {
      const own = attributes.uid === this.who.uid;
      const member = gid === -1 || gid === this.who.gid || this.who.groups.includes(gid);
      if (!own || !member || (uid !== -1 && uid !== attributes.uid)) refuse('EPERM', 'chown');
    }
    const valid = (uid === -1 ? 0 : SetattrFlag.UID) | (gid === -1 ? 0 : SetattrFlag.GID);
    this.calls.setattr(nodeid, { valid, uid: uid >>> 0, gid: gid >>> 0 });
  }

  chown(path: string, uid: number, gid: number): Promise<void> {
    return this.run(() => this.give(this.find(path), uid, gid));
  }

  lchown(path: string, uid: number, gid: number): Promise<void> {
    return this.run(() => this.give(this.find(path, false), uid, gid));
  }

  private stamp({ nodeid, attributes }: Found, atime: Time, mtime: Time): void {
    if (atime === 'omit' && mtime === 'omit') return;
    const own = this.privileged || attributes.uid === this.who.uid;
    const bothNow = atime === 'now' && mtime === 'now';
    if (!own && !bothNow) refuse('EPERM', 'utimens');
    if (!own && !permits(attributes, this.who, 2)) refuse('EACCES', 'utimens');
    const parts = (time: bigint): [bigint, number] => {
      const nanoseconds = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
      return [(time - nanoseconds) / 1_000_000_000n, Number(nanoseconds)];
    };
    const [a, an] = typeof atime === 'bigint' ? parts(atime) : [0n, 0];
    const [m, mn] = typeof mtime === 'bigint' ? parts(mtime) : [0n, 0];
    const valid =
      (atime === 'omit' ? 0 : SetattrFlag.ATIME | (atime === 'now' ? SetattrFlag.ATIME_NOW : 0)) |
      (mtime === 'omit' ? 0 : SetattrFlag.MTIME | (mtime === 'now' ? SetattrFlag.MTIME_NOW : 0));
    this.calls.setattr(nodeid, { valid, atime: a, atimensec: an, mtime: m, mtimensec: mn });
  }

  utimens(path: string, atime: Time, mtime: Time, follow = true): Promise<void> {
    return this.run(() => this.stamp(this.find(path, follow), atime, mtime));
  }

  futimens(fd: number, atime: Time, mtime: Time): Promise<void> {
    return this.run(() => {
      const { nodeid } = this.file(fd);
      this.stamp({ nodeid, attributes: this.calls.getattr(nodeid) }, atime, mtime);
    });
  }

  mkdir(path: string, mode = 0o777): Promise<void> {
    return this.run(() => {
      const { parent, name } = this.place(path, true);
      this.mount.took(this.calls.mkdir(parent, name, mode).nodeid);
    });
  }

  mknod(path: string, mode: number, device = 0): Promise<void> {
    return this.run(() => {
      const { parent, name } = this.place(path);
      this.mount.took(this.calls.mknod(parent, name, mode, device).nodeid);
    });
  }

  symlink(target: string, path: string): Promise<void> {
    return this.run(() => {
      const { parent, name } = this.place(path);
      if (target === '') refuse('ENOENT', 'symlink');
      this.mount.took(this.calls.symlink(parent, name, target).nodeid);
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.run(() => {
      const old = this.find(from, false);
      const { parent, name } = this.place(to);
      if (isFolder(old.attributes)) refuse('EPERM', 'link');
      this.mount.took(this.calls.link(old.nodeid, parent, name).nodeid);
    });
  }

  readlink(path: string): Promise<string> {
    return this.run(() => {
      const { nodeid, attributes } = this.find(path, false);
      if (!isLink(attributes)) refuse('EINVAL', 'readlink');
      return this.calls.readlink(nodeid);
    });
  }

  unlink(path: string): Promise<void> {
    return this.run(() => {
      const walked = this.walk(path, false);
      const found = walked.found ?? refuse('ENOENT', path);
      const parent = this.parentOf(walked, found);
      if (isFolder(found.attributes)) refuse('EISDIR', path);
      this.calls.unlink(parent, walked.name);
    });
  }

  rmdir(path: string): Promise<void> {
    return this.run(() => {
      const walked = this.walk(path, false);
      const found = walked.found ?? refuse('ENOENT', path);
      const parent = this.parentOf(walked, found);
      if (!isFolder(found.attributes)) refuse('ENOTDIR', path);
      this.calls.rmdir(parent, walked.name);
    });
  }

  rename(from: string, to: string, flags = 0): Promise<void> {
    return this.run(() => {
      const old = this.walk(from, false);
      const found = old.found ?? refuse('ENOENT', from);
      const target = this.walk(to, false);
      if ((flags & 1) !== 0 && target.found) refuse('EEXIST', to);
      if ((flags & 2) !== 0 && !target.found) refuse('ENOENT', to);
      const oldParent = this.parentOf(old, found);
      const newParent = this.parentOf(target, target.found);
      if (target.folders.includes(found.nodeid)) refuse('EINVAL', to);
      if (target.found && (flags & 2) === 0) {
        if (target.found.nodeid === found.nodeid) return;
        if (isFolder(found.attributes) && !isFolder(target.found.attributes)) refuse('ENOTDIR', to);
        if (!isFolder(found.attributes) && isFolder(target.found.attributes)) refuse('EISDIR', to);
      }
      this.supported(() => this.calls.rename(oldParent, old.name, newParent, target.name, flags), 'EINVAL');
    });
  }

  getxattr(path: string, name: string, size = 4096): Promise<Buffer> {
    return this.run(() => {
      const body = this.supported(() => this.calls.getxattr(this.find(path, false).nodeid, name, size));
      return Buffer.from(body);
    });
  }

  listxattr(path: string): Promise<string[]> {
    return this.run(() => this.supported(() => this.calls.listxattr(this.find(path, false).nodeid)));
  }

  setxattr(path: string, name: string, value: Uint8Array, flags = 0): Promise<void> {
    return this.run(() => {
      const { nodeid, attributes } = this.find(path, false);
      if (name.startsWith('user.') && !isFolder(attributes) && (attributes.mode & S.IFMT) !== S.IFREG) {
        refuse('EPERM', 'setxattr');
      }
      this.supported(() => this.calls.setxattr(nodeid, name, value, flags));
    });
  }

  removexattr(path: string, name: string): Promise<void> {
    return this.run(() => this.supported(() => this.calls.removexattr(this.find(path, false).nodeid, name)));
  }

  statfs(path: string): Promise<FileSystemFigures> {
    return this.run(() => {
      const f = this.calls.statfs(this.find(path).nodeid);
      return {
        bsize: f.number('bsize'),
        blocks: f.number('blocks'),
        bfree: f.number('bfree'),
        files: f.number('files'),
        namelen: f.number('namelen'),
      };
    });
  }

  ioctl(fd: number, command: number, argument: number): Promise<number> {
    return this.run(() => {
      const { nodeid, fh } = this.file(fd);
      const size = (command >>> 16) & 0x3fff;
      const input = Buffer.alloc((command & 0x4000_0000) !== 0 ? size : 0);
      if (input.length >= 4) input.writeInt32LE(argument);
      const out = this.supported(
        () => this.calls.ioctl(nodeid, fh, command, input, (command & 0x8000_0000) !== 0 ? size : 0),
        'ENOTTY',
      );
      return out.length >= 4 ? Buffer.from(out).readInt32LE(0) : argument;
    });
  }

  async umask(mask: number): Promise<number> {
    const old = this.mask;
    this.mask = mask & 0o777;
    return old;
  }

  async become(uid: number, gid: number, groups: readonly number[] = []): Promise<void> {
    this.who = { uid, gid, groups };
  }

  async fork(): Promise<Posix> {
    return new FusePosix(this.mount, this.folders);
  }
}
