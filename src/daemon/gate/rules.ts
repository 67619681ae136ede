/**
 * Breakpoints and exception filters, compiled: which of them are about a request at its entry, or at its reply.
 *
 * Owns conditions and hit counts. Holds nothing: the gate does, with what comes from here. Evaluated on the queue
 * worker for each request whose opcode some rule is about, so nothing is allocated unless something matches.
 */
import type { Breakpoint, ExceptionFilter, Held, Verdict } from '../../control/debug';
import { HIT_FORMS, type HitCondition, parseHitCondition } from '../../control/rules/hitCondition';
import { bindLogMessage, isProblem, parseLogMessage, type RowText } from '../../control/rules/logMessage';
import { compileCondition, compilePath, OPCODES, parseOpcodes } from '../../control/rules/selector';
import { errnoName } from '../../protocol/errno';
import { bindFilter, type Filter, type OneRow, type Predicate } from '../../trace/filter/filter';
import type { GateRequest } from './gateRequest';

interface Rule {
  readonly id: number;
  /** What the client sent: a rule that is sent again keeps its count. */
  readonly source: string;
  readonly opcodes: Uint8Array;
  readonly path: Predicate | undefined;
  readonly condition: Predicate | undefined;
  readonly counts: HitCondition | undefined;
  readonly message: RowText | undefined;
  hits: number;
}

interface Exception {
  readonly id: number;
  readonly kind: ExceptionFilter['kind'];
  readonly errnos: ReadonlySet<number>;
  readonly milliseconds: number;
  readonly condition: Predicate | undefined;
}

/** What is to be done with a request. */
export type Matched = Held['why'] | undefined;

type Told = (id: number, text: string) => void;

export class Rules {
  /** By opcode (those beyond the last count as it): 1 where something has to be looked at. */
  readonly entryInterest = new Uint8Array(OPCODES);
  readonly replyInterest = new Uint8Array(OPCODES);
  private entry: Rule[] = [];
  private reply: Rule[] = [];
  private exceptions: Exception[] = [];

  /** `row` is what conditions look at; `logpoint` is told what logpoints say. */
  constructor(
    private readonly row: OneRow,
    private readonly logpoint: Told,
  ) {}

  get any(): boolean {
    return this.entry.length > 0 || this.reply.length > 0 || this.exceptions.length > 0;
  }

  clear(): void {
    this.entry = [];
    this.reply = [];
    this.exceptions = [];
    this.note();
  }

  setBreakpoints(breakpoints: readonly Breakpoint[]): Verdict[] {
    const before = new Map([...this.entry, ...this.reply].map((rule) => [rule.source, rule.hits]));
    this.entry = [];
    this.reply = [];
    const verdicts = breakpoints.map((one): Verdict => {
      const rule = this.compile(one);
      if ('verified' in rule) return rule;
      rule.hits = before.get(rule.source) ?? 0;
      (one.phase === 'entry' ? this.entry : this.reply).push(rule);
      return { id: one.id, verified: true };
    });
    this.note();
    return verdicts;
  }

  setExceptions(filters: readonly ExceptionFilter[]): Verdict[] {
    this.exceptions = [];
    const verdicts = filters.map((one): Verdict => {
      const { id, kind, errnos = [], milliseconds = 0 } = one;
      const bad = (message: string, part: Verdict['part'], from = 0, to = 0): Verdict => ({
        id,
        verified: false,
        message,
        ...(part ? { part } : {}),
        from,
        to,
      });
      if (kind === 'errno' && errnos.length === 0) return bad('no errno is named', undefined);
      if (kind === 'slow' && !(milliseconds > 0)) return bad('slow needs a time above 0', 'milliseconds');
      const condition = one.condition === undefined ? undefined : compileCondition(one.condition);
      if (condition && 'problem' in condition) {
        return bad(condition.problem, 'condition', condition.from, condition.to);
      }
      this.exceptions.push({
        id,
        kind,
        errnos: new Set(errnos),
        milliseconds,
        condition: condition && bindFilter(condition.filter, this.row),
      });
      return { id, verified: true };
    });
    this.note();
    return verdicts;
  }

  /** The request in the row is about to be handled. */
  atEntry(opcode: number): Matched {
    return this.matched(this.entry, opcode);
  }

  /** The reply is in the row as well. `took`: milliseconds, without those it was held. */
  atReply(request: GateRequest, opcode: number, error: number, took: number): Matched {
    const found = this.matched(this.reply, opcode);
    if (found) return found;
    for (const one of this.exceptions) {
      const text = thrown(one, request, error, took);
      if (text !== undefined && (one.condition === undefined || one.condition(0))) {
        return { kind: 'exception', ids: [one.id], text };
      }
    }
    return undefined;
  }

  private matched(rules: readonly Rule[], opcode: number): Matched {
    let ids: number[] | undefined;
    for (const rule of rules) {
      if (rule.opcodes[opcode] === 0) continue;
      if (rule.condition !== undefined && !rule.condition(0)) continue;
      if (rule.path !== undefined && !rule.path(0)) continue;
      rule.hits++;
      if (rule.counts !== undefined && !rule.counts(rule.hits)) continue;
      if (rule.message !== undefined) this.logpoint(rule.id, rule.message(0));
      else (ids ??= []).push(rule.id);
    }
    return ids && { kind: 'breakpoint', ids, text: '' };
  }

  private compile(one: Breakpoint): Rule | Verdict {
    const bad = (part: NonNullable<Verdict['part']>, message: string, from: number, to: number): Verdict => ({
      id: one.id,
      verified: false,
      message,
      part,
      from,
      to,
    });
    const opcodes = parseOpcodes(one.opcodes);
    if (typeof opcodes === 'string') return bad('opcodes', opcodes, 0, one.opcodes.length);
    let path: Filter | undefined;
    if (one.path !== undefined) {
      const compiled = compilePath(one.path);
      if ('problem' in compiled) return bad('path', compiled.problem, 0, one.path.length);
      path = compiled.filter;
    }
    let condition: Filter | undefined;
    if (one.condition !== undefined && one.condition.trim() !== '') {
      const compiled = compileCondition(one.condition);
      if ('problem' in compiled) return bad('condition', compiled.problem, compiled.from, compiled.to);
      condition = compiled.filter;
    }
    let counts: HitCondition | undefined;
    if (one.hitCondition !== undefined && one.hitCondition.trim() !== '') {
      counts = parseHitCondition(one.hitCondition);
      if (!counts) return bad('hitCondition', `a hit condition is ${HIT_FORMS}`, 0, one.hitCondition.length);
    }
    let message: RowText | undefined;
    if (one.logMessage !== undefined && one.logMessage !== '') {
      const parsed = parseLogMessage(one.logMessage);
      if (isProblem(parsed)) return bad('logMessage', parsed.problem, parsed.from, parsed.to);
      message = bindLogMessage(parsed, this.row);
    }
    return {
      id: one.id,
      source: JSON.stringify([one.id, one.opcodes, one.path, one.condition, one.hitCondition, one.phase]),
      opcodes,
      path: path && bindFilter(path, this.row),
      condition: condition && bindFilter(condition, this.row),
      counts,
      message,
      hits: 0,
    };
  }

  private note(): void {
    const { entryInterest, replyInterest } = this;
    entryInterest.fill(0);
    for (const { opcodes } of this.entry) opcodes.forEach((meant, opcode) => (entryInterest[opcode] |= meant));
    replyInterest.fill(this.exceptions.length > 0 ? 1 : 0);
    for (const { opcodes } of this.reply) opcodes.forEach((meant, opcode) => (replyInterest[opcode] |= meant));
  }
}

/** Why the reply is an exception by this filter, or undefined. */
function thrown(one: Exception, request: GateRequest, error: number, took: number): string | undefined {
  switch (one.kind) {
    case 'anyErrno':
      return error < 0 ? errnoName(-error) : undefined;
    case 'errno':
      return one.errnos.has(-error) ? errnoName(-error) : undefined;
    case 'violation':
      return request.refusal !== undefined && !request.notServed ? request.refusal : undefined;
    case 'unknownOpcode':
      return request.notServed ? (request.refusal ?? `opcode ${request.opcode}`) : undefined;
    case 'slow':
      return took > one.milliseconds ? `it took ${took.toFixed(1)} ms` : undefined;
  }
}
