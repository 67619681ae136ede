/**
 * The overview strip: the whole capture, with the part in view as a window that is moved, stretched, or drawn anew. The
 * window is drawn on a canvas of its own: elements that move make the browser lay out and layer the whole workbench
 * again, in each frame.
 */
import { overviewOf } from '../model/overview';
import { colourOf, LATENCIES } from '../model/paint';
import type { Rows } from '../model/rows';
import { lengthOf, placeOf, type Span, timeAt, spanWords } from '../model/timeScale';
import { el, eachFrame, paced, set } from './dom';
import type { TimelineModel } from './model';
import { cssOf, type Theme } from './theme';

const GRIP = 6;
/** Above the bars: the slow ones, between the frame and a gap. */
const HEAD = 8;
const SLOW = { top: 2, height: 4, width: 3 } as const;

const cursors = { move: 'grab', from: 'ew-resize', to: 'ew-resize', new: 'crosshair' } as const;

type Drag = { readonly kind: 'move' | 'from' | 'to' | 'new'; readonly at: number; readonly span: Span };

export class OverviewView {
  readonly element: HTMLElement;
  private readonly canvas = el('canvas', { 'aria-hidden': 'true' });
  private readonly window = el('canvas', { 'aria-hidden': 'true' });
  private drag: Drag | undefined;
  private width = 1;
  private height = 1;
  private readonly sayPlace = paced(250, () => this.placeInWords());
  readonly draw = eachFrame(() => this.drawNow());
  private readonly placeSoon = eachFrame(() => this.placeWindow());

  constructor(
    private readonly model: TimelineModel,
    public theme: Theme,
  ) {
    this.element = el(
      'div',
      {
        class: 'overview',
        role: 'scrollbar',
        tabindex: 0,
        'aria-label': 'Time in view',
        'aria-orientation': 'horizontal',
        'aria-controls': 'lanes',
        'aria-valuemin': 0,
        'aria-valuemax': 100,
      },
      this.canvas,
      this.window,
    );
    new ResizeObserver(() => {
      this.width = Math.max(1, this.element.clientWidth);
      this.height = Math.max(1, this.element.clientHeight);
      this.draw();
    }).observe(this.element);
    model.on('rows', this.draw);
    model.on('look', this.draw);
    model.on('span', this.placeSoon);
    this.listen();
  }

  private get ratio(): number {
    return Math.min(2, window.devicePixelRatio || 1);
  }

  private get hasRows(): boolean {
    return this.model.captures.some(({ rows }) => rows.count > 0);
  }

  private get whole(): Span {
    const { whole } = this.model;
    const margin = lengthOf(whole) * 0.005;
    return { from: whole.from - margin, to: whole.to + margin };
  }

  private drawNow(): void {
    const { canvas, width, height, theme, ratio } = this;
    for (const each of [canvas, this.window]) {
      each.width = Math.round(width * ratio);
      each.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d');
    if (!context || this.model.captures.length === 0) return;
    context.scale(ratio, ratio);
    const sides = this.model.captures.length;
    this.model.captures.forEach((capture, side) => {
      const strip = overviewOf(capture.lanes.list, capture.rows, this.whole, width);
      const tall = height / sides;
      const bottom = tall * (side + 1);
      context.fillStyle = cssOf(theme.palette.muted);
      for (let x = 0; x < width; x++) {
        if (strip.rows[x] === 0) continue;
        const high = Math.max(1, Math.sqrt(strip.rows[x] / strip.most) * (tall - HEAD));
        context.fillRect(x, bottom - high, 1, high);
      }
      context.fillStyle = theme.error;
      for (let x = 0; x < width; x++) {
        if (strip.failed[x] === 0) continue;
        const high = Math.max(2, Math.sqrt(strip.failed[x] / strip.most) * (tall - HEAD));
        context.fillRect(x, bottom - high, 1, high);
      }
      this.drawSlow(context, capture.rows, strip.slow, bottom - tall);
    });
    this.placeWindow();
  }

  /** Where they begin, above the bars, in the colours of the lanes. */
  private drawSlow(context: CanvasRenderingContext2D, rows: Rows, slow: readonly number[], top: number): void {
    const { width, whole, theme, model } = this;
    const options = { colour: model.colour, palette: theme.palette, ...LATENCIES };
    for (const row of slow) {
      const x = Math.floor(placeOf(rows.columns.start[row], whole, width));
      context.fillStyle = cssOf(colourOf(rows, row, options));
      context.fillRect(x - 1, top + SLOW.top, SLOW.width, SLOW.height);
    }
  }

  private placeWindow(): void {
    const { width, height, whole, ratio, theme } = this;
    const context = this.window.getContext('2d');
    if (!context) return;
    const { span } = this.model;
    const from = Math.max(0, placeOf(span.from, whole, width));
    const to = Math.min(width, placeOf(span.to, whole, width));
    const wide = Math.max(4, to - from);
    const left = Math.min(from, width - wide);
    const right = left + wide;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.sayPlace();
    // Nothing to move or stretch.
    if (!this.hasRows) return;
    context.globalAlpha = 0.65;
    context.fillStyle = theme.background;
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, width - right, height);
    context.globalAlpha = 1;
    context.strokeStyle = context.fillStyle = theme.selection;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, 0.5, wide - 1, height - 1);
    for (const x of [left, right - 1]) {
      context.beginPath();
      context.roundRect(x - 2, 12, 5, height - 24, 2);
      context.fill();
    }
  }

  private placeInWords(): void {
    const { whole } = this;
    const { span } = this.model;
    const middle = (span.from + span.to) / 2;
    const { from, length } = spanWords(span);
    const part = Math.round(((middle - whole.from) / lengthOf(whole)) * 100);
    set(this.element, {
      'aria-valuenow': Math.max(0, Math.min(100, part)),
      'aria-valuetext': `from ${from}, ${length} long`,
    });
  }

  private listen(): void {
    const { element } = this;
    const time = (event: PointerEvent): number =>
      timeAt(event.clientX - element.getBoundingClientRect().left, this.whole, this.width);
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      const at = time(event);
      this.drag = { kind: this.kindAt(at), at, span: this.model.span };
    });
    element.addEventListener('pointermove', (event) => {
      if (this.drag && element.hasPointerCapture(event.pointerId)) this.dragged(this.drag, time(event));
      else element.style.cursor = cursors[this.kindAt(time(event))];
    });
    element.addEventListener('lostpointercapture', () => (this.drag = undefined));
    element.addEventListener('dblclick', () => this.model.fit());
    element.addEventListener('keydown', (event) => {
      const { span } = this.model;
      const length = lengthOf(span);
      const from = {
        ArrowLeft: span.from - 0.2 * length,
        ArrowRight: span.from + 0.2 * length,
        PageUp: span.from - length,
        PageDown: span.from + length,
        Home: this.whole.from,
        End: this.whole.to - length,
      }[event.key];
      if (from === undefined) return;
      event.preventDefault();
      this.model.show({ from, to: from + length });
    });
  }

  /** What a drag does that begins at a time. */
  private kindAt(time: number): Drag['kind'] {
    const { whole, width } = this;
    const { span } = this.model;
    const x = placeOf(time, whole, width);
    const from = placeOf(span.from, whole, width);
    const to = placeOf(span.to, whole, width);
    if (from <= 2 && to >= width - 2) return 'new';
    if (Math.abs(x - from) <= GRIP) return 'from';
    if (Math.abs(x - to) <= GRIP) return 'to';
    return x > from && x < to ? 'move' : 'new';
  }

  private dragged({ kind, at, span }: Drag, now: number): void {
    const least = lengthOf(this.whole) / this.width;
    if (kind === 'move') this.model.show({ from: span.from + now - at, to: span.to + now - at });
    else if (kind === 'from') this.model.show({ from: Math.min(now, span.to - least), to: span.to });
    else if (kind === 'to') this.model.show({ from: span.from, to: Math.max(now, span.from + least) });
    else if (Math.abs(now - at) > 3 * least) this.model.show({ from: Math.min(at, now), to: Math.max(at, now) });
  }
}
