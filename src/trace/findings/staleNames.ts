/**
 * The half of stale-cache that is about names: a LOOKUP finds another inode, or none, where an earlier one had found
 * one and had given a time (entry_valid) that had not run out; and no request of the guest had changed a name
 * meanwhile.
 */
import { Errno } from '../../protocol/errno';
import { grown, NodeIndex } from './nodeIndex';
import type { Observed } from './observed';
import type { Row } from './row';
import { staleFor } from './staleTime';
import { MOST_PATHS } from './thresholds';

export type Found = (first: number, second: number, stale: number) => void;

export class StaleNames {
  /** Keyed by the index of the path; the columns of its latest LOOKUP that found something. */
  private readonly paths = new NodeIndex(MOST_PATHS);
  private row = new Float64Array(64);
  private start = new Float64Array(64);
  private end = new Float64Array(64);
  private until = new Float64Array(64);
  private ino = new Float64Array(64);
  private nodeid = new Float64Array(64);
  /** When a nodeid was last given back: by then the guest had dropped its names. */
  private readonly forgotten = new NodeIndex(MOST_PATHS);
  private forgottenRow = new Float64Array(64);
  /** Until when requests of the guest may have changed names; a suspicion waits for those taken before its end. */
  private changedUntil = -Infinity;
  private pendingFirst = -1;
  private pendingSecond = -1;
  private pendingEnd = 0;
  private pendingStale = 0;

  constructor(private readonly found: Found) {}

  /** A request that may change names. */
  changed(row: Row): void {
    if (this.pendingSecond >= 0 && row.start <= this.pendingEnd) this.pendingSecond = -1;
    this.changedUntil = Math.max(this.changedUntil, row.end);
  }

  /** A LOOKUP that found nothing. */
  look(row: Row): void {
    if (this.pendingSecond >= 0 && row.start > this.pendingEnd) this.settle();
    if (row.error !== -Errno.ENOENT || row.path === 0) return;
    const slot = this.paths.find(row.path);
    if (slot < 0) return;
    // Nothing says when it went: only a look before the time had run out proves something.
    if (this.isCached(slot) && row.start < this.until[slot]) {
      this.suspect(slot, row, Math.max(row.start - this.end[slot], 1));
    }
    this.paths.remove(row.path);
  }

  /** A LOOKUP that found an inode. */
  seen(row: Row, inode: Observed): void {
    if (row.path === 0) return;
    let slot = this.paths.find(row.path);
    if (slot >= 0 && this.ino[slot] !== inode.ino && this.isCached(slot)) {
      const stale = staleFor(this.start[slot], this.end[slot], this.until[slot], row, inode.ctime);
      if (stale > 0) this.suspect(slot, row, stale);
    }
    if (slot < 0) slot = this.paths.add(row.path);
    if (slot < 0) return;
    if (slot >= this.row.length) this.grow(slot + 1);
    this.row[slot] = row.index;
    this.start[slot] = row.start;
    this.end[slot] = row.end;
    this.until[slot] = row.end + inode.entryValid;
    this.ino[slot] = inode.ino;
    this.nodeid[slot] = inode.nodeid;
  }

  forget(row: Row): void {
    const slot = this.forgotten.add(row.nodeid);
    if (slot < 0) return;
    if (slot >= this.forgottenRow.length) this.forgottenRow = grown(this.forgottenRow, slot + 1);
    this.forgottenRow[slot] = row.index;
  }

  clear(): void {
    this.settle();
    this.paths.clear();
    this.forgotten.clear();
    this.changedUntil = -Infinity;
  }

  /** The guest still had the name, and had not changed one itself. When too much was forgotten, that is not known. */
  private isCached(slot: number): boolean {
    if (this.changedUntil >= this.start[slot] || this.forgotten.full) return false;
    const forgotten = this.forgotten.find(this.nodeid[slot]);
    return forgotten < 0 || this.forgottenRow[forgotten] < this.row[slot];
  }

  private suspect(slot: number, row: Row, stale: number): void {
    this.settle();
    this.pendingFirst = this.row[slot];
    this.pendingSecond = row.index;
    this.pendingEnd = row.end;
    this.pendingStale = stale;
  }

  private settle(): void {
    if (this.pendingSecond >= 0) this.found(this.pendingFirst, this.pendingSecond, this.pendingStale);
    this.pendingSecond = -1;
  }

  private grow(length: number): void {
    this.row = grown(this.row, length);
    this.start = grown(this.start, length);
    this.end = grown(this.end, length);
    this.until = grown(this.until, length);
    this.ino = grown(this.ino, length);
    this.nodeid = grown(this.nodeid, length);
  }
}
