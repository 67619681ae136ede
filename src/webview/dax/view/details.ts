/** What is selected: all facts, who was there before, and ways to the requests. */
import type { PlaceView, WindowView } from '../../../control/daxWindow';
import { printDuration } from '../../../trace/times';
import { el } from '../../timeline/view/dom';
import type { Grid } from '../model/grid';
import { sizeText } from '../../../trace/sizeText';
import { factsOf, pathWords, timesWords } from '../model/words';

export interface DetailActs {
  reveal(request: number, where: 'requests' | 'timeline'): void;
  requests(nodeid: string): void;
}

export class Details {
  readonly element = el('section', { class: 'details', 'aria-label': 'Selected range', hidden: true });
  private drawn = '';

  constructor(private readonly act: DetailActs) {}

  draw(view: WindowView, grid: Grid, cell: number, place: PlaceView | undefined): void {
    this.element.hidden = cell < 0;
    if (cell < 0) return;
    const range = view.ranges[grid.range[cell]];
    const facts = factsOf(view, grid, cell).map(({ name, value }) => [name, value] as const);
    const known = place && range && place.offset >= range.offset && place.offset < range.offset + range.length;
    if (known) facts.push(['This part', `mapped ${timesWords(place.partMaps)} in all`]);
    // What somebody is at with the keyboard is made anew only when it says something else.
    const now = JSON.stringify([facts.filter(([name]) => name !== 'Mapped'), range?.request, place]);
    if (now === this.drawn) {
      const mapped = this.element.querySelector('[data-name="Mapped"]');
      if (mapped) mapped.textContent = facts.find(([name]) => name === 'Mapped')?.[1] ?? '';
      return;
    }
    this.drawn = now;
    const list = el(
      'dl',
      {},
      ...facts.flatMap(([name, value]) => [
        el('dt', {}, name),
        el('dd', { 'data-name': name, title: name === 'File' ? value : undefined }, value),
      ]),
    );
    const earlier = (place?.uses ?? []).slice(range ? 1 : 0);
    this.element.replaceChildren(list, ...this.ways(view, range), ...this.earlier(view, earlier, place?.more ?? 0));
  }

  private ways(view: WindowView, range: WindowView['ranges'][number] | undefined): Node[] {
    if (!range) return [];
    const nodeid = view.files[range.file]?.nodeid ?? '0';
    const way = (text: string, act: () => void): HTMLElement => {
      const button = el('button', { type: 'button', class: 'way' }, text);
      button.addEventListener('click', act);
      return button;
    };
    const there = range.request >= 0;
    return [
      el(
        'div',
        { class: 'ways' },
        ...(there
          ? [
              way('Show Request', () => this.act.reveal(range.request, 'requests')),
              way('Show in Timeline', () => this.act.reveal(range.request, 'timeline')),
            ]
          : []),
        way('Requests of This File', () => this.act.requests(nodeid)),
      ),
    ];
  }

  private earlier(view: WindowView, uses: PlaceView['uses'], more: number): Node[] {
    if (uses.length === 0) return [];
    const shown = uses.slice(0, 8);
    const rest = uses.length - shown.length + more;
    return [
      el('h3', {}, 'Here before'),
      el(
        'ul',
        { class: 'uses' },
        ...shown.map(({ time, path, fileOffset, pid }) =>
          el(
            'li',
            { title: `process ${pid}` },
            el('span', { class: 'path' }, pathWords(path)),
            el(
              'span',
              { class: 'when' },
              `${sizeText(fileOffset)}, ${printDuration(Math.max(0, view.time - time))} ago`,
            ),
          ),
        ),
      ),
      ...(rest > 0 ? [el('p', { class: 'more' }, `and ${timesWords(rest)} before`)] : []),
    ];
  }
}
