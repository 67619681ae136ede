/**
 * What is wrong with a filter: a message, the place in the text, and what was probably meant.
 *
 * Owns the shape, the drawing with a caret line, and the search for a near name. Errors are values; nothing here
 * throws.
 */

export interface FilterError {
  message: string;
  /** Range in the text; empty (from = to) for what is missing there. */
  from: number;
  to: number;
  /** What to write in place of the range. */
  suggestion?: string;
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: FilterError };

export const good = <T>(value: T): Outcome<T> => ({ ok: true, value });

export function bad(message: string, at: { from: number; to: number }, suggestion?: string): Outcome<never> {
  const error = { message, from: at.from, to: at.to };
  return { ok: false, error: suggestion === undefined ? error : { ...error, suggestion } };
}

/** One line: `no field "paht"; did you mean "path"?` */
export function errorLine({ message, suggestion }: FilterError): string {
  if (suggestion === undefined) return message;
  return `${message}; did you mean ${suggestion.startsWith('"') ? suggestion : `"${suggestion}"`}?`;
}

const WIDEST = 100;

/** The line, the text's line in which it is, and a caret line under it. */
export function formatError(text: string, error: FilterError): string {
  const from = Math.max(0, Math.min(error.from, text.length));
  const lineStart = text.lastIndexOf('\n', from - 1) + 1;
  const newline = text.indexOf('\n', from);
  const line = text.slice(lineStart, newline < 0 ? text.length : newline);
  const column = from - lineStart;
  // A long line is shown around the place.
  const start = column < WIDEST - 20 ? 0 : column - (WIDEST - 20);
  const shown = line.slice(start, start + WIDEST).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  const wide = Math.min(Math.max(1, error.to - from), Math.max(1, shown.length - (column - start)));
  return `${errorLine(error)}\n  ${shown}\n  ${' '.repeat(column - start)}^${'~'.repeat(wide - 1)}`;
}
