/**
 * A set of 64-bit ids (nodeid, fh) as doubles, each with a small number for columns beside it: no objects, bounded.
 *
 * Open addressing with backward shift; numbers of removed ids are given out again. When `most` are in, no more go in.
 */
const EMPTY = -1;

export class NodeIndex {
  /** How many ids are in. */
  count = 0;
  /** An id was turned away. */
  full = false;
  private keys = new Float64Array(64);
  private table = new Int32Array(128).fill(EMPTY);
  private free: Int32Array = new Int32Array(64);
  private freeCount = 0;
  private next = 0;

  constructor(private readonly most: number) {}

  /** Numbers given out are below it: how long columns have to be. */
  get capacity(): number {
    return this.keys.length;
  }

  /** The number of an id; -1 when it is not in. */
  find(key: number): number {
    return this.table[this.place(key)];
  }

  /** The number of an id that is in from now on; -1 when there is no room. */
  add(key: number): number {
    let at = this.place(key);
    if (this.table[at] !== EMPTY) return this.table[at];
    if (this.count >= this.most) {
      this.full = true;
      return -1;
    }
    if ((this.count + 1) * 2 > this.table.length) {
      this.rehash();
      at = this.place(key);
    }
    const slot = this.freeCount > 0 ? this.free[--this.freeCount] : this.next++;
    if (slot >= this.keys.length) this.keys = grown(this.keys, slot + 1);
    this.keys[slot] = key;
    this.table[at] = slot;
    this.count++;
    return slot;
  }

  /** The number that the id had, or -1. */
  remove(key: number): number {
    let hole = this.place(key);
    const slot = this.table[hole];
    if (slot === EMPTY) return -1;
    const mask = this.table.length - 1;
    for (let at = (hole + 1) & mask; this.table[at] !== EMPTY; at = (at + 1) & mask) {
      const home = hash(this.keys[this.table[at]]) & mask;
      // Whether its home lies, going round, at or before the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.table[hole] = this.table[at];
      hole = at;
    }
    this.table[hole] = EMPTY;
    if (this.freeCount === this.free.length) {
      const free = new Int32Array(this.free.length * 2);
      free.set(this.free);
      this.free = free;
    }
    this.free[this.freeCount++] = slot;
    this.count--;
    return slot;
  }

  clear(): void {
    this.table.fill(EMPTY);
    this.count = this.freeCount = this.next = 0;
    this.full = false;
  }

  /** The id of a number that is in use. */
  key(slot: number): number {
    return this.keys[slot];
  }

  /** Calls `visit` with the number of each id that is in. */
  forEach(visit: (slot: number) => void): void {
    for (const slot of this.table) if (slot !== EMPTY) visit(slot);
  }

  private place(key: number): number {
    const mask = this.table.length - 1;
    let at = hash(key) & mask;
    while (this.table[at] !== EMPTY && this.keys[this.table[at]] !== key) at = (at + 1) & mask;
    return at;
  }

  private rehash(): void {
    const old = this.table;
    this.table = new Int32Array(old.length * 2).fill(EMPTY);
    const mask = this.table.length - 1;
    for (const slot of old) {
      if (slot === EMPTY) continue;
      let at = hash(this.keys[slot]) & mask;
      while (this.table[at] !== EMPTY) at = (at + 1) & mask;
      this.table[at] = slot;
    }
  }
}

function hash(key: number): number {
  const mixed = Math.imul((key >>> 0) ^ Math.imul((key / 0x1_0000_0000) >>> 0, 0x9e37_79b1), 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}

/** The same values in an array of at least `length`, and of twice the size. */
export function grown(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}
