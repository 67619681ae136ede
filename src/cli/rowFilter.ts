/** Which rows a command is about: `--filter`, alone or with other tests. The language is src/trace/filter. */
import { trouble } from '../base/catalogue';
import type { Capture } from '../trace/capture';
import { compileFilter, followFilter, formatError, type Predicate } from '../trace/filter/filter';

/** What a remedy's first line gets anyway. Spaces that the filter begins with stay: the caret counts them. */
const INDENT = '  ';

export type RowTest = (capture: Capture, row: number) => boolean;

/** Undefined without an expression. Throws a Trouble, with the place, for one that is wrong. */
export function filterOf(expression: string | undefined): RowTest | undefined {
  if (expression === undefined) return undefined;
  const compiled = compileFilter(expression);
  if (!compiled.ok) {
    const [what, ...place] = formatError(expression, compiled.error).split('\n');
    throw trouble('filterBad', what, place.join('\n').slice(INDENT.length));
  }
  const filter = compiled.value;
  let bound: { capture: Capture; passes: Predicate } | undefined;
  return (capture, row) => {
    if (bound?.capture !== capture) bound = { capture, passes: followFilter(filter, capture) };
    return bound.passes(row);
  };
}

/** True where both are; undefined when there is neither. */
export function both(one: RowTest | undefined, other: RowTest | undefined): RowTest | undefined {
  if (!one || !other) return one ?? other;
  return (capture, row) => one(capture, row) && other(capture, row);
}

/** The rows that pass. */
export function rowsOf(capture: Capture, wanted: RowTest | undefined): Uint32Array {
  const rows = new Uint32Array(capture.count);
  let found = 0;
  for (let row = 0; row < rows.length; row++) if (!wanted || wanted(capture, row)) rows[found++] = row;
  return rows.subarray(0, found);
}
