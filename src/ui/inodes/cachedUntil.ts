/** How long a guest may still believe what it was told, in words. Knows nothing of vscode. */

/** Nanoseconds from which on nobody counts. */
const FOR_GOOD = 3600e9;

export const isForGood = (left: number): boolean => left > FOR_GOOD;

/** `0.8 s more`, `no more`. Both in nanoseconds after the capture's origin; NaN: nobody has told. */
export function cachedUntil(time: number, now: number): string {
  if (Number.isNaN(time)) return 'not told';
  const left = time - now;
  if (left <= 0) return 'no more';
  return isForGood(left) ? 'for good' : `${(left / 1e9).toFixed(left < 10e9 ? 1 : 0)} s more`;
}
