/**
 * Counts by a key, bounded, with the first row of each: for the texts that name the most frequent.
 *
 * Keys are numbers that a finding makes out of what it groups by (a path's index, an opcode). Meant for what is rare
 * (errors, events), not for each of a million rows.
 */
import { MOST_GROUPS } from './thresholds';

export interface Group {
  count: number;
  /** The first row of the group. */
  readonly row: number;
}

export class Groups<Key extends number | string = number> {
  private readonly groups = new Map<Key, Group>();
  /** Counted without a group of their own. */
  others = 0;

  constructor(private readonly most = MOST_GROUPS) {}

  /** How many groups there are. */
  get size(): number {
    return this.groups.size;
  }

  add(key: Key, row: number): void {
    const group = this.groups.get(key);
    if (group) group.count++;
    else if (this.groups.size < this.most) this.groups.set(key, { count: 1, row });
    else this.others++;
  }

  /** The largest, the earlier one first where they are equal. */
  largest(count: number): [Key, Group][] {
    return [...this.groups].sort(([, a], [, b]) => b.count - a.count || a.row - b.row).slice(0, count);
  }
}
