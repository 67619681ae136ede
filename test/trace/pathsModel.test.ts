/** Which path a request is about, held against a file system that anything may happen to. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RenameFlag } from '../../src/protocol/fuse/flags';
import { CaptureBuilder, type FieldValues } from './captureBuilder';
import { file, folder } from './entryFields';

/** A file system in a few lines, and a guest that asks it things as the kernel would. */
interface Inode {
  readonly id: number;
  readonly entries: Map<string, Inode> | undefined;
}

class Reference {
  readonly root: Inode = { id: 1, entries: new Map() };
  readonly builder = new CaptureBuilder().init();
  /** Names that the guest has seen: nodeid of the folder, and name. */
  readonly seen = new Set<string>();
  /** Lookup counts of what the guest knows. */
  readonly known = new Map<Inode, number>([[this.root, 1]]);
  private next = 2;

  fresh(isFolder: boolean): Inode {
    return { id: this.next++, entries: isFolder ? new Map() : undefined };
  }

  /** The paths of an inode, all or those that the guest has seen. */
  pathsOf(inode: Inode, all = false): string[] {
    const found: string[] = [];
    const walk = (at: Inode, path: string): void => {
      for (const [name, child] of at.entries ?? []) {
        if (child === inode && (all || this.seen.has(`${at.id}/${name}`))) found.push(`${path}/${name}`);
        walk(child, `${path}/${name}`);
      }
    };
    walk(this.root, '');
    return inode === this.root ? ['/'] : found;
  }

  /** What a reply says of an inode found in a folder by its name. */
  entry(dir: Inode, name: string, inode: Inode): FieldValues {
    this.known.set(inode, (this.known.get(inode) ?? 0) + 1);
    this.seen.add(`${dir.id}/${name}`);
    return inode.entries ? folder(inode.id) : file(inode.id, this.pathsOf(inode, true).length);
  }

  /** A name goes from one place to another; the guest knows it there if it knew it here. */
  move(from: Inode, name: string, to: Inode, second: string, swap: boolean): void {
    const here = `${from.id}/${name}`;
    const there = `${to.id}/${second}`;
    const [sawHere, sawThere] = [this.seen.delete(here), this.seen.delete(there)];
    if (sawHere) this.seen.add(there);
    if (swap && sawThere) this.seen.add(here);
  }

  forget(inode: Inode): void {
    this.known.delete(inode);
    const walk = (at: Inode): void => {
      for (const [name, child] of at.entries ?? []) {
        if (child === inode) this.seen.delete(`${at.id}/${name}`);
        walk(child);
      }
    };
    walk(this.root);
  }

  folders(): Inode[] {
    return [...this.known.keys()].filter((each) => each.entries && this.pathsOf(each).length > 0);
  }
}

interface Step {
  readonly what: string;
  readonly at: number;
  readonly to: number;
  readonly name: string;
  readonly second: string;
}

function isInside(what: Inode, of: Inode): boolean {
  return what === of || [...(of.entries?.values() ?? [])].some((child) => isInside(what, child));
}

function take(fs: Reference, { what, at, to, name, second }: Step): void {
  const { builder } = fs;
  const folders = fs.folders();
  const dir = folders[at % folders.length];
  const other = folders[to % folders.length];
  const entries = dir.entries ?? new Map<string, Inode>();
  const there = entries.get(name);
  const on = { nodeid: dir.id, names: [name] };
  switch (what) {
    case 'lookup':
      if (there) builder.exchange('LOOKUP', { ...on, out: fs.entry(dir, name, there) });
      else builder.exchange('LOOKUP', { ...on, error: 'ENOENT' });
      return;
    case 'create':
    case 'mkdir': {
      if (there) return;
      const made = fs.fresh(what === 'mkdir');
      entries.set(name, made);
      if (what === 'mkdir') builder.exchange('MKDIR', { ...on, out: fs.entry(dir, name, made) });
      else builder.exchange('CREATE', { ...on, out: [fs.entry(dir, name, made), { fh: 1 }] });
      return;
    }
    case 'link': {
      const files = [...fs.known.keys()].filter((each) => !each.entries);
      if (there || files.length === 0) return;
      const linked = files[to % files.length];
      entries.set(name, linked);
      builder.exchange('LINK', { ...on, in: { oldnodeid: linked.id }, out: fs.entry(dir, name, linked) });
      return;
    }
    case 'remove':
      if (!there || (there.entries?.size ?? 0) > 0) return;
      entries.delete(name);
      fs.seen.delete(`${dir.id}/${name}`);
      builder.exchange(there.entries ? 'RMDIR' : 'UNLINK', on);
      return;
    case 'list':
      builder.exchange('READDIRPLUS', {
        nodeid: dir.id,
        in: { size: 4096 },
        entries: [...entries].map(([each, inode]) => ({ name: each, out: fs.entry(dir, each, inode) })),
      });
      return;
    case 'rename':
    case 'exchange': {
      const target = other.entries?.get(second);
      const swap = what === 'exchange';
      if (!there || there === target || isInside(other, there) || (swap && (!target || isInside(dir, target)))) return;
      if (!swap && target && ((target.entries?.size ?? 0) > 0 || !target.entries !== !there.entries)) return;
      entries.delete(name);
      other.entries?.set(second, there);
      if (swap && target) entries.set(name, target);
      fs.move(dir, name, other, second, swap);
      const flags = swap ? RenameFlag.EXCHANGE : 0;
      builder.exchange('RENAME2', { ...on, names: [name, second], in: { newdir: other.id, flags } });
      return;
    }
    case 'forget': {
      // The kernel keeps a folder as long as it knows something in it.
      const free = [...fs.known.keys()].filter(
        (each) => each !== fs.root && ![...(each.entries?.values() ?? [])].some((child) => fs.known.has(child)),
      );
      if (free.length === 0) return;
      const gone = free[at % free.length];
      builder.exchange('FORGET', { nodeid: gone.id, in: { nlookup: fs.known.get(gone) ?? 0 } });
      fs.forget(gone);
    }
  }
}

describe('paths, against a small file system', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom(
      'lookup',
      'create',
      'mkdir',
      'link',
      'remove',
      'list',
      'rename',
      'rename',
      'exchange',
      'forget',
    ),
    at: fc.nat(20),
    to: fc.nat(20),
    name: fc.constantFrom('a', 'b', 'c'),
    second: fc.constantFrom('a', 'b', 'c'),
  });

  it('each known node has one of the paths that the guest has seen after every request, or is marked as deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const fs = new Reference();
        const wanted: { row: number; paths: string[] }[] = [];
        let rows = 1;
        for (const each of steps) {
          const before = fs.builder.last;
          take(fs, each);
          if (fs.builder.last !== before) rows++;
          for (const inode of fs.known.keys()) {
            fs.builder.exchange('GETATTR', { nodeid: inode.id });
            wanted.push({ row: rows++, paths: fs.pathsOf(inode) });
          }
        }
        const capture = fs.builder.capture();
        assert.equal(capture.count, rows);
        for (const { row, paths } of wanted) {
          const path = capture.path(capture.columns.path[row]);
          if (paths.length === 0) assert.match(path, / \(deleted\)$/, `row ${row}`);
          else assert.ok(paths.includes(path), `row ${row}: ${path} of ${paths.join(', ')}`);
        }
        for (const [inode, lookups] of fs.known) {
          if (inode !== fs.root) assert.equal(capture.node(BigInt(inode.id))?.lookups, lookups);
        }
      }),
      { numRuns: 150 },
    );
  });
});
