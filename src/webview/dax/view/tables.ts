/** Figures of the whole capture: files, round trips of MAP, files that are not in the window and why. */
import type { FiguresView } from '../../../control/daxWindow';
import { printDuration } from '../../../trace/times';
import { thousands } from '../../../trace/countText';
import { type Attributes, el } from '../../timeline/view/dom';
import { sizeText } from '../../../trace/sizeText';
import { pathWords } from '../model/words';

export interface TableActs {
  find(path: string): void;
  requests(nodeid: string): void;
}

const section = (title: string, count: string, open: boolean, ...children: readonly Node[]): HTMLElement =>
  el('details', { class: 'part', open }, el('summary', {}, title, el('span', { class: 'count' }, count)), ...children);

const heading = (name: string, attributes: Attributes = {}): HTMLElement =>
  el('th', { scope: 'col', ...attributes }, name);

const head = (...names: readonly string[]): HTMLElement =>
  el('thead', {}, el('tr', {}, ...names.map((name) => heading(name))));

const cell = (text: string, name?: string): HTMLElement => el('td', { class: name }, text);

const linkTo = (text: string, title: string, act: () => void): HTMLElement => {
  const button = el('button', { type: 'button', class: 'link', title }, text);
  button.addEventListener('click', act);
  return button;
};

export class Tables {
  readonly element = el('div', { class: 'tables' });
  private readonly closed = new Map<string, boolean>();

  constructor(private readonly act: TableActs) {}

  draw(figures: FiguresView): void {
    // A table that somebody is at with the keyboard keeps the focus.
    const focused = document.activeElement?.closest('.tables')
      ? [...this.element.querySelectorAll('button, summary')].indexOf(document.activeElement)
      : -1;
    for (const part of this.element.querySelectorAll('details')) this.closed.set(part.dataset['name'] ?? '', part.open);
    const parts = [this.files(figures), this.trips(figures), this.reasons(figures)].filter(
      (part) => part !== undefined,
    );
    parts.forEach((part) => {
      const name = part.querySelector('summary')?.firstChild?.textContent ?? '';
      part.dataset['name'] = name;
      (part as HTMLDetailsElement).open = this.closed.get(name) ?? (part as HTMLDetailsElement).open;
    });
    this.element.replaceChildren(...parts);
    if (focused >= 0) this.element.querySelectorAll<HTMLElement>('button, summary')[focused]?.focus();
  }

  private files({ files, moreFiles }: FiguresView): HTMLElement | undefined {
    if (files.length === 0) return undefined;
    const rows = files.map((file) =>
      el(
        'tr',
        {},
        el(
          'th',
          { scope: 'row', class: 'path' },
          linkTo(pathWords(file.path), `${pathWords(file.path)}: find in the window`, () => this.act.find(file.path)),
        ),
        cell(sizeText(file.mostBytes)),
        cell(thousands(file.maps)),
        cell(thousands(file.again), 'again'),
        el(
          'td',
          {},
          file.reads + file.writes === 0
            ? '–'
            : linkTo(
                `${thousands(file.reads)} / ${thousands(file.writes)}`,
                `READ / WRITE that still go through requests, ${sizeText(file.bytes)}: show requests of this file`,
                () => this.act.requests(file.nodeid),
              ),
        ),
      ),
    );
    const table = el(
      'table',
      { class: 'files' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          heading('File'),
          heading('At most', { title: 'The most of it that was in the window at once' }),
          heading('Maps'),
          heading('Again', { class: 'again', title: 'The same part mapped again soon after it was given up' }),
          heading('READ / WRITE', { title: 'That still went through requests' }),
        ),
      ),
      el('tbody', {}, ...rows),
    );
    const rest = moreFiles > 0 ? [el('p', { class: 'more' }, `and ${thousands(moreFiles)} others`)] : [];
    return section('Files', thousands(files.length + moreFiles), true, table, ...rest);
  }

  private trips({ roundTrips }: FiguresView): HTMLElement | undefined {
    if (roundTrips.length === 0) return undefined;
    const rows = roundTrips.map(({ from, count, median, most }) =>
      el(
        'tr',
        {},
        el('th', { scope: 'row' }, `from ${from}`),
        cell(thousands(count)),
        cell(printDuration(median)),
        cell(printDuration(most)),
      ),
    );
    const table = el('table', {}, head('Live mappings', 'Count', 'Median', 'Longest'), el('tbody', {}, ...rows));
    return section('Round trip of MAP', '', true, table);
  }

  private reasons({ reasons, moreReasons }: FiguresView): HTMLElement | undefined {
    if (reasons.length === 0) return undefined;
    const items = reasons.map(({ path, kind, text }) =>
      el(
        'li',
        {},
        el('span', { class: 'path', title: pathWords(path) }, pathWords(path)),
        el('span', { class: 'reason' }, `${kind}: ${text}`),
      ),
    );
    const rest = moreReasons > 0 ? [el('p', { class: 'more' }, `and ${thousands(moreReasons)} earlier ones`)] : [];
    const list = el('ul', { class: 'reasons' }, ...items);
    return section('Not, or not safely, in the window', thousands(reasons.length + moreReasons), true, list, ...rest);
  }
}
