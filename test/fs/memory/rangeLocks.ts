/** The locks of one inode of the file system in memory, which has no host to keep them. fcntl(2), flock(2). */
import { HeldRanges, type TypedRange } from '../../../src/fs/heldRanges';
import { F_RDLCK, F_WRLCK } from '../../../src/fs/linux';

export interface HeldLock extends TypedRange {
  readonly owner: string;
  readonly pid: number;
}

/** POSIX record locks, by owner. */
export class RangeLocks {
  private readonly owners = new Map<string, { readonly ranges: HeldRanges; pid: number }>();

  /** The first lock of another owner in the way of this one. */
  conflict(lock: HeldLock): (TypedRange & { readonly pid: number }) | undefined {
    for (const [owner, { ranges, pid }] of this.owners) {
      if (owner === lock.owner) continue;
      const inTheWay = ranges.find(lock, ({ type }) => lock.type === F_WRLCK || type === F_WRLCK);
      if (inTheWay !== undefined) return { ...inTheWay, pid };
    }
    return undefined;
  }

  /** Takes or gives up (F_UNLCK) a range, replacing what the owner has there. Does not look for conflicts. */
  set(lock: HeldLock): void {
    const { owner, pid } = lock;
    const held = this.owners.get(owner) ?? { ranges: new HeldRanges(), pid };
    held.pid = pid;
    held.ranges.apply(held.ranges.changeFor(lock));
    if (held.ranges.count === 0) this.owners.delete(owner);
    else this.owners.set(owner, held);
  }

  dropOwner(owner: string): void {
    this.owners.delete(owner);
  }

  clear(): void {
    this.owners.clear();
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
