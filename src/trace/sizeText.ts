/**
 * Amounts of bytes for a person: `256 bytes`, `4 KiB`, `1.46 MiB`. For sums, files and memory, wherever they are shown.
 * Values of arguments are printed exactly and in the units of filters, `128K` (protocol/print.ts); lengths of messages,
 * whose bytes are counted beside them, in bytes.
 */

/** Exact below 1 KiB; beyond with three digits that count, and a whole number without a point where it is one. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let value = bytes / 1024;
  let unit = 0;
  // 999.5 would be written with a fourth digit.
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1024;
  const digits = Number.isInteger(value) ? 0 : value < 0.9995 ? 3 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
