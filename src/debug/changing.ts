/** The handlers that make a request go on, go elsewhere, or be another one. */
import { trouble } from '../base/catalogue';
import { errnos } from '../protocol/errno';
import type { Given } from './arguments';
import { change } from './console';
import type { Debugging } from './debugging';
import { type Entry, sameEntry } from './entries';
import { findEntry } from './expressions';
import { threadOfFrame } from './frames';
import { referred, variable } from './looking';
import { parseMemory } from './memory';
import type { Move } from './target';

export async function move(debugging: Debugging, how: Move, thread: number): Promise<void> {
  const { target } = debugging;
  if (!target.isStopped(thread) && target.waitsFor(thread) === undefined)
    throw trouble('debugNotStopped', String(thread));
  debugging.forget(thread);
  await target.move(thread, how);
}

export async function pause(debugging: Debugging, thread: number): Promise<void> {
  if (debugging.noDebug) throw trouble('debuggingOff');
  await debugging.target.pause(thread);
}

export async function restartFrame(debugging: Debugging, frame: number): Promise<void> {
  const thread = threadOfFrame(frame);
  const { facts } = await debugging.target.picture(thread);
  if (!facts.can.has('rerun')) {
    throw trouble('debugNotNow', `running ${facts.name} again`, 'it is not at its reply, or it has changed something');
  }
  await debugging.target.rerun(thread);
}

/** What programs meet most comes first. */
const COMMON = ['EIO', 'ENOENT', 'EACCES', 'EPERM', 'ENOSPC', 'EROFS', 'EAGAIN', 'EINVAL', 'ENOSYS', 'ESTALE'];

export function gotoTargets({ line }: Given<'gotoTargets'>): object {
  const rank = (name: string): number => (COMMON.includes(name) ? COMMON.indexOf(name) : COMMON.length);
  const rows = [...errnos.rows].sort((a, b) => rank(a.name) - rank(b.name) || a.value - b.value);
  return {
    targets: rows.map(({ name, value, doc }) => ({
      id: value,
      label: `answer ${name} (${doc.replace(/\.$/, '')})`,
      line,
    })),
  };
}

/** Answers with the errno; it then stands at its reply, which the target tells. */
export async function goTo(debugging: Debugging, thread: number, errno: number): Promise<void> {
  const { target } = debugging;
  if (!errnos.byValue.has(errno)) throw trouble('debugArgumentBad', 'goto', `${errno} is no errno`);
  const { facts } = await target.picture(thread);
  if (!facts.can.has('answer')) throw trouble('debugNotNow', 'answering it', `it stands at its ${facts.phase}`);
  await target.answer(thread, errno);
}

export async function setVariable(debugging: Debugging, args: Given<'setVariable'>): Promise<object> {
  const { thread, entry } = await referred(debugging, args.variablesReference);
  const child = entry.children?.().find(({ name }) => name === args.name);
  if (child === undefined) throw trouble('debugArgumentBad', 'setVariable', `there is no ${args.name}`);
  return set(debugging, thread, child, args.value);
}

export async function setExpression(debugging: Debugging, args: Given<'setExpression'>): Promise<object> {
  const thread = args.frameId === undefined ? debugging.latestStopped : threadOfFrame(args.frameId);
  if (thread === undefined) throw trouble('debugExpressionBad', args.expression, 'no request is stopped');
  const picture = await debugging.target.picture(thread);
  const entry = await findEntry(debugging.target, picture, args.expression.trim());
  if (entry === undefined) throw trouble('debugExpressionBad', args.expression, 'there is no such field here');
  return set(debugging, thread, entry, args.value);
}

async function set(debugging: Debugging, thread: number, entry: Entry, value: string): Promise<object> {
  const { target } = debugging;
  const problems = await change(target, await target.picture(thread), entry, value);
  for (const problem of problems) debugging.output('important', `${entry.name} = ${value}: ${problem}`);
  const after = await target.picture(thread);
  debugging.changed(thread);
  const shown = variable(debugging, thread, sameEntry(after, entry) ?? entry);
  return {
    value: shown.value,
    variablesReference: shown.variablesReference,
    ...(shown.type === undefined ? {} : { type: shown.type }),
  };
}

export async function writeMemory(debugging: Debugging, args: Given<'writeMemory'>): Promise<object> {
  const { memoryReference, offset = 0, data } = args;
  const { kind, thread, at } = parseMemory(memoryReference);
  const { target } = debugging;
  if (kind === 'guest')
    throw trouble('debugNotSettable', 'guest memory', 'it is the guest’s; change the request or the reply');
  if (target.recorded) throw trouble('debugOnlyLive', 'writing memory');
  const { facts } = await target.picture(thread);
  if (!facts.can.has(kind === 'request' ? 'writeRequest' : 'writeReply')) {
    throw trouble('debugNotSettable', `the ${kind}`, `the request stands at its ${facts.phase}`);
  }
  if (at + offset < 0) throw trouble('debugArgumentBad', 'writeMemory', `${offset} is before the ${kind}`);
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  const problems = await target.write(thread, kind, at + offset, bytes, bytes.length);
  for (const problem of problems) debugging.output('important', problem);
  debugging.changed(thread);
  if (debugging.client.memory) debugging.event('memory', { memoryReference, offset, count: bytes.length });
  return { bytesWritten: bytes.length };
}
