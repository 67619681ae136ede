/** Two captures in figures: by opcode, what only one of them asks, and where they part. */
import type { ComparisonView as Comparison, OnlyView, Side } from '../../../control/timeline';
import { requestsText, thousands } from '../../../trace/countText';
import { el } from './dom';
import { printDuration } from '../../../trace/times';
import type { Selected } from './model';

export interface ComparisonParts {
  compare(): Promise<Comparison>;
  title(side: Side): string;
  select(selected: Selected): void;
}

export class ComparisonView {
  readonly element = el('div', { class: 'comparison' });
  private asked = false;

  constructor(private readonly parts: ComparisonParts) {}

  shown(): void {
    if (this.asked) return;
    this.asked = true;
    this.element.replaceChildren(el('p', { class: 'empty', role: 'status' }, 'Comparing…'));
    this.parts.compare().then(
      (comparison) => this.fill(comparison),
      (error: unknown) => {
        this.asked = false;
        const text = error instanceof Error ? error.message : String(error);
        this.element.replaceChildren(el('p', { class: 'empty' }, `The captures could not be compared: ${text}`));
      },
    );
  }

  private fill({ opcodes, only, kinds, divergence }: Comparison): void {
    const names = ['A', 'B'] as const;
    const head = el(
      'tr',
      {},
      el('th', { scope: 'col' }, 'Opcode'),
      ...['Count', 'p50', 'p95'].flatMap((title) => heads(title, 'A', 'B', 'Change')),
      ...heads('Errors', 'A', 'B'),
    );
    const body = opcodes.map(({ opcode, counts, errors, p50, p95 }) =>
      el(
        'tr',
        {},
        el('td', {}, opcode),
        number(thousands(counts[0])),
        number(thousands(counts[1])),
        change(counts[0], counts[1], Infinity),
        ...[p50, p95].flatMap(([a, b]) => [number(printDuration(a)), number(printDuration(b)), change(a, b, 0.1)]),
        number(thousands(errors[0])),
        el('td', { class: `number${errors[1] > errors[0] ? ' worse' : ''}` }, thousands(errors[1])),
      ),
    );
    const table = el(
      'table',
      { 'aria-label': 'Comparison by opcode' },
      el('thead', {}, head),
      el('tbody', {}, ...body),
    );
    const parting = divergence
      ? [
          el(
            'p',
            { class: 'doc' },
            `On queue ${divergence.queues[0]} ${divergence.same === 1 ? 'the first request is' : `the first ${requestsText(divergence.same)} are`} the same.`,
          ),
          ...names.map((name, side) => this.list(`${name} goes on with`, divergence.rows[side], side as Side, false)),
        ]
      : [el('p', { class: 'doc' }, 'The captures ask the same, in the same order.')];
    const alone = names.map((name, side) =>
      this.list(`Only in ${name} (${thousands(kinds[side])})`, only[side], side as Side, true),
    );
    this.element.replaceChildren(
      el('div', { class: 'statistics-table' }, table),
      el('div', { class: 'parting' }, el('h3', {}, 'Where they part'), ...parting),
      el('div', { class: 'parting' }, el('h3', {}, 'What only one asks'), ...alone),
    );
  }

  private list(title: string, rows: readonly OnlyView[], side: Side, counted: boolean): HTMLElement {
    const items = rows.map(({ row, count, line }) => {
      const press = el('button', { type: 'button', class: 'link' }, line);
      press.addEventListener('click', () => this.parts.select({ side, row }));
      return el('li', {}, ...(counted ? [el('span', { class: 'where' }, `${thousands(count)} ×`)] : []), press);
    });
    const none = rows.length === 0 ? [el('li', { class: 'doc' }, 'nothing')] : [];
    return el('div', {}, el('h4', {}, title), el('ul', {}, ...items, ...none));
  }
}

/** Of columns that belong together: the first one says what they are. */
const heads = (title: string, ...columns: readonly string[]): HTMLElement[] =>
  columns.map((column, i) =>
    el(
      'th',
      { scope: 'col', class: 'number', 'aria-label': `${title} ${column}` },
      i === 0 ? `${title} ${column}` : column,
    ),
  );

const number = (text: string): HTMLElement => el('td', { class: 'number' }, text);

/** By how much B is more or less; `least`: changes below that part are not worth a colour. */
function change(a: number, b: number, least: number): HTMLElement {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === b) return el('td', { class: 'number doc' }, '');
  if (a === 0) return el('td', { class: 'number worse' }, 'new');
  const part = (b - a) / a;
  const text = `${part > 0 ? '+' : '−'}${Math.abs(part * 100).toFixed(Math.abs(part) < 0.1 ? 1 : 0)} %`;
  const kind = Math.abs(part) <= least ? 'doc' : part > 0 ? 'worse' : 'better';
  return el('td', { class: `number ${kind}` }, text);
}
