/** By what cells are coloured: each range has a shade, a number that the page has a colour and a word for. */
import type { RangeView, WindowView } from '../../../control/daxWindow';

export const COLOURINGS = ['file', 'access', 'age', 'churn'] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** Files have so many colours; then they come again. */
export const FILE_SHADES = 12;

const AGES: readonly (readonly [most: number, word: string])[] = [
  [10e6, 'below 10 ms'],
  [100e6, 'below 100 ms'],
  [1e9, 'below 1 s'],
  [10e9, 'below 10 s'],
  [60e9, 'below 1 min'],
  [Infinity, 'longer'],
];
const USES: readonly (readonly [most: number, word: string])[] = [
  [1, 'first use'],
  [2, '2nd use'],
  [4, '3rd, 4th'],
  [8, '5th to 8th'],
  [16, '9th to 16th'],
  [Infinity, 'more'],
];

export function shadeOf(view: WindowView, range: RangeView, by: Colouring): number {
  switch (by) {
    case 'file':
      return (view.files[range.file]?.number ?? 0) % FILE_SHADES;
    case 'access':
      return range.writable ? 1 : 0;
    case 'age':
      return AGES.findIndex(([most]) => most === Infinity || view.time - range.since < most);
    case 'churn':
      return USES.findIndex(([most]) => range.uses <= most);
  }
}

export interface LegendEntry {
  readonly shade: number;
  readonly text: string;
  /** How many ranges have it. */
  readonly count: number;
  /** The file that it is about. */
  readonly nodeid?: string;
}

/** What the colours mean. Of files those with the most ranges. */
export function legendOf(view: WindowView, by: Colouring, mostFiles = 8): readonly LegendEntry[] {
  const counts = new Map<number, number>();
  for (const range of view.ranges) {
    const key = by === 'file' ? range.file : shadeOf(view, range, by);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (by === 'file') {
    return [...counts]
      .sort(([a, many], [b, more]) => more - many || a - b)
      .slice(0, mostFiles)
      .map(([file, count]) => {
        const { path, nodeid, number } = view.files[file];
        return { shade: number % FILE_SHADES, text: path, count, nodeid };
      });
  }
  const words = by === 'access' ? ['read', 'read, write'] : (by === 'age' ? AGES : USES).map(([, word]) => word);
  return words.map((text, shade) => ({ shade, text, count: counts.get(shade) ?? 0 }));
}
