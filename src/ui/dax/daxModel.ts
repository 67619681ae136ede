/**
 * What the DAX Window view shows of the active capture: takes in its rows, answers the page, and says anew what has
 * changed, figures less often than the window the longer they take. Knows nothing of vscode.
 */
import {
  type FileView,
  type FromDaxWindow,
  MOST_FILES,
  MOST_RANGES,
  MOST_REASONS,
  MOST_USES,
  type PlaceUse,
  type ToDaxWindow,
} from '../../control/daxWindow';
import { WindowEvent } from '../../trace/dax/windowEvents';
import { windowFigures } from '../../trace/dax/windowFigures';
import { WindowLog } from '../../trace/dax/windowLog';
import { fileNames } from '../../trace/dax/windowNames';
import { WINDOW_WORDS } from '../../trace/dax/windowWords';
import type { Follows } from '../captures/follower';
import type { NodeNumber } from '../../trace/nodeNumbers';
import type { OpenCapture } from '../captures/openCapture';

const SLICES = 120;
/** Figures may take one part in so many of the time. */
const FIGURES_SHARE = 20;
const FIGURES_LEAST_MS = 1000;
/** Files that keep a number of their own. */
const MOST_NUMBERS = 100_000;

export class DaxModel implements Follows {
  private capture: OpenCapture | undefined;
  private log = new WindowLog();
  private numbers = new Map<NodeNumber, number>();
  /** The moment that is shown; undefined: the newest. */
  private time: number | undefined;
  private ready = false;
  private timer: NodeJS.Timeout | undefined;
  private figuresAfter = 0;
  private figured = '';

  constructor(private readonly post: (message: ToDaxWindow) => void) {}

  begin(capture: OpenCapture | undefined): void {
    this.capture = capture;
    this.log = new WindowLog();
    this.numbers = new Map();
    this.time = undefined;
    this.forgetFigures();
  }

  work(over: () => boolean): boolean {
    const { capture } = this;
    return capture === undefined || this.log.advance(capture.reader, capture.to, over);
  }

  drop(rows: number): void {
    this.log.drop(rows);
  }

  show(): void {
    if (!this.ready) return;
    const { capture } = this;
    if (!capture) return this.post({ kind: 'none' });
    const state = capture.paused ? 'paused' : STATES[capture.phase];
    this.post({ kind: 'capture', title: capture.title, state });
    // What is looked at in the past stays as it is, but its end moves.
    this.giveWindow();
    this.giveFigures();
  }

  /** What the page asks; requests are revealed by others. */
  take(message: FromDaxWindow): void {
    switch (message.kind) {
      case 'ready':
        this.ready = true;
        this.forgetFigures();
        return this.show();
      case 'at':
        this.time = message.time;
        return this.giveWindow();
      case 'place':
        return this.givePlace(message.offset);
      case 'reveal':
      case 'file':
    }
  }

  /** `request` is what the page was told of a range. */
  place(request: number): { readonly capture: string; readonly row: number } | undefined {
    const { capture } = this;
    const row = capture ? request - capture.dropped : -1;
    return capture && row >= 0 && row < capture.reader.count ? { capture: capture.id, row } : undefined;
  }

  dispose(): void {
    this.ready = false;
    clearTimeout(this.timer);
  }

  private get end(): number {
    const { events } = this.log;
    const { reader, to } = this.capture ?? {};
    const last = reader && to !== undefined && to > 0 ? reader.columns.start[to - 1] : 0;
    return Math.max(0, last, events.count > 0 ? events.time[events.count - 1] : 0);
  }

  private giveWindow(): void {
    const { capture, log, end } = this;
    if (!capture || !this.ready) return;
    const time = this.time === undefined ? end : Math.min(this.time, end);
    const state = log.history.at(time);
    const names = fileNames(capture.reader);
    const files: FileView[] = [];
    const indexes = new Map<NodeNumber, number>();
    const ranges = state.all.slice(0, MOST_RANGES).map((range) => {
      let file = indexes.get(range.nodeid);
      if (file === undefined) {
        indexes.set(range.nodeid, (file = files.length));
        const { nodeid } = range;
        files.push({ nodeid: `${nodeid}`, path: names(nodeid, range.path), number: this.numberOf(nodeid) });
      }
      return {
        offset: range.windowOffset,
        length: range.length,
        file,
        fileOffset: range.fileOffset,
        writable: range.flags !== 0,
        since: range.since,
        request: range.row < 0 ? -1 : range.row + capture.dropped,
        pid: range.pid,
        uses: range.uses,
      };
    });
    const { mappedBytes: mapped, maps, unmaps, refusals } = state;
    const following = this.time === undefined;
    const { size } = log.history;
    const more = state.all.length - ranges.length + state.leftOut;
    const view = { time, following, end, size, mapped, maps, unmaps, refusals, ranges, more, files };
    this.post({ kind: 'window', view });
  }

  private numberOf(nodeid: NodeNumber): number {
    const known = this.numbers.get(nodeid);
    if (known !== undefined) return known;
    const number = this.numbers.size;
    if (number < MOST_NUMBERS) this.numbers.set(nodeid, number);
    return number;
  }

  private giveFigures(): void {
    const { capture, log } = this;
    clearTimeout(this.timer);
    if (!capture || !this.ready) return;
    const now = `${capture.dropped} ${capture.to} ${log.events.count} ${capture.reader.windowNotes.length}`;
    if (now === this.figured) return;
    const began = performance.now();
    if (began < this.figuresAfter) {
      this.timer = setTimeout(() => this.giveFigures(), this.figuresAfter - began);
      return;
    }
    this.figured = now;
    const { maps, again, thrashNs, slices, files, roundTrips, notes } = windowFigures(capture.reader, log.history, {
      slices: SLICES,
    });
    const width = slices.length > 1 ? slices[1].start : 0;
    this.post({
      kind: 'figures',
      figures: {
        end: width * slices.length,
        maps,
        again,
        thrashNs,
        slices,
        files: files.slice(0, MOST_FILES).map((file) => ({ ...file, nodeid: `${file.nodeid}` })),
        moreFiles: Math.max(0, files.length - MOST_FILES),
        roundTrips,
        reasons: notes
          .slice(-MOST_REASONS)
          .reverse()
          .map(({ path, what, text }) => ({ path: `/${path}`, kind: WINDOW_WORDS[what] ?? `note ${what}`, text })),
        moreReasons: Math.max(0, notes.length - MOST_REASONS),
      },
    });
    const ended = performance.now();
    this.figuresAfter = ended + Math.max(FIGURES_LEAST_MS, FIGURES_SHARE * (ended - began));
  }

  private forgetFigures(): void {
    clearTimeout(this.timer);
    this.figured = '';
    this.figuresAfter = 0;
  }

  private givePlace(offset: number): void {
    const { capture, log, end } = this;
    if (!capture || !this.ready) return;
    const { events, history } = log;
    const count = events.upTo(Math.min(this.time ?? end, end));
    const here = history.after(count).at(offset);
    const names = fileNames(capture.reader);
    const uses: PlaceUse[] = [];
    let more = 0;
    let partMaps = 0;
    for (let at = count - 1; at >= 0; at--) {
      if (events.kind[at] !== WindowEvent.Map) continue;
      const start = events.windowOffset[at];
      if (here && events.nodeid(at) === here.nodeid && events.fileOffset[at] === here.fileOffset) partMaps++;
      if (offset < start || offset >= start + events.length[at]) continue;
      if (uses.length >= MOST_USES) more++;
      else {
        const path = names(events.nodeid(at), events.path[at]);
        uses.push({ time: events.time[at], path, fileOffset: events.fileOffset[at], pid: events.pid[at] });
      }
    }
    this.post({ kind: 'place', place: { offset, uses, more, partMaps } });
  }
}

const STATES = { connecting: '', live: 'live', reading: 'reading', ended: '', broken: '' } as const;
