/** A bar between two parts that is dragged, or moved with the arrow keys, to share the room between them. */
import { el, set } from './dom';

export interface SplitterParts {
  readonly label: string;
  readonly direction: 'horizontal' | 'vertical';
  /** The part of the room that goes to what comes after the bar. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  changed(value: number): void;
}

export function splitter(parent: HTMLElement, parts: SplitterParts): HTMLElement {
  const { direction, least, most } = parts;
  const flat = direction === 'horizontal';
  let { value } = parts;
  const bar = el('div', {
    class: `splitter ${direction}`,
    role: 'separator',
    tabindex: 0,
    'aria-label': parts.label,
    'aria-orientation': direction,
    'aria-valuemin': Math.round(least * 100),
    'aria-valuemax': Math.round(most * 100),
  });
  const move = (wanted: number): void => {
    value = Math.max(least, Math.min(most, wanted));
    set(bar, { 'aria-valuenow': Math.round(value * 100) });
    parts.changed(value);
  };
  bar.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    bar.classList.add('dragging');
  });
  bar.addEventListener('pointermove', (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = parent.getBoundingClientRect();
    move(flat ? (box.bottom - event.clientY) / box.height : (box.right - event.clientX) / box.width);
  });
  bar.addEventListener('lostpointercapture', () => bar.classList.remove('dragging'));
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowUp: 0.03, ArrowLeft: 0.03, ArrowDown: -0.03, ArrowRight: -0.03 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(value + step);
  });
  move(value);
  return bar;
}
