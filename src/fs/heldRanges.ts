/**
 * The POSIX record locks of one owner in one file, as a kernel keeps them: in order, apart from each other, and those
 * of one type that touch as one. fcntl(2).
 *
 * Knows neither other owners nor who is in whose way.
 */
import { F_UNLCK } from './linux';
import { endsAfter, isApart, isSame, type LockRange, overlap, partAfter, partBefore, startsBefore } from './lockRange';

export interface TypedRange extends Readonly<LockRange> {
  readonly type: number;
}

/** From place `at` on, `removed` ranges become `pieces`. */
export interface RangeChange {
  readonly at: number;
  readonly removed: number;
  readonly pieces: readonly TypedRange[];
}

export class HeldRanges {
  private readonly held: TypedRange[] = [];

  /** By start. */
  get all(): readonly TypedRange[] {
    return this.held;
  }

  get count(): number {
    return this.held.length;
  }

  /** What it would be to take or give up (F_UNLCK) this range. */
  changeFor(wanted: TypedRange): RangeChange {
    const at = this.firstNear(wanted);
    const before: TypedRange[] = [];
    const after: TypedRange[] = [];
    let taken: TypedRange = { ...wanted };
    let next = at;
    for (; next < this.held.length && !isApart(wanted, this.held[next]); next++) {
      const one = this.held[next];
      if (one.type === wanted.type) {
        if (startsBefore(one, taken)) taken = { ...taken, startLow: one.startLow, startHigh: one.startHigh };
        if (endsAfter(one, taken)) taken = { ...taken, endLow: one.endLow, endHigh: one.endHigh };
        continue;
      }
      if (startsBefore(one, wanted)) before.push(overlap(one, wanted) ? partBefore(one, wanted) : one);
      if (endsAfter(one, wanted)) after.push(overlap(one, wanted) ? partAfter(one, wanted) : one);
    }
    const pieces = wanted.type === F_UNLCK ? [...before, ...after] : [...before, taken, ...after];
    return { at, removed: next - at, pieces };
  }

  /** Nothing has been applied since `changeFor`. */
  apply({ at, removed, pieces }: RangeChange): void {
    this.held.splice(at, removed, ...pieces);
  }

  /** The first range that has a byte in common with this one and is `such`. */
  find(range: LockRange, such: (one: TypedRange) => boolean): TypedRange | undefined {
    for (let i = this.firstNear(range); i < this.held.length && !isApart(range, this.held[i]); i++) {
      if (overlap(this.held[i], range) && such(this.held[i])) return this.held[i];
    }
    return undefined;
  }

  has(range: TypedRange): boolean {
    return this.find(range, (one) => one.type === range.type && isSame(one, range)) !== undefined;
  }

  /** The place of the first that overlaps or touches this range, or comes after it. */
  private firstNear(range: LockRange): number {
    let [low, high] = [0, this.held.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isApart(this.held[middle], range)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
