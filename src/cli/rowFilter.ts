/** Which rows a command is about: `--filter`, alone or with other tests. The language is src/trace/filter. */
import { trouble } from '../base/catalogue';
import type { Capture } from '../trace/capture';
import { bindFilter, compileFilter, formatError, type Predicate } from '../trace/filter/filter';

export type RowTest = (capture: Capture, row: number) => boolean;

/** Undefined without an expression. Throws a Trouble, with the place, for one that is wrong. */
export function filterOf(expression: string | undefined): RowTest | undefined {
  if (expression === undefined) return undefined;
  const compiled = compileFilter(expression);
  if (!compiled.ok) throw trouble('filterBad', formatError(expression, compiled.error));
  const filter = compiled.value;
  // A capture that grows gets other columns, and paths that a bound filter does not know.
  let bound: { count: number; paths: number; columns: Capture['columns']; passes: Predicate } | undefined;
  return (capture, row) => {
    const { count, paths, columns } = capture;
    if (bound?.count !== count || bound.paths !== paths || bound.columns !== columns) {
      bound = { count, paths, columns, passes: bindFilter(filter, capture) };
    }
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
