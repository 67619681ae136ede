/**
 * A capture, stepped forward and back over its requests: no daemon, nothing runs. The one thread is the request that the
 * cursor is at; it stands at its entry, after one of its recorded host calls, or at its reply.
 *
 * Owns the cursor and the stops. Where breakpoints hold is known beforehand, so that going back finds the same places.
 */
import { trouble } from '../base/catalogue';
import { CaptureFiles } from '../control/captureFiles';
import { find } from '../protocol/decode';
import type { SessionShape } from '../protocol/message';
import { initFlags, initFlags2 } from '../protocol/fuse/flags';
import { quote } from '../protocol/text';
import { CaptureReader } from '../trace/captureReader';
import { isOrphan, kindOf } from '../trace/line';
import { printInstant, printSeconds } from '../trace/times';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import { History } from './history';
import { Picture, titleOf, type Fact, type PictureFacts } from './picture';
import { rankOf, RecordedStops, type Place } from './recordedStops';
import { ReplayedModel } from './replayedModel';
import type { HeldLine, Move, Target, TargetEvents, ThreadFacts } from './target';
import { Turns } from './turns';

/** The only thread. */
const THREAD = 1;
const NOTHING = new Uint8Array(0);

export class RecordedTarget implements Target {
  readonly recorded = true;
  private row = 0;
  /** 0: entry; then its host calls, one by one; the last one is the reply, where there is one. */
  private step = 0;
  private begun = false;
  private readonly stops: RecordedStops;
  private readonly model: ReplayedModel;
  private kept: Promise<Picture> | undefined;
  private closed = false;

  /** Work that others have their turns in between, until the target is closed. */
  private readonly work = new Set<AbortController>();
  /** Of the way to the next stop, and of the look at where it stands. */
  private going: AbortController | undefined;
  private looking: AbortController | undefined;

  private constructor(
    private readonly source: CaptureFiles,
    private readonly capture: CaptureReader,
    history: History,
    private readonly events: TargetEvents,
    private readonly now: (() => number) | undefined,
  ) {
    this.stops = new RecordedStops(capture);
    this.model = new ReplayedModel(capture, history);
  }

  /** Throws a Trouble for what is no capture, and when it is cancelled. */
  static async open(path: string, events: TargetEvents, now?: () => number): Promise<RecordedTarget> {
    const source = new CaptureFiles(path);
    const reading = new AbortController();
    const progress = events.progress('Reading the capture', () => reading.abort());
    try {
      const history = new History();
      const reader = new CaptureReader({ read: source.readAt, journal: history });
      const { size } = source;
      let read = 0;
      for (let chunk = source.next(); chunk.length > 0 && read < size; chunk = source.next()) {
        reader.push(chunk);
        read += chunk.length;
        if (reader.fault?.kind === 'foreign') {
          throw trouble('captureForeign', quote(path), reader.fault.text, reader.fault.remedy);
        }
        progress.report(Math.min(100, (read / size) * 100));
        // The extension host has other things to do as well.
        await new Promise((resolve) => setImmediate(resolve));
        if (reading.signal.aborted) throw trouble('debugCancelled');
      }
      reader.end();
      if (reader.count === 0) throw trouble('captureNotReadable', quote(path), 'there is no request in it');
      for (const note of [...source.notes, ...reader.notes]) events.output('console', note);
      return new RecordedTarget(source, reader, history, events, now);
    } catch (error) {
      source.close();
      throw error;
    } finally {
      progress.end();
    }
  }

  /** Does long work in turns, which `control` ends. */
  private async inTurns<Done>(
    title: string,
    control: AbortController,
    work: (turns: Turns) => Promise<Done>,
  ): Promise<Done> {
    const turns = new Turns(control.signal, () => this.events.progress(title, () => control.abort()), this.now);
    this.work.add(control);
    try {
      return await work(turns);
    } finally {
      this.work.delete(control);
      turns.end();
    }
  }

  threads(): ThreadFacts[] {
    return [
      { id: THREAD, name: this.begun ? `${this.title()}  (${this.row + 1} of ${this.capture.count})` : 'capture' },
    ];
  }

  private title(): string {
    return titleOf(this.ids());
  }

  isStopped(thread: number): boolean {
    return this.begun && this.going === undefined && thread === THREAD;
  }

  waitsFor(): undefined {
    return undefined;
  }

  async begin(): Promise<void> {
    this.begun = true;
    // What log points say of the first place: nobody goes there.
    this.go(-1, { rank: 0, stop: () => this.stopped('entry', 'beginning of the capture') });
    return Promise.resolve();
  }

  private stopped(
    reason: 'entry' | 'step' | 'pause' | 'breakpoint' | 'function breakpoint' | 'exception',
    description: string,
    rules: readonly number[] = [],
  ): void {
    this.kept = undefined;
    this.looking?.abort();
    this.looking = undefined;
    this.events.stopped({ thread: THREAD, reason, description, rules });
  }

  // Moving

  private get lastStep(): number {
    return this.capture.hostCalls(this.row).length + (this.capture.reply(this.row) === undefined ? 0 : 1);
  }

  private get atReply(): boolean {
    return this.capture.reply(this.row) !== undefined && this.step === this.lastStep;
  }

  async move(thread: number, how: Move): Promise<void> {
    this.check(thread);
    switch (how) {
      case 'continue':
        this.run(this.stops.after(this.row, this.atReply ? 'reply' : 'entry'), true);
        break;
      case 'reverseContinue':
        this.run(this.stops.before(this.row, this.step === 0 ? 'entry' : 'reply', this.atReply), false);
        break;
      case 'stepIn':
        this.stepTo(this.step < this.lastStep ? this.step + 1 : undefined, true);
        break;
      case 'next':
      case 'stepOut':
        this.stepTo(this.step < this.lastStep ? this.lastStep : undefined, true);
        break;
      case 'stepBack':
        this.stepTo(this.step > 0 ? (this.atReply ? 0 : this.step - 1) : undefined, false);
        break;
    }
    return Promise.resolve();
  }

  /** To a step of this row; undefined: to the row after it, or before it. */
  private stepTo(step: number | undefined, forward: boolean): void {
    const row = step === undefined ? this.row + (forward ? 1 : -1) : this.row;
    if (row < 0 || row >= this.capture.count) return this.stopped('step', edge(forward));
    const from = this.rank;
    this.stand(row, step ?? (forward ? 0 : Infinity));
    const stop = (): void => this.stopped('step', this.where());
    if (forward) this.go(from, { rank: this.rank, stop });
    else stop();
  }

  private run(place: Place | undefined, forward: boolean): void {
    const from = this.rank;
    if (place === undefined) this.stand(forward ? this.capture.count - 1 : 0, forward ? Infinity : 0);
    else this.stand(place.row, place.phase === 'entry' ? 0 : Infinity);
    const stop = (): void =>
      place === undefined
        ? this.stopped('entry', edge(forward))
        : this.stopped(place.reason, this.where(), place.rules);
    if (forward) this.go(from, { rank: place === undefined ? Infinity : this.rank, stop });
    else stop();
  }

  /** Its last step where it has fewer. */
  private stand(row: number, step: number): void {
    this.row = row;
    this.step = Math.min(step, this.lastStep);
  }

  private get rank(): number {
    return rankOf(this.row, this.atReply ? 'reply' : 'entry');
  }

  /**
   * Writes what log points say of the places behind `from`, up to and with where it is to stand, then stops. Someone who
   * pauses meanwhile stops where it has come to.
   */
  private go(from: number, { rank, stop }: { readonly rank: number; stop(): void }): void {
    const control = new AbortController();
    this.going = control;
    void this.inTurns('Going on', control, async (turns) => {
      for (const { row, phase, text } of this.stops.logs(from, rank)) {
        this.events.output('console', text);
        if (turns.isOver) await turns.give(row, this.row);
        if (!turns.isCancelled) continue;
        this.stand(row, phase === 'entry' ? 0 : Infinity);
        return () => this.stopped('pause', this.where());
      }
      return stop;
    })
      .catch((error: unknown) => {
        this.events.output('important', error instanceof Error ? error.message : String(error));
        return stop;
      })
      .then((stopped) => {
        this.going = undefined;
        if (!this.closed) stopped();
      });
  }

  private where(): string {
    const { start } = this.capture.columns;
    const phase = this.step === 0 ? 'entry' : this.atReply ? 'reply' : 'after a host call';
    return `${phase}, ${printSeconds(start[this.row])} s`;
  }

  // Looking

  private check(thread: number): void {
    if (!this.isStopped(thread)) throw trouble('debugNotStopped', String(thread));
  }

  private ids() {
    const { capture, row } = this;
    const { columns } = capture;
    const request = capture.request(row);
    const reply = isOrphan(capture, row) ? capture.reply(row) : undefined;
    return {
      name: kindOf(capture, row),
      opcode: columns.opcode[row],
      unique: String(request?.unique ?? reply?.unique ?? 0n),
      nodeid: String(request?.nodeid ?? 0n),
      path: capture.path(columns.path[row]),
      queue: columns.queue[row],
      uid: columns.uid[row],
      gid: columns.gid[row],
      pid: columns.pid[row],
    };
  }

  async picture(thread: number): Promise<Picture> {
    this.check(thread);
    return (this.kept ??= this.look());
  }

  /** Who moves on does not wait for it; who cancels it sees the request without the share around it. */
  private async look(): Promise<Picture> {
    this.looking = new AbortController();
    const { row, atReply } = this;
    const mine = this.looking;
    const facts = this.ownFacts();
    const fh = find(this.capture.request(row)?.structs[0], 'fh')?.value;
    const nodeid = BigInt(facts.nodeid);
    const around = this.inTurns('Going back in the capture', mine, (turns) =>
      this.model.at(row, atReply, turns, (model) => ({
        inode: model.inode(nodeid),
        handle: typeof fh === 'bigint' ? model.handle(fh, nodeid) : undefined,
        model: model.facts(row),
      })),
    ).catch((error: unknown) => {
      // Someone who has moved on looks elsewhere.
      if (!mine.signal.aborted || this.closed || this.looking !== mine) throw error;
      return { inode: undefined, handle: undefined, model: [NOT_KNOWN] };
    });
    return new Picture({ ...facts, ...(await around) });
  }

  /** What is of the request alone. */
  private ownFacts(): Omit<PictureFacts, 'inode' | 'handle' | 'model'> {
    const { capture, row, atReply, step } = this;
    const { columns } = capture;
    const calls = capture.hostCalls(row).slice(0, atReply ? undefined : step);
    const session = capture.session(row);
    const ids = this.ids();
    return {
      ...ids,
      thread: THREAD,
      // A capture's bytes are valid until the next call.
      requestBytes: capture.requestBytes(row).slice(),
      replyBytes: atReply ? capture.replyBytes(row).slice() : undefined,
      head: undefined,
      phase: step === 0 ? 'entry' : atReply ? 'reply' : 'called',
      session,
      calls,
      current: atReply || step === 0 ? undefined : step - 1,
      descriptors: undefined,
      sessionFacts: sessionFacts(session),
      can: new Set(),
      start: columns.start[row],
      ...(atReply ? { latency: columns.latency[row] } : {}),
      notes: [
        `recorded at ${printInstant(capture.origin + BigInt(Math.round(columns.start[row])))}`,
        ...(isOrphan(capture, row) ? ['its request is not in the capture'] : []),
      ],
    };
  }

  setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    return this.inTurns(SEARCHING, new AbortController(), (turns) => this.stops.setBreakpoints(rules, turns));
  }

  setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]> {
    return this.inTurns(SEARCHING, new AbortController(), (turns) => this.stops.setExceptions(rules, turns));
  }

  async read(thread: number, side: 'request' | 'reply', at: number, count: number): Promise<Uint8Array> {
    const { facts } = await this.picture(thread);
    const bytes = side === 'request' ? facts.requestBytes : (facts.replyBytes ?? NOTHING);
    return bytes.subarray(at, at + count);
  }

  inode(nodeid: string): Promise<readonly Fact[] | undefined> {
    return this.around((model) => model.inode(BigInt(nodeid)));
  }

  handle(fh: string, nodeid: string): Promise<readonly Fact[] | undefined> {
    return this.around((model) => model.handle(BigInt(fh), BigInt(nodeid)));
  }

  private around<Seen>(look: (model: ReplayedModel) => Seen): Promise<Seen> {
    const { row, atReply } = this;
    return this.inTurns('Going back in the capture', new AbortController(), (turns) =>
      this.model.at(row, atReply, turns, look),
    );
  }

  held(): Promise<readonly HeldLine[]> {
    return Promise.reject(trouble('debugOnlyLive', 'holding requests'));
  }

  pause(): Promise<void> {
    // Where it stands already there is nothing to pause.
    this.going?.abort();
    return Promise.resolve();
  }

  answer = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'answering a request'));
  rerun = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'running a handler again'));
  write = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'changing a request'));
  readGuest = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'reading guest memory'));
  faults = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'making faults'));

  close(): void {
    this.closed = true;
    for (const control of this.work) control.abort();
    this.source.close();
  }
}

const SEARCHING = 'Searching the capture for breakpoints';
const NOT_KNOWN: Fact = { name: 'not known', value: 'finding it out was cancelled; move to have it done' };

const edge = (forward: boolean): string => (forward ? 'end of the capture' : 'beginning of the capture');

function sessionFacts(session: SessionShape | undefined): Fact[] {
  if (session === undefined) return [{ name: 'INIT', value: 'not in the capture, or not yet' }];
  const names = (table: typeof initFlags | typeof initFlags2): string =>
    table.bits
      .filter(({ name }) => session.hasFlag(name))
      .map(({ name }) => `FUSE_${name}`)
      .join('|') || '0';
  return [
    { name: 'minor', value: `7.${session.minor}`, doc: 'Version of the protocol.' },
    { name: 'flags', value: names(initFlags), doc: 'What INIT has agreed on.' },
    { name: 'flags2', value: names(initFlags2) },
  ];
}
