/** Requests as lines of JSON, one each, in the order in which they were taken. */
import type { Capture } from '../capture';
import { jsonRow } from '../jsonRow';

export function* jsonLines(capture: Capture, rows: Iterable<number>): Generator<string> {
  for (const row of rows) yield `${jsonRow(capture, row)}\n`;
}
