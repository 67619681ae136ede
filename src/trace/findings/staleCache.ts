/**
 * stale-cache: attributes in a later reply show a change that no request of this guest made, from a moment at which an
 * earlier reply's attr_valid (or entry_valid, for a name) had not run out.
 *
 * Two looks at an inode with different size, mtime or ctime, and between them no request that may have changed it. When
 * the host changed it, its ctime says (or, where that clock is another one, the second look itself). A suspicion is
 * held until requests are past the second look, since one taken during it may be what changed the file. Names are in
 * `StaleNames`. What cannot be known is taken as the guest's own doing: mapped memory, lost packets, requests in
 * flight.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import { changingOpcodes, guestChanges, type ChangeSink } from './guestChanges';
import { grown, NodeIndex } from './nodeIndex';
import { observing, type Observed } from './observed';
import type { Row } from './row';
import { StaleNames } from './staleNames';
import { staleFor } from './staleTime';
import { MOST_GROUPS, MOST_NODES, NAMED } from './thresholds';
import { duration, list, place, times } from './words';

const NEVER = -Infinity;

/** Opcodes whose reply speaks of an inode that the request itself may have changed. */
const makers = new Set<number>([
  Opcode.SETATTR,
  Opcode.SYMLINK,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.LINK,
  Opcode.CREATE,
  Opcode.TMPFILE,
]);

/** The columns of nodes. */
interface Columns {
  /** The latest look: begin and end, until when it may be used, and what it saw. row -1: none. */
  row: Float64Array;
  start: Float64Array;
  end: Float64Array;
  until: Float64Array;
  size: Float64Array;
  mtime: Float64Array;
  ctime: Float64Array;
  /** Until when requests of the guest may have changed it. */
  changed: Float64Array;
  /**
   * A suspicion: the rows of both looks (-1: none), when the first began and the second ended, for how long it was
   * stale.
   */
  first: Float64Array;
  second: Float64Array;
  firstStart: Float64Array;
  secondEnd: Float64Array;
  stale: Float64Array;
  /** 1: only ctime differs. */
  onlyCtime: Float64Array;
}

const columnNames = [
  'row',
  'start',
  'end',
  'until',
  'size',
  'mtime',
  'ctime',
  'changed',
  'first',
  'second',
  'firstStart',
  'secondEnd',
  'stale',
  'onlyCtime',
] as const satisfies readonly (keyof Columns)[];

export class StaleCache implements Detector, ChangeSink {
  readonly opcodes = [...new Set([...changingOpcodes, ...observing, Opcode.FORGET, Opcode.BATCH_FORGET])];
  private readonly nodes = new NodeIndex(MOST_NODES);
  private readonly columns = Object.fromEntries(columnNames.map((name) => [name, new Float64Array(64)])) as {
    [K in keyof Columns]: Float64Array<ArrayBuffer>;
  };
  private readonly names: StaleNames;
  private readonly told: DetectorContext['stale'];
  private readonly proof: Proof;
  private readonly byPath = new Groups<string>();
  private longest = 0;
  private longestPath = '';
  private longestName = '';
  /** Of nodes with a suspicion, which are few. */
  private readonly suspects = new Map<number, string>();
  /** Until when requests that change names may have changed the ctime of any inode. */
  private namedUntil = NEVER;

  constructor({ capture, rows, stale }: DetectorContext) {
    this.told = stale;
    this.proof = new Proof(rows);
    const { columns } = capture;
    this.names = new StaleNames((first, row, stale) => {
      this.found(first, row, stale, capture.path(columns.path[row]), columns.nodeid[row]);
    });
  }

  take(row: Row): void {
    if (row.opcode === Opcode.FORGET) return this.forget(row);
    if (row.opcode === Opcode.BATCH_FORGET) return this.restart();
    guestChanges(row, this);
    if (row.opcode === Opcode.LOOKUP && !row.changed) this.names.look(row);
  }

  changed(row: Row, nodeid: number, forever: boolean): void {
    const slot = this.slot(nodeid);
    if (slot < 0) return;
    const { columns } = this;
    if (columns.second[slot] >= 0 && row.start <= columns.secondEnd[slot]) this.drop(slot);
    columns.changed[slot] = Math.max(columns.changed[slot], forever ? Infinity : row.end);
  }

  namesChanged(row: Row): void {
    this.namedUntil = Math.max(this.namedUntil, row.end);
    this.names.changed(row);
  }

  observe(row: Row, inode: Observed): void {
    if (makers.has(row.opcode)) this.changed(row, inode.nodeid, false);
    const slot = this.slot(inode.nodeid);
    if (slot < 0) return;
    if (row.opcode === Opcode.LOOKUP) this.names.seen(row, inode);
    this.settle(slot);
    this.compare(slot, row, inode);
    const { columns } = this;
    columns.row[slot] = row.index;
    columns.start[slot] = row.start;
    columns.end[slot] = row.end;
    columns.until[slot] = row.end + inode.attrValid;
    columns.size[slot] = inode.size;
    columns.mtime[slot] = inode.mtime;
    columns.ctime[slot] = inode.ctime;
  }

  private compare(slot: number, row: Row, inode: Observed): void {
    const { columns } = this;
    if (columns.row[slot] < 0 || columns.changed[slot] >= columns.start[slot]) return;
    const content = columns.size[slot] !== inode.size || columns.mtime[slot] !== inode.mtime;
    if (!content && columns.ctime[slot] === inode.ctime) return;
    const stale = staleFor(columns.start[slot], columns.end[slot], columns.until[slot], row, inode.ctime);
    if (stale <= 0) return;
    columns.first[slot] = columns.row[slot];
    columns.second[slot] = row.index;
    columns.firstStart[slot] = columns.start[slot];
    columns.secondEnd[slot] = row.end;
    columns.stale[slot] = stale;
    columns.onlyCtime[slot] = content ? 0 : 1;
    if (this.suspects.size < MOST_GROUPS) this.suspects.set(slot, inode.path(row));
  }

  /** The suspicion about a node, if there is one, holds. */
  private settle(slot: number): void {
    const { columns } = this;
    if (columns.second[slot] < 0) return;
    const own = columns.onlyCtime[slot] === 1 && this.namedUntil >= columns.firstStart[slot];
    if (!own) {
      const path = this.suspects.get(slot) ?? '';
      this.found(columns.first[slot], columns.second[slot], columns.stale[slot], path, this.nodes.key(slot));
    }
    this.drop(slot);
  }

  private drop(slot: number): void {
    this.columns.second[slot] = -1;
    this.suspects.delete(slot);
  }

  private found(first: number, row: number, stale: number, path: string, nodeid: number): void {
    this.proof.add(first, false);
    this.proof.add(row);
    if (Number.isSafeInteger(nodeid)) this.told?.(nodeid, first, row, stale);
    const name = place(path, nodeid);
    this.byPath.add(name, row);
    if (stale > this.longest) {
      this.longest = stale;
      this.longestPath = path;
      this.longestName = name;
    }
  }

  private forget(row: Row): void {
    const slot = this.nodes.find(row.nodeid);
    if (slot < 0) return;
    this.settle(slot);
    this.nodes.remove(row.nodeid);
    this.names.forget(row);
  }

  restart(): void {
    this.nodes.forEach((slot) => this.settle(slot));
    this.nodes.clear();
    this.names.clear();
    this.namedUntil = NEVER;
  }

  /** What was changed in the gap is not known: suspicions of before it stay, but nothing is compared across it. */
  gap(): void {
    this.restart();
  }

  end(): readonly Finding[] {
    this.restart();
    const { total } = this.proof;
    if (total === 0) return [];
    const largest = this.byPath.largest(NAMED);
    const where = largest.map(([path, { count }]) => (count > 1 ? `${path} ${count} times` : path));
    const text =
      `${times(total, 'change')} by something other than this guest while it could use what it had cached: ` +
      `${list(where, this.byPath.size - largest.length)}. The longest time that ${this.longestName} was stale is ` +
      `${duration(this.longest)}.`;
    return [finding('stale-cache', this.proof, text, { path: this.longestPath })];
  }

  private slot(nodeid: number): number {
    const known = this.nodes.find(nodeid);
    if (known >= 0) return known;
    const slot = this.nodes.add(nodeid);
    if (slot < 0) return -1;
    const { columns } = this;
    if (slot >= columns.row.length) for (const name of columnNames) columns[name] = grown(columns[name], slot + 1);
    columns.row[slot] = columns.second[slot] = -1;
    columns.changed[slot] = NEVER;
    return slot;
  }
}
