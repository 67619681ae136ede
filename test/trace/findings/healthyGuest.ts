/**
 * The traffic of a guest that is well: a boot, `ls -lR`, `cp -r` and a build over one share, with a host that changes
 * nothing and serves everything. What a Linux guest with --cache=auto sends, from a small model of its files.
 */
import { FileType, OpenFlag, SetattrFlag } from '../../../src/protocol/fuse/flags';
import { CaptureBuilder, type ExchangeOptions } from '../captureBuilder';
import { attrOut, entryOut, type FileFacts, SECOND, usualFlags } from './scene';

const READAHEAD = 128 << 10;
const ROOT = 1;

interface File {
  readonly nodeid: number;
  readonly folder: boolean;
  size: number;
  mtime: number;
  ctime: number;
  readonly children: Map<string, File>;
  /** Until when the guest believes what it knows of it. */
  until: number;
}

/** Numbers that look like chance and are the same each time. */
function chance(): () => number {
  let state = 12345;
  return () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff) / 0x8000_0000;
}

export class HealthyGuest {
  readonly built = new CaptureBuilder({ queues: 3 });
  private readonly random = chance();
  private nextNode = ROOT;
  private readonly root = this.make(true);
  private clock = 0;
  private nextHandle = 1;
  pid = 1;

  constructor() {
    this.built.init({ flags: usualFlags });
  }

  private make(folder: boolean, size = 0): File {
    const nodeid = this.nextNode++;
    return { nodeid, folder, size, mtime: -SECOND, ctime: -SECOND, children: new Map(), until: -1 };
  }

  /** A file or folder that is on the host already. */
  host(path: string, size = -1): void {
    const parts = path.split('/');
    let at = this.root;
    for (const [i, part] of parts.entries()) {
      const folder = i < parts.length - 1 || size < 0;
      let next = at.children.get(part);
      if (!next) at.children.set(part, (next = this.make(folder, Math.max(size, 0))));
      at = next;
    }
  }

  private facts(of: File): FileFacts {
    const mode = of.folder ? FileType.DIR | 0o755 : FileType.REG | 0o644;
    return { nodeid: of.nodeid, size: of.size, mtime: of.mtime, ctime: of.ctime, mode };
  }

  private send(opcode: Parameters<CaptureBuilder['exchange']>[0], options: ExchangeOptions): void {
    this.clock += 30_000 + Math.floor(this.random() * 200_000);
    const cold = this.random() < 0.002;
    const latency = Math.floor(8_000 + this.random() * 60_000) + (cold ? 20_000_000 : 0);
    const queued = Math.floor(this.random() * (this.random() < 0.005 ? 3_000_000 : 40_000));
    const queue = 1 + Math.floor(this.random() * 2);
    const host = Math.floor(latency * 0.7);
    this.built.exchange(opcode, { at: this.clock, queue, pid: this.pid, latency, queued, host, ...options });
    this.clock += Math.floor(this.random() * latency);
  }

  /** Walks to a path as the kernel does: names that are known and still valid cost nothing. */
  private walk(path: string): File | undefined {
    let at = this.root;
    for (const name of path === '' ? [] : path.split('/')) {
      const next = at.children.get(name);
      if (!next) {
        this.send('LOOKUP', { nodeid: at.nodeid, names: [name], error: 'ENOENT' });
        return undefined;
      }
      if (this.clock > next.until) {
        this.send('LOOKUP', { nodeid: at.nodeid, names: [name], out: entryOut(this.facts(next)) });
        next.until = this.clock + SECOND;
      }
      at = next;
    }
    return at;
  }

  private touch(file: File): void {
    file.mtime = file.ctime = this.clock;
  }

  /** ls -l of a folder, and of all below it. */
  list(path: string): void {
    const folder = this.walk(path);
    if (!folder) return;
    const fh = this.nextHandle++;
    this.send('OPENDIR', { nodeid: folder.nodeid, out: { fh } });
    const entries = [...folder.children].map(([name, each]) => ({ name, out: entryOut(this.facts(each)) }));
    this.send('READDIRPLUS', { nodeid: folder.nodeid, in: { fh, size: 4096 }, entries });
    this.send('READDIRPLUS', { nodeid: folder.nodeid, in: { fh, offset: entries.length, size: 4096 } });
    this.send('RELEASEDIR', { nodeid: folder.nodeid, in: { fh } });
    for (const each of folder.children.values()) {
      each.until = this.clock + SECOND;
      this.send('GETXATTR', { nodeid: each.nodeid, in: { size: 255 }, names: ['security.selinux'], error: 'ENODATA' });
    }
    for (const [name, each] of folder.children) if (each.folder) this.list(path === '' ? name : `${path}/${name}`);
  }

  read(path: string): void {
    const file = this.walk(path);
    if (!file) return;
    const fh = this.nextHandle++;
    this.send('OPEN', { nodeid: file.nodeid, in: { flags: OpenFlag.RDONLY }, out: { fh } });
    for (let offset = 0; offset < file.size; offset += READAHEAD) {
      const size = Math.min(READAHEAD, Math.ceil((file.size - offset) / 4096) * 4096);
      this.send('READ', { nodeid: file.nodeid, in: { fh, offset, size }, outPayload: Math.min(64, file.size) });
    }
    this.close(file, fh);
  }

  write(path: string, size: number, piece: number): void {
    const slash = path.lastIndexOf('/');
    const folder = this.walk(path.slice(0, Math.max(slash, 0)));
    if (!folder) return;
    const name = path.slice(slash + 1);
    const fh = this.nextHandle++;
    const flags = OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.TRUNC;
    let file = folder.children.get(name);
    if (file) {
      this.walk(path);
      this.send('OPEN', { nodeid: file.nodeid, in: { flags }, out: { fh } });
      file.size = 0;
      this.touch(file);
    } else {
      this.send('LOOKUP', { nodeid: folder.nodeid, names: [name], error: 'ENOENT' });
      folder.children.set(name, (file = this.make(false)));
      this.touch(file);
      this.touch(folder);
      const out = [entryOut(this.facts(file)), { fh }];
      this.send('CREATE', { nodeid: folder.nodeid, names: [name], in: { flags, mode: 0o100644 }, out });
      file.until = this.clock + SECOND;
    }
    for (let offset = 0; offset < size; offset += piece) {
      const count = Math.min(piece, size - offset);
      const written = { fh, offset, size: count };
      // The host stamps it while it writes.
      file.size = offset + count;
      file.mtime = file.ctime = this.clock + 240_000;
      this.send('WRITE', { nodeid: file.nodeid, in: written, payload: Math.min(64, count), out: { size: count } });
      this.clock = Math.max(this.clock, file.mtime);
    }
    this.close(file, fh);
    this.send('GETATTR', { nodeid: file.nodeid, out: attrOut(this.facts(file)) });
  }

  chmod(path: string): void {
    const file = this.walk(path);
    if (!file) return;
    file.ctime = this.clock;
    this.send('SETATTR', { nodeid: file.nodeid, in: { valid: SetattrFlag.MODE }, out: attrOut(this.facts(file)) });
  }

  rename(from: string, to: string): void {
    const slash = from.lastIndexOf('/');
    const folder = this.walk(from.slice(0, Math.max(slash, 0)));
    const file = this.walk(from);
    if (!folder || !file) return;
    const names = [from.slice(slash + 1), to] as const;
    this.send('RENAME2', { nodeid: folder.nodeid, in: { newdir: folder.nodeid }, names });
    folder.children.delete(names[0]);
    folder.children.set(to, file);
    this.touch(folder);
    file.ctime = this.clock;
  }

  unlink(path: string): void {
    const slash = path.lastIndexOf('/');
    const folder = this.walk(path.slice(0, Math.max(slash, 0)));
    const file = this.walk(path);
    if (!folder || !file) return;
    this.send('UNLINK', { nodeid: folder.nodeid, names: [path.slice(slash + 1)] });
    folder.children.delete(path.slice(slash + 1));
    this.touch(folder);
    this.send('FORGET', { nodeid: file.nodeid, queue: 0, in: { nlookup: 1 } });
  }

  /** Not the guest: somebody on the host appends to a file that the guest has looked up. */
  hostAppends(path: string): void {
    let at: File | undefined = this.root;
    for (const name of path.split('/')) at = at?.children.get(name);
    if (!at) return;
    at.size += 100;
    this.touch(at);
  }

  sleep(nanoseconds: number): void {
    this.clock += nanoseconds;
  }

  private close(file: File, fh: number): void {
    this.send('FLUSH', { nodeid: file.nodeid, in: { fh, lock_owner: 4711 } });
    this.send('RELEASE', { nodeid: file.nodeid, in: { fh } });
  }

  fsync(path: string): void {
    const file = this.walk(path);
    if (file) this.send('FSYNC', { nodeid: file.nodeid, latency: 180_000_000 });
  }
}

/** Boot, ls -lR, cp -r, a build, and all of it once more. `meanwhile`: right after the first listing. */
export function healthyTraffic(meanwhile?: (guest: HealthyGuest) => void): CaptureBuilder {
  const guest = new HealthyGuest();
  const sources = Array.from({ length: 60 }, (_, i) => `src/mod${i % 6}/file${i}.c`);
  const headers = Array.from({ length: 40 }, (_, i) => `include/h${i}.h`);
  for (const path of [...sources, ...headers]) guest.host(path, 9000);
  for (let i = 0; i < 20; i++) guest.host(`bin/tool${i}`, 900 << 10);
  guest.host('build');
  guest.host('copy');
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20; i++) guest.read(`bin/tool${i}`);
    guest.list('');
    if (round === 0) meanwhile?.(guest);
    for (const [i, path] of sources.entries()) {
      guest.pid = 200 + i;
      guest.read(path);
      guest.write(`copy/file${i}.c`, 9000, READAHEAD);
    }
    for (const [i, path] of sources.entries()) {
      guest.pid = 1000 + round * 100 + i;
      guest.read('bin/tool0');
      guest.read(path);
      for (let h = 0; h < 12; h++) {
        // The compiler looks into the source's own folder first.
        guest.read(`src/mod${i % 6}/h${(i + h) % 40}.h`);
        guest.read(`include/h${(i + h) % 40}.h`);
      }
      guest.write(`build/file${i}.o.tmp`, 60 << 10, 4096);
      guest.chmod(`build/file${i}.o.tmp`);
      guest.rename(`build/file${i}.o.tmp`, `file${i}.o`);
    }
    guest.write('build/program', 3 << 20, 1 << 20);
    guest.fsync('build/program');
    guest.sleep(3 * SECOND);
    guest.list('build');
    for (let i = 0; i < 30; i++) guest.unlink(`copy/file${i}.c`);
  }
  return guest.built;
}
