/**
 * A scrolled list of rows of one height, of which only those in view have elements. A list taller than a browser lays
 * out is scrolled in proportion.
 */
import { eachFrame, el } from './dom';

const TALLEST = 8_000_000;

export interface ListParts {
  readonly rowHeight: number;
  /** Makes an element of the pool. */
  make(): HTMLElement;
  fill(element: HTMLElement, index: number): void;
}

export class VirtualList {
  readonly element: HTMLElement;
  private readonly spacer = el('div', { class: 'spacer', role: 'presentation' });
  private readonly pool: HTMLElement[] = [];
  private count = 0;
  private first = 0;
  private readonly render = eachFrame(() => this.show());

  constructor(
    private readonly parts: ListParts,
    attributes: Readonly<Record<string, string>> = {},
  ) {
    this.element = el('div', { class: 'virtual-list', ...attributes }, this.spacer);
    this.element.addEventListener('scroll', this.render, { passive: true });
    new ResizeObserver(this.render).observe(this.element);
  }

  private get whole(): number {
    return this.count * this.parts.rowHeight;
  }

  private get height(): number {
    return this.element.clientHeight;
  }

  setCount(count: number): void {
    this.count = count;
    this.spacer.style.height = `${Math.min(this.whole, TALLEST)}px`;
    this.render();
  }

  refresh(): void {
    this.render();
  }

  /** Where the view begins, in pixels of the whole list. */
  private get offset(): number {
    const { scrollTop } = this.element;
    if (this.whole <= TALLEST) return scrollTop;
    const range = TALLEST - this.height;
    return range <= 0 ? 0 : (scrollTop / range) * (this.whole - this.height);
  }

  private scrollToOffset(offset: number): void {
    const most = Math.max(0, this.whole - this.height);
    const wanted = Math.max(0, Math.min(most, offset));
    this.element.scrollTop = this.whole <= TALLEST ? wanted : (wanted / most) * (TALLEST - this.height);
    this.render();
  }

  /** Scrolls as little as needed. */
  reveal(index: number): void {
    const top = index * this.parts.rowHeight;
    const bottom = top + this.parts.rowHeight;
    const { offset, height } = this;
    if (top < offset) this.scrollToOffset(top);
    else if (bottom > offset + height) this.scrollToOffset(bottom - height);
  }

  /** Puts a row into the middle. */
  centre(index: number): void {
    const { offset, height } = this;
    const top = index * this.parts.rowHeight;
    if (top >= offset && top + this.parts.rowHeight <= offset + height) return;
    this.scrollToOffset(top - height / 2);
  }

  toEnd(): void {
    this.scrollToOffset(this.whole);
  }

  get atEnd(): boolean {
    return this.offset + this.height >= this.whole - this.parts.rowHeight;
  }

  get rowsInView(): number {
    return Math.max(1, Math.floor(this.height / this.parts.rowHeight));
  }

  /** The element of a row, if it is in view. */
  elementOf(index: number): HTMLElement | undefined {
    const element = this.pool[index - this.first];
    return element && !element.hidden ? element : undefined;
  }

  /** [first, end) of the rows that have elements. */
  get view(): readonly [number, number] {
    return [this.first, Math.min(this.count, this.first + this.pool.length)];
  }

  private show(): void {
    const { rowHeight } = this.parts;
    const { offset } = this;
    const wanted = Math.min(this.count, Math.ceil(this.height / rowHeight) + 1);
    while (this.pool.length < wanted) {
      const element = this.parts.make();
      this.pool.push(element);
      this.spacer.append(element);
    }
    this.first = Math.max(0, Math.min(Math.floor(offset / rowHeight), this.count - wanted));
    const shift = this.element.scrollTop - offset;
    this.pool.forEach((element, i) => {
      const index = this.first + i;
      element.hidden = i >= wanted;
      if (element.hidden) return;
      element.style.transform = `translateY(${index * rowHeight + shift}px)`;
      this.parts.fill(element, index);
    });
    this.shown?.();
  }

  /** Called when other rows are in view. */
  shown: (() => void) | undefined;
}
