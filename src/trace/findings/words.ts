/** Numbers and names as the texts of findings have them. */
import { printId } from '../../protocol/print';
import { quote } from '../../protocol/text';
import type { Capture } from '../capture';
import { printDuration } from '../times';

/** `1 request`, `12 requests`. */
export function times(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** For sentences: `1.25 s`, `830 µs`, `5 ms`. */
export const duration = (nanoseconds: number): string =>
  printDuration(nanoseconds > 0 ? nanoseconds : 0).replace(/\.0+(?= )|(?<=\.\d+?)0+(?= )/, '');

/** `12 %`, `0.3 %`. */
export function percent(part: number, of: number): string {
  return of === 0 ? '0 %' : `${Number(((part / of) * 100).toPrecision(2))} %`;
}

/** A path in quotes; what has none is known by its number. */
export const place = (path: string, nodeid: number | bigint): string =>
  path === '' ? `inode ${printId(nodeid)}` : quote(path);

/** What a request is about. */
export function placeOf(capture: Capture, row: number): string {
  const { path, nodeid } = capture.columns;
  return place(capture.path(path[row]), path[row] === 0 ? (capture.request(row)?.nodeid ?? nodeid[row]) : nodeid[row]);
}

/** `0644`, as ls and chmod have it. */
export const octal = (mode: number): string => `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;

/** A list with `and` before the last, and how many more there are. */
export function list(items: readonly string[], more = 0): string {
  const all = more > 0 ? [...items, `${more} more`] : items;
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all[all.length - 1]}`;
}
