/**
 * A hash map from two u32 to a number of 31 bits, in two typed arrays: what indexes of a million entries are made of.
 *
 * Open addressing with linear probing; removing shifts what follows back, so there are no tombstones. The seed differs
 * from map to map, so that keys out of a hostile capture cannot be chosen to collide.
 */

const FIRST_SIZE = 64;

export class PairMap {
  private keys = new Uint32Array(2 * FIRST_SIZE);
  /** Value + 1; 0: free. */
  private values = new Int32Array(FIRST_SIZE);
  private mask = FIRST_SIZE - 1;
  size = 0;

  constructor(private readonly seed = (Math.random() * 0x1_0000_0000) | 0) {}

  /** -1 when there is none. */
  get(a: number, b: number): number {
    return this.values[this.find(a >>> 0, b >>> 0)] - 1;
  }

  set(a: number, b: number, value: number): void {
    let place = this.find(a >>> 0, b >>> 0);
    if (this.values[place] === 0) {
      if (++this.size * 2 > this.mask) {
        this.grow();
        place = this.find(a >>> 0, b >>> 0);
      }
      this.keys[2 * place] = a;
      this.keys[2 * place + 1] = b;
    }
    this.values[place] = value + 1;
  }

  delete(a: number, b: number): void {
    let hole = this.find(a >>> 0, b >>> 0);
    if (this.values[hole] === 0) return;
    this.size--;
    const { keys, values, mask } = this;
    for (let at = (hole + 1) & mask; values[at] !== 0; at = (at + 1) & mask) {
      const home = this.home(keys[2 * at], keys[2 * at + 1]);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      keys[2 * hole] = keys[2 * at];
      keys[2 * hole + 1] = keys[2 * at + 1];
      values[hole] = values[at];
      hole = at;
    }
    values[hole] = 0;
  }

  /** One like it, that goes its own way. */
  copy(): PairMap {
    const copy = new PairMap(this.seed);
    copy.keys = this.keys.slice();
    copy.values = this.values.slice();
    copy.mask = this.mask;
    copy.size = this.size;
    return copy;
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.keys.byteLength + this.values.byteLength;
  }

  clear(): void {
    this.keys = new Uint32Array(2 * FIRST_SIZE);
    this.values = new Int32Array(FIRST_SIZE);
    this.mask = FIRST_SIZE - 1;
    this.size = 0;
  }

  private home(a: number, b: number): number {
    return mix(mix(a ^ this.seed) + b) & this.mask;
  }

  private find(a: number, b: number): number {
    const { keys, values, mask } = this;
    let at = this.home(a, b);
    while (values[at] !== 0 && (keys[2 * at] !== a || keys[2 * at + 1] !== b)) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { keys, values } = this;
    this.mask = 2 * this.mask + 1;
    this.keys = new Uint32Array(2 * (this.mask + 1));
    this.values = new Int32Array(this.mask + 1);
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      const place = this.find(keys[2 * i], keys[2 * i + 1]);
      this.keys[2 * place] = keys[2 * i];
      this.keys[2 * place + 1] = keys[2 * i + 1];
      this.values[place] = values[i];
    }
  }
}

/** Spreads the bits of a word over all of it (the end of MurmurHash3). */
export function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
