/**
 * Occupancy over the time of the capture, with ranges mapped and removed; below it the slider that goes back in time.
 */
import type { FiguresView, WindowView } from '../../../control/daxWindow';
import { el, set } from '../../timeline/view/dom';
import { percentWords } from '../model/words';
import type { Colours } from './colours';

const STEPS = 2000;
const HEIGHT = 46;

export class TimeBar {
  private readonly canvas = el('canvas', { class: 'chart', 'aria-hidden': 'true' });
  private readonly slider = el('input', { type: 'range', min: 0, max: STEPS, value: STEPS, 'aria-label': 'Moment' });
  private readonly label = el('output', { class: 'moment' });
  private readonly follow = el('button', { type: 'button', class: 'follow' }, 'Newest');
  readonly element = el(
    'section',
    { class: 'time', 'aria-label': 'Time' },
    this.canvas,
    this.slider,
    el('div', { class: 'time-row' }, this.label, this.follow),
  );
  private end = 0;
  private dragging = false;

  /** `go`: a moment; undefined: the newest. */
  constructor(go: (time: number | undefined) => void) {
    this.slider.addEventListener('input', () => {
      const step = Number(this.slider.value);
      go(step >= STEPS ? undefined : (this.end * step) / STEPS);
    });
    this.slider.addEventListener('pointerdown', () => (this.dragging = true));
    this.slider.addEventListener('pointerup', () => (this.dragging = false));
    this.follow.addEventListener('click', () => go(undefined));
    this.canvas.addEventListener('click', (event) => {
      const box = this.canvas.getBoundingClientRect();
      go(this.end * Math.max(0, Math.min(1, (event.clientX - box.left) / Math.max(1, box.width))));
    });
  }

  draw(view: WindowView, figures: FiguresView | undefined, live: boolean, colours: Colours): void {
    // While it is dragged the scale stays.
    if (!this.dragging) this.end = view.end;
    const { end } = this;
    const part = view.following || end === 0 ? 1 : Math.min(1, view.time / end);
    if (!this.dragging) this.slider.value = String(Math.round(part * STEPS));
    const ago = view.end - view.time;
    const moment = `${seconds(view.time)} of ${seconds(view.end)}`;
    this.label.textContent = view.following ? (live ? `live, ${seconds(view.end)}` : moment) : moment;
    set(this.slider, {
      'aria-valuetext': `${view.following ? 'newest' : `${seconds(ago)} before the newest`}, ${percentWords(occupancy(view))} in use`,
    });
    set(this.follow, { 'aria-pressed': view.following ? 'true' : 'false', disabled: view.following });
    this.follow.textContent = live ? 'Follow' : 'Newest';
    this.chart(figures, part, colours);
  }

  private chart(figures: FiguresView | undefined, part: number, colours: Colours): void {
    const { canvas, end } = this;
    const width = Math.max(1, canvas.clientWidth);
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(HEIGHT * scale);
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(scale, scale);
    const top = 30;
    context.fillStyle = colours.free;
    context.fillRect(0, 0, width, top);
    if (figures && figures.end > 0 && end > 0) {
      const across = width / Math.max(end, figures.end);
      const step = (figures.end / figures.slices.length) * across;
      const busiest = Math.max(1, ...figures.slices.map(({ maps, unmaps }) => Math.max(maps, unmaps)));
      figures.slices.forEach((slice, index) => {
        const x = Math.floor(index * step);
        const wide = Math.max(1, Math.floor((index + 1) * step) - x);
        const high = Math.min(1, slice.most) * top;
        context.globalAlpha = 0.45;
        context.fillStyle = colours.occupied;
        context.fillRect(x, top - high, wide, high);
        context.globalAlpha = 1;
        const low = Math.min(1, slice.end) * top;
        context.fillRect(x, top - low, wide, low);
        const bar = (count: number): number => (count === 0 ? 0 : Math.max(1, (count / busiest) * 7));
        context.fillStyle = colours.mapped;
        context.fillRect(x, 39 - bar(slice.maps), wide, bar(slice.maps));
        context.fillStyle = colours.unmapped;
        context.fillRect(x, 39, wide, bar(slice.unmaps));
      });
    }
    context.fillStyle = colours.focus;
    context.fillRect(Math.min(width - 2, Math.floor(part * width)), 0, 2, HEIGHT);
  }
}

export const occupancy = ({ mapped, size }: WindowView): number => (size === 0 ? 0 : mapped / size);
const seconds = (nanoseconds: number): string => `${(nanoseconds / 1e9).toFixed(nanoseconds < 10e9 ? 3 : 1)} s`;
