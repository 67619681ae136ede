/** How large a capture and what it keeps of a message can be. All ends check the same. */
import { parseSize } from './byteSize';

/** Two halves have room for a few of the largest messages each. */
const LEAST_CAPTURE = 8 << 20;
/** What a packet has room for, with headers and names: see daemon/trace/limits.ts. */
const MOST_SNAP = 255 << 10;

export const CAPTURE_LIMITS = `a size of at least ${LEAST_CAPTURE >> 20}M, such as 100M or 2G`;
export const SNAP_LENGTHS = `a size up to ${MOST_SNAP >> 10}K`;

export const parseCaptureLimit = (text: string): number | undefined => parseSize(text, LEAST_CAPTURE);
export const parseSnapLength = (text: string): number | undefined => parseSize(text, 0, MOST_SNAP);
