/** How large a capture and what it keeps of a message can be. All ends check the same. */

/** Two halves have room for a few of the largest messages each. */
const LEAST_CAPTURE = 8 << 20;
/** What a packet has room for, with headers and names: see daemon/trace/limits.ts. */
const MOST_SNAP = 255 << 10;

export const CAPTURE_LIMITS = `a size of at least ${LEAST_CAPTURE >> 20}M, such as 100M or 2G`;
export const SNAP_LENGTHS = `a size up to ${MOST_SNAP >> 10}K`;

/** Bytes from `4096`, `512K`, `100M` or `2G`, else undefined. */
export function parseSize(text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number | undefined {
  const match = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2].toUpperCase());
  return bytes >= least && bytes <= most ? bytes : undefined;
}

export const parseCaptureLimit = (text: string): number | undefined => parseSize(text, LEAST_CAPTURE);
export const parseSnapLength = (text: string): number | undefined => parseSize(text, 0, MOST_SNAP);
