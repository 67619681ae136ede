/** The grid on a canvas: draws the cells, selects by pointer and keys, says what is selected to screen readers. */
import type { WindowView } from '../../../control/daxWindow';
import { el } from '../../timeline/view/dom';
import { cellAt, cellByKey, type Grid, type Layout, layOut } from '../model/grid';
import { type Colouring, shadeOf } from '../model/shades';
import { cellWords } from '../model/words';
import type { Colours } from './colours';

export interface Shown {
  readonly view: WindowView;
  readonly grid: Grid;
  readonly by: Colouring;
  /** -1: none. */
  readonly selected: number;
  /** Cells that are looked for; undefined: nothing is. */
  readonly found: ReadonlySet<number> | undefined;
}

const MOST_HEIGHT = 300;
/** Room for the frame of what is selected. */
const EDGE = 1;

/** In the page, as of a pointer. */
export type Place = Pick<PointerEvent, 'clientX' | 'clientY'>;

export class GridView {
  private readonly canvas = el('canvas', { 'aria-hidden': 'true' });
  private readonly words = el('div', { id: 'cell-words', class: 'screen-reader', 'aria-live': 'polite' });
  private readonly surface = el(
    'div',
    {
      id: 'grid',
      class: 'grid',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'grid of ranges',
      'aria-label': 'DAX window: arrow keys go from range to range, Enter shows the request that mapped it',
      'aria-describedby': 'cell-words',
    },
    this.canvas,
  );
  readonly element = el('div', { class: 'grid-holder' }, this.surface, this.words);
  private layout: Layout = layOut(0, 1, 1);
  private shown: Shown | undefined;

  constructor(
    private readonly act: {
      /** What is selected, drawn already or not. */
      selected(): number;
      select(cell: number): void;
      open(cell: number): void;
      /** What a pointer is at; -1: nothing. */
      hover(cell: number, place: Place | undefined): void;
      /** What keys have come to. */
      come(cell: number, place: Place): void;
    },
  ) {
    this.surface.addEventListener('pointermove', (event) => this.act.hover(this.under(event), event));
    this.surface.addEventListener('pointerleave', () => this.act.hover(-1, undefined));
    this.surface.addEventListener('click', (event) => this.act.select(this.under(event)));
    this.surface.addEventListener('dblclick', (event) => this.act.open(this.under(event)));
    this.surface.addEventListener('keydown', (event) => this.key(event));
    this.surface.addEventListener('blur', () => this.act.hover(-1, undefined));
  }

  /** Whether a notch marks what can be written to. */
  get notched(): boolean {
    return this.layout.cell >= 12 && this.shown?.by !== 'access';
  }

  draw(shown: Shown, colours: Colours): void {
    this.shown = shown;
    const { view, grid, by, selected, found } = shown;
    const width = Math.max(1, this.element.clientWidth - 2 * EDGE);
    this.layout = layOut(grid.count, width, MOST_HEIGHT);
    const { columns, pitch, cell, height } = this.layout;
    const scale = window.devicePixelRatio || 1;
    const { canvas } = this;
    canvas.width = Math.ceil((columns * pitch + 2 * EDGE) * scale);
    canvas.height = Math.ceil((height + 2 * EDGE) * scale);
    canvas.style.width = `${columns * pitch + 2 * EDGE}px`;
    canvas.style.height = `${height + 2 * EDGE}px`;
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(scale, scale);
    context.translate(EDGE, EDGE);
    for (let at = 0; at < grid.count; at++) {
      const x = (at % columns) * pitch;
      const y = Math.floor(at / columns) * pitch;
      const range = view.ranges[grid.range[at]];
      context.globalAlpha = found && !found.has(at) ? 0.22 : 1;
      if (!range || grid.filled[at] < 0.999) {
        context.fillStyle = colours.free;
        context.fillRect(x, y, cell, cell);
        if (colours.ruled && cell >= 5) {
          context.strokeStyle = colours.freeLine;
          context.lineWidth = 1;
          context.strokeRect(x + 0.5, y + 0.5, cell - 1, cell - 1);
        }
      }
      if (!range) continue;
      context.fillStyle = colours.of(by, shadeOf(view, range, by));
      // A part of a cell is drawn from below, but can be seen always.
      const part = Math.max(2, Math.round(cell * Math.min(1, grid.filled[at])));
      context.fillRect(x, y + cell - part, cell, part);
      // What can be written to has a notch, whatever the colours say.
      if (range.writable && this.notched) {
        context.fillStyle = colours.canvas;
        context.beginPath();
        context.moveTo(x + cell - 5, y);
        context.lineTo(x + cell, y);
        context.lineTo(x + cell, y + 5);
        context.fill();
      }
      if (found?.has(at) && cell >= 5) this.frame(context, x, y, cell, colours.found, 1);
    }
    context.globalAlpha = 1;
    // Free cells that are too small for a line of their own are seen by the one around all.
    if (colours.ruled && cell < 5)
      this.frame(context, -EDGE, -EDGE, columns * pitch + EDGE, colours.freeLine, 1, height + EDGE);
    if (selected >= 0 && selected < grid.count) {
      const x = (selected % columns) * pitch;
      const y = Math.floor(selected / columns) * pitch;
      // Two lines that differ are seen on any colour.
      this.frame(context, x, y, cell, colours.canvas, Math.min(3, Math.max(1, Math.floor(cell / 6))));
      this.frame(context, x - 1, y - 1, cell + 2, colours.found, 2);
    }
  }

  /** Said aloud. */
  say(text: string): void {
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  sayCell(): void {
    const { shown } = this;
    if (shown && shown.selected >= 0) this.say(cellWords(shown.view, shown.grid, shown.selected));
  }

  focus(): void {
    this.surface.focus();
  }

  private frame(
    context: CanvasRenderingContext2D,
    x: number,
    y: number,
    size: number,
    colour: string,
    line: number,
    tall = size,
  ): void {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x + line / 2, y + line / 2, size - line, tall - line);
  }

  private under(event: MouseEvent): number {
    const box = this.canvas.getBoundingClientRect();
    return cellAt(
      this.layout,
      this.shown?.grid.count ?? 0,
      event.clientX - box.left - EDGE,
      event.clientY - box.top - EDGE,
    );
  }

  private key(event: KeyboardEvent): void {
    const { shown } = this;
    if (!shown || event.altKey || event.metaKey) return;
    const selected = this.act.selected();
    if (event.key === 'Enter' && selected >= 0) this.act.open(selected);
    else if (event.key === 'Escape') {
      this.act.select(-1);
      this.act.hover(-1, undefined);
    } else {
      const to = cellByKey(event.key, selected, this.layout, shown.grid.count);
      if (to === undefined) return;
      this.act.select(to);
      this.act.come(to, this.reveal(to));
    }
    event.preventDefault();
  }

  /** The middle of a cell, which has been scrolled to. */
  private reveal(at: number): Place {
    const { columns, pitch, cell } = this.layout;
    const top = this.canvas.getBoundingClientRect().top + Math.floor(at / columns) * pitch;
    const below = top + pitch + EDGE - window.innerHeight;
    if (top < 0) window.scrollBy(0, top);
    else if (below > 0) window.scrollBy(0, below);
    const box = this.canvas.getBoundingClientRect();
    return {
      clientX: box.left + EDGE + (at % columns) * pitch + cell / 2,
      clientY: box.top + EDGE + Math.floor(at / columns) * pitch + cell / 2,
    };
  }
}
