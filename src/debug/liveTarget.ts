/**
 * A share that runs, through its daemon's debug protocol: each held request is a thread (`heldThreads.ts`), each queue
 * as well (`queueThreads.ts`).
 *
 * Owns the conversation with the daemon, and the faults that this debugger has set. What a request is like is asked for
 * when somebody looks at it, and kept until something happens to it.
 */
import { Trouble, trouble } from '../base/catalogue';
import type { DebugRequest, Held, Params, Result } from '../control/debug';
import { DebugClient } from '../control/debugClient';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import { HeldThreads, threadOf } from './heldThreads';
import { handleFacts, inodeFacts, livePicture } from './livePicture';
import { type Fact, type Picture, titleOf } from './picture';
import { QueueThreads } from './queueThreads';
import type { HeldLine, Move, Side, Target, TargetEvents, ThreadFacts } from './target';

export interface LiveOptions {
  readonly stopWorld: boolean;
  readonly faults: readonly string[];
}

/** Bytes of a message that are fetched to be shown; more through `readMemory`. */
const MOST_SHOWN = 64 << 10;

/** How long answers are waited for when it is closed. */
const LAST_ANSWERS_MS = 100;

type Daemon = Result<'hello'>;

export class LiveTarget implements Target {
  readonly recorded = false;
  private readonly pictures = new Map<number, Promise<Picture>>();
  private faultRules: string[] = [];
  private readonly queues: QueueThreads;
  private readonly heldThreads: HeldThreads;
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
    this.heldThreads = new HeldThreads(this.queues, events);
    client.on('held', (held) => this.take(held, true));
    client.on('stepped', (held) => this.take(held, false));
    client.on('released', ({ request }) => this.drop(request));
    // What is of the category "console" looks like a warning.
    client.on('logpoint', ({ text }) => events.output('stdout', text));
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
      if (error instanceof Trouble) {
        throw error.code === 'debugRefused' ? trouble('debuggerRefused', share, error.message) : error;
      }
      const { code, message } = error as NodeJS.ErrnoException;
      const nobody = code === 'ENOENT' || code === 'ECONNREFUSED';
      throw trouble('debuggerUnreached', share, nobody ? 'nobody listens' : message);
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
    this.pictures.delete(held.request);
    this.heldThreads.take(held, fresh);
  }

  private drop(request: number): void {
    this.pictures.delete(request);
    this.heldThreads.drop(request);
  }

  private end(text: string): void {
    if (this.closed) return;
    this.closed = true;
    this.client.close();
    for (const request of this.heldThreads.requests) this.drop(request);
    this.events.ended(text);
  }

  // What the adapter asks

  threads(): ThreadFacts[] {
    return [...this.queues.threads(), ...this.heldThreads.threads()];
  }

  isStopped(thread: number): boolean {
    return this.heldThreads.isStopped(thread);
  }

  waitsFor(thread: number): string | undefined {
    return this.queues.waitsFor(thread);
  }

  picture(thread: number): Promise<Picture> {
    const request = this.heldThreads.request(thread);
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
    if (this.closed) throw this.client.gone();
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
    return livePicture(threadOf(request), {
      facts,
      descriptors,
      requestBytes: fromBase64(requestBytes.bytes),
      replyBytes: replyBytes === undefined ? undefined : fromBase64(replyBytes.bytes),
    });
  }

  async setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    const breakpoints = rules.map(({ line: _line, ...rule }) => rule);
    this.heldThreads.setLines(new Set(rules.filter(({ line }) => line !== undefined).map(({ id }) => id)));
    return (await this.ask('setBreakpoints', { breakpoints })).verdicts;
  }

  async setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]> {
    return (await this.ask('setExceptionFilters', { filters: rules })).verdicts;
  }

  async begin(): Promise<void> {
    const { held } = await this.ask('held', {});
    for (const one of held) if (!this.heldThreads.has(one.request)) this.take(one, true);
  }

  async move(thread: number, how: Move): Promise<void> {
    const waitsFor = this.queues.waitsFor(thread);
    if (waitsFor !== undefined) {
      if (how !== 'continue') throw trouble('debugNotNow', 'stepping a queue', `it ${waitsFor}`);
      // It goes on when what is in its way does.
      for (const request of this.heldThreads.inTheWay) await this.ask('continue', { request });
      return;
    }
    const request = this.heldThreads.request(thread);
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
    const request = this.heldThreads.request(thread);
    await this.ask('answer', { request, errno });
    this.pictures.delete(request);
  }

  async rerun(thread: number): Promise<void> {
    const request = this.heldThreads.request(thread);
    await this.ask('rerun', { request });
    this.pictures.delete(request);
  }

  async write(thread: number, side: Side, at: number, bytes: Uint8Array, replace: number): Promise<readonly string[]> {
    const request = this.heldThreads.request(thread);
    const change = { request, offset: at, bytes: toBase64(bytes) };
    const { problems } =
      side === 'request'
        ? await this.ask('writeRequest', { ...change, replace })
        : await this.ask('writeReply', change);
    this.pictures.delete(request);
    return problems;
  }

  async read(thread: number, side: Side, at: number, count: number): Promise<Uint8Array> {
    const part = { request: this.heldThreads.request(thread), offset: at, count };
    const { bytes } = await this.ask(side === 'request' ? 'readRequest' : 'readReply', part);
    return fromBase64(bytes);
  }

  async readGuest(address: bigint, count: number): Promise<Uint8Array> {
    return fromBase64((await this.ask('readMemory', { address: address.toString(), count })).bytes);
  }

  async held(): Promise<readonly HeldLine[]> {
    const { held } = await this.ask('held', {});
    return held.map((one) => ({
      thread: threadOf(one.request),
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

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
