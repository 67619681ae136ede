/**
 * Breakpoints as people write them, to rules that a target takes; and what is wrong with one, before anybody is asked.
 *
 * A breakpoint on a reply's field is held at the reply, any other at the entry. Knows no DAP and no daemon.
 */
import { nearest } from '../base/nearest';
import { compileFilter, errorLine } from '../trace/filter/filter';
import { findField, isAny, type AnyField, type Field } from '../trace/filter/fields';
import { globMatcher } from '../trace/filter/glob';
import { parse } from '../trace/filter/parser';
import { durationUnits } from '../trace/filter/values';
import { errnos } from '../protocol/errno';
import { parseSelector } from '../control/debug';
import { HIT_FORMS, parseHitCondition } from '../control/rules/hitCondition';
import { isProblem, parseLogMessage } from '../control/rules/logMessage';
import { parseOpcodes } from '../control/rules/selector';

export interface BreakpointRule {
  readonly id: number;
  readonly opcodes: string;
  readonly path?: string;
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
  readonly phase: 'entry' | 'reply';
  /** Of the opcodes document; a function breakpoint has none. */
  readonly line?: number;
}

export type ExceptionKind = 'anyErrno' | 'errno' | 'violation' | 'slow' | 'unknownOpcode';

export interface ExceptionRule {
  readonly id: number;
  readonly kind: ExceptionKind;
  readonly errnos?: readonly number[];
  readonly milliseconds?: number;
  readonly condition?: string;
}

export interface RuleVerdict {
  readonly id: number;
  readonly verified: boolean;
  readonly message?: string;
}

export interface Written {
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
}

export type Checked<Rule> = { readonly rule: Rule; readonly message?: string } | { readonly problem: string };

/** `READ`, `FUSE_*XATTR`, `WRITE /etc/*`. */
export function checkBreakpoint(id: number, selector: string, written: Written): Checked<BreakpointRule> {
  const { opcodes: globs, path } = parseSelector(selector);
  const meant = parseOpcodes(globs);
  if (typeof meant === 'string') return { problem: meant };
  if (path !== undefined && globMatcher(path) === undefined) return { problem: 'the pattern of the path is too long' };
  const { condition, hitCondition, logMessage } = written;
  const problem = conditionProblem(condition) ?? hitProblem(hitCondition);
  if (problem !== undefined) return { problem };
  const message = parseLogMessage(logMessage ?? '');
  if (isProblem(message)) return { problem: `log message: ${message.problem} (at ${message.from + 1})` };
  const told = message.some((part) => typeof part !== 'string' && isOfReply(part));
  const phase = told || usesReply(condition ?? '') ? 'reply' : 'entry';
  const rule: BreakpointRule = {
    id,
    opcodes: globs,
    ...(path === undefined ? {} : { path }),
    ...given('condition', condition),
    ...given('hitCondition', hitCondition),
    ...given('logMessage', logMessage),
    phase,
  };
  return phase === 'reply' ? { rule, message: 'at the reply, since its condition needs that' } : { rule };
}

const given = <Name extends string>(name: Name, value: string | undefined): { [K in Name]?: string } =>
  value === undefined || value.trim() === '' ? {} : ({ [name]: value } as { [K in Name]?: string });

function conditionProblem(condition: string | undefined): string | undefined {
  if (condition === undefined) return undefined;
  const filter = compileFilter(condition);
  return filter.ok ? undefined : `condition: ${errorLine(filter.error)} (at ${filter.error.from + 1})`;
}

const hitProblem = (hit: string | undefined): string | undefined =>
  hit === undefined || hit.trim() === '' || parseHitCondition(hit)
    ? undefined
    : `hit condition: "${hit}" is not ${HIT_FORMS}`;

/** Does it ask for anything that only a reply has? */
const usesReply = (filter: string): boolean =>
  parse(filter).marks.some(({ role, text }) => {
    const field = role === 'field' ? findField(text) : undefined;
    return field !== undefined && isOfReply(field);
  });

const isOfReply = (field: Field | AnyField): boolean => (isAny(field) ? field.variants.every(ofReply) : ofReply(field));

const REPLY_COLUMNS: ReadonlySet<string> = new Set(['latency', 'host', 'writing', 'error', 'calls', 'replyLength']);

function ofReply({ source, name }: Field): boolean {
  if (source.kind === 'bytes' || source.kind === 'payload') return source.side === 'reply';
  if (source.kind === 'column') return REPLY_COLUMNS.has(source.column);
  return source.kind === 'daemon' || (source.kind === 'flags' && (name === 'replied' || name.startsWith('reply.')));
}

// Exception filters

export interface ExceptionFilterRow {
  readonly filter: ExceptionKind;
  readonly label: string;
  readonly description: string;
  readonly conditionDescription: string;
}

export const exceptionFilters: readonly ExceptionFilterRow[] = [
  {
    filter: 'anyErrno',
    label: 'Any errno',
    description: 'Holds each reply that is an error.',
    conditionDescription: 'A filter, such as: error != ENOENT && path ~ "*.db"',
  },
  {
    filter: 'errno',
    label: 'Chosen errnos',
    description: 'Holds replies with one of these errors.',
    conditionDescription: 'Errnos, then maybe a filter: ENOSPC, EDQUOT && WRITE',
  },
  {
    filter: 'violation',
    label: 'Protocol violations',
    description: 'Holds replies to requests that break a rule of the protocol.',
    conditionDescription: 'A filter, such as: WRITE',
  },
  {
    filter: 'slow',
    label: 'Slow requests',
    description: 'Holds replies that took longer than the duration (100ms unless said).',
    conditionDescription: 'A duration, then maybe a filter: 20ms && READ',
  },
  {
    filter: 'unknownOpcode',
    label: 'Unknown opcodes',
    description: 'Holds replies to opcodes that nobody knows, or that are not served.',
    conditionDescription: 'A filter, such as: uid == 1000',
  },
];

const SLOW_MS = 100;

export function checkException(id: number, filter: string, condition = ''): Checked<ExceptionRule> {
  const row = exceptionFilters.find((each) => each.filter === filter);
  if (row === undefined) return { problem: `there is no exception filter "${filter}"` };
  const kind = row.filter;
  if (kind === 'errno') return checkErrnos(id, condition);
  if (kind === 'slow') return checkSlow(id, condition);
  const problem = conditionProblem(condition);
  return problem === undefined ? { rule: { id, kind, ...given('condition', condition) } } : { problem };
}

function checkErrnos(id: number, condition: string): Checked<ExceptionRule> {
  const [, list, rest = ''] = /^\s*([^&]*?)\s*(?:&&(.*))?$/s.exec(condition) ?? ['', ''];
  const words = list.split(/[\s,|]+/).filter((word) => word !== '');
  if (words.length === 0) return { problem: 'name the errnos in its condition, as in: ENOENT, EACCES' };
  const numbers: number[] = [];
  for (const word of words) {
    const name = word.toUpperCase();
    const number = Object.hasOwn(errnos.value, name) ? errnos.value[name as keyof typeof errnos.value] : undefined;
    if (number === undefined) {
      const near = nearest(name, Object.keys(errnos.value));
      return { problem: `"${word}" is no errno${near === undefined ? '' : `; did you mean "${near}"?`}` };
    }
    numbers.push(number);
  }
  const problem = conditionProblem(rest);
  return problem === undefined
    ? { rule: { id, kind: 'errno', errnos: numbers, ...given('condition', rest) } }
    : { problem };
}

function checkSlow(id: number, condition: string): Checked<ExceptionRule> {
  const [, duration = '', rest = ''] = /^\s*([^&]*?)\s*(?:&&(.*))?$/s.exec(condition) ?? [];
  let milliseconds = SLOW_MS;
  if (duration !== '') {
    const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ns|us|ms|s|m|h)$/.exec(duration);
    if (!match) return { problem: `"${duration}" is no duration such as 20ms` };
    milliseconds = (Number(match[1]) * Number(durationUnits[match[2]])) / 1e6;
  }
  const problem = conditionProblem(rest);
  return problem === undefined
    ? { rule: { id, kind: 'slow', milliseconds, ...given('condition', rest) } }
    : { problem };
}
