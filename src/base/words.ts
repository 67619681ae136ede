/** Copies of a few bytes between two memories, where a call out of JavaScript would cost more than the copy. */

/** Up to so many bytes that is so; when they do not begin between words on both sides, up to fewer. */
const SHORT = 192;
const SHORT_AND_ODD = 48;

/** Whether `length` bytes are better copied by hand; `places`: where they are and where they go, or-ed. */
export function isShort(places: number, length: number): boolean {
  return length <= SHORT_AND_ODD || (length <= SHORT && (places & 3) === 0);
}

/** Both memories as bytes and as words; that they have all of these bytes is the caller's to know. */
export function copyShort(
  fromBytes: Uint8Array,
  fromWords: Uint32Array,
  from: number,
  toBytes: Uint8Array,
  toWords: Uint32Array,
  to: number,
  length: number,
): void {
  const end = from + length;
  if (((from | to) & 3) === 0) {
    copyWords(fromWords, from >>> 2, toWords, to >>> 2, length >>> 2);
    from += length & ~3;
    to += length & ~3;
  }
  while (from < end) toBytes[to++] = fromBytes[from++];
}

function copyWords(from: Uint32Array, at: number, to: Uint32Array, into: number, count: number): void {
  const end = at + count;
  // Eight at a time: half of the time goes to the loop otherwise.
  for (const whole = end - 7; at < whole; at += 8, into += 8) {
    to[into] = from[at];
    to[into + 1] = from[at + 1];
    to[into + 2] = from[at + 2];
    to[into + 3] = from[at + 3];
    to[into + 4] = from[at + 4];
    to[into + 5] = from[at + 5];
    to[into + 6] = from[at + 6];
    to[into + 7] = from[at + 7];
  }
  while (at < end) to[into++] = from[at++];
}
