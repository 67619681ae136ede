/**
 * A share that runs, through its daemon's debug protocol: each held request is a thread, each queue as well.
 *
 * Owns what is held as far as the daemon has told. Everything else is asked for when somebody looks.
 */
import { trouble } from '../base/catalogue';
import {
  type CallFacts,
  type DebugRequest,
  type Held,
  type Params,
  type RequestFacts,
  type Result,
} from '../control/debug';
import { DebugClient } from '../control/debugClient';
import { printFlags, printId } from '../protocol/print';
import { initFlags, initFlags2, openFlags } from '../protocol/fuse/flags';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import { Picture, sessionShape, titleOf, type Ability, type Fact, type PictureCall } from './picture';
import { QueueThreads } from './queueThreads';
import type { HeldLine, Move, Side, StopReason, Target, TargetEvents, ThreadFacts } from './target';

export interface LiveOptions {
  readonly stopWorld: boolean;
  readonly faults: readonly string[];
}

/** Threads of held requests are numbered from here; those of queues from 1. */
const FIRST_HELD = 1000;
/** Bytes of a message that are fetched to be shown; more through `readMemory`. */
const MOST_SHOWN = 64 << 10;

/** How long answers are waited for when it is closed. */
const LAST_ANSWERS_MS = 100;

type Daemon = Result<'hello'>;

export class LiveTarget implements Target {
  readonly recorded = false;
  private readonly held_ = new Map<number, Held>();
  private readonly pictures = new Map<number, Promise<Picture>>();
  private rules = new Map<number, string>();
  private faultRules: string[] = [];
  private readonly queues: QueueThreads;
  private closed = false;
  /** What the daemon has been asked and has not answered. */
  private readonly asking = new Set<Promise<unknown>>();

  private constructor(
    private readonly client: DebugClient,
    readonly daemon: Daemon,
    private readonly events: TargetEvents,
    stopWorld: boolean,
  ) {
    this.queues = new QueueThreads(daemon.queues, stopWorld, events);
    client.on('held', (held) => this.take(held, true));
    client.on('stepped', (held) => this.take(held, false));
    client.on('released', ({ request }) => this.drop(request));
    client.on('logpoint', ({ text }) => events.output('console', text));
    client.on('log', ({ level, text }) =>
      events.output(level === 'error' || level === 'warn' ? 'important' : 'console', text),
    );
    client.on('ended', ({ text }) => {
      // Why a daemon has failed is in its log, which was told before.
      events.output('console', text);
      this.end('');
    });
    void client.over.then((why) => this.end(why));
  }

  /** Throws a Trouble when the daemon does not want us. */
  static async connect(path: string, share: string, options: LiveOptions, events: TargetEvents): Promise<LiveTarget> {
    let made: Awaited<ReturnType<typeof DebugClient.connect>>;
    try {
      made = await DebugClient.connect(path, 'Virtio-FS Studio');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw trouble(
        'debuggerRefused',
        share,
        code === 'ENOENT' || code === 'ECONNREFUSED' ? 'nobody listens' : message,
      );
    }
    const target = new LiveTarget(made.client, made.daemon, events, options.stopWorld);
    try {
      if (options.stopWorld) await target.ask('setOptions', { stopWorld: true });
      if (options.faults.length > 0) await target.setFaults(options.faults);
    } catch (error) {
      target.close();
      throw error;
    }
    return target;
  }

  // What the daemon tells

  private take(held: Held, fresh: boolean): void {
    const thread = FIRST_HELD + held.request;
    const known = this.held_.has(held.request);
    this.held_.set(held.request, held);
    this.pictures.delete(held.request);
    this.queues.release(this.held_.values());
    if (fresh && !known) this.events.threadBegan(thread);
    if (held.phase === 'waiting') this.events.running(thread);
    else this.stopped(thread, held);
    this.queues.stop(this.held_.values());
  }

  private stopped(thread: number, held: Held): void {
    const { kind, ids, text } = held.why;
    const reason = reasonOf(kind, this.rules.get(ids[0]) === 'line');
    const where = whereText(held);
    this.events.stopped({ thread, reason, description: where, ...(text === '' ? {} : { text }), rules: ids });
  }

  private drop(request: number): void {
    if (!this.held_.delete(request)) return;
    this.pictures.delete(request);
    this.queues.release(this.held_.values());
    this.events.threadEnded(FIRST_HELD + request);
    this.queues.stop(this.held_.values());
  }

  private end(text: string): void {
    if (this.closed) return;
    this.closed = true;
    this.client.close();
    for (const request of [...this.held_.keys()]) this.drop(request);
    this.events.ended(text);
  }

  // What the adapter asks

  threads(): ThreadFacts[] {
    const held = [...this.held_.values()].map((one) => ({ id: FIRST_HELD + one.request, name: titleOf(one) }));
    return [...this.queues.threads(), ...held];
  }

  isStopped(thread: number): boolean {
    const held = this.held_.get(thread - FIRST_HELD);
    return held !== undefined && held.phase !== 'waiting';
  }

  waitsFor(thread: number): string | undefined {
    return this.queues.waitsFor(thread);
  }

  private request(thread: number): number {
    if (!this.held_.has(thread - FIRST_HELD)) throw trouble('debugNotStopped', String(thread));
    return thread - FIRST_HELD;
  }

  picture(thread: number): Promise<Picture> {
    const request = this.request(thread);
    let picture = this.pictures.get(request);
    if (picture === undefined) {
      picture = this.look(request);
      this.pictures.set(request, picture);
      picture.catch(() => this.pictures.delete(request));
    }
    return picture;
  }

  /** Throws a Trouble when the daemon has gone. */
  private async ask<Name extends DebugRequest>(name: Name, params: Params<Name>): Promise<Result<Name>> {
    if (this.closed) throw trouble('debugNotStarted');
    const answer = this.client.ask(name, params);
    this.asking.add(answer);
    try {
      return await answer;
    } finally {
      this.asking.delete(answer);
    }
  }

  private async look(request: number): Promise<Picture> {
    const [facts, { descriptors }] = await Promise.all([
      this.ask('request', { request }),
      this.ask('descriptors', { request }),
    ]);
    const part = (total: number) => ({ request, offset: 0, count: Math.min(total, MOST_SHOWN) });
    const [requestBytes, replyBytes] = await Promise.all([
      this.ask('readRequest', part(facts.requestBytes)),
      facts.held.phase === 'reply' ? this.ask('readReply', part(facts.replyBytes)) : undefined,
    ]);
    return new Picture({
      ...idsOf(facts),
      thread: FIRST_HELD + request,
      phase: facts.held.phase,
      requestBytes: fromBase64(requestBytes.bytes),
      replyBytes: replyBytes === undefined ? undefined : fromBase64(replyBytes.bytes),
      session: facts.session.started
        ? sessionShape(facts.session.minor, facts.session.flags, facts.session.flags2)
        : undefined,
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

  async setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    const breakpoints = rules.map(({ line: _line, ...rule }) => rule);
    this.rules = new Map(rules.map(({ id, line }) => [id, line === undefined ? 'function' : 'line']));
    return (await this.ask('setBreakpoints', { breakpoints })).verdicts;
  }

  async setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]> {
    return (await this.ask('setExceptionFilters', { filters: rules })).verdicts;
  }

  async begin(): Promise<void> {
    const { held } = await this.ask('held', {});
    for (const one of held) if (!this.held_.has(one.request)) this.take(one, true);
  }

  async move(thread: number, how: Move): Promise<void> {
    const waitsFor = this.queues.waitsFor(thread);
    if (waitsFor !== undefined) {
      if (how !== 'continue') throw trouble('debugNotNow', 'stepping a queue', `it ${waitsFor}`);
      // It goes on when what is in its way does.
      for (const { request } of this.queues.inTheWay(this.held_.values())) await this.ask('continue', { request });
      return;
    }
    const request = this.request(thread);
    switch (how) {
      case 'continue':
        await this.ask('continue', { request });
        return;
      case 'next':
        await this.ask('stepOver', { request });
        return;
      case 'stepIn':
      case 'stepOut':
        await this.ask(how, { request });
        return;
      case 'stepBack':
      case 'reverseContinue':
        throw trouble('debugOnlyCapture', 'going back');
    }
  }

  async pause(thread: number): Promise<void> {
    await this.ask('pause', this.queues.has(thread) ? { queue: thread - 1 } : {});
  }

  async answer(thread: number, errno: number): Promise<void> {
    const request = this.request(thread);
    await this.ask('answer', { request, errno });
    this.pictures.delete(request);
  }

  async rerun(thread: number): Promise<void> {
    const request = this.request(thread);
    await this.ask('rerun', { request });
    this.pictures.delete(request);
  }

  async write(thread: number, side: Side, at: number, bytes: Uint8Array, replace: number): Promise<readonly string[]> {
    const request = this.request(thread);
    const change = { request, offset: at, bytes: toBase64(bytes) };
    const { problems } =
      side === 'request'
        ? await this.ask('writeRequest', { ...change, replace })
        : await this.ask('writeReply', change);
    this.pictures.delete(request);
    return problems;
  }

  async read(thread: number, side: Side, at: number, count: number): Promise<Uint8Array> {
    const part = { request: this.request(thread), offset: at, count };
    const { bytes } = await this.ask(side === 'request' ? 'readRequest' : 'readReply', part);
    return fromBase64(bytes);
  }

  async readGuest(address: bigint, count: number): Promise<Uint8Array> {
    return fromBase64((await this.ask('readMemory', { address: address.toString(), count })).bytes);
  }

  async held(): Promise<readonly HeldLine[]> {
    const { held } = await this.ask('held', {});
    return held.map((one) => ({
      thread: FIRST_HELD + one.request,
      title: titleOf(one),
      phase: one.phase,
      waited: one.waited,
    }));
  }

  async inode(nodeid: string): Promise<readonly Fact[] | undefined> {
    const { inode } = await this.ask('inode', { nodeid });
    return inode && inodeFacts(inode);
  }

  async handle(fh: string, nodeid: string): Promise<readonly Fact[] | undefined> {
    const { handle } = await this.ask('handle', { fh, nodeid });
    return handle && handleFacts(handle);
  }

  async faults(change?: { readonly add: string } | 'clear'): Promise<readonly string[]> {
    if (change !== undefined) await this.setFaults(change === 'clear' ? [] : [...this.faultRules, change.add]);
    const { faults } = await this.ask('faults', {});
    return faults.map(({ rule, seen, done, fromOptions }) => {
      const whose = fromOptions ? ' (an option of the daemon)' : '';
      return `${rule}  seen ${seen}, done ${done}${whose}`;
    });
  }

  private async setFaults(rules: readonly string[]): Promise<void> {
    const { verdicts } = await this.ask('setFaults', { rules });
    const bad = verdicts.findIndex(({ verified }) => !verified);
    if (bad >= 0) {
      // The rules that stood before still stand.
      if (this.faultRules.length > 0 || rules.length > 1) {
        await this.ask('setFaults', { rules: this.faultRules });
      }
      throw trouble('debugExpressionBad', rules[bad] ?? '', verdicts[bad].message ?? 'this is no fault rule');
    }
    this.faultRules = [...rules];
  }

  /** The daemon releases everything that is held when it sees the connection end. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.asking.size === 0) return this.client.close();
    // What is on its way to a connection that ends would be an error that nobody waits for.
    const close = (): void => {
      clearTimeout(timer);
      this.client.close();
    };
    const timer = setTimeout(close, LAST_ANSWERS_MS);
    void Promise.allSettled(this.asking).then(close);
  }
}

const abilities: ReadonlySet<string> = new Set<Ability>(['answer', 'rerun', 'writeRequest', 'writeReply']);

/** The longest part of memory that one message can have. */
export const MOST_READ = 1 << 20;

function reasonOf(kind: Held['why']['kind'], line: boolean): StopReason {
  switch (kind) {
    case 'breakpoint':
      return line ? 'breakpoint' : 'function breakpoint';
    case 'rerun':
      return 'restart';
    case 'answer':
      return 'goto';
    case 'exception':
    case 'pause':
    case 'step':
      return kind;
  }
}

/** In few words: it stands beside the thread's name. */
function whereText({ phase, call }: Held): string {
  switch (phase) {
    case 'call':
      return `before ${call?.name ?? 'a host call'}`;
    case 'called':
      return `after ${call?.name ?? 'a host call'}`;
    case 'entry':
    case 'reply':
    case 'waiting':
      return phase;
  }
}

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
});

const fact = (name: string, value: string, doc?: string): Fact =>
  doc === undefined ? { name, value } : { name, value, doc };

function inodeFacts(inode: NonNullable<RequestFacts['inode']>): Fact[] {
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

function handleFacts(handle: NonNullable<RequestFacts['handle']>): Fact[] {
  return [
    fact('fh', printId(BigInt(handle.fh)), 'As the guest knows it.'),
    fact('nodeid', printId(BigInt(handle.nodeid))),
    fact('kind', handle.kind),
    fact('flags', printFlags(openFlags, handle.flags), "Of the host's descriptor."),
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

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
