/** Where in the arena the DAX window's part of the file system works. */

export interface DaxAreas {
  /** struct statx, 256 bytes: apart from the one that replies are made from. */
  readonly attributes: number;
  /** 256 bytes: an iovec, a struct statfs. */
  readonly vector: number;
  readonly small: number;
  /** Bytes on their way between a file and a copy of its end; paths. */
  readonly data: number;
  readonly dataSize: number;
}

const DATA_SIZE = 64 * 1024;

export const DAX_AREAS_SIZE = 512 + DATA_SIZE;

/** Lays the areas out from `start` (8-aligned) on. */
export function daxAreas(start: number): DaxAreas {
  return { attributes: start, vector: start + 256, small: start + 272, data: start + 512, dataSize: DATA_SIZE };
}
