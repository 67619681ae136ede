/** The page: takes what the extension says, keeps what the person has chosen, and has the parts draw it. */
import type { FiguresView, FromDaxWindow, PlaceView, ToDaxWindow, WindowView } from '../../../control/daxWindow';
import { printDuration } from '../../../trace/times';
import { thousands } from '../../../trace/countText';
import { choice, eachFrame, el } from '../../timeline/view/dom';
import { type Grid, gridOf } from '../model/grid';
import { type Colouring, COLOURINGS, legendOf } from '../model/shades';
import { sizeText } from '../../../trace/sizeText';
import { cellsOf, factsOf, nextOf, percentWords, ratesAt, rateWords, pathWords } from '../model/words';
import { type Colours, readColours } from './colours';
import { Details } from './details';
import { GridView, type Place } from './gridView';
import { Tables } from './tables';
import { occupancy, TimeBar } from './timeBar';

interface VscodeApi {
  postMessage(message: FromDaxWindow): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VscodeApi;

interface Saved {
  readonly by?: unknown;
}

/** So much of the facts below the grid says which range is selected. */
const FACTS_ROOM = 80;

export class DaxPage {
  private readonly api = acquireVsCodeApi();
  private by: Colouring;
  private colours: Colours = readColours();
  private view: WindowView | undefined;
  private grid: Grid = gridOf({ size: 0, ranges: [] });
  private figures: FiguresView | undefined;
  private placed: PlaceView | undefined;
  private live = false;
  private selected = -1;
  /** The cell that keys have come to, while nothing has been pointed at since; -1: none. */
  private keyed = -1;
  private wanted: { readonly time: number | undefined } | undefined;
  private waiting = false;

  private readonly title = el('strong', {});
  private readonly state = el('span', { class: 'state' });
  private readonly sums = el('div', { class: 'sums' });
  private readonly meter = el('div', { class: 'meter-fill' });
  private readonly find = el('input', {
    type: 'search',
    placeholder: 'Find a file in the window',
    'aria-label': 'Find a file in the window',
    spellcheck: 'false',
  });
  private readonly hits = el('span', { class: 'hits', role: 'status' });
  private readonly legend = el('ul', { class: 'legend', 'aria-label': 'Colors' });
  private readonly tooltip = el('div', { class: 'tooltip', hidden: true, 'aria-hidden': 'true' });
  private readonly figuresLine = el('dl', { class: 'figures' });
  private readonly empty = el('p', { class: 'empty', hidden: true });
  private readonly gridView: GridView;
  private readonly timeBar: TimeBar;
  private readonly details: Details;
  private readonly tables: Tables;
  private readonly body: HTMLElement;
  private readonly redraw = eachFrame(() => this.draw());

  constructor(private readonly root: HTMLElement) {
    const saved = (this.api.getState() ?? {}) as Saved;
    this.by = COLOURINGS.find((one) => one === saved.by) ?? 'file';
    this.gridView = new GridView({
      selected: () => this.selected,
      select: (cell) => this.select(cell),
      open: (cell) => this.open(cell),
      hover: (cell, at) => this.hover(cell, at),
      come: (cell, at) => this.come(cell, at),
    });
    this.timeBar = new TimeBar((time) => this.go(time));
    const requests = (nodeid: string): void => this.api.postMessage({ kind: 'file', nodeid });
    this.details = new Details({
      reveal: (request, where) => this.api.postMessage({ kind: 'reveal', request, where }),
      requests,
    });
    this.tables = new Tables({ find: (path) => this.search(path), requests });
    const colouring = choice(
      'Color by',
      [
        ['file', 'File'],
        ['access', 'Access'],
        ['age', 'Age'],
        ['churn', 'Churn'],
      ],
      this.by,
      (by) => {
        this.by = by;
        this.api.setState({ by });
        this.redraw();
      },
    );
    this.body = el(
      'div',
      { class: 'body' },
      el(
        'div',
        { class: 'top' },
        el('div', { class: 'head' }, this.title, this.state),
        this.sums,
        el('div', { class: 'meter', 'aria-hidden': 'true' }, this.meter),
      ),
      el('div', { class: 'tools' }, el('div', { class: 'finder' }, this.find, this.hits), colouring.element),
      el(
        'div',
        { class: 'main' },
        el('div', { class: 'map' }, this.gridView.element, this.legend, this.timeBar.element),
        el('div', { class: 'side' }, this.details.element, this.figuresLine),
      ),
      this.tables.element,
    );
    root.append(this.body, this.empty, this.tooltip);
    this.find.addEventListener('input', () => this.redraw());
    this.find.addEventListener('keydown', (event) => this.findKey(event));
    window.addEventListener('message', ({ data }: MessageEvent<ToDaxWindow>) => this.take(data));
    window.addEventListener('wheel', () => this.hover(-1, undefined), { passive: true });
    new ResizeObserver(() => this.redraw()).observe(this.gridView.element);
    const themed = new MutationObserver(() => {
      this.colours = readColours();
      this.redraw();
    });
    themed.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
    this.api.postMessage({ kind: 'ready' });
  }

  private take(message: ToDaxWindow): void {
    switch (message.kind) {
      case 'none':
        this.view = this.figures = undefined;
        break;
      case 'capture':
        if (this.title.textContent !== message.title) this.figures = undefined;
        this.title.textContent = message.title;
        this.state.textContent = message.state;
        this.live = message.state === 'live';
        break;
      case 'window':
        this.waiting = false;
        this.view = message.view;
        this.grid = gridOf(message.view);
        if (this.selected >= this.grid.count) this.selected = -1;
        if (this.wanted) this.send(this.wanted.time);
        else this.askPlace();
        break;
      case 'figures':
        this.figures = message.figures;
        this.tables.draw(message.figures);
        break;
      case 'place':
        this.placed = message.place;
    }
    this.redraw();
  }

  private go(time: number | undefined): void {
    if (this.waiting) this.wanted = { time };
    else this.send(time);
  }

  private send(time: number | undefined): void {
    this.wanted = undefined;
    this.waiting = true;
    this.api.postMessage({ kind: 'at', ...(time !== undefined && { time }) });
  }

  private select(cell: number): void {
    this.selected = cell;
    this.placed = undefined;
    this.askPlace();
    this.redraw();
  }

  private askPlace(): void {
    const range = this.view?.ranges[this.grid.range[this.selected]];
    if (this.selected < 0) return;
    this.api.postMessage({ kind: 'place', offset: range?.offset ?? this.selected * this.grid.bytes });
  }

  private open(cell: number): void {
    const range = this.view?.ranges[this.grid.range[cell]];
    if (range && range.request >= 0)
      this.api.postMessage({ kind: 'reveal', request: range.request, where: 'requests' });
  }

  private hover(cell: number, at: Place | undefined): void {
    this.keyed = -1;
    const { view, grid, tooltip } = this;
    tooltip.hidden = cell < 0 || !at || !view;
    if (cell < 0 || !at || !view) return;
    tooltip.replaceChildren(
      ...factsOf(view, grid, cell).map(({ name, value }) =>
        el('div', {}, el('span', { class: 'name' }, name), el('span', {}, value)),
      ),
    );
    const { offsetWidth, offsetHeight } = tooltip;
    const x = Math.max(4, Math.min(window.innerWidth - offsetWidth - 4, at.clientX + 12));
    const below = at.clientY + 16 + offsetHeight <= window.innerHeight;
    const y = Math.max(4, below ? at.clientY + 16 : at.clientY - offsetHeight - 8);
    tooltip.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Keys have come to a cell: told of as to a pointer, unless its facts are in sight or it would be covered. */
  private come(cell: number, at: Place): void {
    this.keyed = cell;
    this.tooltip.hidden = true;
    requestAnimationFrame(() => {
      if (this.keyed !== cell || this.details.element.getBoundingClientRect().top < window.innerHeight - FACTS_ROOM)
        return;
      this.hover(cell, at);
      const { top, bottom } = this.tooltip.getBoundingClientRect();
      if (top < at.clientY && bottom > at.clientY) this.hover(-1, undefined);
    });
  }

  private search(path: string): void {
    this.find.value = path;
    this.next(true, -1);
  }

  private findKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') this.next(!event.shiftKey, this.selected);
    else if (event.key === 'Escape') {
      this.find.value = '';
      this.redraw();
    }
  }

  private next(forward: boolean, from: number): void {
    if (!this.view) return;
    const cell = nextOf(cellsOf(this.view, this.grid, this.find.value), from, forward);
    if (cell !== undefined) this.select(cell);
    else this.redraw();
  }

  private draw(): void {
    const { view, grid, figures, colours, root } = this;
    root.removeAttribute('aria-busy');
    const there = view !== undefined && grid.count > 0;
    this.body.hidden = !there;
    this.empty.hidden = there;
    if (!there) {
      this.empty.textContent = view ? 'Nothing is known of a window yet.' : 'No capture with a DAX window is open.';
      return;
    }
    const looked = this.find.value.trim() !== '';
    const found = looked ? cellsOf(view, grid, this.find.value) : undefined;
    this.hits.textContent = found ? (found.length === 0 ? 'not there' : ranges(found.length)) : '';
    const part = occupancy(view);
    const all = view.ranges.length + view.more;
    this.sums.textContent = `${sizeText(view.mapped)} of ${sizeText(view.size)} in use (${percentWords(part)}), ${ranges(all)}`;
    this.meter.style.width = `${Math.min(1, part) * 100}%`;
    const shown = { view, grid, by: this.by, selected: this.selected, found: found && new Set(found) };
    this.gridView.draw(shown, colours);
    this.gridView.sayCell();
    this.drawLegend(view);
    this.timeBar.draw(view, figures, this.live, colours);
    this.details.draw(view, grid, this.selected, this.placed);
    this.drawFigures(view);
    root.dataset['ranges'] = String(all);
  }

  private drawLegend(view: WindowView): void {
    const entries = legendOf(view, this.by);
    const others = this.by === 'file' ? view.files.length - entries.length : 0;
    this.legend.replaceChildren(
      ...entries.map(({ shade, text, count }) => {
        const swatch = el('span', { class: 'swatch' });
        swatch.style.background = this.colours.of(this.by, shade);
        return el(
          'li',
          { title: `${pathWords(text)}: ${thousands(count)} ranges`, class: count === 0 ? 'none' : '' },
          swatch,
          el('span', { class: 'path' }, pathWords(text)),
          el('span', { class: 'count' }, thousands(count)),
        );
      }),
      ...(this.gridView.notched ? [el('li', { class: 'none' }, 'corner cut: read, write')] : []),
      ...(others > 0 ? [el('li', { class: 'none' }, `and ${thousands(others)} others`)] : []),
    );
  }

  private drawFigures(view: WindowView): void {
    const { figures } = this;
    const rates = figures && ratesAt(figures, view.time);
    const facts: readonly (readonly [
      name: string,
      value: string,
      mark?: 'mapped' | 'unmapped' | undefined,
      title?: string,
    ])[] = [
      ['Mapped', `${thousands(view.maps)}${rates ? `, ${rateWords(rates.maps)}` : ''}`, 'mapped'],
      ['Removed', `${thousands(view.unmaps)}${rates ? `, ${rateWords(rates.unmaps)}` : ''}`, 'unmapped'],
      ['Refused', thousands(view.refusals)],
      ...(figures
        ? [
            [
              'Thrash, in all',
              figures.maps === 0 ? '0' : `${thousands(figures.again)} (${percentWords(figures.again / figures.maps)})`,
              undefined,
              `The same part mapped again within ${printDuration(figures.thrashNs)} of being given up`,
            ] as const,
          ]
        : []),
    ];
    this.figuresLine.replaceChildren(
      ...facts.flatMap(([name, value, mark, title]) => [
        // The bars of the chart above have these colors.
        el('dt', { title }, name, ...(mark ? [el('span', { class: `swatch ${mark}`, 'aria-hidden': 'true' })] : [])),
        el('dd', { title }, value),
      ]),
    );
  }
}

const ranges = (count: number): string => `${thousands(count)} ${count === 1 ? 'range' : 'ranges'}`;
