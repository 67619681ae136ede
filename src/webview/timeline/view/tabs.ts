/** Tabs and their panels, with the keys that such have: arrows, Home, End. */
import { el, set } from './dom';
import type { TabName } from './savedState';

export interface TabParts {
  readonly name: TabName;
  readonly title: string;
  readonly panel: HTMLElement;
  shown?(): void;
}

export class Tabs {
  readonly bar = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Lower part' });
  readonly panels: readonly HTMLElement[];
  private readonly buttons = new Map<TabName, HTMLElement>();

  constructor(
    private readonly parts: readonly TabParts[],
    public current: TabName,
    private readonly changed: () => void,
  ) {
    this.panels = parts.map(({ panel }) => panel);
    for (const { name, title, panel } of parts) {
      const tab = el(
        'button',
        { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}` },
        title,
      );
      tab.addEventListener('click', () => this.choose(name));
      set(panel, { id: `panel-${name}`, role: 'tabpanel', 'aria-labelledby': `tab-${name}` });
      panel.classList.add('panel');
      this.buttons.set(name, tab);
      this.bar.append(tab);
    }
    this.bar.addEventListener('keydown', (event) => this.key(event));
    this.choose(current);
  }

  tab(name: TabName): HTMLElement {
    const tab = this.buttons.get(name);
    if (!tab) throw new Error(`no tab ${name}`);
    return tab;
  }

  title(name: TabName, title: string): void {
    this.tab(name).textContent = title;
  }

  choose(name: TabName): void {
    this.current = name;
    for (const part of this.parts) {
      const mine = part.name === name;
      part.panel.hidden = !mine;
      set(this.tab(part.name), { 'aria-selected': String(mine), tabindex: mine ? 0 : -1 });
      if (mine) part.shown?.();
    }
    this.changed();
  }

  private key(event: KeyboardEvent): void {
    const there = this.parts.filter(({ name }) => !this.tab(name).hidden);
    const place = there.findIndex(({ name }) => name === this.current);
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !(event.target instanceof HTMLElement) || event.target.role !== 'tab') return;
    event.preventDefault();
    const next = there[Math.max(0, Math.min(there.length - 1, place + step))];
    this.choose(next.name);
    this.tab(next.name).focus();
  }
}
