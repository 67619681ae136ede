/**
 * Which request a reply, or a system call of the host, belongs to: the latest one with its queue and head, if that has
 * the reply's `unique`, or was taken when the call says.
 *
 * A head is used again as soon as its chain has been returned, and a capture may lack any packet, so queue and head
 * alone prove nothing. Each queue and head has a slot, in which one request after the other is; slots are numbers from
 * 0, for whoever keeps more of a request under way. Rows are only numbers here; knows no packet. Memory grows with the
 * number of slots.
 */
import { roomFor } from './columnArray';
import { PairMap } from './pairMap';

const FIRST_SLOTS = 64;

export class Pairing {
  private readonly slots = new PairMap();
  // By slot: its latest request. 64-bit numbers as two words each.
  /** -1: it was dropped. */
  private rows = new Int32Array(FIRST_SLOTS);
  /** 1: its reply is still to come. */
  private awaits = new Uint8Array(FIRST_SLOTS);
  private takenHigh = new Uint32Array(FIRST_SLOTS);
  private takenLow = new Uint32Array(FIRST_SLOTS);
  private uniqueHigh = new Uint32Array(FIRST_SLOTS);
  private uniqueLow = new Uint32Array(FIRST_SLOTS);

  /** A request with this queue and head, which is `row`; `silent`: it wants no reply. Its slot. */
  request(
    queue: number,
    head: number,
    row: number,
    takenHigh: number,
    takenLow: number,
    uniqueHigh: number,
    uniqueLow: number,
    silent: boolean,
  ): number {
    const slot = this.slot(queue, head);
    this.rows[slot] = row;
    this.awaits[slot] = silent ? 0 : 1;
    this.takenHigh[slot] = takenHigh;
    this.takenLow[slot] = takenLow;
    this.uniqueHigh[slot] = uniqueHigh;
    this.uniqueLow[slot] = uniqueLow;
    return slot;
  }

  /** A reply: the slot of its request, which has no other reply from now on; -1: there is no such request. */
  reply(queue: number, head: number, uniqueHigh: number, uniqueLow: number): number {
    const slot = this.slots.get(queue, head);
    const isIts =
      slot >= 0 &&
      this.awaits[slot] === 1 &&
      this.uniqueLow[slot] === uniqueLow &&
      this.uniqueHigh[slot] === uniqueHigh;
    if (!isIts) return -1;
    this.awaits[slot] = 0;
    return slot;
  }

  /** Of the latest request in a slot. */
  row(slot: number): number {
    return this.rows[slot];
  }

  /** The row of the request that was taken then, answered or not; -1: there is none. */
  taken(queue: number, head: number, takenHigh: number, takenLow: number): number {
    const slot = this.slots.get(queue, head);
    const isIt = slot >= 0 && this.takenLow[slot] === takenLow && this.takenHigh[slot] === takenHigh;
    return isIt ? this.rows[slot] : -1;
  }

  /** The first `dropped` rows are gone; the numbers of the others are less by that. */
  drop(dropped: number): void {
    for (let slot = 0; slot < this.slots.size; slot++) {
      this.rows[slot] = Math.max(-1, this.rows[slot] - dropped);
      if (this.rows[slot] < 0) this.awaits[slot] = 0;
    }
  }

  /** What comes has nothing to do with any request so far. */
  clear(): void {
    this.slots.clear();
  }

  private slot(queue: number, head: number): number {
    const known = this.slots.get(queue, head);
    if (known >= 0) return known;
    const slot = this.slots.size;
    this.slots.set(queue, head, slot);
    this.rows = roomFor(this.rows, slot + 1);
    this.awaits = roomFor(this.awaits, slot + 1);
    this.takenHigh = roomFor(this.takenHigh, slot + 1);
    this.takenLow = roomFor(this.takenLow, slot + 1);
    this.uniqueHigh = roomFor(this.uniqueHigh, slot + 1);
    this.uniqueLow = roomFor(this.uniqueLow, slot + 1);
    return slot;
  }
}
