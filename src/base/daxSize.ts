/** How large a DAX window can be, and sizes in the words of its policy. All ends check the same. */
import { parseSize } from './byteSize';

const MIB = 1 << 20;
/** Linux maps 2 MiB at a time. */
const LEAST = 2 * MIB;
/** A mapping takes two of the 512 memory regions that QEMU survives. */
const MOST = 256 * MIB;

export const DAX_SIZES = 'a power of two from 2M to 256M';

/** All windows of a guest together. */
export const MOST_DAX_BYTES = MOST;

/** What is wrong with a size, as the rest of a sentence about the window; undefined: nothing. */
export function daxSizeFault(bytes: number): string | undefined {
  if (bytes < LEAST) return 'would be smaller than one mapping of Linux, which is 2 MiB';
  if (bytes > MOST) return 'would have more mappings than QEMU survives';
  return Number.isInteger(Math.log2(bytes)) ? undefined : 'is no power of two, which a PCI region must be';
}

/** Memory of the guest that its kernel needs to describe a window: 64 bytes for each page. */
export const daxGuestBytes = (window: number): number => (window / 4096) * 64;

/**
 * The policy where none is given. A range is 2 MiB and costs two round trips to QEMU and back, for a file of any size:
 * smaller ones are read sooner by requests.
 */
export const DEFAULT_DAX_POLICY = 'pages,>=64K';

/** A size among the words of a policy: `>=1M`, `<2G`. */
export const DAX_POLICY_SIZE = /^([<>])(=?)(\d{1,12})([KMGT]?)$/i;

/** A size that a person has written (`64M`), in bytes; NaN: it is none. */
export function parseDaxSize(text: string): number {
  return parseSize(text) ?? NaN;
}
