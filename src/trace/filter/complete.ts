/**
 * For editors: what can be written at a place of a filter, and what the word at a place means.
 *
 * Reads the parser's expectations and the field tables. Sentences are those of the tables.
 */
import { parse, COMPARISONS, type Expectation } from './parser';
import { anyFields, builtIn, fields, findField, findName, findOpcode, isAny, type Field, type Names } from './fields';
import { opcodes } from '../../protocol/fuse/opcodes';
import { compileFilter } from './filter';
import { tokens } from './lexer';
import { describe, durationUnits, sizeUnits } from './values';

export interface Completion {
  label: string;
  kind: 'field' | 'opcode' | 'operator' | 'value' | 'unit' | 'symbol';
  detail: string;
  /** The range that the label replaces. */
  from: number;
  to: number;
}

export interface Hover {
  from: number;
  to: number;
  text: string;
}

type Item = Omit<Completion, 'from' | 'to'>;

const item = (kind: Item['kind'], label: string, detail: string): Item => ({ label, kind, detail });

const operatorText: Readonly<Record<string, string>> = {
  '==': 'Equal.',
  '!=': 'There and not equal.',
  '<': 'Less.',
  '<=': 'Less or equal.',
  '>': 'Greater.',
  '>=': 'Greater or equal.',
  in: 'One of some values, or in a range: in (A, B), in 4K..1M.',
  'not in': 'There and none of some values.',
  has: 'All of these flags are set.',
  '&': 'One of these bits is set.',
  '~': 'Matches a pattern such as "*.db".',
  '!~': 'There and does not match.',
  '=~': 'Matches a regular expression such as /db$/.',
  '&&': 'And.',
  '||': 'Or.',
  '!': 'Not.',
  '(': 'Groups.',
  ')': 'Ends the group.',
  ',': 'Another value.',
  '..': 'Up to, the end included.',
};
const operator = (label: string): Item => item('operator', label, operatorText[label]);
const symbol = (label: string): Item => item('symbol', label, operatorText[label]);

/** What is meant first, see `fitting`; where nothing is typed the order is that of the tables. */
export function complete(text: string, cursor: number): Completion[] {
  const at = Math.max(0, Math.min(cursor, text.length));
  const head = text.slice(0, at);
  const words = tokens(head);
  const last = words.at(-2);
  if (last?.kind === 'error' || /#[^\n]*$/.test(head.slice(last?.to ?? 0))) return [];
  const typing = last?.to === at && (last.kind === 'word' || last.kind === 'number') ? last : undefined;
  if (last?.to === at && (last.kind === 'text' || last.kind === 'regex')) return [];
  const from = typing?.from ?? at;
  const to = typing ? at + (/^[A-Za-z0-9_.]*/.exec(text.slice(at))?.[0].length ?? 0) : at;
  const before = head.slice(0, from);
  const { outcome, expects } = parse(before);
  if (!outcome.ok && outcome.error.from < before.length) return [];
  const typed = typing?.text ?? '';
  const expected: Expectation = before.trim() === '' ? { kind: 'term' } : expects;
  if (expected.kind === 'term' && !compileFilter(closed(`${before} true`)).ok) return [];
  return fitting(itemsFor(expected, typed), typed)
    .filter(({ kind, label }) => kind === 'field' || kind === 'opcode' || goesOn(before, label))
    .map((each) => ({ ...each, from, to }));
}

/**
 * Those with what is typed in them: the one that is it, then those that begin with it, then others. Of one kind that
 * begin with it the shortest come first: READ before READLINK, which has the lower number.
 */
function fitting(items: readonly Item[], typed: string): readonly Item[] {
  if (typed === '') return items;
  const wanted = typed.toLowerCase();
  const kinds = [...new Set(items.map(({ kind }) => kind))];
  const WITHIN = 1 + kinds.length;
  return items
    .map((item) => {
      const label = item.label.toLowerCase();
      const at = label.indexOf(wanted);
      const rank = label === wanted ? 0 : at === 0 ? 1 + kinds.indexOf(item.kind) : at > 0 ? WITHIN : -1;
      return { item, rank, length: rank === WITHIN ? 0 : label.length };
    })
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.length - b.length)
    .map(({ item }) => item);
}

/** With the parentheses that are still open. */
function closed(text: string): string {
  let open = 0;
  for (const { kind, text: word } of tokens(text)) {
    if (kind === 'symbol' && word === '(') open++;
    if (kind === 'symbol' && word === ')') open--;
  }
  return text + ')'.repeat(Math.max(0, open));
}

/** Longer filters are not compiled for each thing that could be offered. */
const LONG = 1000;

/** Is the filter good with it, as far as it is written? */
function goesOn(before: string, label: string): boolean {
  if (before.length > LONG) return true;
  const filter = compileFilter(closed(before + label));
  return filter.ok || filter.error.from >= before.length + label.length;
}

function itemsFor(expects: Expectation, typed: string): Item[] {
  switch (expects.kind) {
    case 'term':
      return terms(typed);
    case 'condition':
      return [...conditions(expects.field ?? ''), operator('&&'), operator('||'), symbol(')')];
    case 'value':
    case 'bits':
    case 'member':
      return values(expects.field ?? '', typed);
    case 'list':
      return [symbol('('), ...values(expects.field ?? '', typed)];
    case 'comma':
      return [symbol(','), symbol(')')];
    case 'range':
      return [symbol('..')];
    case 'pattern':
      return [item('value', '"*"', 'Any name.')];
    case 'regex':
      return [item('value', '/./', 'Any text.')];
    case 'more':
      return [operator('&&'), operator('||'), symbol(')')];
  }
}

function terms(typed: string): Item[] {
  const own = (typed === '' ? builtIn : fields).map(({ name, doc }) => item('field', name, doc));
  const any = [...anyFields.values()].map(({ name, doc }) => item('field', name, doc));
  const alone = opcodes.map(({ name, doc }) => item('opcode', name, doc));
  return [...own, ...any, ...alone, symbol('!'), symbol('(')];
}

const variantsOf = (name: string): readonly Field[] => {
  const field = findField(name);
  if (!field) return [];
  return isAny(field) ? field.variants : [field];
};

function conditions(name: string): Item[] {
  const [field] = variantsOf(name);
  if (!field || field.type.kind === 'truth') return [];
  if (field.type.kind === 'text') return ['==', '!=', '~', '!~', '=~', 'in', 'not in'].map(operator);
  const { names, unit } = field.type;
  const bits = unit === 'plain' && (!names || names.bits) ? ['has', '&'] : [];
  return [...bits, ...COMPARISONS, 'in', 'not in'].map(operator);
}

function values(name: string, typed: string): Item[] {
  const variants = variantsOf(name);
  const known = new Map<string, Item>();
  for (const { type } of variants) {
    if (type.kind === 'text') known.set('""', item('value', '""', 'A text.'));
    if (type.kind !== 'number') continue;
    const found = type.names ? namesOf(type.names) : numbers(type.unit, typed);
    for (const each of found) if (!known.has(each.label)) known.set(each.label, each);
  }
  return [...known.values()];
}

const namesOf = ({ prefix, rows, what }: Names): Item[] =>
  rows.map(({ name, doc }) => item('value', what === 'an opcode' ? name : prefix + name, doc));

const unitText: Readonly<Record<string, string>> = {
  ns: 'Nanoseconds.',
  us: 'Microseconds.',
  ms: 'Milliseconds.',
  s: 'Seconds.',
  m: 'Minutes.',
  h: 'Hours.',
  K: '1024.',
  M: '1024 K.',
  G: '1024 M.',
  T: '1024 G.',
  P: '1024 T.',
};

function numbers(unit: 'plain' | 'duration' | 'time' | 'seconds', typed: string): Item[] {
  const digits = /^\d{1,15}(?:\.\d{1,3})?/.exec(typed)?.[0] ?? '1';
  if (/^0\d/.test(digits)) return [];
  if (unit === 'seconds') return [];
  const units = unit === 'plain' ? Object.keys(sizeUnits) : Object.keys(durationUnits);
  const usable = digits.includes('.') ? units.filter((each) => each !== 'ns' && each !== 'us') : units;
  return usable.map((each) => item('unit', digits + each, unitText[each]));
}

/** What the word at a place means; undefined where nothing is known. */
export function hover(text: string, position: number): Hover | undefined {
  const { marks } = parse(text);
  const mark = marks.find(({ from, to }) => from <= position && position < to);
  if (!mark) return undefined;
  const meaning = meaningOf(mark.role, mark.text, mark.field);
  return meaning === undefined ? undefined : { from: mark.from, to: mark.to, text: meaning };
}

function meaningOf(role: 'field' | 'value' | 'operator', word: string, owner: string | undefined): string | undefined {
  if (role === 'operator') return operatorText[word];
  if (role === 'value') {
    for (const { type } of variantsOf(owner ?? '')) {
      const names = type.kind === 'number' ? type.names : undefined;
      const named = names && findName(names, word);
      if (!named) continue;
      const arm64 = names.arm64 && findName(names.arm64, word)?.value;
      const there = arm64 === undefined || arm64 === named.value ? '' : `, on arm64 ${arm64}`;
      return `${word} (${named.value}${there}): ${named.doc}`;
    }
  }
  const field = findField(word);
  if (field) return `${word} (${describe(isAny(field) ? field.variants[0].type : field.type)}): ${field.doc}`;
  const opcode = role === 'field' ? findOpcode(word) : undefined;
  return opcode && `${opcode.name} (opcode ${opcode.value}): ${opcode.doc}`;
}
