/**
 * How many descriptors the file system may hold, so that the process never runs out of them: sockets, eventfds and the
 * control channel keep working while a guest that holds too many inodes gets EMFILE.
 *
 * Counts only; does not know what the descriptors are.
 */
export class DescriptorBudget {
  private used = 0;

  /** `limit`: the process's RLIMIT_NOFILE less what it needs for itself. `reserve`: kept from inodes for open files. */
  constructor(
    readonly limit: number,
    private readonly reserve: number = Math.min(256, limit >>> 3),
  ) {}

  get held(): number {
    return this.used;
  }

  /** Room for one more inode: these leave the reserve alone, so that a known file can still be opened. */
  get hasRoomForInode(): boolean {
    return this.used < this.limit - this.reserve;
  }

  get hasRoom(): boolean {
    return this.used < this.limit;
  }

  take(): void {
    this.used++;
  }

  give(): void {
    this.used--;
  }
}
