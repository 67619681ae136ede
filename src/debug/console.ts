/**
 * The debug console: commands beside expressions. Owns what each says; what it does is the target's.
 */
import { trouble } from '../base/catalogue';
import { errnos } from '../protocol/errno';
import { parseNode } from './values';
import { findEntry } from './expressions';
import type { Entry } from './entries';
import type { Picture } from './picture';
import type { Target } from './target';

export const consoleCommands: readonly { readonly name: string; readonly usage: string; readonly doc: string }[] = [
  { name: 'held', usage: 'held', doc: 'The requests that are held, and for how long.' },
  {
    name: 'set',
    usage: 'set read.size = 4K',
    doc: 'Sets a field of the request at its entry, of the reply at its reply.',
  },
  { name: 'answer', usage: 'answer EIO', doc: 'Answers the request with an errno; its handler does not run.' },
  { name: 'fault', usage: 'fault RULE', doc: 'Adds a fault rule; "fault off" removes those set here.' },
  { name: 'faults', usage: 'faults', doc: 'The fault rules that are set, and how often each was done.' },
  { name: 'inode', usage: 'inode(5).path', doc: 'What is known of an inode.' },
  { name: 'handle', usage: 'handle(3)', doc: 'What is known of an open file.' },
  { name: 'hex', usage: 'hex(reply)', doc: 'Bytes, or a number, in hexadecimal.' },
  { name: 'help', usage: 'help', doc: 'This list.' },
];

export interface Said {
  readonly text: string;
  /** The request has changed. */
  readonly changed?: true;
}

/** Undefined for what is no command. Throws a Trouble. */
export async function runCommand(
  target: Target,
  picture: Picture | undefined,
  text: string,
): Promise<Said | undefined> {
  const [, word, rest] = /^\s*(\w+)\s*(.*?)\s*$/s.exec(text) ?? ['', '', ''];
  switch (word) {
    case 'help':
      return rest === '' ? { text: help() } : undefined;
    case 'held':
      return rest === '' ? { text: await heldText(target) } : undefined;
    case 'faults':
      return rest === '' ? { text: faultsText(await target.faults()) } : undefined;
    case 'fault': {
      if (rest === '') throw trouble('debugExpressionBad', text, 'a rule is missing, as in: fault errno=EIO READ *.db');
      return { text: faultsText(await target.faults(rest === 'off' ? 'clear' : { add: rest })) };
    }
    case 'answer':
      return answer(target, needed(picture, text), rest, text);
    case 'set':
      return set(target, needed(picture, text), rest, text);
    default:
      return undefined;
  }
}

function needed(picture: Picture | undefined, text: string): Picture {
  if (picture === undefined) throw trouble('debugExpressionBad', text, 'no request is held');
  return picture;
}

function help(): string {
  const widest = Math.max(...consoleCommands.map(({ usage }) => usage.length));
  const lines = consoleCommands.map(({ usage, doc }) => `${usage.padEnd(widest)}  ${doc}`);
  return [
    ...lines,
    'Anything else is a field (read.size, reply.error, path) or a filter, which is true or false.',
  ].join('\n');
}

async function heldText(target: Target): Promise<string> {
  const held = await target.held();
  if (held.length === 0) return 'No request is held.';
  return held
    .map(({ title, phase, waited }) => `${title}  at its ${phase}, for ${(waited / 1000).toFixed(1)} s`)
    .join('\n');
}

const faultsText = (faults: readonly string[]): string =>
  faults.length === 0 ? 'No faults are set.' : faults.join('\n');

async function answer(target: Target, picture: Picture, name: string, text: string): Promise<Said> {
  const upper = name.toUpperCase();
  if (!Object.hasOwn(errnos.value, upper)) throw trouble('debugExpressionBad', text, `"${name}" is no errno`);
  await target.answer(picture.facts.thread, errnos.value[upper as keyof typeof errnos.value]);
  return { text: `answered with ${upper}`, changed: true };
}

async function set(target: Target, picture: Picture, rest: string, text: string): Promise<Said> {
  const match = /^(.+?)\s*=\s*(.*)$/s.exec(rest);
  if (!match) throw trouble('debugExpressionBad', text, 'write it as: set FIELD = VALUE');
  const entry = await findEntry(target, picture, match[1]);
  if (entry === undefined) throw trouble('debugExpressionBad', text, `there is no "${match[1]}" here`);
  const problems = await change(target, picture, entry, match[2]);
  return { text: [`${match[1]} = ${match[2]}`, ...problems].join('\n'), changed: true };
}

/** Sets a field. Gives what the server will have against it. Throws a Trouble for what cannot be set. */
export async function change(
  target: Target,
  picture: Picture,
  entry: Entry,
  value: string,
): Promise<readonly string[]> {
  const { place } = entry;
  if (place === undefined)
    throw trouble('debugNotSettable', `"${entry.name}"`, 'it is a fact, not a field of a message');
  const { facts } = picture;
  const { side, node } = place;
  if (target.recorded) throw trouble('debugOnlyLive', `setting ${entry.name}`);
  if (!facts.can.has(side === 'request' ? 'writeRequest' : 'writeReply')) {
    throw trouble('debugNotSettable', `"${entry.name}"`, `the request stands at its ${facts.phase}`);
  }
  const parsed = parseNode(node, value);
  if ('wanted' in parsed) throw trouble('debugValueBad', entry.name, value.slice(0, 100), parsed.wanted);
  if (side === 'reply' && node.field?.show === 'errno') {
    const error = new DataView(parsed.bytes.buffer).getInt32(0, true);
    if (error < 0) {
      await target.answer(facts.thread, -error);
      return [];
    }
  }
  return target.write(facts.thread, side, node.at, parsed.bytes, node.length);
}
