/** Points in time and durations as text. Nanoseconds in; nothing of this machine's time zone comes in. */

/** `850 ns`, `12.3 µs`, `4.56 ms`, `1.23 s`, `75.0 s`: three digits that count; a dash for none. */
export function printDuration(nanoseconds: number): string {
  if (!Number.isFinite(nanoseconds)) return '–';
  const size = Math.abs(nanoseconds);
  if (size < 999.5) return `${nanoseconds.toFixed(0)} ns`;
  if (size < 999_500) return `${threeDigits(nanoseconds / 1e3)} µs`;
  if (size < 999_500_000) return `${threeDigits(nanoseconds / 1e6)} ms`;
  return `${threeDigits(nanoseconds / 1e9)} s`;
}

/** How long a request waited in its queue, of which captures tell no more than this. */
const LONGEST_WAIT = 0xffff_ffff;

export const printWait = (nanoseconds: number): string =>
  `${printDuration(nanoseconds)}${nanoseconds >= LONGEST_WAIT ? ' or longer' : ''}`;

function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** Seconds with microseconds: `12.345678`; what is less than half a microsecond before 0 is 0. */
export function printSeconds(nanoseconds: number): string {
  return (nanoseconds / 1e9).toFixed(6).replace(/^-(?=0\.0*$)/, '');
}

const YEAR_10000 = 253_402_300_800_000_000_000n;

/** ISO 8601 in UTC, with nanoseconds; a time that no calendar has as plain seconds. */
export function printInstant(nanoseconds: bigint): string {
  if (nanoseconds < 0n) return `-${plainSeconds(-nanoseconds)}`;
  if (nanoseconds >= YEAR_10000) return plainSeconds(nanoseconds);
  const part = nanoseconds % 1_000_000_000n;
  const digits = part.toString().padStart(9, '0');
  const whole = new Date(Number((nanoseconds - part) / 1_000_000n)).toISOString();
  return `${whole.slice(0, 19)}.${digits}Z`;
}

const plainSeconds = (nanoseconds: bigint): string =>
  `${nanoseconds / 1_000_000_000n}.${(nanoseconds % 1_000_000_000n).toString().padStart(9, '0')}`;
