/**
 * Expressions over a stopped request, for watches, hovers, the console and `setExpression`: a field of the request or
 * the reply, a fact of an inode, a handle or the session, `hex(…)`, or a whole filter, which is true or false.
 *
 *   read.size   size   reply.error   path   inode.path   inode(5).path   handle(3).flags   descriptors[0]   calls[1]
 *   hex(reply)   hex(read.offset)   read.size > 64K && path ~ "*.db"
 */
import { trouble } from '../base/catalogue';
import { opcodeByNumber } from '../protocol/fuse/opcodes';
import { printDuration } from '../trace/times';
import { bindFilter, compileFilter, errorLine, OneRow } from '../trace/filter/filter';
import { lastName } from '../trace/filter/sources';
import { bytesOf, factsEntry, hexOf, messageEntry, scopesOf, textOf, type Entry } from './entries';
import type { Picture } from './picture';
import type { Target } from './target';

/** Throws a Trouble that says what is wrong. */
export async function evaluate(target: Target, picture: Picture, text: string): Promise<Entry> {
  const words = text.trim();
  const hex = /^hex\s*\((.*)\)$/s.exec(words);
  if (hex) return hexEntry(picture, await evaluate(target, picture, hex[1]), words);
  const found = await findEntry(target, picture, words);
  if (found !== undefined) return found;
  const filter = compileFilter(words);
  if (words === '' || !filter.ok) {
    throw trouble('debugExpressionBad', words, filter.ok ? 'this is nothing' : errorLine(filter.error));
  }
  return { name: words, value: String(bindFilter(filter.value, oneRow(picture))(0)) };
}

/** The request as the only row of a filter. */
export function oneRow({ facts }: Picture): OneRow {
  const row = new OneRow(facts.machine);
  const { start = 0, queue, path, session } = facts;
  row.take(facts.requestBytes, { start, queue, path, session });
  if (facts.replyBytes !== undefined && facts.replyBytes.length > 0) {
    const host = facts.calls.reduce((sum, { duration }) => sum + duration, 0);
    row.answer(facts.replyBytes, { latency: facts.latency ?? NaN, host, writing: 0, calls: facts.calls.length });
  }
  return row;
}

function hexEntry({ facts }: Picture, entry: Entry, name: string): Entry {
  const { children: _parts, ...plain } = entry;
  const bytes =
    entry.place !== undefined
      ? bytesOf(facts, entry.place)
      : entry.name === 'Request'
        ? facts.requestBytes
        : entry.name === 'Reply'
          ? facts.replyBytes
          : undefined;
  if (bytes !== undefined) return { ...plain, name, value: hexOf(bytes) };
  const number = /^(-?)(\d{1,20})$/.exec(entry.value);
  if (number) return { ...plain, name, value: `${number[1]}0x${BigInt(number[2]).toString(16)}` };
  throw trouble('debugExpressionBad', name, 'this has no bytes');
}

/** Undefined for what names nothing. */
export async function findEntry(target: Target, picture: Picture, words: string): Promise<Entry | undefined> {
  const call = /^(inode|handle)\s*\(\s*([\w.]*)\s*(?:,\s*(\w+)\s*)?\)((?:\.[\w ]+)*)$/.exec(words);
  if (call) {
    const [, kind, first, second, rest] = call;
    return walk(await asked(target, picture, kind, first, second, words), rest.split('.').slice(1));
  }
  const parts = words.split(/\.|(?=\[)/);
  if (!parts.every((part) => /^(\w+|\[\d+\])$/.test(part))) return undefined;
  const [first, ...rest] = parts;
  const scope = scopesOf(picture).find(({ name }) => shortName(name) === first.toLowerCase());
  if (scope !== undefined) return walk(scope, rest);
  if (words === 'reply') return messageEntry(picture, 'reply');
  const plain = rest.length === 0 ? plainEntry(picture, first) : undefined;
  if (plain !== undefined) return plain;
  const own = picture.request.opcode?.name.toLowerCase();
  if (first.toLowerCase() === own && rest.length > 0) {
    if (rest[0] === 'reply') return walk(messageEntry(picture, 'reply'), rest.slice(1));
    return walk(messageEntry(picture, 'request'), rest);
  }
  return walk(messageEntry(picture, 'request'), parts) ?? walk(messageEntry(picture, 'reply'), parts);
}

const shortName = (scope: string): string =>
  ({ 'host call': 'call', 'host calls': 'calls', 'raw bytes': 'raw', 'share at that moment': 'share' })[
    scope.toLowerCase()
  ] ?? scope.toLowerCase();

/** Names of every request, as the filter language has them. */
function plainEntry(picture: Picture, name: string): Entry | undefined {
  const { facts } = picture;
  switch (name) {
    case 'path':
      return facts.path === '' ? undefined : { name, value: textOf(facts.path) };
    case 'name':
      // LOOKUP and others have a name of their own.
      return facts.path === '' ? undefined : { name, value: textOf(lastName(facts.path)) };
    case 'queue':
      return { name, value: String(facts.queue) };
    case 'head':
      return facts.head === undefined ? undefined : { name, value: String(facts.head) };
    case 'phase':
      return { name, value: facts.phase };
    case 'latency':
      return facts.latency === undefined ? undefined : { name, value: printDuration(facts.latency) };
    default:
      return opcodeByNumber(facts.opcode) !== undefined && name === facts.name
        ? { name, value: String(facts.opcode), doc: opcodeByNumber(facts.opcode)?.doc ?? '' }
        : undefined;
  }
}

async function asked(
  target: Target,
  picture: Picture,
  kind: string,
  first: string,
  second: string | undefined,
  words: string,
): Promise<Entry> {
  const number = async (text: string): Promise<string> => {
    if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text).toString();
    const entry = await findEntry(target, picture, text);
    if (entry === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(entry.value)) {
      throw trouble('debugExpressionBad', words, `"${text}" is no number`);
    }
    return BigInt(entry.value).toString();
  };
  if (kind === 'inode') {
    const nodeid = first === '' ? picture.facts.nodeid : await number(first);
    const facts = await target.inode(nodeid);
    if (facts === undefined) throw trouble('debugExpressionBad', words, `the guest knows no inode ${nodeid}`);
    return factsEntry(words, facts);
  }
  const fh = await number(first === '' ? 'fh' : first);
  const nodeid = second === undefined ? picture.facts.nodeid : await number(second);
  const facts = await target.handle(fh, nodeid);
  if (facts === undefined)
    throw trouble('debugExpressionBad', words, `the guest has no handle ${fh} of inode ${nodeid}`);
  return factsEntry(words, facts);
}

/** By names; structures in between may be left out. */
function walk(entry: Entry | undefined, parts: readonly string[]): Entry | undefined {
  if (entry === undefined || parts.length === 0) return entry;
  const [first, ...rest] = parts;
  const children = entry.children?.() ?? [];
  const direct = children.find(({ name }) => name === first || name.replaceAll(' ', '_') === first);
  if (direct !== undefined) return walk(direct, rest);
  for (const child of children) {
    if (!/^fuse_|^attr$/.test(child.name)) continue;
    const found = walk(child, parts);
    if (found !== undefined) return found;
  }
  return undefined;
}
