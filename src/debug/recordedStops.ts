/**
 * Where breakpoints and exception filters hold in a capture, found by going over its rows once when they are set.
 */
import { parseHitCondition } from '../control/rules/hitCondition';
import { bindLogMessage, isProblem, parseLogMessage, type RowText } from '../control/rules/logMessage';
import { OPCODES, parseOpcodes, slotOf } from '../control/rules/selector';
import { opcodeByNumber } from '../protocol/fuse/opcodes';
import { RowFlag, type Capture } from '../trace/capture';
import { bindFilter, compileFilter, type Predicate } from '../trace/filter/filter';
import { globMatcher } from '../trace/filter/glob';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import type { Turns } from './turns';

export type Phase = 'entry' | 'reply';

export interface Place {
  readonly row: number;
  readonly phase: Phase;
  readonly reason: 'breakpoint' | 'function breakpoint' | 'exception';
  readonly rules: readonly number[];
}

interface Found {
  readonly phase: Phase;
  readonly reason: Place['reason'];
  /** Rows in order. */
  readonly rows: Uint32Array;
  /** A log point: what it says of a row. */
  readonly logged: RowText | undefined;
}

interface Standing extends Found {
  readonly id: number;
  /** All of the rule but its number. */
  readonly words: string;
}

interface Result {
  readonly id: number;
  /** Undefined when the search was cancelled. */
  readonly found: Standing | undefined;
}

/** Places in order: a row's reply comes after its entry. */
export const rankOf = (row: number, phase: Phase): number => row * 2 + (phase === 'reply' ? 1 : 0);

export class RecordedStops {
  private breakpoints: Standing[] = [];
  private exceptions: Standing[] = [];
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly capture: Capture) {}

  /** What is not found before it is cancelled does not stop anything, and its verdict says so. */
  async setBreakpoints(rules: readonly BreakpointRule[], turns: Turns): Promise<RuleVerdict[]> {
    return this.inOrder(async () => {
      const find = (rule: BreakpointRule): Promise<Found> => this.findBreakpoint(rule, turns);
      const results = await search(rules, this.breakpoints, turns, find);
      this.breakpoints = results.flatMap(({ found }) => found ?? []);
      return results.map(verdict);
    });
  }

  async setExceptions(rules: readonly ExceptionRule[], turns: Turns): Promise<RuleVerdict[]> {
    return this.inOrder(async () => {
      const results = await search(rules, this.exceptions, turns, async (rule) => ({
        phase: 'reply',
        reason: 'exception',
        logged: undefined,
        rows: await this.rows(this.exceptionTest(rule), turns),
      }));
      this.exceptions = results.flatMap(({ found }) => found ?? []);
      return results.map(verdict);
    });
  }

  /** What was set last is searched for last, and stands. */
  private inOrder<Verdicts>(set: () => Promise<Verdicts>): Promise<Verdicts> {
    const done = this.last.then(set);
    this.last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  private async findBreakpoint(rule: BreakpointRule, turns: Turns): Promise<Found> {
    const { phase, path, condition = '', hitCondition, logMessage, line } = rule;
    // What is wrong with any of its texts was said before (breakpoints.ts).
    const parsed = parseOpcodes(rule.opcodes);
    const meant = typeof parsed === 'string' ? new Uint8Array(OPCODES) : parsed;
    const message = logMessage === undefined ? undefined : parseLogMessage(logMessage);
    const { opcode, path: paths, flags } = this.capture.columns;
    const glob = path === undefined ? undefined : globMatcher(path);
    const holds = this.predicate(condition);
    const wanted = phase === 'reply' ? RowFlag.REPLIED : 0;
    const all = await this.rows(
      (row) =>
        meant[slotOf(opcode[row])] === 1 &&
        (flags[row] & (wanted | RowFlag.ORPHAN)) === wanted &&
        (glob === undefined || glob(this.capture.path(paths[row]))) &&
        holds(row),
      turns,
    );
    const hits = hitCondition === undefined ? undefined : parseHitCondition(hitCondition);
    return {
      phase,
      reason: line === undefined ? 'function breakpoint' : 'breakpoint',
      rows: hits === undefined ? all : all.filter((_, index) => hits(index + 1)),
      logged: message === undefined || isProblem(message) ? undefined : bindLogMessage(message, this.capture),
    };
  }

  private exceptionTest(rule: ExceptionRule): Predicate {
    const { error, flags, latency, opcode } = this.capture.columns;
    const holds = this.predicate(rule.condition ?? '');
    const errnos = new Set(rule.errnos);
    const slow = (rule.milliseconds ?? 0) * 1e6;
    const tests: Readonly<Record<ExceptionRule['kind'], Predicate>> = {
      anyErrno: (row) => error[row] < 0,
      errno: (row) => errnos.has(-error[row]),
      violation: (row) =>
        (this.capture.request(row)?.problems.length ?? 0) > 0 || (this.capture.reply(row)?.problems.length ?? 0) > 0,
      slow: (row) => latency[row] > slow,
      unknownOpcode: (row) => opcodeByNumber(opcode[row]) === undefined,
    };
    const test = tests[rule.kind];
    return (row) => (flags[row] & (RowFlag.REPLIED | RowFlag.ORPHAN)) === RowFlag.REPLIED && test(row) && holds(row);
  }

  /** Conditions were checked before. */
  private predicate(condition: string): Predicate {
    const filter = compileFilter(condition);
    return filter.ok ? bindFilter(filter.value, this.capture) : () => false;
  }

  private async rows(passes: Predicate, turns: Turns): Promise<Uint32Array> {
    const found: number[] = [];
    const { count } = this.capture;
    for (let row = 0; row < count && !turns.isCancelled; row++) {
      if (passes(row)) found.push(row);
      if (turns.isOver) await turns.give(row, count);
    }
    return Uint32Array.from(found);
  }

  private get stopping(): Standing[] {
    return [...this.breakpoints.filter(({ logged }) => logged === undefined), ...this.exceptions];
  }

  /** The first place behind this one. */
  after(row: number, phase: Phase): Place | undefined {
    return this.nearest((found) => {
      const from = found.phase === 'reply' && phase === 'entry' ? row : row + 1;
      return found.rows[lowerBound(found.rows, from)];
    }, true);
  }

  /** The last place before this one; `reply`: anywhere behind the row's entry, up to its reply. */
  before(row: number, phase: Phase): Place | undefined {
    return this.nearest((found) => {
      const own = found.phase === 'entry' && phase === 'reply';
      return found.rows[lowerBound(found.rows, own ? row + 1 : row) - 1];
    }, false);
  }

  private nearest(rowOf: (found: Found) => number | undefined, forward: boolean): Place | undefined {
    let best: number | undefined;
    let at: Standing[] = [];
    for (const found of this.stopping) {
      const row = rowOf(found);
      if (row === undefined) continue;
      const place = rankOf(row, found.phase);
      if (best !== undefined && (forward ? place > best : place < best)) continue;
      at = place === best ? [...at, found] : [found];
      best = place;
    }
    if (best === undefined) return undefined;
    const [{ phase, reason }] = at;
    return { row: Math.floor(best / 2), phase, reason, rules: at.map(({ id }) => id) };
  }

  /** What log points say of the places in (from, to], in order; the row of each. */
  *logs(from: number, to: number): Generator<{ readonly row: number; readonly phase: Phase; readonly text: string }> {
    const points = this.breakpoints.flatMap(({ phase, rows, logged }) => {
      // The first row whose place is behind `from`.
      const first = Math.floor(from / 2) + (phase === 'reply' && from % 2 === 0 ? 0 : 1);
      return logged === undefined ? [] : [{ phase, rows, logged, next: lowerBound(rows, first) }];
    });
    const place = ({ phase, rows, next }: (typeof points)[number]): number =>
      next < rows.length ? rankOf(rows[next], phase) : Infinity;
    for (;;) {
      const at = Math.min(...points.map(place));
      if (at > to || at === Infinity) return;
      for (const point of points) {
        if (place(point) !== at) continue;
        const row = point.rows[point.next++];
        yield { row, phase: point.phase, text: point.logged(row) };
      }
    }
  }
}

/** A rule that stands is not searched for again, and goes on standing where the search for others is cancelled. */
async function search<Rule extends { readonly id: number }>(
  rules: readonly Rule[],
  before: readonly Standing[],
  turns: Turns,
  find: (rule: Rule) => Promise<Found>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const rule of rules) {
    const { id, ...rest } = rule;
    const words = JSON.stringify(rest);
    const known = before.find((one) => one.words === words);
    const found = known ?? (await find(rule));
    const whole = known !== undefined || !turns.isCancelled;
    results.push({ id, found: whole ? { ...found, id, words } : undefined });
  }
  return results;
}

const verdict = ({ id, found }: Result): RuleVerdict =>
  found === undefined
    ? { id, verified: false, message: 'the search for its places was cancelled; set it again' }
    : {
        id,
        verified: true,
        message: `${found.rows.length} ${found.rows.length === 1 ? 'place' : 'places'} in the capture`,
      };

/** The first index whose row is not below. */
function lowerBound(rows: Uint32Array, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
