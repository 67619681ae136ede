/** Where a filter is written: completion, the place of an error, and the filter as soon as it makes sense. */
import type { CompletionView, FilterTrouble } from '../../../control/timeline';
import { afterPause, button, el, set } from './dom';

export interface FilterBoxParts {
  /** What it begins with. */
  readonly text: string;
  complete(text: string, cursor: number): Promise<readonly CompletionView[]>;
  /** Resolves to what is wrong with it. */
  apply(text: string): Promise<FilterTrouble | undefined>;
}

const MOST_SHOWN = 60;

export class FilterBox {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly popup = el('ul', { class: 'completions', id: 'completions', role: 'listbox', hidden: true });
  private readonly squiggle = el('span', { class: 'squiggle', hidden: true, 'aria-hidden': 'true' });
  private readonly message = el('div', { class: 'filter-error', id: 'filter-error', role: 'alert', hidden: true });
  private readonly clearButton: HTMLButtonElement;
  private items: readonly CompletionView[] = [];
  private active = -1;
  private asked = 0;
  private applied = '';
  private readonly applySoon = afterPause(180, () => void this.apply());

  constructor(private readonly parts: FilterBoxParts) {
    this.input = el('input', {
      type: 'text',
      placeholder: 'Filter, for example: opcode == READ && latency > 1ms',
      'aria-label': 'Filter requests',
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
      'aria-controls': 'completions',
      spellcheck: 'false',
      autocomplete: 'off',
      maxlength: 4096,
    });
    this.clearButton = button('Clear the filter', 'close', () => this.setText(''));
    const field = el('div', { class: 'filter-field' }, this.input, this.squiggle, this.clearButton);
    this.element = el('div', { class: 'filter-box' }, field, this.popup, this.message);
    this.input.addEventListener('input', () => this.typed());
    this.input.addEventListener('keydown', (event) => this.key(event));
    this.input.addEventListener('scroll', () => this.placeSquiggle());
    this.input.addEventListener('blur', () => this.close());
    this.popup.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      const option = event.target instanceof Element ? event.target.closest('li') : null;
      if (option) this.accept(Number(option.dataset['index']));
    });
    this.input.value = parts.text;
    this.clearButton.hidden = parts.text === '';
  }

  get text(): string {
    return this.input.value;
  }

  setText(text: string): void {
    this.input.value = text;
    this.clearButton.hidden = text === '';
    this.close();
    void this.apply();
  }

  /** All rows are new ones, which nobody has been asked about: the filter is applied to them. */
  again(): void {
    this.applied = '';
    void this.apply();
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  private typed(): void {
    this.clearButton.hidden = this.text === '';
    this.showTrouble(undefined);
    this.applySoon();
    // What was chosen of the offer before belongs to another text: Enter does not take it any more.
    this.mark(-1);
    void this.offer();
  }

  private async apply(): Promise<void> {
    const { text } = this;
    if (text === this.applied) return;
    this.applied = text;
    const trouble = await this.parts.apply(text);
    if (text === this.text) this.showTrouble(trouble);
  }

  private trouble: FilterTrouble | undefined;

  private showTrouble(trouble: FilterTrouble | undefined): void {
    this.trouble = trouble;
    this.message.hidden = trouble === undefined;
    set(this.input, { 'aria-invalid': trouble && 'true', 'aria-describedby': trouble && 'filter-error' });
    this.message.textContent = '';
    if (trouble) {
      const { message, suggestion } = trouble;
      this.message.append(el('span', {}, message));
      if (suggestion !== undefined) {
        const fix = el('button', { type: 'button', class: 'link' }, `Use “${suggestion}”`);
        fix.addEventListener('pointerdown', (event) => event.preventDefault());
        fix.addEventListener('click', () => {
          this.setText(this.text.slice(0, trouble.from) + suggestion + this.text.slice(trouble.to));
          this.input.focus();
        });
        this.message.append(' ', fix);
      }
    }
    this.placeSquiggle();
  }

  /** Under the part of the text that is wrong; the font is of one width. */
  private placeSquiggle(): void {
    const { trouble } = this;
    this.squiggle.hidden = trouble === undefined;
    if (!trouble) return;
    this.squiggle.style.setProperty('--from', String(trouble.from));
    this.squiggle.style.setProperty('--length', String(Math.max(1, trouble.to - trouble.from)));
    this.squiggle.style.setProperty('--scrolled', `${this.input.scrollLeft}px`);
  }

  private async offer(): Promise<void> {
    const number = ++this.asked;
    const cursor = this.input.selectionStart ?? this.text.length;
    const items = await this.parts.complete(this.text, cursor).catch(() => []);
    if (number !== this.asked || document.activeElement !== this.input) return;
    const written = this.text.slice(items[0]?.from ?? 0, items[0]?.to ?? 0);
    // What is written in full needs no offer.
    if (items.length === 0 || (items.length === 1 && items[0].label === written)) return this.close();
    this.items = items.slice(0, MOST_SHOWN);
    this.active = -1;
    this.popup.replaceChildren(
      ...this.items.map((item, index) =>
        el(
          'li',
          { role: 'option', id: `completion-${index}`, 'data-index': index, 'aria-selected': 'false' },
          el('span', { class: `label kind-${item.kind}` }, item.label),
          el('span', { class: 'detail' }, item.detail),
        ),
      ),
    );
    this.popup.hidden = false;
    this.popup.scrollTop = 0;
    set(this.input, { 'aria-expanded': 'true' });
  }

  private close(): void {
    this.asked++;
    this.items = [];
    this.active = -1;
    this.popup.hidden = true;
    set(this.input, { 'aria-expanded': 'false', 'aria-activedescendant': undefined });
  }

  private move(by: number): void {
    const { length } = this.items;
    this.mark(this.active < 0 && by < 0 ? length - 1 : (this.active + by + length) % length);
    this.popup.children[this.active]?.scrollIntoView({ block: 'nearest' });
  }

  private mark(index: number): void {
    this.active = index;
    [...this.popup.children].forEach((option, i) => set(option, { 'aria-selected': String(i === index) }));
    set(this.input, { 'aria-activedescendant': index < 0 ? undefined : `completion-${index}` });
  }

  private accept(index: number): void {
    const item = this.items[index];
    if (!item) return;
    const rest = this.text.slice(item.to);
    const space = item.kind === 'symbol' || item.kind === 'unit' || rest.startsWith(' ') ? '' : ' ';
    const head = this.text.slice(0, item.from) + item.label + space;
    this.input.value = head + rest;
    this.input.setSelectionRange(head.length, head.length);
    this.typed();
  }

  private key(event: KeyboardEvent): void {
    const open = !this.popup.hidden;
    if (event.key === ' ' && event.ctrlKey) void this.offer();
    else if (event.key === 'Enter' && !(open && this.active >= 0)) {
      this.close();
      void this.apply();
    } else if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      this.move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'ArrowDown') void this.offer();
    else if (open && (event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey))) {
      this.accept(Math.max(0, this.active));
    } else if (event.key === 'Escape') {
      if (open) this.close();
      else if (this.text !== '') this.setText('');
      else this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
