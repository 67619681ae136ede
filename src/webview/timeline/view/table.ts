/**
 * The requests as a table, the lanes' twin for those who read rather than look: sorted by any column, of a million rows
 * only those in view. Columns that are here come from the rows; texts are asked for when they are seen.
 */
import type { LineView, Side } from '../../../control/timeline';
import { errorName, familyIndex, opcodeName } from '../model/families';
import { isFailed } from '../../../trace/expectedErrors';
import { type ColumnName, type ColumnParts, columns, type Sorting } from '../model/tableColumns';
import { orderBy } from '../model/tableOrder';
import { thousands } from '../../../trace/countText';
import { afterPause, el, set } from './dom';
import { printDuration } from '../../../trace/times';
import type { Selected, TimelineModel } from './model';
import { NoRequests } from './noRequests';
import { showPath } from './pathText';
import { VirtualList } from './virtualList';

export interface TableParts {
  readonly model: TimelineModel;
  lines(side: Side, rows: readonly number[]): Promise<readonly LineView[]>;
  pathOrder(side: Side): Promise<Uint32Array>;
  payloads(side: Side): Promise<Uint32Array>;
  select(selected: Selected): void;
  /** Enter on a row. */
  open(): void;
  clearFilter(): void;
  sorted(sorting: Sorting): void;
}

const inSeconds = (time: number): string => (time / 1e9).toFixed(6);

const ROW_HEIGHT = 22;
const MOST_LINES = 4000;

export class Table {
  readonly element: HTMLElement;
  private readonly header: HTMLElement;
  private readonly list: VirtualList;
  private readonly none: NoRequests;
  private readonly lines = new Map<number, LineView>();
  private order: Uint32Array | undefined;
  private count = 0;
  private cursor = 0;
  private sortNumber = 0;
  side: Side = 0;
  private readonly askSoon = afterPause(30, () => void this.askLines());
  private readonly sortSoon = afterPause(200, () => void this.sort());

  constructor(
    private readonly parts: TableParts,
    private sorting: Sorting,
  ) {
    this.none = new NoRequests({
      model: parts.model,
      captures: () => (this.capture ? [this.capture] : []),
      clearFilter: () => parts.clearFilter(),
    });
    this.header = el('div', { class: 'table-row table-header', role: 'row' });
    this.list = new VirtualList(
      { rowHeight: ROW_HEIGHT, make: () => this.makeRow(), fill: (element, index) => this.fill(element, index) },
      // A browser would come to it with Tab, as to whatever scrolls.
      { role: 'rowgroup', tabindex: '-1', 'aria-label': 'Rows' },
    );
    this.list.shown = this.askSoon;
    const grid = el(
      'div',
      { class: 'table', role: 'grid', tabindex: 0, 'aria-label': 'Requests', 'aria-colcount': columns.length },
      this.header,
      this.list.element,
    );
    this.element = el('div', { class: 'table-frame' }, grid, this.none.element);
    for (const column of columns) this.header.append(this.headerCell(column));
    grid.addEventListener('keydown', (event) => this.key(event));
    grid.addEventListener('pointerdown', (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-index]') : null;
      if (row) this.choose(Number(row.dataset['index']));
    });
    grid.addEventListener('dblclick', () => this.parts.open());
    this.parts.model.on('rows', () => this.rowsChanged());
    this.parts.model.on('selection', () => this.selectionChanged());
    this.showSorting();
  }

  private get grid(): HTMLElement {
    return this.element.firstElementChild as HTMLElement;
  }

  focus(): void {
    this.grid.focus();
  }

  private get capture() {
    return this.parts.model.captures[this.side];
  }

  setSide(side: Side): void {
    this.side = side;
    this.lines.clear();
    this.order = undefined;
    this.cursor = 0;
    this.none.show();
    this.rowsChanged();
  }

  private headerCell({ name, title, number, sortable }: ColumnParts): HTMLElement {
    const cell = el('div', {
      class: `cell column-${name}${number ? ' number' : ''}`,
      role: 'columnheader',
      'data-column': name,
    });
    if (!sortable) {
      cell.append(el('span', {}, title));
      return cell;
    }
    const press = el('button', { type: 'button', tabindex: -1, title: `Sort by ${title}` }, title);
    press.addEventListener('click', () => {
      const down = this.sorting.column === name ? !this.sorting.down : false;
      this.sortBy({ column: name, down });
    });
    cell.append(press);
    return cell;
  }

  sortBy(sorting: Sorting): void {
    this.sorting = sorting;
    this.parts.sorted(sorting);
    this.showSorting();
    void this.sort().then(() => this.list.reveal(0));
  }

  get sortedBy(): Sorting {
    return this.sorting;
  }

  private showSorting(): void {
    const { column, down } = this.sorting;
    // For the style sheet, which leaves columns out. The numbers' own order is told by the time as well.
    set(this.grid, { 'data-sorted': column === 'row' && !down ? undefined : column });
    for (const cell of this.header.children) {
      if (!(cell instanceof HTMLElement)) continue;
      const mine = cell.dataset['column'] === column;
      set(cell, { 'aria-sort': mine ? (down ? 'descending' : 'ascending') : undefined });
    }
  }

  private rowsChanged(): void {
    const { capture } = this;
    if (!capture) return;
    this.grid.style.setProperty(
      '--digits',
      String(String(this.parts.model.first + Math.max(0, capture.rows.count - 1)).length),
    );
    this.grid.style.setProperty('--time-digits', String(inSeconds(capture.rows.end).length));
    const atEnd = this.parts.model.follow && this.parts.model.live;
    if (this.sorting.column === 'row' && !this.sorting.down) {
      this.order = capture.passed;
      this.show(capture.shown);
    } else this.sortSoon();
    if (atEnd) this.list.toEnd();
  }

  private show(count: number): void {
    this.count = count;
    set(this.grid, { 'aria-rowcount': count + 1 });
    this.cursor = Math.max(0, Math.min(this.cursor, count - 1));
    this.list.setCount(count);
  }

  private async sort(): Promise<void> {
    const { capture, sorting, side } = this;
    if (!capture) return;
    const number = ++this.sortNumber;
    const { rows } = capture;
    const shown = capture.passed?.slice() ?? Uint32Array.from({ length: rows.count }, (_, row) => row);
    const order = await orderBy(sorting.column, rows, shown, {
      paths: () => this.parts.pathOrder(side),
      payloads: () => this.parts.payloads(side),
    });
    if (number !== this.sortNumber) return;
    if (sorting.down) order.reverse();
    this.order = order;
    this.show(order.length);
    const { selected } = this.parts.model;
    if (selected?.side === side) this.cursor = Math.max(0, this.indexOf(selected.row));
  }

  private rowAt(index: number): number {
    return this.order ? this.order[index] : index;
  }

  private indexOf(row: number): number {
    const { order } = this;
    if (!order) return row < this.count ? row : -1;
    if (this.sorting.column !== 'row' || this.sorting.down) return order.indexOf(row);
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order[middle] < row) low = middle + 1;
      else high = middle;
    }
    return order[low] === row ? low : -1;
  }

  private makeRow(): HTMLElement {
    return el(
      'div',
      { class: 'table-row', role: 'row' },
      ...columns.map(({ name, number }, i) =>
        el('div', { class: `cell column-${name}${number ? ' number' : ''}`, role: 'gridcell', 'aria-colindex': i + 1 }),
      ),
    );
  }

  private fill(element: HTMLElement, index: number): void {
    const { capture } = this;
    if (!capture) return;
    const row = this.rowAt(index);
    const { rows } = capture;
    const { start, latency, queue, pid, opcode, error } = rows.columns;
    const { selected } = this.parts.model;
    const chosen = selected?.side === this.side && selected.row === row;
    const line = this.lines.get(row);
    const open = rows.inFlight(row);
    set(element, {
      'data-index': index,
      'data-row': row,
      id: `row-${index}`,
      'aria-rowindex': index + 2,
      'aria-selected': String(chosen),
      class: `table-row${chosen ? ' chosen' : ''}${isFailed(rows.columns, row) ? ' failed' : ''}${index === this.cursor ? ' cursor' : ''}`,
    });
    const texts: Readonly<Record<ColumnName, string>> = {
      row: String(this.parts.model.first + row),
      start: inSeconds(start[row]),
      queue: String(queue[row]),
      pid: String(pid[row]),
      opcode: opcodeName(opcode[row]),
      path: line?.path ?? '',
      what: line?.what ?? '',
      latency: latency[row] >= 0 ? printDuration(latency[row]) : '',
      result: open ? rows.missing(row) : error[row] < 0 ? errorName(error[row]) : (line?.result ?? ''),
      payload: line && line.payload > 0 ? thousands(line.payload) : '',
    };
    columns.forEach(({ name }, i) => {
      const cell = element.children[i];
      if (name === 'path') showPath(cell, texts.path);
      else if (cell.textContent !== texts[name]) cell.textContent = texts[name];
      if (name === 'opcode') set(cell, { 'data-family': familyIndex(opcode[row]) });
      if (name === 'path' || name === 'what' || name === 'result') set(cell, { 'data-tip': texts[name] || undefined });
    });
  }

  private async askLines(): Promise<void> {
    const { side } = this;
    const [first, end] = this.list.view;
    const missing: number[] = [];
    for (let index = first; index < end; index++) {
      const row = this.rowAt(index);
      const known = this.lines.get(row);
      // What was in flight may have its reply by now.
      if (known === undefined || (known.result.startsWith('…') && !this.capture?.rows.inFlight(row))) missing.push(row);
    }
    if (missing.length === 0) return;
    if (this.lines.size > MOST_LINES) this.lines.clear();
    const lines = await this.parts.lines(side, missing).catch(() => []);
    if (side !== this.side) return;
    missing.forEach((row, i) => {
      if (lines[i]) this.lines.set(row, lines[i]);
    });
    if (lines.length > 0) this.list.refresh();
  }

  private selectionChanged(): void {
    const { selected } = this.parts.model;
    if (selected && selected.side === this.side) {
      const index = this.indexOf(selected.row);
      if (index >= 0) {
        this.cursor = index;
        this.list.centre(index);
      }
    }
    this.list.refresh();
    // The rows are drawn with the next frame.
    requestAnimationFrame(() => this.pointAtCursor());
  }

  private pointAtCursor(): void {
    const element = this.list.elementOf(this.cursor);
    set(this.grid, { 'aria-activedescendant': element?.id });
  }

  private choose(index: number): void {
    if (this.count === 0) return;
    this.cursor = Math.max(0, Math.min(this.count - 1, index));
    this.list.reveal(this.cursor);
    this.parts.select({ side: this.side, row: this.rowAt(this.cursor) });
  }

  private key(event: KeyboardEvent): void {
    const page = this.list.rowsInView - 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.key === 'Enter') this.parts.open();
    else if (/^[1-9]$/.test(event.key) && event.altKey) this.sortByNumberKey(Number(event.key));
    else if (event.key in steps) {
      const selected = this.parts.model.selected !== undefined;
      this.choose(selected ? this.cursor + steps[event.key] : event.key === 'End' ? Infinity : 0);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Alt and a digit sort by that column; the same again turns the order. */
  private sortByNumberKey(number: number): void {
    const column = columns.filter(({ sortable }) => sortable)[number - 1];
    if (!column) return;
    const down = this.sorting.column === column.name ? !this.sorting.down : false;
    this.sortBy({ column: column.name, down });
  }
}
