/** Counts, errors and latencies by opcode, of the requests that are shown, and the latencies of one as a histogram. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Side } from '../../../control/timeline';
import { familyIndex, opcodeName } from '../model/families';
import { figuresOf, histogramOf, type OpcodeFigures, withRoom } from '../model/statistics';
import { requestsText, thousands } from '../../../trace/countText';
import { afterPause, el, set } from './dom';
import { printDuration } from '../../../trace/times';
import type { TimelineModel } from './model';
import { NoRequests } from './noRequests';
import { cssOf, type Theme } from './theme';

type Key = 'opcode' | 'count' | 'errors' | 'p50' | 'p95' | 'p99' | 'max' | 'total';

const columns: readonly (readonly [Key, string])[] = [
  ['opcode', 'Opcode'],
  ['count', 'Count'],
  ['errors', 'Errors'],
  ['p50', 'p50'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['max', 'Max'],
  ['total', 'Total'],
];

export class StatisticsView {
  readonly element: HTMLElement;
  private readonly body = el('tbody');
  private readonly chart = el('div', { class: 'histogram', role: 'img' });
  private readonly caption = el('h3', { class: 'histogram-title' });
  private readonly none: NoRequests;
  private readonly headers = new Map<Key, HTMLElement>();
  private plot: uPlot | undefined;
  private figures: OpcodeFigures[] = [];
  private opcode: number | undefined;
  private sortedBy: Key = 'count';
  private down = true;
  side: Side = 0;
  private stale = true;
  private readonly soon = afterPause(150, () => this.update());

  constructor(
    private readonly model: TimelineModel,
    public theme: Theme,
    clearFilter: () => void,
  ) {
    const head = el('tr');
    for (const [key, title] of columns) {
      const press = el('button', { type: 'button' }, title);
      press.addEventListener('click', () => {
        this.down = this.sortedBy === key ? !this.down : key !== 'opcode';
        this.sortedBy = key;
        this.showRows();
      });
      const cell = el('th', { scope: 'col', class: key === 'opcode' ? '' : `number figure-${key}` }, press);
      this.headers.set(key, cell);
      head.append(cell);
    }
    const table = el('table', { 'aria-label': 'Latency by opcode' }, el('thead', {}, head), this.body);
    this.none = new NoRequests({
      model,
      captures: () => model.captures.filter((_, side) => side === this.side),
      clearFilter,
    });
    this.element = el(
      'div',
      { class: 'statistics' },
      this.none.element,
      el('div', { class: 'statistics-table' }, table),
      el('div', { class: 'histogram-frame' }, this.caption, this.chart),
    );
    this.body.addEventListener('click', (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>('tr') : null;
      if (row) this.choose(Number(row.dataset['opcode']));
    });
    this.body.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.drawChart()).observe(this.chart);
    model.on('rows', () => {
      this.stale = true;
      if (!this.element.hidden) this.soon();
    });
  }

  /** It has become visible. */
  shown(): void {
    if (this.stale) this.update();
    else this.drawChart();
  }

  setSide(side: Side): void {
    this.side = side;
    this.none.show();
    this.update();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.drawChart();
  }

  private update(): void {
    const capture = this.model.captures[this.side];
    if (!capture || this.element.hidden) return;
    this.stale = false;
    this.figures = figuresOf(capture.rows, capture.passed);
    if (!this.figures.some(({ opcode }) => opcode === this.opcode)) this.opcode = this.figures[0]?.opcode;
    this.showRows();
    this.drawChart();
  }

  private showRows(): void {
    const { sortedBy, down } = this;
    for (const [key, cell] of this.headers) {
      const sorted = key === sortedBy;
      set(cell, { 'aria-sort': sorted ? (down ? 'descending' : 'ascending') : undefined });
      cell.classList.toggle('sorted', sorted);
    }
    const value = (figures: OpcodeFigures): number | string =>
      sortedBy === 'opcode' ? opcodeName(figures.opcode) : figures[sortedBy];
    const ordered = [...this.figures].sort((a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === other) return a.opcode - b.opcode;
      if (Number.isNaN(one)) return 1;
      if (Number.isNaN(other)) return -1;
      return (one < other ? -1 : 1) * (down ? -1 : 1);
    });
    const most = Math.max(1, ...this.figures.map(({ total }) => total));
    const focused = this.body.contains(document.activeElement);
    this.body.replaceChildren(...ordered.map((figures) => this.row(figures, most)));
    if (focused) this.focusChosen();
  }

  private row(figures: OpcodeFigures, most: number): HTMLElement {
    const { opcode, count, errors, failed, total } = figures;
    const number = (key: Key, ...children: readonly (string | HTMLElement)[]): HTMLElement =>
      el('td', { class: `number figure-${key}${key === this.sortedBy ? ' sorted' : ''}` }, ...children);
    const errorsCell = number('errors', errors === 0 ? '–' : thousands(errors));
    errorsCell.classList.toggle('failed', failed > 0);
    const chosen = opcode === this.opcode;
    const bar = el('span', { class: 'share', 'aria-hidden': 'true' });
    bar.style.setProperty('--part', String(total / most));
    return el(
      'tr',
      {
        'data-opcode': opcode,
        tabindex: chosen ? 0 : -1,
        'aria-selected': String(chosen),
        'aria-label': `${opcodeName(opcode)}, ${requestsText(count)}, median ${printDuration(figures.p50)}`,
        class: chosen ? 'chosen' : '',
      },
      el('td', { 'data-family': familyIndex(opcode), class: 'opcode' }, opcodeName(opcode)),
      number('count', thousands(count)),
      errorsCell,
      ...(['p50', 'p95', 'p99', 'max'] as const).map((key) => number(key, printDuration(figures[key]))),
      number('total', bar, el('span', {}, printDuration(total))),
    );
  }

  private focusChosen(): void {
    this.body.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus();
  }

  private choose(opcode: number): void {
    this.opcode = opcode;
    this.showRows();
    this.focusChosen();
    this.drawChart();
  }

  private key(event: KeyboardEvent): void {
    const rows = [...this.body.querySelectorAll<HTMLElement>('tr')];
    const place = rows.findIndex((row) => row.dataset['opcode'] === String(this.opcode));
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || rows.length === 0) return;
    event.preventDefault();
    this.choose(Number(rows[Math.max(0, Math.min(rows.length - 1, place + step))].dataset['opcode']));
  }

  private drawChart(): void {
    this.plot?.destroy();
    this.plot = undefined;
    const figures = this.figures.find(({ opcode }) => opcode === this.opcode);
    const width = this.chart.clientWidth;
    const height = this.chart.clientHeight;
    if (!figures || width < 80 || height < 60) return;
    const name = opcodeName(figures.opcode);
    const histogram = histogramOf(figures.latencies);
    const none = histogram.counts.length === 0;
    this.caption.textContent = none ? `${name} has no replies` : `Latency of ${name}`;
    set(this.chart, {
      'aria-label': `Histogram of the latency of ${name}: median ${printDuration(figures.p50)}, longest ${printDuration(figures.max)}`,
    });
    if (none) return;
    const { edges, counts } = withRoom(histogram);
    const { theme } = this;
    const colour = cssOf(theme.palette.families[familyIndex(figures.opcode)]);
    // A bar lies between two edges, which are at equal distances on a logarithmic axis.
    const xs = counts.map((_, i) => Math.sqrt(edges[i] * edges[i + 1]));
    const axis = {
      stroke: theme.muted,
      font: theme.font,
      grid: { stroke: cssOf(theme.palette.lane), width: 1 },
      ticks: { show: false },
    };
    const from = edges[0];
    const to = edges[edges.length - 1];
    const { paths } = uPlot;
    this.plot = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 12, 0, 0],
        scales: {
          x: { time: false, distr: 3, log: 10, range: [from, to] },
          y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.08)] },
        },
        axes: [
          {
            ...axis,
            size: 26,
            values: (_plot, ticks) => ticks.map((tick) => (tick === null ? '' : printDuration(tick))),
            space: 56,
            splits: () => decades(from, to),
          },
          {
            ...axis,
            size: 52,
            values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? thousands(tick) : '')),
          },
        ],
        series: [
          {},
          {
            stroke: colour,
            fill: colour,
            width: 0,
            points: { show: false },
            ...(paths.bars && { paths: paths.bars({ size: [1], gap: 1 }) }),
          },
        ],
        hooks: {
          draw: [(plot) => this.drawPercentiles(plot, figures)],
        },
      },
      [xs, [...counts]],
      this.chart,
    );
  }

  /** Lines at p50 and p99; where they are close to each other the second name is below the first. */
  private drawPercentiles(plot: uPlot, { p50, p99 }: OpcodeFigures): void {
    const { ctx: context, bbox } = plot;
    const ratio = window.devicePixelRatio || 1;
    context.save();
    context.font = this.theme.font.replace(/^(\d+)px/, (_, size: string) => `${Number(size) * ratio}px`);
    context.fillStyle = this.theme.foreground;
    // The axes are drawn before, and leave theirs.
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    let taken = -Infinity;
    for (const [name, value] of [
      ['p50', p50],
      ['p99', p99],
    ] as const) {
      const x = Math.round(plot.valToPos(value, 'x', true));
      context.fillRect(x, bbox.top, ratio, bbox.height);
      const wide = context.measureText(name).width;
      const left = x + wide + 6 * ratio > bbox.left + bbox.width;
      const line = x <= taken ? 24 : 10;
      const at = left ? x - wide - 4 * ratio : x + 4 * ratio;
      const y = bbox.top + line * ratio;
      // Bars have colours of all kinds: the name is on a ground of its own.
      context.fillStyle = this.theme.background;
      context.fillRect(at - 2 * ratio, y - 7 * ratio, wide + 4 * ratio, 14 * ratio);
      context.fillStyle = this.theme.foreground;
      context.fillText(name, at, y);
      taken = x + 2 * wide + 12 * ratio;
    }
    context.restore();
  }
}

/** Powers of ten in a range; with few of them also twice and five times those. */
function decades(from: number, to: number): number[] {
  const factors = to / from > 300 ? [1] : [1, 2, 5];
  const found: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10) {
    found.push(...factors.map((factor) => power * factor).filter((value) => value >= from && value <= to));
  }
  return found;
}
