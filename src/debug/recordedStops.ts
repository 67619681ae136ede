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

type Phase = 'entry' | 'reply';

export interface Place {
  readonly row: number;
  readonly phase: Phase;
  readonly reason: 'breakpoint' | 'function breakpoint' | 'exception';
  readonly rules: readonly number[];
}

interface Found {
  readonly id: number;
  readonly phase: Phase;
  readonly reason: Place['reason'];
  /** Rows in order. */
  readonly rows: Uint32Array;
  /** A log point: what it says of a row. */
  readonly logged: RowText | undefined;
}

export class RecordedStops {
  private breakpoints: Found[] = [];
  private exceptions: Found[] = [];

  constructor(private readonly capture: Capture) {}

  setBreakpoints(rules: readonly BreakpointRule[]): RuleVerdict[] {
    this.breakpoints = rules.map((rule) => this.findBreakpoint(rule));
    return this.breakpoints.map(verdict);
  }

  setExceptions(rules: readonly ExceptionRule[]): RuleVerdict[] {
    this.exceptions = rules.map((rule) => ({
      id: rule.id,
      phase: 'reply',
      reason: 'exception',
      logged: undefined,
      rows: this.rows(this.exceptionTest(rule)),
    }));
    return this.exceptions.map(verdict);
  }

  private findBreakpoint(rule: BreakpointRule): Found {
    const { id, phase, path, condition = '', hitCondition, logMessage, line } = rule;
    // What is wrong with any of its texts was said before (breakpoints.ts).
    const parsed = parseOpcodes(rule.opcodes);
    const meant = typeof parsed === 'string' ? new Uint8Array(OPCODES) : parsed;
    const message = logMessage === undefined ? undefined : parseLogMessage(logMessage);
    const { opcode, path: paths, flags } = this.capture.columns;
    const glob = path === undefined ? undefined : globMatcher(path);
    const holds = this.predicate(condition);
    const wanted = phase === 'reply' ? RowFlag.REPLIED : 0;
    const all = this.rows(
      (row) =>
        meant[slotOf(opcode[row])] === 1 &&
        (flags[row] & (wanted | RowFlag.ORPHAN)) === wanted &&
        (glob === undefined || glob(this.capture.path(paths[row]))) &&
        holds(row),
    );
    const hits = hitCondition === undefined ? undefined : parseHitCondition(hitCondition);
    return {
      id,
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

  private rows(passes: Predicate): Uint32Array {
    const found: number[] = [];
    for (let row = 0; row < this.capture.count; row++) if (passes(row)) found.push(row);
    return Uint32Array.from(found);
  }

  private get stopping(): Found[] {
    return [...this.breakpoints.filter(({ logged }) => logged === undefined), ...this.exceptions];
  }

  /** The first place behind this one. */
  after(row: number, phase: Phase): Place | undefined {
    return this.nearest((found) => {
      const from = found.phase === 'reply' && phase === 'entry' ? row : row + 1;
      return found.rows[lowerBound(found.rows, from)];
    }, true);
  }

  /** The last place before this one; `reply` with `atReply` false: in between the row's entry and its reply. */
  before(row: number, phase: Phase, atReply: boolean): Place | undefined {
    return this.nearest((found) => {
      const own = found.phase === 'entry' && (phase === 'reply' || atReply);
      return found.rows[lowerBound(found.rows, own ? row + 1 : row) - 1];
    }, false);
  }

  private nearest(rowOf: (found: Found) => number | undefined, forward: boolean): Place | undefined {
    // A row's reply comes after its entry.
    const rank = (row: number, phase: Phase): number => row * 2 + (phase === 'reply' ? 1 : 0);
    let best: number | undefined;
    let at: Found[] = [];
    for (const found of this.stopping) {
      const row = rowOf(found);
      if (row === undefined) continue;
      const place = rank(row, found.phase);
      if (best !== undefined && (forward ? place > best : place < best)) continue;
      at = place === best ? [...at, found] : [found];
      best = place;
    }
    if (best === undefined) return undefined;
    const [{ phase, reason }] = at;
    return { row: Math.floor(best / 2), phase, reason, rules: at.map(({ id }) => id) };
  }

  /** What log points say of the rows in (from, to]. */
  logs(from: number, to: number): string[] {
    const lines: { row: number; text: string }[] = [];
    for (const { rows, logged } of this.breakpoints) {
      if (logged === undefined) continue;
      for (let i = lowerBound(rows, from + 1); i < rows.length && rows[i] <= to; i++) {
        if (lines.length >= MOST_LOGGED) return [...sorted(lines), `(more than ${MOST_LOGGED} log lines)`];
        lines.push({ row: rows[i], text: logged(rows[i]) });
      }
    }
    return sorted(lines);
  }
}

const MOST_LOGGED = 1000;
const sorted = (lines: { row: number; text: string }[]): string[] =>
  lines.sort((a, b) => a.row - b.row).map(({ text }) => text);

const verdict = ({ id, rows }: Found): RuleVerdict => ({
  id,
  verified: true,
  message: `${rows.length} ${rows.length === 1 ? 'place' : 'places'} in the capture`,
});

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
