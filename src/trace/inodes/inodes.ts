/**
 * What the guest knows and holds by now: inodes with what was moved through them and until when the guest may use what
 * it was told, open handles, locks. A reducer over the rows of a capture that grows.
 *
 * Names, parents and lookup counts are the path model's; here is what it does not keep. Each row is taken once, when it
 * is complete. Bounded as findings are; what is beyond is told (`full`), never wrong. Nodes and handles whose numbers
 * are no exact doubles are left out (`nodeNumbers.ts`). Knows nothing of who shows it.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { CreateIn, EntryOut, InHeader, OpenIn, OpenOut, OutHeader, ReleaseIn } from '../../protocol/fuse/structs';
import { type Capture, RowFlag } from '../capture';
import { u32At, u64At } from '../findings/bytes';
import { type ChangeSink, guestChanges } from '../findings/guestChanges';
import { grown, NodeIndex } from '../findings/nodeIndex';
import { Observed, observing } from '../findings/observed';
import { Row } from '../findings/row';
import { MOST_NODES } from '../findings/thresholds';
import type { NodeFacts } from '../pathModel';
import { type Handle, Handles } from './handles';
import { Largest } from './largest';
import { type AskedLock, askedLock, type HeldLock, Locks } from './locks';

/** What a capture says of nodes besides rows. */
export interface NodeSource extends Capture {
  node(nodeid: bigint): NodeFacts | undefined;
  readonly nodesKnown: number;
  forEachNode(visit: (nodeid: number, lookups: number) => void): void;
}

export type InodeOrder = 'recent' | 'bytes' | 'age' | 'lookups' | 'handles';

export interface Inode {
  readonly nodeid: number;
  /** What the path model knows; undefined: the guest has forgotten it. */
  readonly facts: NodeFacts | undefined;
  readonly read: number;
  readonly written: number;
  readonly requests: number;
  readonly handles: number;
  /** Times are nanoseconds after the capture's origin; NaN: it was only listed, or known before the capture. */
  readonly first: number;
  readonly last: number;
  /** Until when the guest may use attributes and name as it knows them. */
  readonly attributesUntil: number;
  readonly nameUntil: number;
  /** As the guest was told last. `looked`: the row that told it, -1: none. */
  readonly looked: number;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  readonly ctime: number;
  /** The last row by which the guest may have changed it itself, -1: none; Infinity: it is mapped, who knows. */
  readonly changed: number;
  /** The handle's FOPEN_KEEP_CACHE: its pages stay good when it is opened again. */
  readonly keepCache: boolean;
}

const names = [
  'read',
  'written',
  'requests',
  'handles',
  'first',
  'last',
  'attributesUntil',
  'nameUntil',
  'looked',
  'mode',
  'size',
  'mtime',
  'ctime',
  'keepCache',
  'changed',
] as const;
type Columns = Record<(typeof names)[number], Float64Array<ArrayBuffer>>;

const COMPLETE = RowFlag.REPLIED | RowFlag.SILENT | RowFlag.ORPHAN;
const ROWS_BETWEEN_LOOKS = 256;
const MOST_WAITING = 1 << 14;
const KEEP_CACHE = 2;
const OUT = OutHeader.size;
const observes = new Uint8Array(64);
for (const opcode of observing) observes[opcode] = 1;

export class Inodes {
  readonly handles = new Handles();
  readonly locks = new Locks();
  private readonly index = new NodeIndex(MOST_NODES);
  private readonly columns = Object.fromEntries(names.map((name) => [name, new Float64Array(64)])) as Columns;
  private seen: number;
  private waiting: number[] = [];
  private row: Row;
  private rowColumns: Capture['columns']['flags'];
  private inode: Observed;
  private readonly changes: ChangeSink = {
    changed: (row, nodeid, forever) => {
      const slot = this.slot(nodeid, row.start);
      if (slot < 0) return;
      const { changed } = this.columns;
      changed[slot] = forever ? Infinity : Math.max(changed[slot], row.index);
    },
    namesChanged: () => undefined,
  };

  constructor(
    private readonly capture: NodeSource,
    from = 0,
  ) {
    this.seen = from;
    this.row = new Row(capture);
    this.rowColumns = capture.columns.flags;
    this.inode = new Observed(capture.origin);
  }

  /** How many nodes the guest knows. */
  get known(): number {
    return this.capture.nodesKnown;
  }

  /** There was more than is remembered. */
  get full(): boolean {
    return this.index.full || this.handles.full || this.locks.full;
  }

  /** Takes rows below `to`, until `over`. True when all is done. */
  advance(to: number, over: () => boolean): boolean {
    const { capture } = this;
    if (capture.columns.flags !== this.rowColumns) {
      this.row = new Row(capture);
      this.rowColumns = capture.columns.flags;
    }
    if (this.seen === 0) this.inode = new Observed(capture.origin);
    const { flags } = capture.columns;
    let kept = 0;
    for (const row of this.waiting) {
      if ((flags[row] & COMPLETE) !== 0) this.take(row);
      else this.waiting[kept++] = row;
    }
    this.waiting.length = kept;
    if (kept > MOST_WAITING) this.waiting.splice(0, kept - MOST_WAITING);
    while (this.seen < to) {
      if (this.seen % ROWS_BETWEEN_LOOKS === 0 && over()) return false;
      const row = this.seen++;
      if ((flags[row] & COMPLETE) !== 0) this.take(row);
      else this.waiting.push(row);
    }
    return true;
  }

  drop(rows: number): void {
    this.seen = Math.max(0, this.seen - rows);
    this.waiting = this.waiting.filter((row) => row >= rows).map((row) => row - rows);
    this.handles.drop(rows);
    this.locks.drop(rows);
    for (const column of [this.columns.looked, this.columns.changed]) {
      for (let slot = 0; slot < column.length; slot++) column[slot] = Math.max(-1, column[slot] - rows);
    }
  }

  /** The first ones in this order; forgotten ones are left out. */
  list(order: InodeOrder, most: number): Inode[] {
    const largest = new Largest(2 * most);
    const { columns } = this;
    if (order === 'lookups') {
      this.capture.forEachNode((nodeid, lookups) => {
        if (Number.isSafeInteger(nodeid)) largest.add(nodeid, lookups);
      });
    } else {
      this.index.forEach((slot) => {
        const value =
          order === 'bytes'
            ? columns.read[slot] + columns.written[slot]
            : order === 'recent'
              ? columns.last[slot]
              : order === 'handles'
                ? columns.handles[slot]
                : -columns.first[slot];
        largest.add(this.index.key(slot), value);
      });
    }
    const found: Inode[] = [];
    for (const nodeid of largest.found) {
      if (found.length >= most) break;
      const inode = this.inodeOf(nodeid);
      if (inode.facts) found.push(inode);
    }
    return found;
  }

  inodeOf(nodeid: number): Inode {
    const slot = this.index.find(nodeid);
    const { columns } = this;
    const value = (name: keyof Columns, none: number): number => (slot < 0 ? none : columns[name][slot]);
    return {
      nodeid,
      facts: this.capture.node(BigInt(nodeid)),
      read: value('read', 0),
      written: value('written', 0),
      requests: value('requests', 0),
      handles: value('handles', 0),
      first: value('first', NaN),
      last: value('last', NaN),
      attributesUntil: value('attributesUntil', NaN),
      nameUntil: value('nameUntil', NaN),
      looked: value('looked', -1),
      mode: value('mode', 0),
      size: value('size', 0),
      mtime: value('mtime', NaN),
      ctime: value('ctime', NaN),
      changed: value('changed', -1),
      keepCache: value('keepCache', 0) === 1,
    };
  }

  /** Open handles: those of an inode, or all; the busiest first. */
  opened(most: number, nodeid?: number): Handle[] {
    const largest = new Largest(most);
    this.handles.forEach((slot) => {
      if (nodeid === undefined || this.handles.nodeid(slot) === nodeid) largest.add(slot, this.handles.bytes(slot));
    });
    return largest.found.map((slot) => this.handles.at(slot));
  }

  /** Locks that are held, of an inode or all. */
  held(nodeid?: number): readonly HeldLock[] {
    const { all } = this.locks;
    return nodeid === undefined ? all : all.filter((lock) => lock.nodeid === nodeid);
  }

  /** Locks that a process waits for. */
  wanted(nodeid?: number): AskedLock[] {
    const { opcode, nodeid: node, pid } = this.capture.columns;
    return this.waiting
      .filter((row) => opcode[row] === Opcode.SETLKW && (nodeid === undefined || node[row] === nodeid))
      .map((row) => askedLock(this.capture.requestBytes(row), node[row], pid[row], row))
      .filter((asked) => asked !== undefined);
  }

  private take(at: number): void {
    const { row } = this;
    row.load(at);
    if ((row.flags & RowFlag.ORPHAN) !== 0) return;
    if (row.opcode === Opcode.INIT || row.opcode === Opcode.DESTROY) return this.clear();
    if (row.opcode === Opcode.FORGET) return this.forgotten(row.nodeid);
    if (row.opcode === Opcode.RELEASE || row.opcode === Opcode.RELEASEDIR) this.released(row);
    if (row.nodeid !== 0) this.used(row);
    guestChanges(row, this.changes);
    if (!row.succeeded) return;
    switch (row.opcode) {
      case Opcode.OPEN:
      case Opcode.OPENDIR:
      case Opcode.CREATE:
      case Opcode.TMPFILE:
        this.open(row);
        break;
      case Opcode.SETLK:
      case Opcode.SETLKW: {
        const asked = askedLock(row.request(), row.nodeid, row.pid, at);
        if (asked) this.locks.set(asked);
        break;
      }
      case Opcode.FLUSH:
        this.locks.flush(row.request(), row.nodeid);
        break;
    }
    if (row.opcode < observes.length && observes[row.opcode] === 1) this.inode.each(row, () => this.observed(row));
  }

  private used(row: Row): void {
    const slot = this.slot(row.nodeid, row.start);
    if (slot < 0) return;
    const { columns } = this;
    columns.requests[slot]++;
    columns.last[slot] = Math.max(columns.last[slot], row.start);
    if (!row.succeeded || (row.opcode !== Opcode.READ && row.opcode !== Opcode.WRITE)) return;
    const bytes = this.capture.columns.payload[row.index];
    const written = row.opcode === Opcode.WRITE;
    columns[written ? 'written' : 'read'][slot] += bytes;
    if (row.io) this.handles.moved(row.fh, written ? 0 : bytes, written ? bytes : 0);
  }

  /** What a reply has told of an inode: it may be used until its time has run out. */
  private observed(row: Row): void {
    const { inode, columns } = this;
    const slot = this.slot(inode.nodeid, row.start);
    if (slot < 0) return;
    columns.attributesUntil[slot] = row.end + inode.attrValid;
    if (inode.entryValid >= 0) columns.nameUntil[slot] = row.end + inode.entryValid;
    columns.looked[slot] = row.index;
    columns.mode[slot] = inode.mode;
    columns.size[slot] = inode.size;
    columns.mtime[slot] = inode.mtime;
    columns.ctime[slot] = inode.ctime;
    columns.last[slot] = Math.max(columns.last[slot], row.start);
  }

  private open(row: Row): void {
    const creates = row.opcode === Opcode.CREATE || row.opcode === Opcode.TMPFILE;
    const reply = row.reply();
    const at = OUT + (creates ? EntryOut.size : 0);
    if (reply.length < at + OpenOut.size) return;
    const fh = u64At(reply, at + OpenOut.offset.fh);
    const openFlags = u32At(reply, at + OpenOut.offset.open_flags);
    const nodeid = creates ? u64At(reply, OUT + EntryOut.offset.nodeid) : row.nodeid;
    const flagsAt = InHeader.size + (creates ? CreateIn.offset.flags : OpenIn.offset.flags);
    const request = row.request();
    const flags = request.length >= flagsAt + 4 ? row.asOpenFlags(u32At(request, flagsAt)) : 0;
    const slot = this.slot(nodeid, row.start);
    if (slot >= 0) {
      this.columns.handles[slot]++;
      this.columns.keepCache[slot] = (openFlags & KEEP_CACHE) !== 0 ? 1 : 0;
    }
    // A server that keeps no handles gives 0 to everybody.
    if (fh === 0 || !Number.isSafeInteger(nodeid)) return;
    this.handles.open(
      fh,
      nodeid,
      flags,
      openFlags,
      row.opcode === Opcode.OPENDIR,
      row.pid,
      row.uid,
      row.index,
      row.start,
    );
  }

  private released(row: Row): void {
    const request = row.request();
    if (request.length < InHeader.size + ReleaseIn.offset.fh + 8) return;
    this.handles.release(u64At(request, InHeader.size + ReleaseIn.offset.fh));
    this.locks.release(request, row.nodeid);
    const slot = this.index.find(row.nodeid);
    if (slot >= 0 && this.columns.handles[slot] > 0) this.columns.handles[slot]--;
  }

  private forgotten(nodeid: number): void {
    if (this.capture.node(BigInt(nodeid)) === undefined) this.index.remove(nodeid);
  }

  private clear(): void {
    this.index.clear();
    this.handles.clear();
    this.locks.clear();
  }

  private slot(nodeid: number, start: number): number {
    const known = this.index.find(nodeid);
    if (known >= 0) return known;
    let slot = this.index.add(nodeid);
    if (slot < 0) {
      this.sweep();
      slot = this.index.add(nodeid);
      if (slot < 0) return -1;
    }
    const { columns } = this;
    if (slot >= columns.first.length) for (const name of names) columns[name] = grown(columns[name], slot + 1);
    for (const name of names) columns[name][slot] = 0;
    columns.first[slot] = columns.last[slot] = start;
    columns.attributesUntil[slot] = columns.nameUntil[slot] = columns.mtime[slot] = columns.ctime[slot] = NaN;
    columns.looked[slot] = columns.changed[slot] = -1;
    return slot;
  }

  private sweptAt = -1;

  /** Gives back the places of nodes that BATCH_FORGET has taken; at most once for so many rows. */
  private sweep(): void {
    if (this.sweptAt >= 0 && this.seen - this.sweptAt < MOST_NODES) return;
    this.sweptAt = this.seen;
    const gone: number[] = [];
    this.index.forEach((slot) => {
      if (this.capture.node(BigInt(this.index.key(slot))) === undefined) gone.push(this.index.key(slot));
    });
    for (const nodeid of gone) this.index.remove(nodeid);
  }
}
