/**
 * A request that a daemon holds, made a picture of what the daemon says of it; and its inodes, handles and session as
 * facts to be shown.
 *
 * Knows the daemon's words and the picture's, and asks nobody: `liveTarget.ts` does.
 */
import type { CallFacts, RequestFacts, Result } from '../control/debug';
import { tableOn } from '../protocol/flagTable';
import { initFlags, initFlags2, openFlags } from '../protocol/fuse/flags';
import { machineOf } from '../protocol/machine';
import { printFlags, printId } from '../protocol/print';
import { type Ability, type Fact, Picture, type PictureCall, sessionShape } from './picture';

/** The daemon's: its socket is a file of this machine. */
const MACHINE = machineOf(process.arch);

/** What the daemon has told of one request. */
export interface LiveRequest {
  readonly facts: RequestFacts;
  readonly descriptors: Result<'descriptors'>['descriptors'];
  readonly requestBytes: Uint8Array;
  /** Undefined while there is none. */
  readonly replyBytes: Uint8Array | undefined;
}

export function livePicture(thread: number, { facts, descriptors, requestBytes, replyBytes }: LiveRequest): Picture {
  return new Picture({
    ...idsOf(facts),
    thread,
    phase: facts.held.phase,
    requestBytes,
    replyBytes,
    session: facts.session.started
      ? sessionShape(facts.session.minor, facts.session.flags, facts.session.flags2)
      : undefined,
    machine: MACHINE,
    ...callsOf(facts),
    descriptors: descriptors.map(({ address, length, writable }) => ({ address: BigInt(address), length, writable })),
    inode: facts.inode && inodeFacts(facts.inode),
    handle: facts.handle && handleFacts(facts.handle),
    sessionFacts: sessionFacts(facts.session),
    can: new Set(facts.can.filter((each): each is Ability => abilities.has(each))),
    notes: [
      ...(facts.refusal === undefined ? [] : [`the server refuses it: ${facts.refusal}`]),
      ...(facts.held.changed ? ['changed by the debugger'] : []),
    ],
  });
}

const abilities: ReadonlySet<string> = new Set<Ability>(['answer', 'rerun', 'writeRequest', 'writeReply']);

const idsOf = ({ held }: RequestFacts) => ({
  name: held.name,
  opcode: held.opcode,
  unique: held.unique,
  nodeid: held.nodeid,
  path: held.path,
  queue: held.queue,
  head: held.head,
  uid: held.uid,
  gid: held.gid,
  pid: held.pid,
});

function callsOf({ held, calls }: RequestFacts): { calls: PictureCall[]; current: number | undefined } {
  const made = calls.map(pictureCall);
  if (held.call === undefined) return { calls: made, current: undefined };
  const at = pictureCall(held.call);
  const last = made.at(-1);
  const sameCall = last !== undefined && last.call === at.call && String(last.arguments) === String(at.arguments);
  // A call that is about to be made may not be in the list yet.
  const isLast = sameCall && (held.phase !== 'call' || last.result === undefined);
  const all = isLast ? [...made.slice(0, -1), at] : [...made, at];
  return { calls: all, current: held.phase === 'reply' ? undefined : all.length - 1 };
}

const pictureCall = (facts: CallFacts): PictureCall => ({
  call: facts.call,
  arguments: facts.arguments.map(BigInt),
  texts: facts.texts,
  result: facts.result,
  duration: Math.round((facts.milliseconds ?? 0) * 1e6),
  otherThread: facts.otherThread,
  machine: MACHINE,
});

const fact = (name: string, value: string, doc?: string): Fact =>
  doc === undefined ? { name, value } : { name, value, doc };

export function inodeFacts(inode: NonNullable<RequestFacts['inode']>): Fact[] {
  return [
    fact('nodeid', printId(BigInt(inode.nodeid)), 'As the guest knows it.'),
    fact('path', inode.path, 'Below the share; / is its root.'),
    fact('type', inode.type),
    fact('lookups', String(inode.lookups), 'How often the guest has been told of it, without what it has forgotten.'),
    fact('generation', String(inode.generation)),
    fact('ino', inode.ino, 'On the host.'),
    fact('device', inode.device),
    fact('mount', inode.mount),
    fact(
      'descriptor',
      inode.descriptor < 0 ? 'none' : String(inode.descriptor),
      "The daemon's; none while it is known by its name.",
    ),
  ];
}

export function handleFacts(handle: NonNullable<RequestFacts['handle']>): Fact[] {
  return [
    fact('fh', printId(BigInt(handle.fh)), 'As the guest knows it.'),
    fact('nodeid', printId(BigInt(handle.nodeid))),
    fact('kind', handle.kind),
    fact('flags', printFlags(tableOn(openFlags, MACHINE), handle.flags), "Of the host's descriptor."),
    fact('generation', String(handle.generation)),
    fact('descriptor', String(handle.descriptor), "The daemon's."),
  ];
}

function sessionFacts(session: Result<'session'>): Fact[] {
  if (!session.started) return [fact('started', 'false', 'INIT has not come yet.')];
  return [
    fact('minor', `7.${session.minor}`, 'Version of the protocol.'),
    fact('flags', printFlags(initFlags, session.flags), 'What INIT has agreed on.'),
    fact('flags2', printFlags(initFlags2, session.flags2)),
    fact('max_write', String(session.maxWrite)),
    fact('cache', session.cache),
    fact('inodes', String(session.inodes), 'That the guest knows.'),
    fact('handles', String(session.handles), 'That are open.'),
  ];
}
