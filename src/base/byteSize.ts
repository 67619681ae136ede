/** Sizes as people write them. */

/** Bytes from `4096`, `512K`, `100M` or `2G`; undefined where that is no size, or not from `least` to `most`. */
export function parseSize(text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number | undefined {
  const match = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2].toUpperCase());
  return bytes >= least && bytes <= most ? bytes : undefined;
}
