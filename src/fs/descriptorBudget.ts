/**
 * How many descriptors the file system may hold, so that the process never runs out of them: sockets, eventfds and the
 * control channel keep working while a guest that holds too many inodes gets EMFILE.
 *
 * Counts only; does not know what the descriptors are.
 */
export class DescriptorBudget {
  private used = 0;
  /** In the order in which they came. */
  private readonly borrowers: (() => void)[] = [];

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

  /**
   * A call that needs a descriptor only until it is over is never refused one: one beyond the limit is kept for these,
   * which has them wait for each other where a guest has taken all others. False: `whenLent` comes first.
   */
  get canLend(): boolean {
    return this.used <= this.limit;
  }

  /** `borrow` takes one, unless that fails. Every one that was lent comes to `takeBack`. */
  whenLent(borrow: () => void): void {
    this.borrowers.push(borrow);
  }

  takeBack(): void {
    this.give();
    while (this.canLend && this.borrowers.length > 0) this.borrowers.shift()?.();
  }
}
