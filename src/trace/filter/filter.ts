/**
 * The filter language: text to a filter, a filter over rows. What the command line, the views, breakpoints and colour
 * rules use; docs/filter-language.md is for those who write filters.
 */
import type { Capture } from '../capture';
import { bind, type Predicate } from './bind';
import { check } from './check';
import { good, type Outcome } from './errors';
import { parse } from './parser';
import type { Plan } from './plan';
import type { Rows } from './rows';

export { errorLine, formatError, type FilterError, type Outcome } from './errors';
export { OneRow, type Rows } from './rows';
export type { Predicate } from './bind';

export interface Filter {
  readonly text: string;
  readonly plan: Plan;
}

/** Never throws. An empty text is a filter that lets everything pass. */
export function compileFilter(text: string): Outcome<Filter> {
  const { outcome } = parse(text);
  if (!outcome.ok) return outcome;
  const plan = check(outcome.value);
  return plan.ok ? good({ text, plan: plan.value }) : plan;
}

/** The filter as a function of these rows; of a capture that has grown it has to be bound anew. */
export const bindFilter = (filter: Filter, rows: Rows): Predicate => bind(filter.plan, rows);

/** The same for a capture that grows while rows are asked for: bound again whenever its columns have been replaced. */
export function followFilter(filter: Filter, rows: Rows): Predicate {
  let { flags } = rows.columns;
  let passes = bindFilter(filter, rows);
  return (row) => {
    if (rows.columns.flags !== flags) {
      ({ flags } = rows.columns);
      passes = bindFilter(filter, rows);
    }
    return passes(row);
  };
}

/** The rows in [from, to) that pass, in order. */
export function select(
  capture: Rows & Pick<Capture, 'count'>,
  filter: Filter,
  from = 0,
  to = capture.count,
): Uint32Array {
  const passes = bindFilter(filter, capture);
  const end = Math.min(to, capture.count);
  let found = new Uint32Array(1024);
  let count = 0;
  for (let row = from; row < end; row++) {
    if (!passes(row)) continue;
    if (count === found.length) {
      const larger = new Uint32Array(count * 2);
      larger.set(found);
      found = larger;
    }
    found[count++] = row;
  }
  return found.slice(0, count);
}
