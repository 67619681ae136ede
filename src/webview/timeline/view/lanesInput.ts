/**
 * Wheel, drag and keys on the lanes. Wheel: zoom where the pointer is; over the names, or with Alt: scroll; with Shift,
 * or sideways: pan. Drag: pan and scroll; with Shift: zoom to what is marked. Keys: `keyHelp`.
 */
import type { Side } from '../../../control/timeline';
import { queuedTime } from '../../../control/timelineRows';
import { lengthOf, panned, type Span, timeAt, zoomed } from '../model/timeScale';
import { reducedMotion } from './dom';
import { type Hit, type LanesView, RULER } from './lanesView';
import type { Selected, TimelineModel } from './model';

export const keyHelp: readonly (readonly [keys: string, what: string])[] = [
  ['+  −  ·  W  S', 'Zoom in, zoom out'],
  ['A  D  ·  Shift+← →', 'Move left, right'],
  ['← →', 'Previous, next request of the lane'],
  ['↑ ↓', 'Nearest request in the lane above, below'],
  ['Home  End', 'First, last request of the lane'],
  ['Z', 'Zoom to the selected request'],
  ['0  ·  F', 'Show everything'],
  ['Enter', 'Go to the fields of the selected request'],
  ['B', 'Note on the selected request, or on the middle of the view'],
  ['[  ]', 'Previous, next note'],
  ['/', 'Filter'],
  ['Esc', 'Select nothing; where no request passes the filter, clear it'],
  ['Wheel', 'Zoom; with Shift move; with Alt, or over the names, scroll'],
  ['Drag', 'Move; with Shift zoom to what is marked'],
];

export interface LanesInputParts {
  readonly model: TimelineModel;
  readonly view: LanesView;
  select(selected: Selected | undefined, how: 'pointer' | 'keys'): void;
  hover(hit: Hit | undefined, event: PointerEvent | undefined): void;
  note(): void;
  goToNote(step: 1 | -1): void;
  focusDetails(): void;
  focusFilter(): void;
  clearFilter(): void;
}

const DRAG_FROM = 4;
const GLIDE_MS = 140;

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly span: Span;
  readonly scroll: number;
  readonly mark: boolean;
  moved: boolean;
}

export class LanesInput {
  private drag: Drag | undefined;
  private gliding = 0;
  /** Where it glides to: keys that follow quickly go on from there. */
  private goal: Span | undefined;

  constructor(private readonly parts: LanesInputParts) {
    const { surface } = parts.view;
    surface.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    surface.addEventListener('pointerdown', (event) => this.down(event));
    surface.addEventListener('pointermove', (event) => this.move(event));
    surface.addEventListener('pointerup', (event) => this.up(event));
    surface.addEventListener('pointercancel', () => this.cancel());
    surface.addEventListener('pointerleave', () => this.parts.hover(undefined, undefined));
    surface.addEventListener('dblclick', (event) => this.double(event));
    surface.addEventListener('keydown', (event) => this.key(event));
  }

  private get span(): Span {
    return this.goal ?? this.parts.model.span;
  }

  private stopGliding(): void {
    this.gliding++;
    this.goal = undefined;
  }

  private wheel(event: WheelEvent): void {
    // VS Code would be told of each, to scroll what the page lies in.
    event.stopPropagation();
    const { model, view } = this.parts;
    event.preventDefault();
    this.stopGliding();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const dx = (event.shiftKey ? event.deltaX || event.deltaY : event.deltaX) * unit;
    const dy = (event.shiftKey ? 0 : event.deltaY) * unit;
    const names = event.offsetX < view.left && event.offsetY >= RULER;
    if (event.altKey || (names && !event.ctrlKey)) {
      view.scrollTo(view.scroll + dy);
      return;
    }
    if (Math.abs(dx) > Math.abs(dy)) {
      model.show(panned(this.span, (dx / view.plotWidth) * lengthOf(this.span), model.bounds));
    } else if (dy !== 0) {
      const at = timeAt(Math.max(0, event.offsetX - view.left), this.span, view.plotWidth);
      // A pinch comes as a wheel with Ctrl and small steps.
      const factor = 2 ** (Math.max(-240, Math.min(240, dy)) * (event.ctrlKey ? 0.01 : 0.004));
      model.show(zoomed(this.span, factor, at, model.bounds));
    }
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { model, view } = this.parts;
    this.stopGliding();
    view.surface.setPointerCapture(event.pointerId);
    const mark = event.shiftKey || event.offsetY < RULER;
    this.drag = { x: event.offsetX, y: event.offsetY, span: model.span, scroll: view.scroll, mark, moved: false };
  }

  private move(event: PointerEvent): void {
    const { model, view } = this.parts;
    const { drag } = this;
    if (!drag) {
      this.parts.hover(view.hit(event.offsetX, event.offsetY), event);
      return;
    }
    const dx = event.offsetX - drag.x;
    const dy = event.offsetY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < DRAG_FROM) return;
    if (!drag.moved) this.parts.hover(undefined, undefined);
    drag.moved = true;
    view.surface.classList.toggle('dragging', !drag.mark);
    if (drag.mark) {
      const at = (x: number): number => timeAt(x - view.left, model.span, view.plotWidth);
      view.band = {
        from: Math.min(at(drag.x), at(event.offsetX)),
        to: Math.max(at(drag.x), at(event.offsetX)),
      };
      view.drawOver();
    } else {
      model.show(panned(drag.span, (-dx / view.plotWidth) * lengthOf(drag.span), model.bounds));
      view.scrollTo(drag.scroll - dy);
    }
  }

  private up(event: PointerEvent): void {
    const { model, view } = this.parts;
    const { drag } = this;
    const { band } = view;
    this.cancel();
    if (!drag) return;
    if (band) model.show(band);
    else if (!drag.moved) this.parts.select(view.hit(event.offsetX, event.offsetY).selected, 'pointer');
  }

  private cancel(): void {
    const { view } = this.parts;
    this.drag = undefined;
    view.band = undefined;
    view.surface.classList.remove('dragging');
    view.drawOver();
  }

  private double(event: MouseEvent): void {
    const { view, model } = this.parts;
    const { selected, time, area } = view.hit(event.offsetX, event.offsetY);
    if (area === 'names') return;
    if (selected) this.zoomTo(selected);
    else this.glide(zoomed(this.span, 0.25, time, model.bounds));
  }

  zoomTo({ side, row }: Selected): void {
    const { rows } = this.parts.model.captures[side];
    const from = rows.columns.start[row] - queuedTime(rows.columns.queued[row]);
    const length = Math.max(rows.until(row) - from, 2000);
    this.glide({ from: from - length * 0.3, to: from + length * 1.3 });
  }

  /** Moves to a span in a few frames; at once where motion is not wanted. */
  glide(to: Span): void {
    const { model } = this.parts;
    this.stopGliding();
    const number = this.gliding;
    const from = model.span;
    if (reducedMotion()) return model.show(to);
    this.goal = to;
    const began = performance.now();
    const step = (now: number): void => {
      if (number !== this.gliding) return;
      const part = Math.min(1, Math.max(0, (now - began) / GLIDE_MS));
      const eased = 1 - (1 - part) ** 3;
      model.show({
        from: from.from + (to.from - from.from) * eased,
        to: from.to + (to.to - from.to) * eased,
      });
      if (part < 1) requestAnimationFrame(step);
      else this.goal = undefined;
    };
    requestAnimationFrame(step);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { model } = this.parts;
    const middle = (this.span.from + this.span.to) / 2;
    const selected = model.selected && model.captures[model.selected.side];
    const at = selected && model.selected ? selected.rows.columns.start[model.selected.row] : middle;
    const around = at >= this.span.from && at <= this.span.to ? at : middle;
    const pan = (part: number): void => this.glide(panned(this.span, part * lengthOf(this.span), model.bounds));
    const zoom = (factor: number): void => this.glide(zoomed(this.span, factor, around, model.bounds));
    const keys: Readonly<Record<string, () => void>> = {
      '+': () => zoom(0.5),
      '=': () => zoom(0.5),
      w: () => zoom(0.5),
      '-': () => zoom(2),
      s: () => zoom(2),
      a: () => pan(-0.25),
      d: () => pan(0.25),
      ArrowLeft: () => (event.shiftKey ? pan(-0.25) : this.step(-1)),
      ArrowRight: () => (event.shiftKey ? pan(0.25) : this.step(1)),
      ArrowUp: () => this.otherLane(-1),
      ArrowDown: () => this.otherLane(1),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      z: () => model.selected && this.zoomTo(model.selected),
      '0': () => this.fit(),
      f: () => this.fit(),
      Enter: () => this.parts.focusDetails(),
      b: () => this.parts.note(),
      '[': () => this.parts.goToNote(-1),
      ']': () => this.parts.goToNote(1),
      '/': () => this.parts.focusFilter(),
      Escape: () => (model.nonePasses ? this.parts.clearFilter() : this.parts.select(undefined, 'keys')),
    };
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  fit(): void {
    this.stopGliding();
    this.parts.model.fit();
  }

  /** `by` requests further in the lane of the selected one; with none selected the first in view. */
  private step(by: number): void {
    const { model, view } = this.parts;
    const { selected } = model;
    const lane = selected ? model.captures[selected.side].lanes.of(selected.row) : view.layout.lanes[0]?.lane;
    const side: Side = selected?.side ?? view.layout.lanes[0]?.side ?? 0;
    if (!lane || lane.count === 0) return;
    const unselected = Number.isFinite(by) ? lane.firstFrom(this.span.from) : by;
    const place = selected ? lane.placeOf(selected.row) + by : unselected;
    this.choose(side, lane.list[Math.max(0, Math.min(lane.count - 1, place))]);
  }

  private otherLane(by: 1 | -1): void {
    const { model, view } = this.parts;
    const { selected } = model;
    if (!selected) return this.step(0);
    const lane = model.captures[selected.side].lanes.of(selected.row);
    const { lanes } = view.layout;
    const index = lanes.findIndex((each) => each.side === selected.side && each.lane === lane);
    const other = lanes[index + by];
    if (!other || other.lane.count === 0) return;
    const at = model.captures[selected.side].rows.columns.start[selected.row];
    const place = Math.min(other.lane.count - 1, other.lane.firstFrom(at));
    this.choose(other.side, other.lane.list[place]);
  }

  private choose(side: Side, row: number): void {
    this.parts.select({ side, row }, 'keys');
  }
}
