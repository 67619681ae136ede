/**
 * A guest's traffic, as long as wanted and different with each seed: names come, move and go while requests are open.
 */
import { CaptureBuilder, type ExchangeOptions, type Sent } from '../captureBuilder';

const ROOT = 1;

/** What there is in the share, and what the guest knows of it. */
class Tree {
  /** By folder and name. */
  readonly entries = new Map<string, { readonly folder: number; readonly name: string; readonly nodeid: number }>();
  readonly folders = new Set([ROOT]);
  /** Lookup counts. */
  readonly known = new Map([[ROOT, 1]]);

  add(folder: number, name: string, nodeid: number): void {
    this.entries.set(`${folder}/${name}`, { folder, name, nodeid });
  }

  names(nodeid: number): number {
    return [...this.entries.values()].filter((entry) => entry.nodeid === nodeid).length;
  }

  isEmpty(folder: number): boolean {
    return [...this.entries.values()].every((entry) => entry.folder !== folder);
  }
}

/** A daemon's stream of `steps` steps of such a guest; what is in flight at the end stays so. */
export function guestAtWork(seed: number, steps: number, { losses = true, sections = true } = {}): CaptureBuilder {
  let state = seed >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
  const oneOf = <T>(all: Iterable<T>): T => {
    const list = [...all];
    return list[random(list.length)];
  };
  const builder = new CaptureBuilder({ tag: 'work', directory: '/srv/work', queues: 3 });
  let tree = new Tree();
  let pending: Sent[] = [];
  /** Nodeids of files that are there and are not known. */
  let forgotten: number[] = [];
  let next = 2;

  const begin = (): void => {
    tree = new Tree();
    pending = [];
    forgotten = [];
    builder.vhostUser(1, { payload: new Uint8Array(8) }).init({ flags: ['DO_READDIRPLUS'] });
    builder.names([
      { nodeid: next, parent: ROOT, name: 'before/it', lookups: 3 },
      { nodeid: next + 1, parent: next, name: 'began' },
    ]);
    tree.folders.add(next);
    tree.known.set(next, 3).set(next + 1, 1);
    tree.add(ROOT, 'before/it', next);
    tree.add(next, 'began', next + 1);
    next += 2;
  };
  const entry = (nodeid: number) => {
    tree.known.set(nodeid, (tree.known.get(nodeid) ?? 0) + 1);
    const isFolder = tree.folders.has(nodeid);
    return { nodeid, attr: { mode: isFolder ? 0o40755 : 0o100644, nlink: isFolder ? 2 : tree.names(nodeid) } };
  };
  /** One that is known and there: a kernel makes nothing in what is deleted. */
  const folder = (): number =>
    oneOf([...tree.folders].filter((each) => tree.known.has(each) && (each === ROOT || tree.names(each) > 0)));

  /** One step; false where this guest cannot do that now. */
  function step(what: number, number: number): boolean {
    const name = ['a', 'b', 'c.txt', 'ö'][random(4)];
    const there = tree.entries.size === 0 ? undefined : oneOf(tree.entries.values());
    const about: ExchangeOptions = {
      pid: random(5),
      queue: 1 + random(2),
      queued: random(3000),
      latency: 1000 + random(90_000),
    };
    const node = oneOf(tree.known.keys());
    switch (what) {
      case 0:
      case 1: {
        const into = folder();
        const found = tree.entries.get(`${into}/${name}`);
        const options = { ...about, nodeid: into, names: [name] };
        builder.exchange('LOOKUP', found ? { ...options, out: entry(found.nodeid) } : { ...options, error: 'ENOENT' });
        return true;
      }
      case 2:
      case 3:
      case 4: {
        const into = folder();
        if (tree.entries.has(`${into}/${name}`)) return false;
        const nodeid = next++;
        if (what === 2) tree.folders.add(nodeid);
        tree.add(into, name, nodeid);
        const options = { ...about, nodeid: into, names: [name] };
        if (what === 2) builder.exchange('MKDIR', { ...options, out: entry(nodeid) });
        else builder.exchange('CREATE', { ...options, out: [entry(nodeid), { fh: random(8) }] });
        return true;
      }
      case 5: {
        const into = folder();
        if (tree.folders.has(node) || tree.entries.has(`${into}/${name}`) || tree.names(node) === 0) return false;
        tree.add(into, name, node);
        builder.exchange('LINK', { ...about, nodeid: into, names: [name], in: { oldnodeid: node }, out: entry(node) });
        return true;
      }
      case 6:
      case 7: {
        const into = folder();
        if (!there || !tree.known.has(there.folder) || there.name.includes('/')) return false;
        // A folder never goes into one that is younger, so never into itself.
        if (tree.folders.has(there.nodeid) && into >= there.nodeid) return false;
        const target = tree.entries.get(`${into}/${name}`);
        if (target && (target.nodeid === there.nodeid || tree.folders.has(target.nodeid))) return false;
        if (target && tree.folders.has(there.nodeid)) return false;
        tree.entries.delete(`${there.folder}/${there.name}`);
        tree.add(into, name, there.nodeid);
        const options = { names: [there.name, name], in: { newdir: into } };
        builder.exchange('RENAME', { ...about, nodeid: there.folder, ...options });
        return true;
      }
      case 8: {
        if (!there || !tree.known.has(there.folder) || there.name.includes('/')) return false;
        const isFolder = tree.folders.has(there.nodeid);
        if (isFolder && !tree.isEmpty(there.nodeid)) return false;
        tree.entries.delete(`${there.folder}/${there.name}`);
        builder.exchange(isFolder ? 'RMDIR' : 'UNLINK', { ...about, nodeid: there.folder, names: [there.name] });
        return true;
      }
      case 9:
        if (node === ROOT || tree.folders.has(node)) return false;
        builder.exchange('FORGET', { nodeid: node, in: { nlookup: tree.known.get(node) ?? 0 } });
        tree.known.delete(node);
        forgotten.push(node);
        return true;
      case 10:
        builder.exchange('OPEN', { ...about, nodeid: node, out: { fh: random(8) } });
        return true;
      case 11:
        builder.exchange('RELEASE', { ...about, nodeid: node, in: { fh: random(8) } });
        return true;
      case 12: {
        const options = { in: { fh: random(8), size: 900 }, outPayload: 900, later: true };
        builder.exchange('READ', { ...about, nodeid: node, ...options });
        return true;
      }
      case 13: {
        const options = { in: { fh: random(8) }, payload: 400, held: 7000, changed: true };
        builder.exchange('WRITE', { ...about, nodeid: node, ...options });
        return true;
      }
      case 14:
        builder.exchange('GETXATTR', { ...about, nodeid: node, names: ['user.x'], error: 'ENODATA' });
        return true;
      case 15:
        pending.push(builder.request('GETATTR', { ...about, nodeid: node }));
        return true;
      case 16: {
        const [one] = pending.splice(random(pending.length), 1) as (Sent | undefined)[];
        if (!one) return false;
        builder.hostCall('statx', { of: one, arguments: [number] });
        if (random(4) === 0) builder.replyDropped(one, { calls: 1 });
        else builder.reply(one, { calls: 1 });
        return true;
      }
      case 17: {
        if (!losses || random(10) > 0) return false;
        builder.lost(1 + random(9));
        // Looked up again meanwhile: nobody has seen by which name.
        const back = forgotten.pop();
        if (back !== undefined && !tree.known.has(back)) tree.known.set(back, 1);
        return true;
      }
      case 18:
        if (random(10) > 0) return false;
        builder.window(1, { nodeid: node, path: 'x', text: 'too small' });
        return true;
      case 19:
        if (!sections || random(40) > 0) return false;
        builder.section();
        begin();
        return true;
      default: {
        const hostCalls = [{ call: 'statx', arguments: [number], texts: ['t'] }];
        builder.exchange('GETATTR', { ...about, nodeid: node, hostCalls });
        return true;
      }
    }
  }

  begin();
  for (let number = 0; number < steps; number++) while (!step(random(24), number));
  return builder;
}
