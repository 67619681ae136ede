/**
 * What a filter can ask of a row: the fields, each with its type, a sentence, and where its value is.
 *
 * Built-in ones (columns) are listed here; those of the messages come from the opcode table, none is written down:
 * `read.size`, `setattr.mode`, `lookup.reply.attr.size`, `batch_forget.nodeid`. Without the opcode (`fh`, `reply.size`)
 * a name stands for that field of whichever opcode the row has. Reads no row; values.ts, check.ts and bind.ts do.
 */
import { errnos } from '../../protocol/errno';
import type { EnumTable, FlagTable } from '../../protocol/flagTable';
import { fileTypes, modeBits, notifyCodes, S_IFMT } from '../../protocol/fuse/flags';
import { notifications, opcodes, type OpcodeRow, type PayloadShape } from '../../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { Field as TableField, ScalarType, StructTable } from '../../protocol/struct';
import { RowFlag, type RequestColumns } from '../capture';

/** A name for a value: of a flag word `mask` says which bits it is about. */
export interface NamedNumber {
  name: string;
  value: number;
  mask: number;
  doc: string;
}

export interface Names {
  /** Flags: `has`, `&` and `|` make sense. */
  bits: boolean;
  /** What is wanted, for messages: `an opcode`. */
  what: string;
  prefix: string;
  rows: readonly NamedNumber[];
  /** The same with the numbers of arm64, where they are others there. */
  arm64?: Names;
}

export type FieldType =
  | { kind: 'truth' }
  /** `path`: a slash at its beginning changes nothing. */
  | { kind: 'text'; path?: true }
  /** `seconds`: since the epoch. */
  | { kind: 'number'; unit: 'plain' | 'duration' | 'time' | 'seconds'; names?: Names };

export type NumberColumn = Exclude<keyof RequestColumns, 'path' | 'flags'>;

/** In the rows that the flags do not say otherwise of: absent unless (flags & mask) === want. */
export interface FlagTest {
  mask: number;
  want: number;
}

export interface BytesSource {
  kind: 'bytes';
  side: 'request' | 'reply';
  /** Undefined: any opcode. Of a notification its code. */
  opcode?: OpcodeRow;
  notification?: number;
  type: ScalarType;
  /** Place in the message, and in which structure (-1: the header) under which name. */
  at: number;
  /** What has to be there: up to the end of the value, or of the group that it is in. */
  end: number;
  index: number;
  path: string;
  /** Place of a flag word in the message, and the bits of which one has to be set. */
  validIf?: { at: number; mask: number };
  /** Structures before or with it may be shorter in some sessions: `at` has to be looked at twice. */
  varies?: true;
  /** Only there when the request's `size` is 0 (true) or is not (false). */
  ifSizeZero?: boolean;
}

export type Source =
  | { kind: 'column'; column: NumberColumn; present: FlagTest; exact?: BytesSource }
  | { kind: 'daemon'; present: FlagTest }
  | { kind: 'flags'; mask: number; want: number; negated: boolean }
  | { kind: 'path'; part: 'path' | 'name' }
  | BytesSource
  /** A name after the structures of a request. */
  | { kind: 'name'; opcode: OpcodeRow; index: number; at: number; varies: boolean }
  /** What only the decoder knows: text of a payload, or each of its records. */
  | { kind: 'payload'; side: 'request' | 'reply'; opcode?: OpcodeRow; notification?: number; path: string };

export interface Field {
  name: string;
  doc: string;
  type: FieldType;
  source: Source;
}

/** A name without an opcode: one field for each opcode that has it. */
export interface AnyField {
  name: string;
  doc: string;
  variants: readonly Field[];
}

const wholeMask = ({ rows }: EnumTable, sign = 1): NamedNumber[] =>
  rows.map(({ name, value, doc }) => ({ name, value: sign * value, mask: -1, doc }));

const enumNames = (table: EnumTable, what: string): Names => ({
  bits: false,
  what,
  prefix: table.prefix,
  rows: wholeMask(table),
});
const flagNames = (table: FlagTable): Names => ({
  bits: true,
  what: 'a flag',
  prefix: table.prefix,
  rows: table.bits,
  ...(table.arm64 && { arm64: flagNames(table.arm64) }),
});

const opcodeNames: Names = {
  bits: false,
  what: 'an opcode',
  prefix: 'FUSE_',
  rows: opcodes.map(({ name, number, doc }) => ({ name, value: number, mask: -1, doc })),
};
const errno = (name: string, value: number, doc: string): NamedNumber => ({ name, value, mask: -1, doc });
const errnoNames: Names = {
  bits: false,
  what: 'an errno',
  prefix: '',
  rows: [
    errno('OK', 0, 'No error.'),
    ...wholeMask(errnos, -1),
    errno('EWOULDBLOCK', -errnos.value.EAGAIN, 'EAGAIN.'),
    errno('EDEADLOCK', -errnos.value.EDEADLK, 'EDEADLK.'),
    errno('ENOTSUP', -errnos.value.EOPNOTSUPP, 'EOPNOTSUPP.'),
  ],
};
const modeNames: Names = {
  bits: true,
  what: 'a flag',
  prefix: 'S_I',
  rows: [
    ...modeBits.bits,
    ...fileTypes.rows.map(({ name, value, doc }) => ({ name: `F${name}`, value, mask: S_IFMT, doc })),
  ],
};

const number = (unit: 'plain' | 'duration' | 'time' | 'seconds' = 'plain', names?: Names): FieldType =>
  names ? { kind: 'number', unit, names } : { kind: 'number', unit };
const truth: FieldType = { kind: 'truth' };

function typeOf(field: TableField): FieldType {
  if (field.flags) return number('plain', flagNames(field.flags));
  if (field.name === 'opcode') return number('plain', opcodeNames);
  if (field.enum) return number('plain', enumNames(field.enum, 'a name'));
  if (field.show === 'errno') return number('plain', errnoNames);
  if (field.show === 'mode') return number('plain', modeNames);
  return number(field.show === 'seconds' ? 'seconds' : 'plain');
}

const { REPLIED, SILENT, REQUEST_CUT, REPLY_CUT, ORPHAN, LATER, PATH_UNSURE, CHANGED, DROPPED } = RowFlag;
const always: FlagTest = { mask: 0, want: 0 };
const asked: FlagTest = { mask: ORPHAN, want: 0 };
const replied: FlagTest = { mask: REPLIED, want: REPLIED };
const answered: FlagTest = { mask: REPLIED | ORPHAN, want: REPLIED };

const column = (name: string, doc: string, type: FieldType, of: NumberColumn, present: FlagTest): Field => ({
  name,
  doc,
  type,
  source: { kind: 'column', column: of, present },
});
const flag = (name: string, doc: string, mask: number, want = mask): Field => ({
  name,
  doc,
  type: truth,
  source: { kind: 'flags', mask, want, negated: false },
});
const anyFlag = (name: string, doc: string, mask: number): Field => ({
  name,
  doc,
  type: truth,
  source: { kind: 'flags', mask, want: 0, negated: true },
});

/** Fields of the headers, under `request.` and `reply.`; most are columns. */
function headerField(side: 'request' | 'reply', table: StructTable, field: TableField): Field {
  const name = `${side}.${field.name}`;
  const bytes: BytesSource = {
    kind: 'bytes',
    side,
    type: field.type as ScalarType,
    at: field.at,
    end: field.at + field.size,
    index: -1,
    path: field.name,
  };
  const { doc } = field;
  const type = typeOf(field);
  const from = (of: NumberColumn, present: FlagTest): Field => {
    const exact = field.type === 'u64' ? { exact: bytes } : {};
    return { name, doc, type, source: { kind: 'column', column: of, present, ...exact } };
  };
  if (table === OutHeader) {
    if (field.name === 'len') return from('replyLength', replied);
    if (field.name === 'error') return from('error', answered);
    return { name, doc, type, source: bytes };
  }
  switch (field.name) {
    case 'len':
      return from('requestLength', asked);
    case 'opcode':
    case 'nodeid':
    case 'uid':
    case 'gid':
    case 'pid':
      return from(field.name, asked);
    default:
      return { name, doc, type, source: bytes };
  }
}

const headers: Field[] = [
  ...InHeader.fields.filter(useful).map((field) => headerField('request', InHeader, field)),
  ...OutHeader.fields.filter(useful).map((field) => headerField('reply', OutHeader, field)),
];

function alias(name: string, of: string): Field {
  const field = headers.find((each) => each.name === of);
  if (!field) throw new Error(`no header field ${of}`);
  return { ...field, name };
}

export const builtIn: readonly Field[] = Object.freeze([
  column('time', 'When the daemon took the request.', number('time'), 'start', always),
  column('latency', 'From taking the request to giving the reply.', number('duration'), 'latency', answered),
  column('queued', 'How long the request waited in its queue.', number('duration'), 'queued', asked),
  {
    name: 'daemon',
    doc: 'Time in the daemon itself: the latency without host system calls, writing the reply, and being held.',
    type: number('duration'),
    source: { kind: 'daemon', present: answered },
  },
  column('host', 'Time in host system calls.', number('duration'), 'host', answered),
  column('writing', 'From the last host system call to the reply.', number('duration'), 'writing', answered),
  column('held', 'How long a debugger or a fault held it.', number('duration'), 'held', answered),
  alias('opcode', 'request.opcode'),
  column('queue', 'The virtqueue; 0 is hiprio.', number(), 'queue', always),
  alias('unique', 'request.unique'),
  alias('nodeid', 'request.nodeid'),
  alias('pid', 'request.pid'),
  alias('uid', 'request.uid'),
  alias('gid', 'request.gid'),
  {
    name: 'path',
    doc: 'What the request is about, from the root of the share; of one with a name, that name in its folder.',
    type: { kind: 'text', path: true },
    source: { kind: 'path', part: 'path' },
  },
  { name: 'name', doc: 'The last name of path.', type: { kind: 'text' }, source: { kind: 'path', part: 'name' } },
  { ...alias('error', 'reply.error'), doc: '0 or a negative errno; absent without a reply.' },
  column('payload', 'Bytes of data asked to be written, or read.', number(), 'payload', asked),
  column('calls', 'Host system calls made for it.', number(), 'calls', answered),
  ...headers,
  flag('replied', 'There is a reply.', REPLIED),
  flag('in_flight', 'A reply is owed.', REPLIED | SILENT | ORPHAN, 0),
  flag('silent', 'The opcode wants no reply.', SILENT),
  flag('later', 'Answered by another thread, or after a wait.', LATER),
  flag('changed', 'A debugger or a fault changed the request or the reply.', CHANGED),
  flag('dropped', 'A fault dropped the reply: it is in flight for ever. Also changed.', DROPPED),
  anyFlag('cut', 'Not all bytes of the request or the reply are in the capture.', REQUEST_CUT | REPLY_CUT),
  flag('request.cut', 'Not all bytes of the request are in the capture.', REQUEST_CUT),
  flag('reply.cut', 'Not all bytes of the reply are in the capture.', REPLY_CUT),
  flag('orphan', 'A reply whose request is not in the capture, or a notification.', ORPHAN),
  flag(
    'path_unsure',
    'The path rests on names learned before packets were lost: it may have changed unseen.',
    PATH_UNSURE,
  ),
  {
    name: 'notification',
    doc: 'What a notification is about.',
    type: number('plain', enumNames(notifyCodes, 'a notification')),
    source: {
      kind: 'bytes',
      side: 'reply',
      notification: -1,
      type: 'i32',
      at: OutHeader.offset.error,
      end: OutHeader.size,
      index: -1,
      path: 'error',
    },
  },
]);

function useful(field: TableField): boolean {
  return field.show !== 'padding';
}

type Place = Pick<BytesSource, 'side' | 'opcode' | 'notification' | 'index' | 'varies' | 'ifSizeZero'>;

/** The scalars of a structure that is at `at` in the message, nested ones with their group's name before. */
function* scalars(
  table: StructTable,
  at: number,
  before: string,
  prefix: string,
  place: Place,
  groupEnd?: number,
): Generator<Field> {
  for (const field of table.fields.filter(useful)) {
    const path = before + field.name;
    const end = groupEnd ?? at + field.at + field.size;
    if (typeof field.type !== 'string') {
      yield* scalars(field.type, at + field.at, `${path}.`, prefix, place, end);
      continue;
    }
    const source: BytesSource = { kind: 'bytes', ...place, type: field.type, at: at + field.at, end, path };
    const word = field.validIf && table.fields.find((each) => each.name === field.validIf?.[0]);
    if (field.validIf && word) source.validIf = { at: at + word.at, mask: field.validIf[1] };
    yield { name: prefix + path, doc: field.doc, type: typeOf(field), source };
  }
}

/** Structures one after the other. */
function* structs(tables: readonly StructTable[], from: number, prefix: string, place: Omit<Place, 'index'>) {
  const { opcode, side } = place;
  let at = from;
  for (const [index, table] of tables.entries()) {
    const compat = (opcode?.compat ?? []).some((c) => c.of === (side === 'request' ? 'in' : 'out') && c.index <= index);
    yield* scalars(table, at, '', prefix, { ...place, index, ...(compat ? { varies: true as const } : {}) });
    at += table.size;
  }
}

const sum = (tables: readonly StructTable[]): number => tables.reduce((total, table) => total + table.size, 0);

type PayloadPlace = { side: 'request' | 'reply'; opcode?: OpcodeRow; notification?: number };

function* payloadFields(shape: PayloadShape | undefined, prefix: string, place: PayloadPlace): Generator<Field> {
  const field = (path: string, doc: string, type: FieldType): Field => ({
    name: prefix + path,
    doc,
    type,
    source: { kind: 'payload', ...place, path },
  });
  if (!shape || shape.kind === 'data') return;
  // The only text is the target of a link, and nothing else has that name.
  if (shape.kind === 'text') return yield field('target', shape.doc, { kind: 'text' });
  if (shape.kind === 'names') return yield field('name', `${shape.doc} True if it is so of any.`, { kind: 'text' });
  const each = { side: place.side, index: 0 };
  for (const { name, doc, type } of scalars(shape.record, 0, '', '', each)) {
    yield field(name, `${doc} True if it is so of any entry.`, type);
  }
  if (shape.kind === 'dirents') yield field('name', 'The name. True if it is so of any entry.', { kind: 'text' });
}

function* opcodeFields(opcode: OpcodeRow): Generator<Field> {
  const prefix = `${opcode.name.toLowerCase()}.`;
  const request = { side: 'request' as const, opcode };
  yield* structs(opcode.in, InHeader.size, prefix, request);
  const at = InHeader.size + sum(opcode.in);
  const varies = (opcode.compat ?? []).some((c) => c.of === 'in');
  for (const [index, name] of opcode.names.entries()) {
    const source: Source = { kind: 'name', opcode, index, at, varies };
    yield { name: prefix + name, doc: `The ${name} in the request.`, type: { kind: 'text' }, source };
  }
  yield* payloadFields(opcode.inPayload, prefix, request);
  const reply = { side: 'reply' as const, opcode };
  const sized = opcode.outIfSizeZero ? { ...reply, ifSizeZero: false } : reply;
  yield* structs(opcode.out, OutHeader.size, `${prefix}reply.`, sized);
  yield* payloadFields(opcode.outPayload, `${prefix}reply.`, reply);
  yield* structs(opcode.outIfSizeZero ?? [], OutHeader.size, `${prefix}reply.`, { ...reply, ifSizeZero: true });
}

function* notificationFields(): Generator<Field> {
  for (const { code, out, outPayload } of notifications) {
    const prefix = `notify.${notifyCodes.byValue.get(code)?.name.toLowerCase() ?? code}.`;
    const place = { side: 'reply' as const, notification: code };
    yield* structs(out, OutHeader.size, prefix, place);
    yield* payloadFields(outPayload, prefix, place);
  }
}

/** Fields of messages, by opcode. */
export const messageFields: readonly Field[] = Object.freeze([
  ...opcodes.flatMap((opcode) => [...opcodeFields(opcode)]),
  ...notificationFields(),
]);

export const fields: readonly Field[] = Object.freeze([...builtIn, ...messageFields]);
const byName = new Map(fields.map((field) => [field.name, field]));

function collectAny(): ReadonlyMap<string, AnyField> {
  const found = new Map<string, Field[]>();
  for (const field of messageFields) {
    const name = field.name.slice(field.name.indexOf('.') + 1);
    if (field.name.startsWith('notify.') || byName.has(name)) continue;
    found.set(name, [...(found.get(name) ?? []), field]);
  }
  return new Map(
    [...found].map(([name, variants]) => {
      const owners = variants.map((each) => each.name.slice(0, each.name.indexOf('.')).toUpperCase()).join(', ');
      return [name, { name, doc: `${variants[0].doc} Of ${owners}.`, variants }];
    }),
  );
}

/** Names without an opcode. */
export const anyFields: ReadonlyMap<string, AnyField> = collectAny();

export const findField = (name: string): Field | AnyField | undefined => byName.get(name) ?? anyFields.get(name);

/** The opcode that a word alone means, in any case: `READ`, `FUSE_READ`, `read`. */
export function findOpcode(word: string): NamedNumber | undefined {
  const name = word.toUpperCase().replace(/^FUSE_/, '');
  return opcodeNames.rows.find((row) => row.name === name);
}

/** All names that can stand where a test begins. */
export const termNames: readonly string[] = Object.freeze([
  ...byName.keys(),
  ...anyFields.keys(),
  ...opcodes.map((opcode) => opcode.name),
]);

/** A value by its name, with or without the table's prefix; opcodes in any case. */
export function findName(names: Names, word: string): NamedNumber | undefined {
  if (names === opcodeNames) return findOpcode(word);
  const { prefix, rows } = names;
  return rows.find((row) => prefix + row.name === word || row.name === word);
}

/** The field as rows with the flags of arm64 have it, where that makes a difference. */
export function onArm64(field: Field): Field | undefined {
  const { type } = field;
  const names = type.kind === 'number' ? type.names?.arm64 : undefined;
  return names && { ...field, type: { ...type, names } as FieldType };
}

export const isAny = (field: Field | AnyField): field is AnyField => 'variants' in field;

/** The opcode whose rows a field is in, when it is in those of one only. */
export const opcodeOf = (field: Field): OpcodeRow | undefined =>
  'opcode' in field.source ? field.source.opcode : undefined;
