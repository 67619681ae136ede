/**
 * One capture in a timeline: its rows, which of them a filter lets pass, and the lanes they are in. Takes what comes
 * from the extension and keeps the three in step.
 */
import { busiestKeys, Lanes, type Grouping } from './lanes';
import { Rows } from './rows';

export class TimelineCapture {
  readonly rows = new Rows();
  /** The rows that the filter lets pass, ascending; undefined: no filter. */
  passed: Uint32Array | undefined;
  lanes: Lanes;
  private passedCount = 0;
  private room = new Uint32Array(0);
  /** How many rows there were when lanes were made. */
  private groupedAt = 0;

  constructor(private grouping: Grouping) {
    this.lanes = new Lanes(this.rows, grouping);
  }

  /** How many rows are shown. */
  get shown(): number {
    return this.passed ? this.passedCount : this.rows.count;
  }

  append(from: number, count: number, columns: ArrayBuffer, all = 0): boolean {
    if (!this.rows.append(from, count, columns, all)) return false;
    if (this.passed) return true;
    // Which files and processes are the busiest is looked at anew when there is twice as much.
    const many = this.grouping === 'file' || this.grouping === 'process';
    if (many && this.rows.count >= 2 * this.groupedAt) this.regroup(this.grouping);
    else this.lanes.takeAll();
    return true;
  }

  change(rows: Uint32Array, columns: ArrayBuffer): boolean {
    if (!this.rows.change(rows, columns)) return false;
    this.lanes.change(rows);
    return true;
  }

  /** What a filter lets pass of the first `count` rows, as bits; undefined: everything. */
  filter(result: { count: number; bits: Uint8Array } | undefined): void {
    if (result) {
      const { count, bits } = result;
      const list = new Uint32Array(Math.min(count, this.rows.count));
      let found = 0;
      for (let row = 0; row < list.length; row++) {
        if ((bits[row >> 3] & (1 << (row & 7))) !== 0) list[found++] = row;
      }
      this.room = list;
      this.passedCount = found;
      this.passed = list.subarray(0, found);
    } else {
      this.passed = undefined;
      this.room = new Uint32Array(0);
    }
    this.regroup(this.grouping);
  }

  /** More rows that pass. A row that passes late, as its reply has come, is put where it belongs. */
  pass(rows: Uint32Array): void {
    if (!this.passed || rows.length === 0) return;
    const late = this.passedCount > 0 && rows[0] <= this.room[this.passedCount - 1];
    const count = this.passedCount + rows.length;
    if (count > this.room.length) {
      const room = new Uint32Array(Math.max(1024, count * 2));
      room.set(this.room.subarray(0, this.passedCount));
      this.room = room;
    }
    this.room.set(rows, this.passedCount);
    this.passedCount = count;
    this.passed = this.room.subarray(0, count);
    if (late) this.passed.sort();
    this.lanes.take(rows);
  }

  regroup(grouping: Grouping): void {
    this.grouping = grouping;
    this.groupedAt = this.rows.count;
    this.lanes = new Lanes(this.rows, grouping, busiestKeys(this.rows, grouping, this.passed));
    if (this.passed) this.lanes.take(this.passed);
    else this.lanes.takeAll();
  }
}
