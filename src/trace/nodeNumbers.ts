/**
 * Node numbers beyond what a double holds exactly. Columns have nodeids as doubles; two from 2^53 on may be one there.
 * Paths, filters and decoded messages have all 64 bits; what goes by the number in a column leaves such nodes out, and
 * says so.
 */

/** The upper word of the first one. */
export const WIDE_HIGH = 0x20_0000;

/** Where such a capture is looked at. */
export const WIDE_LEFT_OUT = 'Inodes with numbers of 2^53 and more are left out.';

/** What is told of a capture in which some came `seen` times. */
export const wideText = (seen: number): string =>
  `nodes with numbers of 2^53 and more, seen ${seen} ${seen === 1 ? 'time' : 'times'}: ` +
  'findings, inodes and handles leave these out, and the DAX window may take several for one';
