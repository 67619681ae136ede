/**
 * What a word of a trace line means: the tables' sentence of an opcode, a field, a flag, an errno or a host system
 * call. Reads the text only, so that it also works on a trace that somebody has pasted.
 */
import { errnos } from '../protocol/errno';
import type { EnumTable, FlagTable } from '../protocol/flagTable';
import { opcodeByNumber, opcodes, type OpcodeRow } from '../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../protocol/fuse/structs';
import type { Field, StructTable } from '../protocol/struct';

export interface TraceHover {
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly text: string;
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/g;
const byName: ReadonlyMap<string, OpcodeRow> = new Map(opcodes.map((row) => [row.name, row]));
/** Where a line puts what is not in a structure of its opcode. */
const own: Readonly<Record<string, string>> = {
  pid: 'Process in the guest.',
  uid: 'User ID of the caller.',
  queued: 'From when the daemon could first see it in the queue until it was taken.',
  daemon: 'In the daemon itself: the latency without host system calls and writing the reply.',
  host: 'In system calls of the host.',
  reply: 'From the last system call to the reply.',
};

/** `context`: the line of the request, where `line` is one below it. */
export function traceHover(line: string, position: number, context = line): TraceHover | undefined {
  const quoted = quotes(line);
  if (quoted.some(([from, to]) => from <= position && position < to)) return undefined;
  for (const match of line.matchAll(WORD)) {
    const from = match.index;
    const to = from + match[0].length;
    if (position < from || position >= to) continue;
    const meaning = meaningOf(match[0], line, from, to, opcodeOf(context));
    return meaning && { from, to, ...meaning };
  }
  return undefined;
}

/** The opcode of a request's line: the first word that is one, outside of quotes. */
export function opcodeOf(line: string): OpcodeRow | undefined {
  const quoted = quotes(line);
  for (const match of line.matchAll(WORD)) {
    const row = byName.get(match[0]);
    if (row && !quoted.some(([from, to]) => from <= match.index && match.index < to)) return row;
  }
  return undefined;
}

type Meaning = Pick<TraceHover, 'title' | 'text'>;

function meaningOf(
  word: string,
  line: string,
  from: number,
  to: number,
  opcode: OpcodeRow | undefined,
): Meaning | undefined {
  const row = byName.get(word);
  if (row && line[to] !== '=') return { title: `${row.name} (opcode ${row.number})`, text: row.doc };
  const arrow = line.indexOf('->');
  const inReply = arrow >= 0 && from > arrow;
  const tables = opcode ? [...sides(opcode, inReply), ...sides(opcode, !inReply)] : [];
  const all = [...tables, InHeader, OutHeader];
  if (line[to] === '=' || /^\s*[a-z]/.test(line)) {
    const named = all.find(({ name }) => name === word);
    if (named) return { title: `struct ${named.name}`, text: named.doc };
    const found = all.map((table) => fieldIn(table, word)).find((each) => each !== undefined);
    if (found) return { title: found.name, text: found.doc };
  }
  if (Object.hasOwn(own, word)) return { title: word, text: own[word] };
  const errno = errnos.rows.find(({ name }) => name === word);
  if (errno) return { title: `${errno.name} (${errno.value})`, text: errno.doc };
  for (const table of all) {
    const flag = flagIn(table, word);
    if (flag) return flag;
  }
  return undefined;
}

const sides = (opcode: OpcodeRow, reply: boolean): readonly StructTable[] => (reply ? opcode.out : opcode.in);

function fieldIn(table: StructTable, name: string): Field | undefined {
  for (const field of table.fields) {
    if (field.name === name && field.show !== 'padding') return field;
    const inside = typeof field.type === 'string' ? undefined : fieldIn(field.type, name);
    if (inside) return inside;
  }
  return undefined;
}

function flagIn(table: StructTable, word: string): Meaning | undefined {
  for (const field of table.fields) {
    const found =
      typeof field.type !== 'string'
        ? flagIn(field.type, word)
        : (named(field.flags, field.flags?.bits, word) ?? named(field.enum, field.enum?.rows, word));
    if (found) return found;
  }
  return undefined;
}

function named(
  table: FlagTable | EnumTable | undefined,
  rows: readonly { readonly name: string; readonly value: number; readonly doc: string }[] | undefined,
  word: string,
): Meaning | undefined {
  if (!table || !word.startsWith(table.prefix)) return undefined;
  const row = rows?.find(({ name }) => table.prefix + name === word);
  if (!row || (table.prefix === '' && opcodeByNumber(row.value)?.name === word)) return undefined;
  const arm64 = 'arm64' in table ? table.arm64?.bits.find(({ name }) => name === row.name)?.value : undefined;
  const there = arm64 === undefined || arm64 === row.value ? '' : `, 0x${arm64.toString(16)} on arm64`;
  return { title: `${word} (0x${row.value.toString(16)}${there})`, text: row.doc };
}

/** Ranges of what is in quotes. */
function quotes(line: string): [number, number][] {
  return [...line.matchAll(/"(?:\\.|[^"\\])*"?/g)].map((match) => [match.index, match.index + match[0].length]);
}
