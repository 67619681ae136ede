/**
 * The stack of a stopped request: reply ← host system call ← handler ← decoded request ← descriptor chain. Owns which
 * frames there are in which phase, and their numbers.
 */
import type { Picture } from './picture';
import { hostCallWords, hostResult } from '../trace/hostCallLine';
import { replyLine, requestLine } from '../protocol/summary';
import { requestText } from './requestText';

export interface Frame {
  readonly id: number;
  readonly name: string;
  readonly line: number;
  readonly canRestart: boolean;
}

const KINDS = ['chain', 'request', 'handler', 'call', 'reply'] as const;
type Kind = (typeof KINDS)[number];
const KINDS_A_THREAD = 8;

const numberOf = (thread: number, kind: Kind): number => thread * KINDS_A_THREAD + KINDS.indexOf(kind) + 1;
export const threadOfFrame = (frame: number): number => Math.floor(frame / KINDS_A_THREAD);

/** All that there is to say of a thread without a request. */
export const labelFrame = (thread: number, name: string): object => ({
  id: numberOf(thread, 'chain'),
  name,
  line: 0,
  column: 0,
  presentationHint: 'label',
});

/** The innermost first. */
export function framesOf(picture: Picture): Frame[] {
  const { facts, request, reply } = picture;
  const { lines } = requestText(picture);
  const canRestart = facts.can.has('rerun');
  const frame = (kind: Kind, name: string, line: number, restart = false): Frame => ({
    id: numberOf(facts.thread, kind),
    name,
    line,
    canRestart: restart,
  });
  const frames: Frame[] = [];
  if (facts.phase === 'reply') {
    frames.push(frame('reply', reply === undefined ? 'reply' : `reply ${replyLine(reply)}`, lines.reply));
  }
  const call = facts.current === undefined ? undefined : facts.calls[facts.current];
  if (call !== undefined && facts.current !== undefined) {
    const result = call.result === undefined ? '' : ` = ${hostResult(call.result)}`;
    frames.push(frame('call', `host call ${hostCallWords(call)}${result}`, lines.calls[facts.current]));
  }
  if (facts.phase !== 'entry') frames.push(frame('handler', `handler ${facts.name}`, lines.handler, canRestart));
  frames.push(
    frame('request', `request ${requestLine(request)}`, lines.request, canRestart && facts.phase === 'entry'),
  );
  const many = facts.descriptors?.length;
  const chain = many === undefined ? '' : `, ${many} ${many === 1 ? 'descriptor' : 'descriptors'}`;
  frames.push(
    frame(
      'chain',
      `${facts.head === undefined ? 'chain' : `chain ${facts.head}`} of queue ${facts.queue}${chain}`,
      lines.chain,
    ),
  );
  return frames;
}
