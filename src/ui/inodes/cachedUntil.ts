/** How long a guest may still believe what it was told, in words. Knows nothing of vscode. */

/** Nanoseconds from which on nobody counts. */
const FOR_GOOD = 3600e9;

const isForGood = (left: number): boolean => left > FOR_GOOD;

/** `0.8 s more`, `no more`. Both in nanoseconds after the capture's origin; NaN: nobody has told. */
export function cachedUntil(time: number, now: number): string {
  if (Number.isNaN(time)) return 'not told';
  const left = time - now;
  if (left <= 0) return 'no more';
  return isForGood(left) ? 'for good' : `${(left / 1e9).toFixed(left < 10e9 ? 1 : 0)} s more`;
}

/**
 * The same of a row, in a few words; undefined: the guest has to ask. Where only one of the two may still be believed,
 * which one. A time that nobody has told (NaN) has not run out.
 */
export function cachedWords(attributesUntil: number, nameUntil: number, now: number): string | undefined {
  const [attributes, name] = [attributesUntil > now, !(nameUntil <= now)];
  if (!attributes && !(nameUntil > now)) return undefined;
  const what = attributes && name ? 'cached' : attributes ? 'attributes cached' : 'name cached';
  const until = !attributes ? nameUntil : nameUntil > now ? Math.min(attributesUntil, nameUntil) : attributesUntil;
  return isForGood(until - now) ? what : `${what} ${cachedUntil(until, now)}`;
}
