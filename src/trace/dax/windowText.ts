/** The DAX window of a capture, for a person (lines) and for programs (JSON). */
import { printSize } from '../../protocol/print';
import { quote, visible } from '../../protocol/text';
import type { Capture } from '../capture';
import { bigAsText } from '../jsonRow';
import { sizeText } from '../sizeText';
import { alignColumns } from '../textTable';
import { printDuration, printSeconds } from '../times';
import type { WindowFigures } from './windowFigures';
import { fileNames } from './windowNames';
import { MOST_RANGES, type WindowState } from './windowState';
import { WINDOW_WORDS } from './windowWords';

const MOST_FILES = 15;
const MOST_NOTES = 15;
const BAR = 40;

export function windowText(figures: WindowFigures): string[] {
  const { size, maps, unmaps, refusals, leftOut, slices, files, roundTrips, notes } = figures;
  if (maps === 0) {
    const refused = refusals > 0 ? `, ${refusals} refused` : '';
    const what = size === 0 ? 'No DAX window was used' : `The DAX window of ${sizeText(size)} was not used`;
    return [`${what}: nothing was mapped${refused}.`, ...noteLines(notes)];
  }
  const most = Math.max(0, ...slices.map((slice) => slice.most));
  return [
    `window      ${sizeText(size)}, at most ${percent(most)} of it in use`,
    `mappings    ${maps} made by the guest, ${unmaps} removed, by it or by the end of its mount, ${refusals} refused`,
    ...(leftOut > 0 ? [`left out    ${leftOut} made beside ${MOST_RANGES} others: no more are followed`] : []),
    `thrash      ${figures.again} made again within ${printDuration(figures.thrashNs)} of being given up`,
    '',
    ...occupancy(figures),
    '',
    ...fileTable(files),
    ...(roundTrips.length === 0 ? [] : ['', ...tripTable(roundTrips)]),
    ...noteLines(notes),
  ];
}

function occupancy({ slices }: WindowFigures): string[] {
  return [
    'occupancy over time (at the end of each slice; | at most)',
    ...alignColumns(
      slices.map(({ start, end, most, maps, unmaps }) => [
        printSeconds(start),
        bar(end, most),
        percent(end),
        `+${maps}`,
        `-${unmaps}`,
      ]),
      [1],
    ),
  ];
}

function bar(end: number, most: number): string {
  const filled = Math.round(Math.min(1, end) * BAR);
  const peak = Math.round(Math.min(1, most) * BAR);
  const rest = peak > filled ? `${' '.repeat(peak - filled - 1)}|` : '';
  return `${'#'.repeat(filled)}${rest}`.padEnd(BAR);
}

function fileTable(files: WindowFigures['files']): string[] {
  const rows = files.slice(0, MOST_FILES);
  const more = files.length - rows.length;
  return [
    ...alignColumns([
      ['file', 'at most', 'range time', 'maps', 'again', 'READ', 'WRITE', 'through requests'],
      ...rows.map((file) => [
        quote(file.path),
        sizeText(file.mostBytes),
        printDuration(file.rangeTime),
        `${file.maps}`,
        `${file.again}`,
        `${file.reads}`,
        `${file.writes}`,
        sizeText(file.bytes),
      ]),
    ]),
    ...(more > 0 ? [`… and ${more} others`] : []),
  ];
}

function tripTable(trips: WindowFigures['roundTrips']): string[] {
  return [
    'messages to the front-end: each mapping is one or two, for whole pages of the file and for what is behind them',
    ...alignColumns([
      ['SHMEM_MAP beside', 'count', 'median', 'most'],
      ...trips.map(({ from, count, median, most }) => [
        `${from} and more`,
        `${count}`,
        printDuration(median),
        printDuration(most),
      ]),
    ]),
  ];
}

function noteLines(notes: WindowFigures['notes']): string[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(-MOST_NOTES);
  const more = notes.length - shown.length;
  return [
    '',
    `files that are not, or not safely, in the window: ${notes.length}`,
    ...shown.map(
      ({ path, what, text }) => `  ${WINDOW_WORDS[what] ?? `note ${what}`}: ${quote(`/${path}`)}: ${visible(text)}`,
    ),
    ...(more > 0 ? [`  … and ${more} others, earlier`] : []),
  ];
}

/** What is mapped at one moment, one line a range. */
export function stateText(capture: Capture, state: WindowState, time: number): string[] {
  const names = fileNames(capture);
  const rows = state.all.map((range) => [
    printSize(range.windowOffset),
    printSize(range.length),
    quote(names(range.nodeid, range.path)),
    `from ${printSize(range.fileOffset)}`,
    range.flags === 0 ? 'read' : 'read, write',
    `for ${printDuration(Math.max(0, time - range.since))}`,
    `use ${range.uses}`,
  ]);
  if (rows.length === 0) return ['Nothing was mapped then.'];
  return [`${state.all.length} ranges, ${sizeText(state.mappedBytes)}`, ...alignColumns(rows, [2])];
}

/** As data; times in nanoseconds after the capture's first packet, nodeids beyond 2^53 as texts. */
export function windowJson(capture: Capture, figures: WindowFigures, state: WindowState): string {
  const ranges = state.all.map(({ path, ...range }) => ({ ...range, path: path > 0 ? capture.path(path) : null }));
  return JSON.stringify({ ...figures, ranges }, bigAsText, 2);
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
