/**
 * Fault rules as text: `ACTION[,OPTION...] OPCODES [PATH] [if CONDITION]`. docs/faults.md explains them to people.
 *
 * Pure: a text in, a rule or what is wrong with it out. What a rule does to a request is done elsewhere.
 */
import { Errno, type ErrnoName } from '../../protocol/errno';
import { Opcode } from '../../protocol/fuse/opcodes';
import type { Filter } from '../../trace/filter/filter';
import { compileCondition, compilePath, NEVER_HELD, parseOpcodes } from './selector';

export type FaultAction =
  /** Milliseconds. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Positive. */
  | { readonly kind: 'errno'; readonly errno: number }
  /** Bytes left of a READ or WRITE; undefined: half. */
  | { readonly kind: 'short'; readonly bytes: number | undefined }
  | { readonly kind: 'twice' }
  /** By how much the header's len is wrong. */
  | { readonly kind: 'length'; readonly by: number }
  | { readonly kind: 'drop' };

export interface FaultRule {
  readonly text: string;
  readonly action: FaultAction;
  /** A byte for each opcode. */
  readonly opcodes: Uint8Array;
  readonly path: Filter | undefined;
  readonly condition: Filter | undefined;
  readonly probability: number;
  readonly seed: number;
  /** How many matching requests go by first, and how often it is done at most. */
  readonly after: number;
  readonly times: number;
}

export interface FaultProblem {
  readonly problem: string;
  readonly from: number;
  readonly to: number;
}

const LONGEST_DELAY = 3_600_000;
const MOST_COUNT = 1_000_000_000;
/** Where errnos that a Linux guest takes from a file system end. */
const MOST_ERRNO = 511;

const units: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, '': 1 };

function parseAction(word: string): FaultAction | string {
  const [name, value] = halves(word);
  switch (name) {
    case 'delay': {
      const match = /^(\d{1,9}(?:\.\d{1,6})?)(us|µs|ms|s|)$/.exec(value ?? '');
      const milliseconds = match ? Number(match[1]) * units[match[2]] : NaN;
      return milliseconds > 0 && milliseconds <= LONGEST_DELAY
        ? { kind: 'delay', milliseconds }
        : 'delay needs a time up to an hour, such as delay=20ms';
    }
    case 'errno': {
      const upper = (value ?? '').toUpperCase();
      const errno = Object.hasOwn(Errno, upper) ? Errno[upper as ErrnoName] : Number(value === '' ? NaN : value);
      return Number.isInteger(errno) && errno > 0 && errno <= MOST_ERRNO
        ? { kind: 'errno', errno }
        : 'errno needs a name or a number from 1 to 511, such as errno=EIO';
    }
    case 'short': {
      if (value === undefined) return { kind: 'short', bytes: undefined };
      return /^\d{1,9}$/.test(value) ? { kind: 'short', bytes: Number(value) } : 'short takes bytes, such as short=512';
    }
    case 'length': {
      const by = /^[+-]\d{1,9}$/.test(value ?? '') ? Number(value) : 0;
      return by !== 0 ? { kind: 'length', by } : 'length needs a difference, such as length=+8 or length=-8';
    }
    case 'twice':
    case 'drop':
      return value === undefined ? { kind: name } : `${name} takes no value`;
    default:
      return `"${name}" is no fault: delay, errno, short, twice, length, drop`;
  }
}

function parseOption(
  word: string,
  into: { p: number; seed: number; after: number; times: number },
): string | undefined {
  const [name, value = ''] = halves(word);
  if (name === 'p') {
    const p = /^\d*\.?\d+(e-\d+)?$/.test(value) ? Number(value) : NaN;
    if (!(p > 0 && p <= 1)) return 'p needs a probability above 0 and up to 1, such as p=0.1';
    into.p = p;
    return undefined;
  }
  if (name !== 'seed' && name !== 'after' && name !== 'times') {
    return `"${name}" is no option of a fault: p, seed, after, times`;
  }
  const count = /^\d{1,10}$/.test(value) ? Number(value) : NaN;
  if (!(count >= (name === 'times' ? 1 : 0) && count <= MOST_COUNT)) return `${name} needs a number, such as ${name}=3`;
  into[name] = count;
  return undefined;
}

function halves(word: string): [name: string, value: string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** Never throws. */
export function parseFault(text: string): FaultRule | FaultProblem {
  const match = /^\s*(\S+)(?:\s+(\S+))?(?:\s+(?!if(?:\s|$))(\S+))?(?:\s+if\s+(.*))?\s*$/s.exec(text);
  if (!match) {
    return {
      problem: 'a fault is ACTION OPCODES [PATH] [if CONDITION], such as "errno=EIO READ"',
      from: 0,
      to: text.length,
    };
  }
  const [, head, opcodeWords, pathWord, conditionText] = match as unknown as (string | undefined)[];
  const bad = (problem: string, part = ''): FaultProblem => {
    const from = Math.max(0, text.indexOf(part));
    return { problem, from, to: part === '' ? text.length : from + part.length };
  };
  const [first, ...rest] = (head ?? '').split(',');
  const action = parseAction(first);
  if (typeof action === 'string') return bad(action, first);
  const settings = { p: 1, seed: 1, after: 0, times: Infinity };
  for (const word of rest) {
    const problem = parseOption(word, settings);
    if (problem !== undefined) return bad(problem, word);
  }
  if (opcodeWords === undefined) return bad('no opcode is named: write "*" for all', head);
  const opcodes = parseOpcodes(opcodeWords);
  if (typeof opcodes === 'string') return bad(opcodes, opcodeWords);
  for (const number of NEVER_HELD) opcodes[number] = 0;
  if (action.kind === 'short') {
    const moves = opcodes.map((meant, number) => (number === Opcode.READ || number === Opcode.WRITE ? meant : 0));
    if (!moves.includes(1)) return bad('short is for READ and WRITE', opcodeWords);
    opcodes.set(moves);
  }
  const path = pathWord === undefined ? undefined : compilePath(pathWord);
  if (path && 'problem' in path) return bad(path.problem, pathWord);
  const condition = conditionText === undefined ? undefined : compileCondition(conditionText);
  if (condition && 'problem' in condition) {
    const from = text.length - text.trimStart().length + text.trim().length - (conditionText ?? '').trimEnd().length;
    const start = Math.max(0, text.lastIndexOf(conditionText ?? '', from + (conditionText ?? '').length));
    return { problem: condition.problem, from: start + condition.from, to: start + condition.to };
  }
  return {
    text: text.trim(),
    action,
    opcodes,
    path: path?.filter,
    condition: condition?.filter,
    probability: settings.p,
    seed: settings.seed,
    after: settings.after,
    times: settings.times,
  };
}
