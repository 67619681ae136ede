/**
 * The timeline's page as a whole: its parts, where they are, what they ask of each other, and what comes from the
 * extension for them. What one part can do alone is not here.
 */
import type { Note, Side } from '../../../control/timeline';
import { errorName, opcodeName } from '../model/families';
import { showing } from '../model/timeScale';
import { ComparisonView } from './comparisonView';
import { Connection, type Told } from './connection';
import { Details } from './details';
import { afterPause, choice, el, set } from './dom';
import { printDuration } from '../../../trace/times';
import { FilterBox } from './filterBox';
import { Filtering } from './filtering';
import { keysAloud, keysDialog } from './keysHelp';
import { LanesInput } from './lanesInput';
import { type Hit, LanesView } from './lanesView';
import { legend } from './legend';
import { type Selected, TimelineModel } from './model';
import { NoRequests } from './noRequests';
import { Notes } from './notes';
import { OverviewView } from './overviewView';
import { PathTexts } from './pathTexts';
import { pauseButton } from './pauseButton';
import { savedState, type SavedState, type TabName } from './savedState';
import { ShownText } from './shownText';
import { StateView } from './stateView';
import { StatisticsView } from './statisticsView';
import { Table } from './table';
import { Tabs } from './tabs';
import { TextTip } from './textTip';
import { onThemeChange, readTheme } from './theme';
import { toolbar } from './toolbar';
import { Tooltip } from './tooltip';
import { type Shares, twoParts } from './twoParts';
import { WindowLane } from './windowLane';

export class Timeline {
  private readonly model = new TimelineModel();
  private readonly connection = new Connection((message) => this.take(message));
  private readonly filtering = new Filtering(this.model, this.connection);
  private readonly saved: SavedState;
  private readonly paths: PathTexts;
  private readonly overview: OverviewView;
  private readonly lanes: LanesView;
  private readonly windowLane: WindowLane;
  private readonly input: LanesInput;
  private readonly table: Table;
  private readonly details: Details;
  private readonly statistics: StatisticsView;
  private readonly comparison: ComparisonView;
  private readonly notes: Notes;
  private readonly tabs: Tabs;
  private readonly filterBox: FilterBox;
  private readonly tooltip: Tooltip;
  private readonly shown = new ShownText(this.model);
  private readonly live = el('div', { class: 'screen-reader', 'aria-live': 'polite' });
  private readonly sideChoice = choice<'0' | '1'>(
    'Capture',
    [
      ['0', 'A'],
      ['1', 'B'],
    ],
    '0',
    (side) => this.showSide(Number(side) as Side),
  );
  private readonly help = keysDialog();
  private shares: Shares;
  private wanted: Pick<SavedState, 'span' | 'selected'> | undefined;
  private readonly saveSoon = afterPause(200, () => this.save());

  constructor(private readonly root: HTMLElement) {
    this.saved = savedState(this.connection.state);
    this.wanted = this.saved;
    const { saved, model } = this;
    this.shares = { below: saved.below, beside: saved.beside };
    model.grouping = saved.grouping;
    model.colour = saved.colour;
    model.height = saved.height;
    const theme = readTheme();
    const clearFilter = (): void => this.clearFilter();
    this.paths = new PathTexts(this.connection, () => this.lanes.named());
    this.overview = new OverviewView(model, theme);
    this.lanes = new LanesView(model, this.paths, theme);
    this.windowLane = new WindowLane(model, theme, {
      ask: async (side) => (await this.connection.ask<'window'>({ about: 'window', side })).occupancy,
      left: () => this.lanes.left,
    });
    this.tooltip = new Tooltip(model, this.paths);
    this.table = new Table(
      {
        model,
        lines: async (side, rows) => (await this.connection.ask<'lines'>({ about: 'lines', side, rows })).lines,
        pathOrder: async (side) => (await this.connection.ask<'pathOrder'>({ about: 'pathOrder', side })).ranks,
        payloads: async (side) => (await this.connection.ask<'payloads'>({ about: 'payloads', side })).payloads,
        select: (selected) => this.select(selected),
        open: () => this.details.focus(),
        clearFilter,
        sorted: this.saveSoon,
      },
      saved.sorting,
    );
    this.details = new Details({
      model,
      request: async ({ side, row }) => (await this.connection.ask<'request'>({ about: 'request', side, row })).request,
      say: (text) => this.say(text),
    });
    this.statistics = new StatisticsView(model, theme, clearFilter);
    this.comparison = new ComparisonView({
      compare: async () => (await this.connection.ask<'comparison'>({ about: 'comparison' })).comparison,
      title: (side) => model.states[side]?.title ?? '',
      select: (selected) => this.select(selected),
    });
    this.notes = new Notes({
      model,
      keep: (notes, removed, edition) => this.connection.send({ kind: 'notes', notes, removed, edition }),
      open: () => this.tabs.choose('notes'),
      counted: (count) => this.tabs.title('notes', count === 0 ? 'Notes' : `Notes (${count})`),
      goTo: (note) => this.goTo(note),
      leave: () => this.lanes.surface.focus(),
      say: (text) => this.say(text),
    });
    this.filterBox = new FilterBox({
      text: saved.filter,
      complete: async (text, cursor) =>
        (await this.connection.ask<'complete'>({ about: 'complete', text, cursor })).completions,
      apply: (text) => {
        this.saveSoon();
        return this.filtering.apply(text);
      },
    });
    this.tabs = new Tabs(
      [
        { name: 'requests', title: 'Requests', panel: this.table.element },
        {
          name: 'statistics',
          title: 'Statistics',
          panel: this.statistics.element,
          shown: () => this.statistics.shown(),
        },
        {
          name: 'comparison',
          title: 'Comparison',
          panel: this.comparison.element,
          shown: () => this.comparison.shown(),
        },
        { name: 'notes', title: 'Notes', panel: this.notes.element },
      ],
      saved.tab,
      this.saveSoon,
    );
    this.input = new LanesInput({
      model,
      view: this.lanes,
      select: (selected) => this.select(selected),
      hover: (hit, event) => this.hover(hit, event),
      note: () => this.notes.add(),
      goToNote: (step) => this.notes.step(step),
      focusDetails: () => this.details.focus(),
      focusFilter: () => this.filterBox.focus(),
      clearFilter,
    });
    this.build();
    this.listen();
    this.connection.send({ kind: 'ready' });
  }

  private build(): void {
    const { model, saved } = this;
    const tools = toolbar({
      model,
      input: this.input,
      pause: pauseButton(model, (paused) => this.connection.send({ kind: 'pause', paused })),
      changed: this.saveSoon,
      note: () => this.notes.add(),
      compare: () => this.connection.send({ kind: 'compareWith' }),
      export: () => this.export(),
      help: () => this.toggleHelp(),
    });
    this.sideChoice.element.hidden = true;
    this.tabs.bar.append(el('span', { class: 'gap' }), this.sideChoice.element);
    const frame = twoParts({
      upper: [
        this.overview.element,
        this.lanes.element,
        this.windowLane.element,
        el('div', { class: 'legend-bar' }, legend(model), this.shown.range),
      ],
      lower: [this.tabs.bar, ...this.tabs.panels],
      details: this.details.element,
      shares: { below: saved.below, beside: saved.beside },
      changed: (shares) => {
        this.shares = shares;
        this.saveSoon();
      },
    });
    const none = new NoRequests({
      model,
      captures: () => model.captures,
      clearFilter: () => this.clearFilter(),
    });
    this.lanes.element.append(none.element);
    const states = new StateView(model);
    this.root.append(
      el('div', { class: 'bar' }, this.filterBox.element, this.shown.count, tools),
      states.progress,
      states.banner,
      frame,
      states.failure,
      this.help,
      this.tooltip.element,
      new TextTip(this.root).element,
      keysAloud(),
      this.live,
    );
    set(this.tabs.tab('comparison'), { hidden: true });
  }

  private listen(): void {
    const { model } = this;
    model.on('span', this.saveSoon);
    model.on('selection', this.saveSoon);
    model.on('rows', () => {
      this.restore();
      set(this.root, { 'data-rows': model.captures.reduce((sum, { rows }) => sum + rows.count, 0) });
    });
    model.on('state', () => {
      set(this.root, { 'aria-busy': String(!model.complete), 'data-complete': String(model.complete) });
    });
    onThemeChange(() => {
      const theme = readTheme();
      this.lanes.theme = theme;
      this.overview.theme = theme;
      this.windowLane.theme = theme;
      this.statistics.setTheme(theme);
      this.lanes.draw();
      this.overview.draw();
      this.windowLane.draw();
    });
    document.addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') this.filterBox.focus();
      else if (event.key === '?') this.toggleHelp();
      else if (event.key === 'Escape' && model.nonePasses && !this.help.open) this.clearFilter();
      else return;
      event.preventDefault();
    });
  }

  private toggleHelp(): void {
    if (this.help.open) this.help.close();
    else this.help.showModal();
  }

  // What comes from the extension

  private take(message: Told): void {
    const { model } = this;
    switch (message.kind) {
      case 'begin':
        model.begin(message.sides, message.live, message.first);
        this.sideChoice.element.hidden = message.sides === 1;
        set(this.tabs.tab('comparison'), { hidden: message.sides === 1 });
        if (message.sides === 1 && this.tabs.current === 'comparison') this.tabs.choose('requests');
        else this.tabs.choose(this.tabs.current);
        this.filtering.begin();
        this.filterBox.again();
        break;
      case 'state':
        model.states[message.state.side] = message.state;
        model.tell('state');
        break;
      case 'rows': {
        const { side, from, count, columns, all } = message;
        if (model.captures[side]?.append(from, count, columns, all)) model.rowsChanged();
        break;
      }
      case 'changed':
        if (model.captures[message.side]?.change(message.rows, message.columns))
          this.rowsAnswered(message.side, message.rows);
        break;
      case 'passed':
        this.filtering.take(message);
        break;
      case 'notes':
        this.notes.take(message);
        break;
      case 'reveal':
        this.wanted = { span: undefined, selected: { side: message.side, row: message.row } };
        this.restore();
    }
  }

  private rowsAnswered(side: Side, rows: Uint32Array): void {
    const { selected } = this.model;
    this.model.rowsChanged();
    if (selected?.side === side && rows.includes(selected.row)) this.details.refresh();
  }

  /** Once the rows are there, what was to be seen before the page was loaded anew. */
  private restore(): void {
    const { wanted, model } = this;
    if (!wanted) return;
    if (wanted.selected && !model.captures[wanted.selected.side]) this.wanted = undefined;
    else if (wanted.selected && wanted.selected.row >= model.captures[wanted.selected.side].rows.count) {
      if (model.complete) this.wanted = undefined;
    } else if (model.complete || wanted.selected) {
      this.wanted = undefined;
      if (wanted.span) model.show(wanted.span);
      if (wanted.selected) this.select(wanted.selected);
    }
  }

  // What a person does

  private select(selected: Selected | undefined): void {
    const { model } = this;
    if (selected) {
      const { rows } = model.captures[selected.side];
      const from = rows.columns.start[selected.row];
      if (selected.side !== this.table.side) this.showSide(selected.side);
      model.select(selected);
      const span = showing(model.span, from, rows.until(selected.row), model.bounds);
      if (span !== model.span) this.input.glide(span);
      this.lanes.revealLane(selected);
      this.say(this.describe(selected));
    } else model.select(undefined);
  }

  private describe({ side, row }: Selected): string {
    const { rows } = this.model.captures[side];
    const { columns } = rows;
    const path = this.paths.get(side, columns.path[row]) ?? '';
    const latency = columns.latency[row];
    const result = columns.error[row] < 0 ? errorName(columns.error[row]) : '';
    const parts = [
      opcodeName(columns.opcode[row]),
      path,
      `at ${(columns.start[row] / 1e9).toFixed(6)} seconds`,
      latency >= 0 ? `took ${printDuration(latency)}` : rows.missing(row),
      result,
    ];
    return parts.filter((part) => part !== '').join(', ');
  }

  private say(text: string): void {
    this.live.textContent = text;
    set(this.lanes.surface, { 'aria-label': `Timeline. ${text}` });
  }

  private hover(hit: Hit | undefined, event: PointerEvent | undefined): void {
    const { hovered } = this.lanes;
    this.lanes.hovered = hit?.selected;
    if (hovered?.row !== hit?.selected?.row || hovered?.side !== hit?.selected?.side) this.lanes.drawOver();
    this.tooltip.show(hit?.selected, event);
  }

  /** The focus goes to what there is to see then: where it was may be gone. */
  private clearFilter(): void {
    this.filterBox.setText('');
    this.lanes.surface.focus();
  }

  private showSide(side: Side): void {
    this.sideChoice.select.value = String(side);
    this.table.setSide(side);
    this.statistics.setSide(side);
  }

  private export(): void {
    const { fitted, span } = this.model;
    const [from, to] = fitted ? [0, Number.MAX_SAFE_INTEGER] : [span.from, span.to];
    this.connection.send({ kind: 'export', side: this.table.side, from, to });
  }

  private goTo(note: Note): void {
    if (note.row !== undefined) this.select({ side: 0, row: note.row });
    else this.input.glide(showing(this.model.span, note.at, note.at, this.model.bounds));
    this.lanes.surface.focus();
  }

  private save(): void {
    const { model } = this;
    this.connection.state = {
      grouping: model.grouping,
      colour: model.colour,
      height: model.height,
      filter: this.filterBox.text,
      span: model.fitted ? undefined : model.span,
      selected: model.selected,
      sorting: this.table.sortedBy,
      tab: this.tabs.current satisfies TabName,
      ...this.shares,
    } satisfies SavedState;
  }
}
