/** The handlers of breakpoints: what the client sets, to rules for the target, and the verdicts back. */
import { trouble } from '../base/catalogue';
import { errnos, type ErrnoName } from '../protocol/errno';
import type { Given } from './arguments';
import {
  checkBreakpoint,
  checkException,
  exceptionFilters,
  type BreakpointRule,
  type Checked,
  type RuleVerdict,
} from './breakpoints';
import type { Debugging } from './debugging';
import { opcodeAtLine } from './opcodeDocument';
import { isOpcodes, opcodesSource } from './sources';
import type { Breakpoints } from './standingBreakpoints';
import type { Target } from './target';

interface Draft {
  readonly id: number;
  readonly checked: Checked<BreakpointRule>;
}

/** Clients still tell a session that is over what is removed; and one that runs without debugging what is there. */
const isIdle = ({ over, noDebug }: Debugging): boolean => over || noDebug;

function unverified({ breakpoints, noDebug }: Debugging, count: number): object {
  const message = noDebug ? { message: 'this session runs without debugging' } : {};
  return { breakpoints: Array.from({ length: count }, () => ({ id: breakpoints.id(), verified: false, ...message })) };
}

export async function setBreakpoints(debugging: Debugging, args: Given<'setBreakpoints'>): Promise<object> {
  if (isIdle(debugging)) return unverified(debugging, args.breakpoints?.length ?? 0);
  const { target, breakpoints } = debugging;
  const wanted = args.breakpoints ?? [];
  const base = debugging.client.linesStartAt1 ? 0 : 1;
  if (!isOpcodes(debugging, args.source)) {
    const message = 'Breakpoints go on the lines of the document "FUSE opcodes", or are function breakpoints.';
    return { breakpoints: wanted.map(({ line }) => ({ id: breakpoints.id(), verified: false, line, message })) };
  }
  const drafts = wanted.map(({ line, condition, hitCondition, logMessage }): Draft => {
    const id = breakpoints.id();
    const opcode = opcodeAtLine(line + base);
    if (opcode === undefined) return { id, checked: { problem: 'there is no opcode on this line' } };
    const checked = checkBreakpoint(id, opcode.name, { condition, hitCondition, logMessage });
    return { id, checked: 'rule' in checked ? { ...checked, rule: { ...checked.rule, line } } : checked };
  });
  const answers = await settle(breakpoints, target, 'lines', drafts);
  const source = opcodesSource(debugging);
  return { breakpoints: answers.map((answer, i) => ({ ...answer, line: wanted[i].line, source })) };
}

export async function setFunctions(debugging: Debugging, args: Given<'setFunctionBreakpoints'>): Promise<object> {
  if (isIdle(debugging)) return unverified(debugging, args.breakpoints.length);
  const { target, breakpoints } = debugging;
  const drafts = args.breakpoints.map(({ name, condition, hitCondition }): Draft => {
    const id = breakpoints.id();
    return { id, checked: checkBreakpoint(id, name, { condition, hitCondition }) };
  });
  return { breakpoints: await settle(breakpoints, target, 'functions', drafts) };
}

async function settle(
  breakpoints: Breakpoints,
  target: Target,
  of: 'lines' | 'functions',
  drafts: readonly Draft[],
): Promise<RuleVerdict[]> {
  const rules = drafts.flatMap(({ checked }) => ('rule' in checked ? [checked.rule] : []));
  const verdicts = new Map((await breakpoints.set(target, of, rules)).map((verdict) => [verdict.id, verdict]));
  return drafts.map(({ id, checked }) => answerOf(id, checked, verdicts));
}

function answerOf(id: number, checked: Checked<unknown>, verdicts: ReadonlyMap<number, RuleVerdict>): RuleVerdict {
  if ('problem' in checked) return { id, verified: false, message: checked.problem };
  const verdict = verdicts.get(id);
  const verified = verdict?.verified ?? false;
  const messages = [checked.message, verdict?.message].filter((text) => text !== undefined);
  return messages.length === 0 ? { id, verified } : { id, verified, message: messages.join('; ') };
}

export async function setExceptions(debugging: Debugging, args: Given<'setExceptionBreakpoints'>): Promise<object> {
  const { breakpoints } = debugging;
  if (isIdle(debugging)) return unverified(debugging, args.filters.length + (args.filterOptions?.length ?? 0));
  const { target } = debugging;
  const wanted = [
    ...args.filters.map((filterId) => ({ filterId, condition: undefined })),
    ...(args.filterOptions ?? []),
  ];
  const drafts = wanted.map(({ filterId, condition }) => {
    const id = breakpoints.id();
    return { id, checked: checkException(id, filterId, condition) };
  });
  const rules = drafts.flatMap(({ checked }) => ('rule' in checked ? [checked.rule] : []));
  breakpoints.exceptionKinds.clear();
  for (const { id, kind } of rules) breakpoints.exceptionKinds.set(id, kind);
  const verdicts = new Map((await target.setExceptions(rules)).map((verdict) => [verdict.id, verdict]));
  return { breakpoints: drafts.map(({ id, checked }) => answerOf(id, checked, verdicts)) };
}

export async function exceptionInfo(debugging: Debugging, { threadId }: Given<'exceptionInfo'>): Promise<object> {
  const stop = debugging.stops.get(threadId);
  if (stop?.reason !== 'exception') {
    throw trouble('debugArgumentBad', 'exceptionInfo', `thread ${threadId} is not stopped by an exception filter`);
  }
  const picture = await debugging.target.picture(threadId);
  const { error } = picture;
  const kinds = stop.rules.map((id) => debugging.breakpoints.exceptionKinds.get(id));
  const row = exceptionFilters.find(({ filter }) => kinds.includes(filter));
  const sentence = error === undefined ? undefined : errnos.byValue.get(errnos.value[error as ErrnoName] ?? 0)?.doc;
  const problems = [...picture.request.problems, ...(picture.reply?.problems ?? [])];
  return {
    exceptionId: error ?? row?.label ?? 'exception',
    description: [`${picture.title}${error === undefined ? '' : `: ${error}`}`, sentence, stop.text, ...problems]
      .filter((part) => part !== undefined && part !== '')
      .join('\n'),
    breakMode: 'always',
  };
}
