/** What is at a place of the window, in words: for screen readers, tooltips and details. */
import type { FiguresView, WindowView } from '../../../control/daxWindow';
import { quote } from '../../../protocol/text';
import { sizeText } from '../../../trace/sizeText';
import { printDuration } from '../../../trace/times';
import type { Grid } from './grid';

export const percentWords = (part: number): string => `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;

/** A path as it can be shown: control characters made visible. */
export const pathWords = (path: string): string => {
  const quoted = quote(path);
  return quoted.length === path.length + 2 ? path : quoted;
};

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** All that the page itself knows of a cell. */
export function factsOf(view: WindowView, grid: Grid, cell: number): readonly Fact[] {
  const place = `${sizeText(cell * grid.bytes)} to ${sizeText(Math.min(view.size, (cell + 1) * grid.bytes))}`;
  const range = view.ranges[grid.range[cell]];
  if (!range)
    return [
      { name: 'Window', value: place },
      { name: 'State', value: 'free' },
    ];
  const file = view.files[range.file];
  const asked = range.request < 0 ? 'before the capture' : `by process ${range.pid}`;
  return [
    { name: 'File', value: pathWords(file?.path ?? '') },
    { name: 'File range', value: `${sizeText(range.fileOffset)} to ${sizeText(range.fileOffset + range.length)}` },
    { name: 'Window', value: `${sizeText(range.offset)} to ${sizeText(range.offset + range.length)}` },
    { name: 'Access', value: range.writable ? 'read, write' : 'read' },
    { name: 'Mapped', value: `${asked}, ${printDuration(Math.max(0, view.time - range.since))} ago` },
    { name: 'Reclaimed', value: timesWords(range.uses - 1) },
    ...(grid.ranges[cell] > 1 ? [{ name: 'Here as well', value: `${grid.ranges[cell] - 1} more ranges` }] : []),
  ];
}

export const timesWords = (count: number): string =>
  count <= 0 ? 'never' : count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;

/** One sentence for a screen reader. */
export function cellWords(view: WindowView, grid: Grid, cell: number): string {
  const facts = factsOf(view, grid, cell).map(({ name, value }) => `${name.toLowerCase()} ${value}`);
  return `Range ${cell + 1} of ${grid.count}: ${facts.join(', ')}.`;
}

/** Cells that show files whose paths have `text` in them, in any case. */
export function cellsOf(view: WindowView, grid: Grid, text: string): readonly number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const files = view.files.map(({ path }) => path.toLowerCase().includes(wanted));
  const cells: number[] = [];
  for (let cell = 0; cell < grid.count; cell++) {
    const range = view.ranges[grid.range[cell]];
    if (range && files[range.file]) cells.push(cell);
  }
  return cells;
}

/** The one after (or before) `from`, around the end. */
export function nextOf(cells: readonly number[], from: number, forward: boolean): number | undefined {
  if (cells.length === 0) return undefined;
  if (forward) return cells.find((cell) => cell > from) ?? cells[0];
  return cells.findLast((cell) => cell < from) ?? cells[cells.length - 1];
}

export interface Rates {
  /** A second, around the moment. */
  readonly maps: number;
  readonly unmaps: number;
}

/** In the slice that a moment lies in. */
export function ratesAt({ slices, end }: FiguresView, time: number): Rates {
  const width = end / slices.length;
  const slice = slices[Math.max(0, Math.min(slices.length - 1, Math.floor(time / width)))];
  if (!slice || !(width > 0)) return { maps: 0, unmaps: 0 };
  const seconds = width / 1e9;
  return { maps: slice.maps / seconds, unmaps: slice.unmaps / seconds };
}

export const rateWords = (rate: number): string =>
  `${rate === 0 ? '0' : rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')}/s`;
