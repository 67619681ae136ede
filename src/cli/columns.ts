/** `--fields`: checked, and as a function of a row. The fields are those of the filter language. */
import { trouble } from '../base/catalogue';
import type { Capture } from '../trace/capture';
import { fieldColumns, fieldHelp } from '../trace/fieldColumns';

export interface Columns {
  /** A line above them; none in JSON. */
  readonly header: string | undefined;
  row(capture: Capture, row: number): string;
}

/** Throws a Trouble, with what was probably meant, for a field that there is not. */
export function columnsOf(list: string, json: boolean): Columns {
  const columns = fieldColumns(list);
  if ('unknown' in columns) {
    throw trouble('fieldUnknown', columns.unknown, columns.nearest === undefined ? '' : columns.nearest);
  }
  return json
    ? { header: undefined, row: (capture, row) => columns.json(capture, row) }
    : { header: columns.names.join('\t'), row: (capture, row) => columns.text(capture, row) };
}

export const fieldList = fieldHelp;
