/**
 * One timeline in the extension host: gives its captures' rows to the webview as they come, answers its questions,
 * keeps its notes. Knows the webview only as something that takes messages, and nothing of vscode.
 */
import { answer } from '../../control/exchange';
import { visible } from '../../protocol/text';
import type {
  Asked,
  CaptureState,
  ComparisonView,
  FilterResult,
  FromTimeline,
  Given,
  Note,
  Side,
  ToTimeline,
} from '../../control/timeline';
import { complete } from '../../trace/filter/complete';
import { compileFilter, type Filter } from '../../trace/filter/filter';
import { OccupancyWalk } from '../../trace/dax/windowOccupancy';
import { WindowLog } from '../../trace/dax/windowLog';
import { breathe, Slice } from './breathe';
import type { CaptureSource } from './captureSource';
import { describeLine, describeRequest } from './describe';
import { Filtering } from './filtering';
import { type KeptNote, keptNotes, placedNotes } from './notePlaces';
import type { StoredNotes } from './notesFile';
import { pathOrder } from './pathOrder';
import { RowStream } from './rowStream';

export interface SessionParts {
  readonly sources: readonly [CaptureSource] | readonly [CaptureSource, CaptureSource];
  readonly live: boolean;
  /** Resolves when the webview has it, or cannot have it. */
  post(message: ToTimeline): PromiseLike<unknown>;
  readonly notes: {
    load(): Promise<StoredNotes>;
    save(changed: readonly KeptNote[], removed: readonly string[]): Promise<StoredNotes>;
  };
  compare(): Promise<ComparisonView>;
  /** `rows`: what the filter lets pass within the time in view. */
  exportRows(side: Side, rows: Uint32Array): void;
  compareWith(): void;
}

/** Changes are given at most so often, milliseconds. */
const PACE = 40;
/** How far a file is read is told at most so often, milliseconds. */
const PROGRESS = 100;
/** So many messages are on their way before the next one is packed: enough to keep every process of the way at work. */
const MOST_UNDER_WAY = 4;

export class TimelineSession {
  private readonly streams: RowStream[];
  private readonly endings: (() => void)[];
  private filterings: Filtering[] | undefined;
  private prepared: Filtering[] | undefined;
  /** What each side's DAX window has been through, as far as it was asked for. */
  private windows: WindowLog[] = [];
  private filterNumber = 0;
  /** The one that was asked for last; undefined: all pass. */
  private newestFilter: Filter | undefined;
  private ready = false;
  private paused = false;
  private shown = true;
  private flushing = false;
  private dirty = false;
  private ended = false;
  private wanted: ToTimeline | undefined;
  private sent: PromiseLike<unknown>[] = [];
  /** What was last told of each side's state, and when. */
  private told: { phase: CaptureState['phase']; at: number }[] = [];
  /** What the page has changed and nobody has kept so far, by the note's id; undefined: it is gone. */
  private readonly changes = new Map<string, Note | undefined>();
  /** The page's newest change, and which page that was. */
  private newest = { edition: 0, page: 0 };
  /** As they are kept; and whether requests of some were not there when they were given. */
  private stored: StoredNotes | undefined;
  /** Of the page's changes the newest that is stored. */
  private edition = 0;
  private notesWait = false;
  private notesSaved: Promise<void> = Promise.resolve();
  /** Bumped when the page is loaded anew, so that what was under way for the old one stops. */
  private page = 0;

  constructor(private readonly parts: SessionParts) {
    this.streams = parts.sources.map((source, side) => new RowStream(source, side as Side));
    this.endings = parts.sources.map((source) => source.onChange(() => this.changed()));
  }

  /** What the webview sent. */
  async take(message: FromTimeline): Promise<void> {
    switch (message.kind) {
      case 'ready':
        return this.begin();
      case 'pause':
        this.paused = message.paused;
        return this.changed();
      case 'notes':
        return this.saveNotes(message);
      case 'export':
        return this.parts.exportRows(message.side, this.rowsBetween(message.side, message.from, message.to));
      case 'compareWith':
        return this.parts.compareWith();
      case 'question':
        void this.post(await answer(message, (ask) => this.give(ask)));
        // What passes of later rows is told after the filter's first answer.
        if (message.ask.about === 'filter' && this.prepared) {
          this.filterings = this.prepared;
          this.prepared = undefined;
          this.changed();
        }
    }
  }

  /** A hidden webview gets nothing; it catches up when it is shown. */
  show(shown: boolean): void {
    this.shown = shown;
    this.changed();
  }

  /** Shows a request, once the page is there. */
  reveal(side: Side, row: number): void {
    this.wanted = { kind: 'reveal', side, row };
    if (this.ready) this.giveWanted();
  }

  private giveWanted(): void {
    if (this.wanted) void this.post(this.wanted);
    this.wanted = undefined;
  }

  end(): void {
    this.ended = true;
    for (const ending of this.endings) ending();
  }

  private async begin(): Promise<void> {
    this.page++;
    this.ready = true;
    this.filterings = this.prepared = undefined;
    this.windows = [];
    this.sent = [];
    this.told = [];
    this.edition = 0;
    for (const stream of this.streams) stream.restart();
    const sides = this.streams.length === 2 ? 2 : 1;
    await this.post({ kind: 'begin', sides, live: this.parts.live, first: this.sourceOf(0).dropped });
    this.changed();
    this.giveWanted();
    this.stored = await this.parts.notes.load();
    this.giveNotes(this.stored);
  }

  /** One write after the other, each of all that has changed by then. */
  private saveNotes({ notes, removed, edition }: Extract<FromTimeline, { kind: 'notes' }>): Promise<void> {
    for (const note of notes) this.changes.set(note.id, note);
    for (const id of removed) this.changes.set(id, undefined);
    this.newest = { edition, page: this.page };
    const saved = this.notesSaved.then(() => this.keepChanges());
    this.notesSaved = saved.catch(() => undefined);
    return saved;
  }

  private async keepChanges(): Promise<void> {
    const { newest, changes } = this;
    const now = [...changes];
    if (now.length === 0) return;
    changes.clear();
    const changed = now.flatMap(([, note]) => (note === undefined ? [] : [note]));
    const removed = now.flatMap(([id, note]) => (note === undefined ? [id] : []));
    try {
      const kept = keptNotes(this.sourceOf(0).capture, changed, this.stored?.notes ?? []);
      this.stored = await this.parts.notes.save(kept, removed);
    } catch (error) {
      // They are kept with the next ones.
      for (const [id, note] of now) if (!changes.has(id)) changes.set(id, note);
      throw error;
    }
    if (newest.page === this.page) this.edition = newest.edition;
    // Of several the page waits for the last one.
    if (changes.size === 0) this.giveNotes(this.stored);
  }

  private giveNotes({ notes: kept, place, problem }: StoredNotes): void {
    const source = this.sourceOf(0);
    const notes = placedNotes(source.capture, kept);
    const missing = kept.some(({ request }, i) => request !== undefined && notes[i].row === undefined);
    this.notesWait = missing && source.state().phase === 'reading';
    const { edition } = this;
    void this.post({ kind: 'notes', notes, edition, place, ...(problem !== undefined && { problem }) });
  }

  private post(message: ToTimeline): PromiseLike<unknown> {
    return this.ended ? Promise.resolve() : this.parts.post(message);
  }

  private changed(): void {
    this.dirty = true;
    if (!this.flushing && this.ready && this.shown && !this.ended) void this.flush();
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    try {
      while (this.dirty && this.shown && !this.ended) {
        this.dirty = false;
        await this.giveRows();
        if (this.parts.live) await new Promise((resolve) => setTimeout(resolve, PACE));
        else await breathe();
      }
    } finally {
      this.flushing = false;
    }
  }

  private async giveRows(): Promise<void> {
    const { page } = this;
    for (const stream of this.streams) {
      await this.giveState(stream.side);
      // What is taken from the stream now would be missing in a page that has begun meanwhile.
      if (page !== this.page) return;
      if (this.paused) continue;
      const reading = this.sourceOf(stream.side).state().phase === 'reading';
      const { messages, changed } = stream.next(reading);
      const filtering = this.filterings?.[stream.side];
      if (filtering && (messages.length > 0 || filtering.seen < stream.given)) {
        const rows = filtering.more(stream.given, changed);
        if (rows.length > 0) messages.push({ kind: 'passed', side: stream.side, filter: this.filterNumber, rows });
      }
      for (const message of messages) {
        if (page !== this.page) return;
        await this.send(message);
      }
      if (page !== this.page) return;
      if (stream.ready(reading)) this.dirty = true;
      else if (messages.length > 0) await this.giveState(stream.side);
    }
  }

  /** Waits only while too many are on their way: to wait for each to arrive would hold up those behind it. */
  private async send(message: ToTimeline): Promise<void> {
    this.sent.push(this.post(message));
    if (this.sent.length > MOST_UNDER_WAY) await this.sent.shift();
  }

  private async giveState(side: Side): Promise<void> {
    const source = this.parts.sources[side];
    if (!source) return;
    const state = source.state();
    const { origin } = source.capture;
    const reading = this.streams[side].behind && state.phase === 'complete';
    const phase = reading ? 'reading' : state.phase === 'live' && this.paused ? 'paused' : state.phase;
    const before = this.told[side] as { phase: CaptureState['phase']; at: number } | undefined;
    const now = performance.now();
    if (phase === 'reading' && before?.phase === phase && now - before.at < PROGRESS) return;
    this.told[side] = { phase, at: now };
    await this.send({
      kind: 'state',
      state: { side, ...state, phase, origin: origin.toString() },
    });
    if (side === 0 && this.notesWait && this.stored && state.phase !== 'reading') this.giveNotes(this.stored);
  }

  private sourceOf(side: Side): CaptureSource {
    const source = this.parts.sources[side];
    if (!source) throw new Error('there is only one capture');
    return source;
  }

  private async give(ask: Asked): Promise<Given> {
    switch (ask.about) {
      case 'request':
        return { about: 'request', request: describeRequest(this.sourceOf(ask.side).capture, ask.row) };
      case 'lines': {
        const { capture } = this.sourceOf(ask.side);
        return { about: 'lines', lines: ask.rows.map((row) => describeLine(capture, row)) };
      }
      case 'paths': {
        const { capture } = this.sourceOf(ask.side);
        return {
          about: 'paths',
          texts: ask.paths.map((path) => (path < capture.paths ? visible(capture.path(path)) : '')),
        };
      }
      case 'pathOrder':
        return { about: 'pathOrder', ranks: await pathOrder(this.sourceOf(ask.side).capture) };
      case 'payloads': {
        const { columns, count } = this.sourceOf(ask.side).capture;
        return { about: 'payloads', payloads: columns.payload.slice(0, count) };
      }
      case 'window':
        return { about: 'window', occupancy: await this.occupancy(ask.side) };
      case 'filter':
        return this.filter(ask.filter, ask.text);
      case 'complete':
        return { about: 'complete', completions: complete(ask.text, ask.cursor).slice(0, MOST_COMPLETIONS) };
      case 'comparison':
        return { about: 'comparison', comparison: await this.parts.compare() };
    }
  }

  private async occupancy(side: Side): Promise<OccupancyWalk['result']> {
    const { capture } = this.sourceOf(side);
    const log = (this.windows[side] ??= new WindowLog());
    const slice = new Slice();
    const over = (): boolean => slice.over;
    while (!log.advance(capture, capture.count, over)) await slice.breathe();
    const walk = new OccupancyWalk(log.history);
    while (!walk.advance(over)) await slice.breathe();
    return walk.result;
  }

  private async filter(number: number, text: string): Promise<Given> {
    const outcome = compileFilter(text);
    if (!outcome.ok) return { about: 'filter', trouble: outcome.error };
    this.filterNumber = number;
    this.filterings = this.prepared = undefined;
    this.newestFilter = undefined;
    if (text.trim() === '') return { about: 'filter', passed: undefined };
    const filter = (this.newestFilter = outcome.value);
    for (;;) {
      const { page } = this;
      const given = await this.passedBy(filter, () => this.newestFilter !== filter || this.page !== page || this.ended);
      if (this.newestFilter !== filter || this.ended) throw new Error('superseded by another filter');
      // When the page begins again meanwhile, rows are others.
      if (given && page === this.page) return given;
    }
  }

  private async passedBy(filter: Filter, stale: () => boolean): Promise<Given | undefined> {
    const filterings = this.streams.map(({ capture }) => new Filtering(filter, capture));
    const passed: FilterResult[] = [];
    for (const [side, filtering] of filterings.entries()) {
      const result = await filtering.run(this.streams[side].given, stale);
      if (!result || stale()) return undefined;
      passed.push(result);
    }
    this.prepared = filterings;
    return { about: 'filter', passed };
  }

  /** The rows that are shown and begin between two times. */
  private rowsBetween(side: Side, from: number, to: number): Uint32Array {
    const { capture } = this.sourceOf(side);
    const { start } = capture.columns;
    const filtered = this.filterings?.[side]?.rows();
    const all = filtered ?? Uint32Array.from({ length: capture.count }, (_, row) => row);
    return all.filter((row) => start[row] >= from && start[row] <= to);
  }
}

const MOST_COMPLETIONS = 200;
