/**
 * A capture, stepped forward and back over its requests: no daemon, nothing runs. The one thread is the request that
 * the cursor (`recordedCursor.ts`) is at.
 *
 * Owns the capture while it is read and looked at, and what is shown of the place where the cursor stands.
 */
import { trouble } from '../base/catalogue';
import { CaptureFiles } from '../control/captureFiles';
import { find } from '../protocol/decode';
import type { SessionShape } from '../protocol/message';
import { initFlags, initFlags2 } from '../protocol/fuse/flags';
import { quote } from '../protocol/text';
import { DROPPED, machineOfRow } from '../trace/capture';
import { CaptureReader } from '../trace/captureReader';
import { isDropped, isOrphan, kindOf } from '../trace/line';
import { printInstant } from '../trace/times';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import { History } from './history';
import { LongWork } from './longWork';
import { Picture, titleOf, type Fact, type PictureFacts } from './picture';
import { RecordedCursor } from './recordedCursor';
import { RecordedStops } from './recordedStops';
import { ReplayedModel } from './replayedModel';
import type { HeldLine, Move, Target, TargetEvents, ThreadFacts } from './target';
import { thousands } from '../trace/countText';

/** The only thread. */
const THREAD = 1;
const NOTHING = new Uint8Array(0);

export class RecordedTarget implements Target {
  readonly recorded = true;
  private begun = false;
  private readonly work: LongWork;
  private readonly stops: RecordedStops;
  private readonly cursor: RecordedCursor;
  private readonly model: ReplayedModel;
  private kept: Promise<Picture> | undefined;
  /** Of the look at where it stands. */
  private looking: AbortController | undefined;

  private constructor(
    private readonly source: CaptureFiles,
    private readonly capture: CaptureReader,
    history: History,
    events: TargetEvents,
    now: (() => number) | undefined,
  ) {
    this.work = new LongWork((title, cancel) => events.progress(title, cancel), now);
    this.stops = new RecordedStops(capture);
    this.cursor = new RecordedCursor(capture, this.stops, this.work, {
      stopped: (reason, description, rules) => {
        this.leave();
        events.stopped({ thread: THREAD, reason, description, rules });
      },
      output: (category, text) => events.output(category, text),
    });
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
        const { fault } = reader;
        if (fault?.kind === 'foreign')
          throw trouble('captureForeign', `the file ${quote(path)}`, fault.text, fault.remedy);
        // Nothing behind it is read, wherever the file ends.
        if (fault !== undefined) break;
        progress.report(Math.min(100, (read / size) * 100));
        // The extension host has other things to do as well.
        await new Promise((resolve) => setImmediate(resolve));
        if (reading.signal.aborted) throw trouble('debugCancelled');
      }
      reader.end();
      if (reader.count === 0) throw trouble('captureWithoutRequests', quote(path));
      for (const note of [...source.notes, ...reader.notes]) events.output('console', note);
      return new RecordedTarget(source, reader, history, events, now);
    } catch (error) {
      source.close();
      throw error;
    } finally {
      progress.end();
    }
  }

  threads(): ThreadFacts[] {
    const name = this.begun ? `${titleOf(this.ids())}  (of ${thousands(this.capture.count)})` : 'capture';
    return [{ id: THREAD, name }];
  }

  isStopped(thread: number): boolean {
    return this.begun && !this.cursor.isGoing && !this.work.closed && thread === THREAD;
  }

  waitsFor(): undefined {
    return undefined;
  }

  // Moving

  begin(): Promise<void> {
    this.begun = true;
    this.cursor.begin();
    return Promise.resolve();
  }

  async move(thread: number, how: Move): Promise<void> {
    this.check(thread);
    this.cursor.move(how);
    return Promise.resolve();
  }

  pause(): Promise<void> {
    this.cursor.pause();
    return Promise.resolve();
  }

  /** What was looked at is not where it stands. */
  private leave(): void {
    this.kept = undefined;
    this.looking?.abort();
    this.looking = undefined;
  }

  // Looking

  private check(thread: number): void {
    if (!this.isStopped(thread)) throw trouble('debugNotStopped', String(thread));
  }

  private ids() {
    const { capture } = this;
    const { row } = this.cursor;
    const { columns } = capture;
    const request = capture.request(row);
    const reply = isOrphan(capture, row) ? capture.reply(row) : undefined;
    return {
      name: kindOf(capture, row),
      opcode: columns.opcode[row],
      unique: String(request?.unique ?? reply?.unique ?? 0n),
      number: row,
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
    const { row, atReply } = this.cursor;
    const mine = this.looking;
    const facts = this.ownFacts();
    const fh = find(this.capture.request(row)?.structs[0], 'fh')?.value;
    const nodeid = BigInt(facts.nodeid);
    const around = this.work
      .inTurns(REPLAYING, mine, (turns) =>
        this.model.at(row, atReply, turns, (model) => ({
          inode: model.inode(nodeid),
          handle: typeof fh === 'bigint' ? model.handle(fh, nodeid) : undefined,
          model: model.facts(row),
        })),
      )
      .catch((error: unknown) => {
        // Someone who has moved on looks elsewhere.
        if (!mine.signal.aborted || this.work.closed || this.looking !== mine) throw error;
        return { inode: undefined, handle: undefined, model: [NOT_KNOWN] };
      });
    return new Picture({ ...facts, ...(await around) });
  }

  /** What is of the request alone. */
  private ownFacts(): Omit<PictureFacts, 'inode' | 'handle' | 'model'> {
    const { capture } = this;
    const { row, atReply, step } = this.cursor;
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
      machine: machineOfRow(columns.flags[row]),
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
        ...(isDropped(capture, row) ? [`its reply was ${DROPPED}`] : []),
      ],
    };
  }

  setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    return this.work.inTurns(SEARCHING, new AbortController(), (turns) => this.stops.setBreakpoints(rules, turns));
  }

  setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]> {
    return this.work.inTurns(SEARCHING, new AbortController(), (turns) => this.stops.setExceptions(rules, turns));
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
    const { row, atReply } = this.cursor;
    return this.work.inTurns(REPLAYING, new AbortController(), (turns) => this.model.at(row, atReply, turns, look));
  }

  held(): Promise<readonly HeldLine[]> {
    return Promise.reject(trouble('debugOnlyLive', 'holding requests'));
  }

  answer = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'answering a request'));
  rerun = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'running a handler again'));
  write = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'changing a request'));
  readGuest = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'reading guest memory'));
  faults = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'making faults'));

  close(): void {
    this.work.close();
    this.source.close();
  }
}

/** Forward or back: from one of the states that are kept. */
const REPLAYING = 'Replaying the capture';
const SEARCHING = 'Searching the capture for breakpoints';
const NOT_KNOWN: Fact = { name: 'not known', value: 'finding it out was cancelled; move to have it done' };

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
