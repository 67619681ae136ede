/** The bytes of a message: offset, hexadecimal, text. A click on a byte asks for its field; a field marks its bytes. */
import { el, set } from './dom';
import { VirtualList } from './virtualList';

export const PER_LINE = 16;
const LINE_HEIGHT = 18;

export class BytesView {
  readonly element: HTMLElement;
  private readonly list: VirtualList;
  private bytes: Uint8Array = new Uint8Array(0);
  private from = 0;
  private to = 0;
  private cursor = 0;

  constructor(private readonly picked: (at: number) => void) {
    this.list = new VirtualList({
      rowHeight: LINE_HEIGHT,
      make: () => this.makeLine(),
      fill: (element, index) => this.fill(element, index),
    });
    this.element = this.list.element;
    this.element.classList.add('bytes');
    set(this.element, { role: 'group', tabindex: 0, 'aria-roledescription': 'bytes' });
    this.element.addEventListener('pointerdown', (event) => {
      const cell = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-at]') : null;
      if (cell) this.pick(Number(cell.dataset['at']));
    });
    this.element.addEventListener('keydown', (event) => this.key(event));
  }

  show(bytes: Uint8Array, title: string): void {
    this.bytes = bytes;
    this.from = this.to = this.cursor = 0;
    set(this.element, { 'aria-label': `Bytes of the ${title}` });
    const lines = Math.ceil(bytes.length / PER_LINE);
    this.list.setCount(lines);
    this.element.style.setProperty('--lines', String(Math.max(1, Math.min(lines, 16))));
  }

  mark(from: number, length: number): void {
    this.from = from;
    this.to = from + length;
    if (this.cursor < this.from || this.cursor >= this.to) this.cursor = from;
    if (from < this.bytes.length) this.list.reveal(Math.floor(from / PER_LINE));
    this.list.refresh();
  }

  private pick(at: number): void {
    if (this.bytes.length === 0) return;
    this.cursor = Math.max(0, Math.min(this.bytes.length - 1, at));
    this.list.reveal(Math.floor(this.cursor / PER_LINE));
    this.picked(this.cursor);
    this.list.refresh();
  }

  private key(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -PER_LINE,
      ArrowDown: PER_LINE,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.pick(this.cursor + step);
  }

  private makeLine(): HTMLElement {
    const cells = (kind: string): HTMLElement[] => Array.from({ length: PER_LINE }, () => el('span', { class: kind }));
    return el(
      'div',
      { class: 'bytes-line' },
      el('span', { class: 'offset' }),
      el('span', { class: 'hex' }, ...cells('byte')),
      el('span', { class: 'text', 'aria-hidden': 'true' }, ...cells('char')),
    );
  }

  private fill(line: HTMLElement, index: number): void {
    const [offset, hex, text] = line.children;
    offset.textContent = (index * PER_LINE).toString(16).padStart(4, '0');
    for (let i = 0; i < PER_LINE; i++) {
      const at = index * PER_LINE + i;
      const there = at < this.bytes.length;
      const byte = this.bytes[at];
      const marked = there && at >= this.from && at < this.to;
      const classes = `${marked ? ' marked' : ''}${there && at === this.cursor && this.to > this.from ? ' at' : ''}`;
      this.fillCell(hex.children[i], there ? byte.toString(16).padStart(2, '0') : '', at, there, `byte${classes}`);
      const shown = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
      this.fillCell(text.children[i], there ? shown : '', at, there, `char${classes}`);
    }
  }

  private fillCell(cell: Element, text: string, at: number, there: boolean, classes: string): void {
    cell.textContent = text;
    set(cell, { class: classes, 'data-at': there ? at : undefined });
  }
}
