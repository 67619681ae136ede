/**
 * A set of 64-bit ids (nodeid, fh) as doubles, each with a small number for columns beside it: no objects, bounded.
 *
 * Numbers of removed ids are given out again. When `most` ids are in, no more go in; nor does one that a double does
 * not hold exactly, so that two are never taken for one.
 */
import { PairMap } from '../pairMap';

const TWO_32 = 0x1_0000_0000;
const FIRST_SIZE = 64;

export class NodeIndex {
  /** An id was turned away. */
  full = false;
  /** An id was turned away that is no exact double. */
  wide = false;
  private readonly slots = new PairMap();
  /** By number; NaN where it is free. */
  private keys: Float64Array<ArrayBuffer> = new Float64Array(FIRST_SIZE).fill(NaN);
  private free = new Float64Array(FIRST_SIZE);
  private freeCount = 0;
  /** Numbers from here on were never given out. */
  private next = 0;

  constructor(private readonly most: number) {}

  /** How many ids are in. */
  get count(): number {
    return this.next - this.freeCount;
  }

  /** Numbers given out are below it. */
  get capacity(): number {
    return this.keys.length;
  }

  /** The number of an id; -1 when it is not in. */
  find(key: number): number {
    return this.slots.get(high(key), key);
  }

  /** The number of an id that is in from now on; -1 when there is no room, or it is too wide. */
  add(key: number): number {
    const known = this.slots.get(high(key), key);
    if (known >= 0) return known;
    if (!Number.isSafeInteger(key)) {
      this.wide = true;
      return -1;
    }
    if (this.count >= this.most) {
      this.full = true;
      return -1;
    }
    const slot = this.freeCount > 0 ? this.free[--this.freeCount] : this.next++;
    if (slot >= this.keys.length) this.keys = grown(this.keys, slot + 1);
    this.keys[slot] = key;
    this.slots.set(high(key), key, slot);
    return slot;
  }

  /** The number that the id had, or -1. */
  remove(key: number): number {
    const slot = this.slots.get(high(key), key);
    if (slot < 0) return -1;
    this.slots.delete(high(key), key);
    this.keys[slot] = NaN;
    if (this.freeCount === this.free.length) this.free = grown(this.free, this.freeCount + 1);
    this.free[this.freeCount++] = slot;
    return slot;
  }

  clear(): void {
    this.slots.clear();
    this.freeCount = this.next = 0;
    this.full = this.wide = false;
  }

  /** The id of a number that is in use. */
  key(slot: number): number {
    return this.keys[slot];
  }

  /** Calls `visit` with the number of each id that is in. */
  forEach(visit: (slot: number) => void): void {
    for (let slot = 0; slot < this.next; slot++) if (!Number.isNaN(this.keys[slot])) visit(slot);
  }
}

/** The upper word; the lower one PairMap takes for itself. */
const high = (key: number): number => Math.floor(key / TWO_32);

/** The same values in an array of at least `length`, and of twice the size. */
export function grown(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}
