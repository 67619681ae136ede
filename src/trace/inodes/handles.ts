/**
 * Open handles: what OPEN, OPENDIR, CREATE and TMPFILE have given and RELEASE has not yet taken back. Columns, bounded.
 */
import { grown, NodeIndex } from '../findings/nodeIndex';
import { MOST_HANDLES } from '../findings/thresholds';

export interface Handle {
  readonly fh: number;
  readonly nodeid: number;
  /** O_ flags of the caller, FOPEN_ flags of the server. */
  readonly flags: number;
  readonly openFlags: number;
  readonly folder: boolean;
  readonly pid: number;
  readonly uid: number;
  /** The request that opened it, and when it was taken: nanoseconds after the capture's origin. */
  readonly row: number;
  readonly opened: number;
  readonly read: number;
  readonly written: number;
}

const names = ['nodeid', 'flags', 'openFlags', 'folder', 'pid', 'uid', 'row', 'opened', 'read', 'written'] as const;
type Columns = Record<(typeof names)[number], Float64Array<ArrayBuffer>>;

export class Handles {
  private readonly index = new NodeIndex(MOST_HANDLES);
  private readonly columns = Object.fromEntries(names.map((name) => [name, new Float64Array(64)])) as Columns;

  get count(): number {
    return this.index.count;
  }

  /** There were more than are remembered. */
  get full(): boolean {
    return this.index.full;
  }

  open(
    fh: number,
    nodeid: number,
    flags: number,
    openFlags: number,
    folder: boolean,
    pid: number,
    uid: number,
    row: number,
    opened: number,
  ): void {
    const slot = this.index.add(fh);
    if (slot < 0) return;
    const { columns } = this;
    if (slot >= columns.row.length) for (const name of names) columns[name] = grown(columns[name], slot + 1);
    columns.nodeid[slot] = nodeid;
    columns.flags[slot] = flags;
    columns.openFlags[slot] = openFlags;
    columns.folder[slot] = folder ? 1 : 0;
    columns.pid[slot] = pid;
    columns.uid[slot] = uid;
    columns.row[slot] = row;
    columns.opened[slot] = opened;
    columns.read[slot] = columns.written[slot] = 0;
  }

  /** Its nodeid; undefined for one that is not known. */
  release(fh: number): number | undefined {
    const slot = this.index.remove(fh);
    return slot < 0 ? undefined : this.columns.nodeid[slot];
  }

  moved(fh: number, read: number, written: number): void {
    const slot = this.index.find(fh);
    if (slot < 0) return;
    this.columns.read[slot] += read;
    this.columns.written[slot] += written;
  }

  /** Calls `visit` with the slot of each. */
  forEach(visit: (slot: number) => void): void {
    this.index.forEach(visit);
  }

  nodeid(slot: number): number {
    return this.columns.nodeid[slot];
  }

  bytes(slot: number): number {
    return this.columns.read[slot] + this.columns.written[slot];
  }

  at(slot: number): Handle {
    const { columns } = this;
    return {
      fh: this.index.key(slot),
      nodeid: columns.nodeid[slot],
      flags: columns.flags[slot],
      openFlags: columns.openFlags[slot],
      folder: columns.folder[slot] === 1,
      pid: columns.pid[slot],
      uid: columns.uid[slot],
      row: columns.row[slot],
      opened: columns.opened[slot],
      read: columns.read[slot],
      written: columns.written[slot],
    };
  }

  drop(rows: number): void {
    const { row } = this.columns;
    for (let slot = 0; slot < row.length; slot++) row[slot] -= rows;
  }

  clear(): void {
    this.index.clear();
  }
}
