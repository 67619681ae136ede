/** What survives when the page is loaded anew. Checked, as it comes from outside of this run. */
import { groupings, type Grouping } from '../model/lanes';
import type { ColourBy, HeightBy } from '../model/paint';
import type { Span } from '../model/timeScale';
import { columnNames, type ColumnName, type Sorting } from '../model/tableColumns';

export type TabName = 'requests' | 'statistics' | 'comparison' | 'notes';

export interface SavedState {
  readonly grouping: Grouping;
  readonly colour: ColourBy;
  readonly height: HeightBy;
  readonly filter: string;
  /** undefined: everything is shown. */
  readonly span: Span | undefined;
  readonly selected: { readonly side: 0 | 1; readonly row: number } | undefined;
  readonly sorting: Sorting;
  readonly tab: TabName;
  readonly below: number;
  readonly beside: number;
}

export const firstState: SavedState = {
  grouping: 'queue',
  colour: 'opcode',
  height: 'overlap',
  filter: '',
  span: undefined,
  selected: undefined,
  sorting: { column: 'row', down: false },
  tab: 'requests',
  below: 0.46,
  beside: 0.38,
};

const tabs: readonly unknown[] = ['requests', 'statistics', 'comparison', 'notes'];

/** Whatever of it makes sense. */
export function savedState(value: unknown): SavedState {
  if (typeof value !== 'object' || value === null) return firstState;
  const { grouping, colour, height, filter, span, selected, sorting, tab, below, beside } =
    value as Partial<SavedState>;
  const part = (number: unknown): number | undefined =>
    typeof number === 'number' && number > 0 && number < 1 ? number : undefined;
  return {
    grouping: groupings.find((each) => each === grouping) ?? firstState.grouping,
    colour: (['opcode', 'latency', 'result'] as const).find((each) => each === colour) ?? firstState.colour,
    height: (['overlap', 'latency'] as const).find((each) => each === height) ?? firstState.height,
    filter: typeof filter === 'string' ? filter : '',
    span:
      Number.isFinite(span?.from) && Number.isFinite(span?.to) && span && span.to > span.from
        ? { from: span.from, to: span.to }
        : undefined,
    selected:
      selected && (selected.side === 0 || selected.side === 1) && Number.isSafeInteger(selected.row)
        ? { side: selected.side, row: selected.row }
        : undefined,
    sorting:
      sorting && columnNames.includes(sorting.column)
        ? { column: sorting.column satisfies ColumnName, down: sorting.down === true }
        : firstState.sorting,
    tab: tabs.includes(tab) && tab ? tab : firstState.tab,
    below: part(below) ?? firstState.below,
    beside: part(beside) ?? firstState.beside,
  };
}
