/**
 * POSIX record locks of one inode, kept by ourselves: for the file system in memory, and for an owner whose locks are
 * to move from one descriptor of the host to another. fcntl(2).
 */
import { F_RDLCK, F_UNLCK, F_WRLCK } from './linux';
import { endsAfter, type LockRange, overlap, partAfter, partBefore, startsBefore } from './lockRange';

export interface HeldLock extends Readonly<LockRange> {
  readonly owner: string;
  readonly type: number;
  readonly pid: number;
}

export class RangeLocks {
  private held: HeldLock[] = [];

  /** By start. */
  get all(): readonly HeldLock[] {
    return this.held;
  }

  /** The first lock of another owner in the way of this one. */
  conflict(lock: HeldLock): HeldLock | undefined {
    return this.held.find(
      (other) =>
        other.owner !== lock.owner && overlap(other, lock) && (lock.type === F_WRLCK || other.type === F_WRLCK),
    );
  }

  /** Takes or gives up (F_UNLCK) a range, replacing what the owner has there. Does not look for conflicts. */
  set(lock: HeldLock): void {
    const kept: HeldLock[] = [];
    for (const other of this.held) {
      if (other.owner !== lock.owner || !overlap(other, lock)) {
        kept.push(other);
        continue;
      }
      if (startsBefore(other, lock)) kept.push(partBefore(other, lock));
      if (endsAfter(other, lock)) kept.push(partAfter(other, lock));
    }
    if (lock.type !== F_UNLCK) kept.push(lock);
    this.held = kept.sort((a, b) => (startsBefore(a, b) ? -1 : 1));
  }

  dropOwner(owner: string): void {
    this.held = this.held.filter((lock) => lock.owner !== owner);
  }

  clear(): void {
    this.held = [];
  }
}

/** flock(2) locks of one inode, by open file. */
export class WholeLocks {
  private readonly held = new Map<number, number>();

  /** False when another open file's lock is in the way; what was held is then lost, as flock(2) says. */
  take(handle: number, type: number): boolean {
    this.held.delete(handle);
    for (const other of this.held.values()) {
      if (type === F_WRLCK || other !== F_RDLCK) return false;
    }
    this.held.set(handle, type);
    return true;
  }

  drop(handle: number): void {
    this.held.delete(handle);
  }
}
