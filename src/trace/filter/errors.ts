/**
 * What is wrong with a filter: a message, the place in the text, and what was probably meant.
 *
 * Owns the shape, the drawing with a caret line, and the search for a near name. Errors are values; nothing here throws.
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

/** The candidate that `word` was probably meant to be; upper and lower case count for little. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 0.5;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > least) continue;
    const lower = candidate.toLowerCase();
    const far = distance(wanted, lower) + (candidate === word || candidate[0] === word[0] ? 0 : 0.1);
    if (far >= least) continue;
    best = candidate;
    least = far;
  }
  return best;
}

/** Edits from one word to the other, an exchange of two neighbours being one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length];
}
