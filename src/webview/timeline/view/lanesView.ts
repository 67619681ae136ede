/**
 * The lanes: ruler, names (namesColumn.ts), bars. Two canvases lie on each other, so that pointing at something draws
 * only the upper one (lanesOverlay.ts). Draws when something has changed, once a frame.
 */
import type { Side } from '../../../control/timeline';
import { opcodeName } from '../model/families';
import type { Grouping } from '../model/lanes';
import { Image } from '../model/image';
import { CAPTION, laneAt, type Layout, place, type PlacedLane } from '../model/layout';
import { Labels, colourOf, LATENCIES, levelOf, paintLane, type PaintOptions } from '../model/paint';
import { lengthOf, placeOf, seconds, tickBase, tickText, type Ticks, ticksOf, timeAt } from '../model/timeScale';
import { ANY, rowAt, TAILS, trackAt } from '../model/hitTest';
import { el, eachFrame, set } from './dom';
import { pairingName } from './laneNames';
import type { Selected, TimelineModel } from './model';
import { LanesOverlay } from './lanesOverlay';
import { NamesColumn } from './namesColumn';
import type { PathTexts } from './pathTexts';
import { drawn } from './probe';
import { TextWidths } from './textWidths';
import type { Theme } from './theme';

export const RULER = 24;
/** Above the marks of notes. */
const TICK_TEXT = RULER / 2 - 2;

export interface Hit {
  readonly area: 'ruler' | 'names' | 'bars';
  readonly time: number;
  readonly placed: PlacedLane | undefined;
  readonly selected: Selected | undefined;
}

export class LanesView {
  readonly element: HTMLElement;
  readonly surface: HTMLCanvasElement;
  private readonly base: HTMLCanvasElement;
  private readonly scroller: HTMLElement;
  private readonly thumb: HTMLElement;
  private readonly image = new Image(1, 1);
  private data: ImageData | undefined;
  private readonly labels = new Labels();
  private readonly widths = new TextWidths();
  layout: Layout = { lanes: [], pairs: 0, height: 0 };
  scroll = 0;
  private grouping: Grouping;
  readonly ruler = RULER;
  width = 0;
  height = 0;
  ratio = 1;
  private readonly names: NamesColumn;
  private readonly overlay: LanesOverlay;
  /** The names at the left are as they have to be. */
  private namesDrawn = false;
  hovered: Selected | undefined;
  /** A part of time that is being chosen. */
  band: { from: number; to: number } | undefined;
  private readonly drawSoon = eachFrame(() => this.drawNow());
  readonly drawOver = eachFrame(() => this.overlay.draw());
  /** All of it. */
  readonly draw = (): void => {
    this.namesDrawn = false;
    this.drawSoon();
  };

  constructor(
    private readonly model: TimelineModel,
    private readonly paths: PathTexts,
    public theme: Theme,
  ) {
    this.base = el('canvas', { class: 'base', 'aria-hidden': 'true' });
    this.surface = el('canvas', {
      class: 'surface',
      id: 'lanes',
      tabindex: 0,
      role: 'application',
      'aria-label': 'Timeline of requests',
      'aria-roledescription': 'timeline',
      'aria-describedby': 'lanes-keys',
    });
    this.thumb = el('div', { class: 'thumb' });
    this.scroller = el('div', { class: 'lane-scrollbar', 'aria-hidden': 'true' }, this.thumb);
    this.element = el('div', { class: 'lanes' }, this.base, this.surface, this.scroller);
    this.names = new NamesColumn(model, paths, this, this.widths);
    this.overlay = new LanesOverlay(model, this);
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.dragScrollbar();
    this.grouping = model.grouping;
    model.on('rows', () => this.relayout());
    model.on('look', () => this.lookChanged());
    model.on('span', this.drawSoon);
    model.on('state', this.drawSoon);
    model.on('selection', this.drawOver);
    model.on('notes', this.drawOver);
  }

  /** Where the bars begin. */
  get left(): number {
    return Math.round(Math.min(180, Math.max(84, this.width * 0.16)));
  }

  get plotWidth(): number {
    return Math.max(1, this.width - this.left);
  }

  get plotHeight(): number {
    return Math.max(1, this.height - RULER);
  }

  private resize(): void {
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.base, this.surface]) {
      canvas.width = Math.round(this.width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
    }
    this.relayout();
  }

  /** Texts of paths have come: lanes of files are paired by them. */
  named(): void {
    if (this.model.captures.length > 1 && this.model.grouping === 'file') this.relayout();
    else this.draw();
  }

  private relayout(): void {
    const { captures, grouping } = this.model;
    this.layout = place(
      captures.map(({ lanes }) => lanes.list),
      (side, lane) => pairingName(lane, grouping, side, this.paths),
      this.plotHeight,
    );
    this.scrollTo(this.scroll);
    this.draw();
  }

  /** Other lanes are seen from the first one, or where the selected request is. */
  private lookChanged(): void {
    const { grouping, selected } = this.model;
    const regrouped = grouping !== this.grouping;
    this.grouping = grouping;
    if (regrouped) this.scroll = 0;
    this.relayout();
    if (regrouped && selected) this.revealLane(selected);
  }

  scrollTo(scroll: number): void {
    const most = Math.max(0, this.layout.height - this.plotHeight);
    this.scroll = Math.round(Math.max(0, Math.min(most, scroll)));
    this.scroller.hidden = most === 0;
    const part = this.plotHeight / Math.max(1, this.layout.height);
    this.thumb.style.height = `${Math.max(20, this.plotHeight * part)}px`;
    const room = this.plotHeight - Math.max(20, this.plotHeight * part);
    this.thumb.style.transform = `translateY(${most === 0 ? 0 : (this.scroll / most) * room}px)`;
    this.draw();
  }

  private dragScrollbar(): void {
    const { scroller } = this;
    scroller.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      scroller.setPointerCapture(event.pointerId);
    });
    scroller.addEventListener('pointermove', (event) => {
      if (!scroller.hasPointerCapture(event.pointerId)) return;
      const y = event.clientY - scroller.getBoundingClientRect().top;
      this.scrollTo((y / this.plotHeight) * this.layout.height - this.plotHeight / 2);
    });
  }

  /** Scrolls so that the lane of a row is seen. */
  revealLane({ side, row }: Selected): void {
    const lane = this.model.captures[side]?.lanes.of(row);
    const placed = this.layout.lanes.find((each) => each.side === side && each.lane === lane);
    if (!placed) return;
    if (placed.top < this.scroll) this.scrollTo(placed.top - (placed.caption ? CAPTION : 0));
    else if (placed.top + placed.height > this.scroll + this.plotHeight) {
      this.scrollTo(placed.top + placed.height - this.plotHeight);
    }
  }

  /** What is at a place of the surface. */
  hit(x: number, y: number): Hit {
    const time = timeAt(x - this.left, this.model.span, this.plotWidth);
    if (y < RULER) return { area: 'ruler', time, placed: undefined, selected: undefined };
    const down = y - RULER + this.scroll;
    const placed = laneAt(this.layout, down);
    if (x < this.left || !placed) {
      return { area: x < this.left ? 'names' : 'bars', time, placed, selected: undefined };
    }
    const { rows } = this.model.captures[placed.side];
    const tolerance = (lengthOf(this.model.span) / this.plotWidth) * 3;
    const { lane, top, height } = placed;
    const tails = levelOf(lane, this.model.span, Math.round(this.plotWidth * this.ratio)) !== undefined;
    const at = trackAt(lane, down - top, height, tails);
    const track = this.model.height === 'overlap' || at === TAILS ? at : ANY;
    let row = rowAt(rows, lane, time, tolerance, track);
    if (row < 0) row = rowAt(rows, lane, time, tolerance);
    return { area: 'bars', time, placed, selected: row < 0 ? undefined : { side: placed.side, row } };
  }

  private options(): PaintOptions {
    const { colour, height } = this.model;
    return { colour, height, palette: this.theme.palette, ratio: this.ratio, ...LATENCIES };
  }

  /** None without requests: there is no time to tell. */
  private get ticks(): Ticks {
    const ticks = ticksOf(this.model.span, this.plotWidth, 110);
    return this.model.empty ? { ...ticks, count: 0 } : ticks;
  }

  private drawNow(): void {
    const began = performance.now();
    const context = this.base.getContext('2d', { alpha: false });
    if (!context || this.width === 0) return;
    const { ratio, theme } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, this.width, RULER);
    context.font = theme.font;
    context.textBaseline = 'middle';
    this.paintPlot(context);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawLabels(context);
    if (!this.namesDrawn) this.namesDrawn = !this.names.draw(context);
    this.drawRuler(context);
    this.overlay.draw();
    const { model } = this;
    drawn(performance.now() - began, model.empty ? 'none' : model.complete ? 'all' : 'some');
    set(this.surface, {
      'data-lanes': this.layout.lanes.length,
      'data-pairs': this.layout.pairs,
      'data-scroll': this.scroll,
      'data-drawn': window.virtiofsDrawTimes.count,
    });
  }

  private paintPlot(context: CanvasRenderingContext2D): void {
    const { ratio, image, theme, model } = this;
    const { span } = model;
    const width = Math.max(1, Math.round(this.plotWidth * ratio));
    const height = Math.max(1, Math.round(this.plotHeight * ratio));
    if (image.resize(width, height) || !this.data) {
      this.data = new ImageData(new Uint8ClampedArray(image.pixels.buffer), width, height);
    }
    image.clear(theme.palette.background);
    const { first, step, count } = this.ticks;
    for (let i = 0; i < count; i++) {
      const x = Math.round(placeOf(first + i * step, span, width));
      image.fill(x, 0, x + 1, height, theme.palette.lane);
    }
    this.labels.clear();
    const options = this.options();
    for (const { side, lane, top, height: tall } of this.layout.lanes) {
      const y = Math.round((top - this.scroll) * ratio);
      const high = Math.round(tall * ratio);
      if (y + high <= 0) continue;
      if (y >= height) break;
      const { rows } = model.captures[side];
      paintLane({ image, top: y, height: high, side, lane, rows, span, options, labels: this.labels });
      image.fill(0, y + high - 1, width, y + high, theme.palette.lane);
    }
    context.putImageData(this.data, Math.round(this.left * ratio), Math.round(RULER * ratio));
  }

  private drawLabels(context: CanvasRenderingContext2D): void {
    const { labels, ratio, model, theme } = this;
    const options = this.options();
    for (let i = 0; i < labels.count; i++) {
      const side = labels.side[i] as Side;
      const row = labels.row[i];
      const { rows } = model.captures[side];
      const room = (labels.x1[i] - labels.x0[i]) / ratio - 8;
      const name = opcodeName(rows.columns.opcode[row]);
      const width = this.widths.of(context, name);
      if (width > room) continue;
      const tall = labels.height[i] / ratio;
      const x = this.left + labels.x0[i] / ratio + 4;
      const y = RULER + labels.y[i] / ratio + (tall >= 15 ? (tall - 5) / 2 : tall / 2) + 0.5;
      if (y < RULER + 5) continue;
      const colour = colourOf(rows, row, options);
      if (rows.inFlight(row)) {
        context.fillStyle = theme.background;
        context.fillRect(x - 2, y - 7, width + 5, 14);
      }
      context.fillStyle = rows.inFlight(row) ? theme.foreground : theme.on(colour);
      context.fillText(name, x, y);
      const path = room - width > 40 && !rows.inFlight(row) ? this.paths.get(side, rows.columns.path[row]) : undefined;
      if (path !== undefined && path !== '') {
        const text = path.slice(path.lastIndexOf('/') + 1) || path;
        if (this.widths.of(context, text) + width + 6 <= room) context.fillText(text, x + width + 6, y);
      }
    }
  }

  private drawRuler(context: CanvasRenderingContext2D): void {
    const { theme, model, left } = this;
    const { span } = model;
    const { ticks } = this;
    context.save();
    context.beginPath();
    context.rect(left, 0, this.plotWidth, RULER);
    context.clip();
    for (let i = model.empty ? 0 : -1; i < ticks.count; i++) {
      const at = ticks.first + i * ticks.step;
      const x = left + placeOf(at, span, this.plotWidth);
      const { text, whole } = tickText(at, ticks.step);
      context.fillStyle = theme.line;
      context.fillRect(Math.round(x), RULER - 7, 1, 7);
      context.fillStyle = whole ? theme.foreground : theme.muted;
      // A number without its first digits is another number.
      if (at >= 0 && x + 4 >= left) context.fillText(text, x + 4, TICK_TEXT);
    }
    context.restore();
    context.fillStyle = theme.muted;
    // What the distances on the ruler are counted from is beside it.
    const base = tickBase(Math.max(0, ticks.first), ticks.step);
    const title = model.empty || base === undefined ? '' : seconds(base);
    if (this.widths.of(context, title) <= left - 20) context.fillText(title, 10, TICK_TEXT);
    context.fillStyle = theme.line;
    context.fillRect(0, RULER - 1, this.width, 1);
  }
}
