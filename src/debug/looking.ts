/** The handlers that show: threads, stacks, scopes, variables, sources, expressions, memory. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { trouble } from '../base/catalogue';
import { hover } from '../trace/filter/complete';
import type { Given } from './arguments';
import { offers } from './completions';
import { runCommand } from './console';
import type { Debugging } from './debugging';
import { sameEntry, scopesOf, type Entry } from './entries';
import { evaluate, findEntry } from './expressions';
import { framesOf, labelFrame, threadOfFrame } from './frames';
import { parseMemory } from './memory';
import { opcodeDocument } from './opcodeDocument';
import type { Picture } from './picture';
import { requestText } from './requestText';
import { opcodesSource, requestSource, threadOfSource } from './sources';

/** The longest part of memory that is read at a time, and part of a list that is shown. */
const MOST_READ = 1 << 20;
/** Parts of an entry that a client is given without pages. */
const MOST_AT_ONCE = 100;

export function threads(debugging: Debugging): object {
  return { threads: debugging.started ? debugging.target.threads() : [] };
}

export async function stackTrace(debugging: Debugging, args: Given<'stackTrace'>): Promise<object> {
  const { threadId, startFrame = 0, levels = 0 } = args;
  // A queue has no stack: what waits in it has not been looked at yet.
  const waitsFor = debugging.target.waitsFor(threadId);
  if (waitsFor !== undefined) return { stackFrames: [labelFrame(threadId, waitsFor)], totalFrames: 1 };
  if (!debugging.target.isStopped(threadId)) return { stackFrames: [], totalFrames: 0 };
  const picture = await debugging.target.picture(threadId);
  const source = requestSource(debugging, threadId, picture.title);
  const base = debugging.client.linesStartAt1 ? 0 : 1;
  const column = debugging.client.columnsStartAt1 ? 1 : 0;
  const frames = framesOf(picture);
  const shown = frames.slice(startFrame, levels > 0 ? startFrame + levels : undefined);
  return {
    stackFrames: shown.map(({ id, name, line, canRestart }) => ({
      id,
      name,
      source,
      line: line - base,
      column,
      canRestart,
    })),
    totalFrames: frames.length,
  };
}

export async function scopes(debugging: Debugging, { frameId }: Given<'scopes'>): Promise<object> {
  const thread = threadOfFrame(frameId);
  if (debugging.target.waitsFor(thread) !== undefined) return { scopes: [] };
  const picture = await debugging.target.picture(thread);
  return {
    scopes: scopesOf(picture).map((entry) => ({
      name: entry.name,
      variablesReference: debugging.refer(thread, entry),
      expensive: entry.name === 'Raw bytes' || entry.name === 'Descriptors',
    })),
  };
}

/** What a number stands for, as it is now. Throws a Trouble for one whose request has gone on. */
export async function referred(debugging: Debugging, number: number): Promise<{ thread: number; entry: Entry }> {
  const reference = debugging.referred(number);
  const { changes } = debugging;
  if (reference.changes < changes) {
    reference.entry = sameEntry(await debugging.target.picture(reference.thread), reference.entry) ?? reference.entry;
    reference.changes = changes;
  }
  return reference;
}

export async function variables(debugging: Debugging, args: Given<'variables'>): Promise<object> {
  const { variablesReference, filter, start = 0, count = 0 } = args;
  const { thread, entry } = await referred(debugging, variablesReference);
  const all = entry.children?.() ?? [];
  const paged = pages(debugging, entry) !== undefined;
  // Of a long list everything is indexed, of others nothing.
  const children = filter === undefined || (filter === 'indexed') === paged ? all : [];
  const shown = children.slice(Math.max(0, start), count > 0 ? Math.max(0, start) + count : undefined);
  return { variables: shown.map((child) => variable(debugging, thread, child)) };
}

/** How many parts an entry has that the client is to ask for in pages; undefined: it asks for all. */
function pages(debugging: Debugging, entry: Entry): number | undefined {
  if (!debugging.client.paging) return undefined;
  const count = entry.children?.().length ?? 0;
  return count > MOST_AT_ONCE ? count : undefined;
}

export function variable(debugging: Debugging, thread: number, entry: Entry): Dap.Variable {
  const { name, value, doc, memory, place } = entry;
  const indexedVariables = pages(debugging, entry);
  const fixed = place === undefined || debugging.target.recorded;
  return {
    name,
    value,
    variablesReference: debugging.refer(thread, entry),
    ...(indexedVariables === undefined ? {} : { indexedVariables }),
    ...(doc === undefined ? {} : { type: doc }),
    ...(memory === undefined ? {} : { memoryReference: memory }),
    ...(fixed ? { presentationHint: { attributes: ['readOnly'] } } : {}),
  };
}

export async function source(debugging: Debugging, args: Given<'source'>): Promise<object> {
  const reference = args.source?.sourceReference ?? args.sourceReference;
  const own = opcodesSource(debugging);
  const path = args.source?.path;
  if (path !== undefined ? path === own.path : reference === own.sourceReference) {
    return { content: opcodeDocument(), mimeType: 'text/plain' };
  }
  const thread = reference === undefined ? undefined : threadOfSource(reference);
  if (thread === undefined)
    throw trouble('debugArgumentBad', 'source', `${reference ?? path ?? 'nothing'} is no source`);
  return { content: requestText(await debugging.target.picture(thread)).text, mimeType: 'text/plain' };
}

export async function loadedSources(debugging: Debugging): Promise<object> {
  const sources = [opcodesSource(debugging)];
  const { target, stops } = debugging;
  const threads = [...stops.keys()].filter((thread) => target.isStopped(thread));
  const pictures = await Promise.allSettled(threads.map((thread) => target.picture(thread)));
  for (const [i, picture] of pictures.entries()) {
    const thread = threads[i];
    if (picture.status === 'fulfilled') sources.push(requestSource(debugging, thread, picture.value.title));
    // One that has gone on meanwhile has no text any more.
    else if (target.isStopped(thread)) throw picture.reason;
  }
  return { sources };
}

/** The request that a frame belongs to, else the one that stopped last; undefined where none is. */
async function pictureFor(debugging: Debugging, frameId: number | undefined): Promise<Picture | undefined> {
  const thread = frameId === undefined ? debugging.latestStopped : threadOfFrame(frameId);
  return thread === undefined || !debugging.target.isStopped(thread) ? undefined : debugging.target.picture(thread);
}

export async function evaluated(debugging: Debugging, args: Given<'evaluate'>): Promise<object> {
  const { expression, frameId, context } = args;
  const { target } = debugging;
  const picture = await pictureFor(debugging, frameId);
  if (context === 'repl') {
    const said = await runCommand(target, picture, expression);
    if (said !== undefined) {
      if (said.changed === true && picture !== undefined) debugging.changed(picture.facts.thread);
      return { result: said.text, variablesReference: 0 };
    }
  }
  if (picture === undefined) throw trouble('debugExpressionBad', expression, 'no request is stopped');
  // Over a word that the request does not have: what the word means.
  const meaning =
    context === 'hover' && !(await findEntry(target, picture, expression)) ? hover(expression, 0) : undefined;
  if (meaning !== undefined) return { result: meaning.text, variablesReference: 0 };
  const entry = await evaluate(target, picture, expression);
  const shown = variable(debugging, picture.facts.thread, entry);
  const { value, variablesReference, indexedVariables, type, memoryReference } = shown;
  return {
    result: value === '' ? '…' : value,
    variablesReference,
    ...(indexedVariables === undefined ? {} : { indexedVariables }),
    ...(type === undefined ? {} : { type }),
    ...(memoryReference === undefined ? {} : { memoryReference }),
  };
}

export function completions(debugging: Debugging, args: Given<'completions'>): object {
  const { text, column, line } = args;
  const { linesStartAt1, columnsStartAt1, firstCompletionColumn } = debugging.client;
  const lines = text.split('\n');
  const at = (line ?? (linesStartAt1 ? 1 : 0)) - (linesStartAt1 ? 1 : 0);
  const before = lines.slice(0, at).reduce((sum, each) => sum + each.length + 1, 0);
  const cursor = before + column - (columnsStartAt1 ? 1 : 0);
  const types = { command: 'function', field: 'field', value: 'value', operator: 'keyword' } as const;
  return {
    targets: offers(text, cursor).map(({ label, kind, detail, from, to }) => ({
      label,
      type: types[kind],
      detail,
      // From the beginning of the text, whichever line it is on, counted as the client counts columns.
      start: from + firstCompletionColumn,
      length: to - from,
    })),
  };
}

export async function readMemory(debugging: Debugging, args: Given<'readMemory'>): Promise<object> {
  const { memoryReference, offset = 0, count } = args;
  const { kind, thread, at } = parseMemory(memoryReference);
  const from = Math.max(0, at + offset);
  const wanted = Math.max(0, Math.min(count, MOST_READ));
  const { target } = debugging;
  const bytes =
    kind === 'guest' ? await target.readGuest(BigInt(from), wanted) : await target.read(thread, kind, from, wanted);
  return {
    address: `0x${from.toString(16)}`,
    data: Buffer.from(bytes).toString('base64'),
    ...(bytes.length < count ? { unreadableBytes: count - bytes.length } : {}),
  };
}
