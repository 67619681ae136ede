/**
 * What the Variables view, watches and hovers show of a stopped request: entries with a value, a sentence, memory,
 * entries inside; and how each may be changed. `expressions.ts` finds one by name, `looking.ts` gives them to DAP.
 */
import type { Node } from '../protocol/decode';
import { errnos } from '../protocol/errno';
import { printNode } from '../protocol/print';
import { quote } from '../protocol/text';
import { hexDump } from '../trace/hexDump';
import { hostArguments, hostCallWords, hostResult } from '../trace/hostCallLine';
import { printDuration } from '../trace/times';
import { memoryOf } from './memory';
import type { Fact, Picture, PictureCall } from './picture';
import type { Side } from './target';

/** A change: bytes in place of others; or, of a reply's error, the errno that becomes the answer. */
export interface Place {
  readonly side: Side;
  readonly node: Node;
}

export interface Entry {
  readonly name: string;
  readonly value: string;
  /** Type and sentence, for the hover. */
  readonly doc?: string;
  readonly children?: () => readonly Entry[];
  readonly memory?: string;
  /** Where it is in a message. */
  readonly place?: Place;
}

const MOST_RAW = 4096;

const leaf = (name: string, value: string, doc?: string): Entry =>
  doc === undefined ? { name, value } : { name, value, doc };
const group = (name: string, value: string, children: () => readonly Entry[]): Entry => ({ name, value, children });

/** The scopes of a request by name, in the order in which they are shown. */
export function scopesOf(picture: Picture): Entry[] {
  const { facts, reply } = picture;
  const scopes: Entry[] = [];
  const call = facts.current === undefined ? undefined : facts.calls[facts.current];
  if (call !== undefined) scopes.push(group('Host call', hostCallWords(call), () => callEntries(call)));
  scopes.push(messageEntry(picture, 'request'));
  if (reply !== undefined) scopes.push(messageEntry(picture, 'reply'));
  if (facts.inode !== undefined) scopes.push(factsEntry('Inode', facts.inode));
  if (facts.handle !== undefined) scopes.push(factsEntry('Handle', facts.handle));
  scopes.push(group('Credentials', '', () => credentials(picture)));
  scopes.push(factsEntry('Session', facts.sessionFacts));
  if (facts.model !== undefined) scopes.push(factsEntry('Share at that moment', facts.model));
  if (facts.calls.length > 0) {
    scopes.push(group('Host calls', String(facts.calls.length), () => facts.calls.map(callEntry)));
  }
  if (facts.descriptors !== undefined) scopes.push(group('Descriptors', '', () => descriptors(picture)));
  scopes.push(group('Raw bytes', '', () => raw(picture)));
  return scopes;
}

export function messageEntry(picture: Picture, side: Side): Entry {
  const message = side === 'request' ? picture.request : picture.reply;
  const { thread } = picture.facts;
  return {
    name: side === 'request' ? 'Request' : 'Reply',
    value: message === undefined ? 'not there yet' : `${message.length} bytes`,
    memory: memoryOf(thread, side, 0),
    children: () => (message?.nodes ?? []).filter(isShown).map((node) => nodeEntry(picture, side, node)),
  };
}

const isShown = (node: Node): boolean => node.field?.show !== 'padding';

export function nodeEntry(picture: Picture, side: Side, node: Node): Entry {
  const { children, field } = node;
  const inside = children?.filter(isShown);
  const value =
    inside === undefined || typeof node.value === 'string'
      ? node.value === null && field === undefined
        ? `${node.length} bytes`
        : printNode(node)
      : `${inside.length} ${inside.length === 1 ? 'field' : 'fields'}`;
  const type = typeof field?.type === 'string' ? field.type : undefined;
  const doc = [type, node.doc].filter((part) => part !== undefined).join(' · ');
  return {
    name: node.name,
    value,
    ...(doc === '' ? {} : { doc }),
    ...(inside === undefined ? {} : { children: () => inside.map((child) => nodeEntry(picture, side, child)) }),
    memory: memoryOf(picture.facts.thread, side, node.at),
    place: { side, node },
  };
}

function credentials({ facts, request }: Picture): Entry[] {
  const of = (name: string): string | undefined => request.header.children?.find((child) => child.name === name)?.doc;
  return [
    leaf('uid', String(facts.uid), of('uid')),
    leaf('gid', String(facts.gid), of('gid')),
    leaf('pid', String(facts.pid), of('pid')),
  ];
}

export const factsEntry = (name: string, facts: readonly Fact[]): Entry => group(name, '', () => facts.map(factEntry));

const factEntry = ({ name, value, doc, inside, memory }: Fact): Entry => ({
  name,
  value,
  ...(doc === undefined ? {} : { doc }),
  ...(inside === undefined ? {} : { children: () => inside.map(factEntry) }),
  ...(memory === undefined ? {} : { memory }),
});

const callEntry = (call: PictureCall, index: number): Entry => ({
  name: `[${index}]`,
  value: call.result === undefined ? hostCallWords(call) : `${hostCallWords(call)} = ${hostResult(call.result)}`,
  children: () => callEntries(call),
});

function callEntries(call: PictureCall): Entry[] {
  const entries = hostArguments(call).map(({ name, text }) => leaf(name, text));
  if (call.result === undefined) return [...entries, leaf('result', 'not made yet')];
  const error = call.result < 0 ? errnos.byValue.get(-call.result)?.doc : undefined;
  return [
    ...entries,
    leaf('result', hostResult(call.result), error),
    leaf('took', printDuration(call.duration)),
    leaf('other thread', String(call.otherThread)),
  ];
}

function descriptors({ facts }: Picture): Entry[] {
  return (facts.descriptors ?? []).map(({ address, length, writable }, index) => ({
    name: `[${index}]`,
    value: `0x${address.toString(16)}, ${length} bytes, ${writable ? 'written by the device' : 'read by the device'}`,
    memory: memoryOf(facts.thread, 'guest', Number(address)),
    children: () => [
      leaf('address', `0x${address.toString(16)}`, 'In the guest.'),
      leaf('length', String(length)),
      leaf('writable', String(writable), 'The device writes to it: room for the reply.'),
    ],
  }));
}

function raw(picture: Picture): Entry[] {
  const { facts } = picture;
  const sides: [Side, Uint8Array | undefined][] = [
    ['request', facts.requestBytes],
    ['reply', facts.replyBytes],
  ];
  return sides.flatMap(([side, bytes]) =>
    bytes === undefined || bytes.length === 0
      ? []
      : [
          {
            name: side,
            value: `${bytes.length} bytes`,
            memory: memoryOf(facts.thread, side, 0),
            children: () =>
              hexDump(bytes.subarray(0, MOST_RAW), []).map((line) => leaf(line.slice(0, 6), line.slice(8).trimEnd())),
          },
        ],
  );
}

/** The entry that is now what one was before its request was changed. */
export function sameEntry(picture: Picture, { place, name }: Entry): Entry | undefined {
  if (place === undefined) return scopesOf(picture).find((scope) => scope.name === name);
  return search(messageEntry(picture, place.side), place.node.at, name);
}

function search(entry: Entry, at: number, name: string): Entry | undefined {
  for (const child of entry.children?.() ?? []) {
    if (child.name === name && child.place?.node.at === at) return child;
    const found = search(child, at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Bytes of an entry, as far as they are here. */
export function bytesOf(facts: Picture['facts'], { side, node }: Place): Uint8Array {
  const whole = side === 'request' ? facts.requestBytes : (facts.replyBytes ?? new Uint8Array(0));
  return whole.subarray(node.at, node.at + node.length);
}

export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, MOST_RAW), (byte) => byte.toString(16).padStart(2, '0')).join(' ');

export const textOf = (text: string): string => quote(text);
