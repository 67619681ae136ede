/**
 * A range of a file as locks have it: from `start` to `end`, both inclusive. Each is 63 bits in two words, because
 * programs lock places where no file ends (Samba's clients do, up to the last), and a double has 53 bits.
 */
export interface LockRange {
  startLow: number;
  startHigh: number;
  endLow: number;
  endHigh: number;
}

/** OFFSET_MAX: "to the end of the file, wherever that will be". */
export const LAST_LOW = 0xffff_ffff;
export const LAST_HIGH = 0x7fff_ffff;

const WORD = 2 ** 32;

function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}

export function startsBefore(range: LockRange, other: LockRange): boolean {
  return isBefore(range.startHigh, range.startLow, other.startHigh, other.startLow);
}

export function endsAfter(range: LockRange, other: LockRange): boolean {
  return isBefore(other.endHigh, other.endLow, range.endHigh, range.endLow);
}

/** No range at all: it ends before it starts. */
export function isTurned(range: LockRange): boolean {
  return isBefore(range.endHigh, range.endLow, range.startHigh, range.startLow);
}

export function overlap(a: LockRange, b: LockRange): boolean {
  return (
    !isBefore(a.endHigh, a.endLow, b.startHigh, b.startLow) && !isBefore(b.endHigh, b.endLow, a.startHigh, a.startLow)
  );
}

/** `range` ends before `other` starts, with a byte between them. */
export function isApart(range: LockRange, other: LockRange): boolean {
  const { endLow, endHigh } = range;
  const carry = endLow === LAST_LOW ? 1 : 0;
  return isBefore(endHigh + carry, (endLow + 1) >>> 0, other.startHigh, other.startLow);
}

export function isSame(a: LockRange, b: LockRange): boolean {
  return a.startLow === b.startLow && a.startHigh === b.startHigh && a.endLow === b.endLow && a.endHigh === b.endHigh;
}

export function isToTheEnd(range: LockRange): boolean {
  return range.endLow === LAST_LOW && range.endHigh === LAST_HIGH;
}

export function isWholeFile(range: LockRange): boolean {
  return range.startLow === 0 && range.startHigh === 0 && isToTheEnd(range);
}

/** What of `range` lies before `other`, which starts after it. */
export function partBefore<T extends LockRange>(range: T, other: LockRange): T {
  const { startLow, startHigh } = other;
  return { ...range, endLow: (startLow - 1) >>> 0, endHigh: startLow === 0 ? startHigh - 1 : startHigh };
}

/** What of `range` lies after `other`, which ends before it. */
export function partAfter<T extends LockRange>(range: T, other: LockRange): T {
  const { endLow, endHigh } = other;
  return { ...range, startLow: (endLow + 1) >>> 0, startHigh: endLow === LAST_LOW ? endHigh + 1 : endHigh };
}

// struct flock has a length instead, which is 0 for a range to the end.

export function lengthLow(range: LockRange): number {
  return isToTheEnd(range) ? 0 : (range.endLow - range.startLow + 1) >>> 0;
}

export function lengthHigh(range: LockRange): number {
  if (isToTheEnd(range)) return 0;
  return range.endHigh - range.startHigh + Math.floor((range.endLow - range.startLow + 1) / WORD);
}

/** Sets the end that this length from the start leads to. */
export function setLength(range: LockRange, low: number, high: number): void {
  if (low === 0 && high === 0) {
    range.endLow = LAST_LOW;
    range.endHigh = LAST_HIGH;
    return;
  }
  const last = range.startLow + low - 1;
  range.endLow = last >>> 0;
  range.endHigh = range.startHigh + high + Math.floor(last / WORD);
}

export function copyRange(to: LockRange, from: LockRange): void {
  to.startLow = from.startLow;
  to.startHigh = from.startHigh;
  to.endLow = from.endLow;
  to.endHigh = from.endHigh;
}
