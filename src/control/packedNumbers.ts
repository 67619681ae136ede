/**
 * Columns of numbers in few bytes: each as the distance from its least number, in as many bytes as the greatest
 * distance needs. A column whose numbers are all the same takes none.
 *
 * The lowest bytes of all numbers come first, then the next ones, and so on: neighbours are alike, so that what
 * compresses on the way has an easy task. Knows nothing of what the numbers are.
 */

/** Distances of more bytes than this, fractions and what is no number: all eight bytes of each number. */
const WIDEST = 6;
const WHOLE = 8;
/** A column's width, and its least number. */
const HEAD = 1 + 8;

export class NumberPacker {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** A copy of what has been put so far, which is forgotten. */
  take(): ArrayBuffer {
    const packed = this.bytes.buffer.slice(0, this.length);
    this.length = 0;
    return packed;
  }

  private room(bytes: number): number {
    const at = this.length;
    const end = at + bytes;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.length = end;
    return at;
  }

  one(value: number): void {
    const at = this.room(8);
    this.view.setFloat64(at, value, true);
  }

  column(values: Float64Array): void {
    const { least, width } = measure(values);
    const count = values.length;
    let at = this.room(HEAD + width * count);
    this.bytes[at] = width;
    this.view.setFloat64(at + 1, least, true);
    at += HEAD;
    const { bytes } = this;
    if (width === WHOLE) {
      for (let i = 0; i < count; i++) this.view.setFloat64(at + 8 * i, values[i], true);
      return;
    }
    for (let place = 0; place < width; place++, at += count) {
      if (place < 4) {
        const shift = 8 * place;
        for (let i = 0; i < count; i++) bytes[at + i] = (values[i] - least) >>> shift;
      } else {
        const unit = 2 ** (8 * place);
        for (let i = 0; i < count; i++) bytes[at + i] = Math.floor((values[i] - least) / unit);
      }
    }
  }
}

/** The least of the numbers, and how many bytes the distances from it take. */
function measure(values: Float64Array): { least: number; width: number } {
  let least = Infinity;
  let most = -Infinity;
  let fractions = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
    // NaN too.
    if (Math.floor(value) !== value) fractions = true;
  }
  if (values.length === 0) return { least: 0, width: 0 };
  const exact = !fractions && Number.isSafeInteger(least) && Number.isSafeInteger(most);
  if (!exact || most - least >= 2 ** (8 * WIDEST)) return { least: 0, width: WHOLE };
  let width = 0;
  while (most - least >= 2 ** (8 * width)) width++;
  return { least, width };
}

/** Takes columns out again, in the order in which they were put. */
export class NumberUnpacker {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  /** More was asked for than is there, or what is there makes no sense. */
  failed = false;

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** All has been taken, and all was there. */
  get done(): boolean {
    return !this.failed && this.at === this.bytes.length;
  }

  private pass(bytes: number): number {
    const { at } = this;
    if (this.failed || bytes > this.bytes.length - at) {
      this.failed = true;
      return -1;
    }
    this.at = at + bytes;
    return at;
  }

  one(): number {
    const at = this.pass(8);
    return at < 0 ? NaN : this.view.getFloat64(at, true);
  }

  /** Fills all of `into`. */
  column(into: Float64Array): void {
    const head = this.pass(HEAD);
    if (head < 0) return;
    const { bytes, view } = this;
    const count = into.length;
    const width = bytes[head];
    if (width > WIDEST && width !== WHOLE) this.failed = true;
    let at = this.pass(width * count);
    if (at < 0) return;
    if (width === WHOLE) {
      for (let i = 0; i < count; i++) into[i] = view.getFloat64(at + 8 * i, true);
      return;
    }
    into.fill(view.getFloat64(head + 1, true));
    for (let place = 0; place < width; place++, at += count) {
      const unit = 2 ** (8 * place);
      for (let i = 0; i < count; i++) into[i] += bytes[at + i] * unit;
    }
  }
}
