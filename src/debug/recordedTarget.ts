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
import type { Capture } from '../trace/capture';
import { CaptureReader } from '../trace/captureReader';
import { isOrphan, kindOf } from '../trace/line';
import { printInstant, printSeconds } from '../trace/times';
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import { Picture, titleOf, type Fact } from './picture';
import { RecordedStops, type Place } from './recordedStops';
import { ReplayedModel } from './replayedModel';
import type { HeldLine, Move, Target, TargetEvents, ThreadFacts } from './target';

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
  private kept: Picture | undefined;

  private constructor(
    private readonly source: CaptureFiles,
    private readonly capture: Capture,
    private readonly events: TargetEvents,
  ) {
    this.stops = new RecordedStops(capture);
    this.model = new ReplayedModel(source);
  }

  /** `progress`: bytes read so far, and all. Throws a Trouble for what is no capture. */
  static async open(
    path: string,
    events: TargetEvents,
    progress: (read: number, all: number) => void,
  ): Promise<RecordedTarget> {
    const source = new CaptureFiles(path);
    try {
      const reader = new CaptureReader({ read: source.readAt });
      const { size } = source;
      let read = 0;
      for (let chunk = source.next(); chunk.length > 0 && read < size; chunk = source.next()) {
        reader.push(chunk);
        read += chunk.length;
        if (reader.fault?.kind === 'foreign') {
          throw trouble('captureForeign', quote(path), reader.fault.text, reader.fault.remedy);
        }
        progress(read, size);
        // The extension host has other things to do as well.
        await new Promise((resolve) => setImmediate(resolve));
      }
      reader.end();
      if (reader.count === 0) throw trouble('captureNotReadable', quote(path), 'there is no request in it');
      for (const note of [...source.notes, ...reader.notes]) events.output('console', note);
      return new RecordedTarget(source, reader, events);
    } catch (error) {
      source.close();
      throw error;
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
    return this.begun && thread === THREAD;
  }

  waitsFor(): undefined {
    return undefined;
  }

  async begin(): Promise<void> {
    this.begun = true;
    this.stopped('entry', 'beginning of the capture');
    return Promise.resolve();
  }

  private stopped(
    reason: 'entry' | 'step' | 'breakpoint' | 'function breakpoint' | 'exception',
    description: string,
    rules: readonly number[] = [],
  ): void {
    this.kept = undefined;
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
    if (step !== undefined) this.step = step;
    else {
      const row = this.row + (forward ? 1 : -1);
      if (row < 0 || row >= this.capture.count) return this.stopped('step', edge(forward));
      this.row = row;
      this.step = forward ? 0 : this.lastStep;
    }
    this.stopped('step', this.where());
  }

  private run(place: Place | undefined, forward: boolean): void {
    const [from, to] = [this.row, place?.row ?? (forward ? this.capture.count : -1)];
    const logs = forward ? this.stops.logs(from, to) : [];
    for (const line of logs) this.events.output('console', line);
    if (place === undefined) {
      this.row = forward ? this.capture.count - 1 : 0;
      this.step = forward ? this.lastStep : 0;
      return this.stopped('entry', edge(forward));
    }
    this.row = place.row;
    this.step = place.phase === 'entry' ? 0 : this.lastStep;
    this.stopped(place.reason, this.where(), place.rules);
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
    return Promise.resolve((this.kept ??= this.look()));
  }

  private look(): Picture {
    const { capture, row, atReply, step } = this;
    const { columns } = capture;
    const calls = capture.hostCalls(row).slice(0, atReply ? undefined : step);
    const session = capture.session(row);
    const ids = this.ids();
    this.model.goTo(row, atReply);
    const fh = find(capture.request(row)?.structs[0], 'fh')?.value;
    return new Picture({
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
      inode: this.model.inode(BigInt(ids.nodeid)),
      handle: typeof fh === 'bigint' ? this.model.handle(fh, BigInt(ids.nodeid)) : undefined,
      sessionFacts: sessionFacts(session),
      model: this.model.facts(row),
      can: new Set(),
      start: columns.start[row],
      ...(atReply ? { latency: columns.latency[row] } : {}),
      notes: [
        `recorded at ${printInstant(capture.origin + BigInt(Math.round(columns.start[row])))}`,
        ...(isOrphan(capture, row) ? ['its request is not in the capture'] : []),
      ],
    });
  }

  setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]> {
    return Promise.resolve(this.stops.setBreakpoints(rules));
  }

  setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]> {
    return Promise.resolve(this.stops.setExceptions(rules));
  }

  async read(thread: number, side: 'request' | 'reply', at: number, count: number): Promise<Uint8Array> {
    const { facts } = await this.picture(thread);
    const bytes = side === 'request' ? facts.requestBytes : (facts.replyBytes ?? NOTHING);
    return bytes.subarray(at, at + count);
  }

  inode(nodeid: string): Promise<readonly Fact[] | undefined> {
    return Promise.resolve(this.model.inode(BigInt(nodeid)));
  }

  handle(fh: string, nodeid: string): Promise<readonly Fact[] | undefined> {
    return Promise.resolve(this.model.handle(BigInt(fh), BigInt(nodeid)));
  }

  held(): Promise<readonly HeldLine[]> {
    return Promise.reject(trouble('debugOnlyLive', 'holding requests'));
  }

  pause(): Promise<void> {
    // Nothing runs: it is always stopped.
    return Promise.resolve();
  }

  answer = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'answering a request'));
  rerun = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'running a handler again'));
  write = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'changing a request'));
  readGuest = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'reading guest memory'));
  faults = (): Promise<never> => Promise.reject(trouble('debugOnlyLive', 'making faults'));

  close(): void {
    this.source.close();
  }
}

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
