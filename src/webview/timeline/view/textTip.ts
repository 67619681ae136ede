/**
 * The whole text of what is cut off, or a sentence about it, in a box that wraps: for elements with `data-tip`. The
 * browser's own tips are one long line.
 */
import { el } from './dom';

const WAIT_MS = 450;

const isCut = (cell: Element): boolean =>
  [cell, ...cell.children].some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);

export class TextTip {
  readonly element = el('div', { class: 'tooltip text-tip', hidden: true, 'aria-hidden': 'true' });
  private timer: number | undefined;
  private over: Element | undefined;

  constructor(private readonly root: HTMLElement) {
    root.addEventListener('pointerover', ({ target, clientX, clientY }) => {
      const cell = target instanceof Element ? (target.closest('[data-tip]') ?? undefined) : undefined;
      if (cell === this.over) return;
      this.hide();
      this.over = cell;
      if (cell) this.timer = window.setTimeout(() => this.show(cell, clientX, clientY), WAIT_MS);
    });
    for (const kind of ['pointerleave', 'pointerdown', 'wheel', 'keydown'] as const) {
      root.addEventListener(kind, () => this.hide(), { passive: true });
    }
  }

  private hide(): void {
    window.clearTimeout(this.timer);
    this.over = undefined;
    this.element.hidden = true;
  }

  private show(cell: Element, x: number, y: number): void {
    const text = cell.getAttribute('data-tip');
    const whole = text === (cell instanceof HTMLInputElement ? cell.value : cell.textContent);
    // What can be read where it is needs no tip.
    if (text === null || !cell.isConnected || (whole && !isCut(cell))) return;
    this.element.textContent = text;
    this.element.hidden = false;
    const { offsetWidth, offsetHeight } = this.element;
    const left = Math.min(x + 10, this.root.clientWidth - offsetWidth - 6);
    const below = y + 18 + offsetHeight <= window.innerHeight;
    this.element.style.transform = `translate(${Math.max(4, left)}px, ${below ? y + 18 : Math.max(4, y - offsetHeight - 10)}px)`;
  }
}
