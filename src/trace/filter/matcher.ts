/**
 * Runs a pattern over a text in time proportional to both: a set of states moves over the characters, nothing is tried
 * twice, so that no pattern and no name can make it slow.
 *
 * Owns the machine only; glob.ts and regex.ts build the pattern's tree. Texts are taken by code points.
 */

/** Which characters: ranges of code points, both ends included. */
export interface CharacterSet {
  ranges: readonly (readonly [low: number, high: number])[];
  negated: boolean;
}

export type Pattern =
  | { kind: 'set'; set: CharacterSet }
  | { kind: 'sequence'; parts: readonly Pattern[] }
  | { kind: 'choice'; parts: readonly Pattern[] }
  /** `most` undefined: any number. */
  | { kind: 'repeat'; part: Pattern; least: number; most: number | undefined }
  | { kind: 'start' | 'end' | 'boundary' | 'inside' };

/** Most states of a pattern. */
export const MAX_STATES = 2000;

const enum Op {
  Set,
  Split,
  Jump,
  Start,
  End,
  Boundary,
  Inside,
  Match,
}

interface State {
  op: Op;
  to: number;
  other: number;
  set?: CharacterSet;
}

export const literal = (code: number): Pattern => ({ kind: 'set', set: { ranges: [[code, code]], negated: false } });
export const sequence = (parts: readonly Pattern[]): Pattern => ({ kind: 'sequence', parts });

/** Does the pattern match the whole text (`whole`), or some part of it? Undefined: the pattern has too many states. */
export function matcher(pattern: Pattern, whole: boolean, fold = false): ((text: string) => boolean) | undefined {
  const states: State[] = [];
  if (!assemble(pattern, states)) return undefined;
  states.push({ op: Op.Match, to: 0, other: 0 });
  const machine: Machine = { states, mark: new Int32Array(states.length), step: 0, current: [], following: [] };
  return (text) => run(machine, text, whole, fold);
}

const add = (states: State[], op: Op, set?: CharacterSet): State => {
  const state: State = { op, to: states.length + 1, other: 0, ...(set ? { set } : {}) };
  states.push(state);
  return state;
};

const conditions = { start: Op.Start, end: Op.End, boundary: Op.Boundary, inside: Op.Inside } as const;

/** Appends the states of a pattern, which lead to the one after the last; false when there are too many. */
function assemble(pattern: Pattern, states: State[]): boolean {
  if (states.length >= MAX_STATES) return false;
  switch (pattern.kind) {
    case 'set':
      add(states, Op.Set, pattern.set);
      return true;
    case 'sequence':
      return pattern.parts.every((part) => assemble(part, states));
    case 'choice':
      return choice(pattern.parts, states);
    case 'repeat':
      return repeat(pattern.part, pattern.least, pattern.most, states);
    default:
      add(states, conditions[pattern.kind]);
      return true;
  }
}

function choice(parts: readonly Pattern[], states: State[]): boolean {
  const ends: State[] = [];
  for (let i = 0; i < parts.length; i++) {
    const split = i < parts.length - 1 ? add(states, Op.Split) : undefined;
    if (!assemble(parts[i], states)) return false;
    if (!split) continue;
    ends.push(add(states, Op.Jump));
    split.other = states.length;
  }
  for (const end of ends) end.to = states.length;
  return true;
}

function repeat(part: Pattern, least: number, most: number | undefined, states: State[]): boolean {
  for (let i = 0; i < least; i++) {
    const before = states.length;
    if (!assemble(part, states)) return false;
    // What takes no states takes none a thousand times either.
    if (states.length === before) break;
  }
  if (most === undefined) {
    const split = add(states, Op.Split);
    const loop = states.length - 1;
    if (!assemble(part, states)) return false;
    add(states, Op.Jump).to = loop;
    split.other = states.length;
    return true;
  }
  const splits: State[] = [];
  for (let i = least; i < most; i++) {
    splits.push(add(states, Op.Split));
    if (!assemble(part, states)) return false;
  }
  for (const split of splits) split.other = states.length;
  return true;
}

/** The states, and what a run needs, kept from text to text. */
interface Machine {
  states: readonly State[];
  /** The step in which each state was last looked at. */
  mark: Int32Array;
  step: number;
  current: number[];
  following: number[];
}

const pending: number[] = [];

function run(machine: Machine, text: string, whole: boolean, fold: boolean): boolean {
  const { states, mark } = machine;
  if (machine.step > 0x3fff_ffff) {
    mark.fill(0);
    machine.step = 0;
  }
  let { current, following } = machine;
  current.length = 0;
  current.push(0);
  let before = -1;
  for (let at = 0; ;) {
    const code = at < text.length ? (text.codePointAt(at) ?? 0) : -1;
    const step = ++machine.step;
    following.length = 0;
    for (const first of current) {
      pending.push(first);
      while (pending.length > 0) {
        const index = pending.pop() ?? 0;
        if (mark[index] === step) continue;
        mark[index] = step;
        const state = states[index];
        if (state.op === Op.Match) {
          if (whole && code >= 0) continue;
          pending.length = 0;
          return true;
        }
        if (state.op === Op.Set) {
          if (code >= 0 && contains(state.set, code, fold)) following.push(state.to);
        } else if (state.op === Op.Split) pending.push(state.other, state.to);
        else if (holds(state.op, before, code)) pending.push(state.to);
      }
    }
    if (code < 0 || (whole && following.length === 0)) return false;
    if (!whole) following.push(0);
    [current, following] = [following, current];
    before = code;
    at += code > 0xffff ? 2 : 1;
  }
}

function holds(op: Op, before: number, code: number): boolean {
  if (op === Op.Start) return before < 0;
  if (op === Op.End) return code < 0;
  if (op === Op.Jump) return true;
  return (isWord(before) !== isWord(code)) === (op === Op.Boundary);
}

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);

function contains(set: CharacterSet | undefined, code: number, fold: boolean): boolean {
  if (!set) return false;
  if (within(set, code)) return !set.negated;
  if (!fold) return set.negated;
  const text = String.fromCodePoint(code);
  const folded = within(set, text.toLowerCase().codePointAt(0)) || within(set, text.toUpperCase().codePointAt(0));
  return folded !== set.negated;
}

function within(set: CharacterSet, code: number | undefined): boolean {
  if (code === undefined) return false;
  for (const [low, high] of set.ranges) if (code >= low && code <= high) return true;
  return false;
}
