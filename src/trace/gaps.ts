/** Where packets were lost, as far as is known: between which rows, and how many in all. */
import type { Gap } from './capture';

/** So many gaps are told apart; later losses are added to the last one. */
const MOST_GAPS = 65536;

export class Gaps {
  list: Gap[] = [];
  packets = 0;

  /** So many more, before a row that is still to come. */
  add(row: number, packets: number): void {
    this.packets += packets;
    const last = this.list.at(-1);
    if (last && (last.row === row || this.list.length >= MOST_GAPS)) {
      this.list.pop();
      this.list.push({ row: last.row, packets: last.packets + packets });
    } else this.list.push({ row, packets });
  }

  /** The first `dropped` rows are gone; the numbers of the others are less by that. */
  drop(dropped: number): void {
    this.list = this.list.filter(({ row }) => row >= dropped).map((gap) => ({ ...gap, row: gap.row - dropped }));
  }
}
