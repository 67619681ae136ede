/**
 * The box in which a filter is written: what can come next is offered with the tables' sentences, what is wrong is
 * shown at its place while it is typed.
 *
 * VS Code's box tells no cursor: completion is for the end of the text, which is where people write. And it tells the
 * active row by its place, which is one in a list that has gone where Enter comes before the new one is shown. Such an
 * Enter waits, and takes what is active then.
 */
import * as vscode from 'vscode';
import { complete, type Completion } from '../../trace/filter/complete';
import { compileFilter, errorLine, type Filter, type FilterError } from '../../trace/filter/filter';
import { windowIsUpToDate } from '../windowIsUpToDate';

interface Item extends vscode.QuickPickItem {
  readonly action:
    { readonly kind: 'apply' } | { readonly kind: 'write'; readonly text: string } | { readonly kind: 'none' };
}

/** The list for a text: whether it is what the person sees, and whether Enter came before that. */
interface Offered {
  readonly text: string;
  shown: boolean;
  entered: boolean;
}

const MOST_COMPLETIONS = 60;
const icons: Readonly<Record<Completion['kind'], string>> = {
  field: 'symbol-field',
  opcode: 'symbol-event',
  operator: 'symbol-operator',
  value: 'symbol-enum-member',
  unit: 'symbol-ruler',
  symbol: 'symbol-operator',
};

/** A compiled filter; undefined when the person has thought better of it. An empty text lets everything pass. */
export function askFilter(text: string, recent: readonly string[]): Promise<Filter | undefined> {
  const box = vscode.window.createQuickPick<Item>();
  box.title = 'Filter Requests';
  box.placeholder = 'opcode == READ && latency > 5ms && path ~ "*.db"';
  box.matchOnDescription = box.matchOnDetail = false;
  box.ignoreFocusOut = true;
  box.buttons = [{ iconPath: new vscode.ThemeIcon('question'), tooltip: 'The Filter Language' }];
  let offered: Offered | undefined;
  let result: Filter | undefined;
  const offer = async (): Promise<void> => {
    const mine: Offered = { text: box.value, shown: false, entered: false };
    offered = mine;
    box.items = itemsFor(box.value, recent);
    await windowIsUpToDate();
    if (mine !== offered) return;
    mine.shown = true;
    if (mine.entered) enter();
  };
  const enter = (): void => {
    const action = box.activeItems[0]?.action ?? { kind: 'apply' };
    if (action.kind === 'write') {
      box.value = action.text;
      void offer();
      return;
    }
    const filter = compileFilter(box.value);
    if (!filter.ok) return;
    result = filter.value;
    box.hide();
  };
  return new Promise((resolve) => {
    box.onDidChangeValue((value) => {
      if (value !== offered?.text) void offer();
    });
    box.onDidAccept(() => {
      if (offered && !offered.shown) offered.entered = true;
      else enter();
    });
    box.onDidTriggerButton(() => void vscode.commands.executeCommand('virtiofs.requests.filterHelp'));
    box.onDidHide(() => {
      offered = undefined;
      box.dispose();
      resolve(result);
    });
    box.value = text;
    void offer();
    box.show();
  });
}

export function itemsFor(text: string, recent: readonly string[]): Item[] {
  const filter = compileFilter(text);
  const first = filter.ok ? applyItem(text) : errorItem(text, filter.error);
  const offered = complete(text, text.length)
    .slice(0, MOST_COMPLETIONS)
    .map((one): Item => {
      const written = text.slice(0, one.from) + one.label + text.slice(one.to);
      const end = one.kind === 'unit' || one.kind === 'value' || /[("/]$/.test(one.label) ? '' : ' ';
      return {
        label: `$(${icons[one.kind]}) ${one.label}`,
        description: one.detail,
        alwaysShow: true,
        action: { kind: 'write', text: spaced(written, one, text) + end },
      };
    });
  if (text === '') return [...first, ...recent.map(recentItem), ...offered];
  // A word that is not finished is no mistake yet.
  const typing = !filter.ok && filter.error.to >= text.trimEnd().length && offered.length > 0;
  if (!typing) return [...first, ...offered];
  // VS Code would put a row that has the whole text before what the text ends in.
  return [...offered, ...first.filter((row) => !offered.some((one) => writesTheSame(one, row)))];
}

const writesTheSame = ({ action: one }: Item, { action: other }: Item): boolean =>
  one.kind === 'write' && other.kind === 'write' && one.text.trimEnd() === other.text;

/** With a blank between an operator and the word before it. */
function spaced(written: string, { from, kind, label }: Completion, text: string): string {
  const needs = kind === 'operator' && label !== '!' && from > 0 && from === text.length && !/\s$/.test(text);
  return needs ? `${written.slice(0, from)} ${label}` : written;
}

function applyItem(text: string): Item[] {
  const all = text.trim() === '';
  const label = all ? '$(clear-all) Show all requests' : '$(filter) Show only these';
  return [{ label, description: all ? '' : text, alwaysShow: true, action: { kind: 'apply' } }];
}

/** The message, and the text with the place marked; then what was probably meant. */
function errorItem(text: string, error: FilterError): Item[] {
  const unfinished = error.from >= text.trimEnd().length;
  const marked = unfinished
    ? `${text.trimEnd()} ▸ …`
    : `${text.slice(0, error.from)}▸${text.slice(error.from, error.to)}◂${text.slice(error.to)}`;
  const items: Item[] = [
    {
      label: `$(${unfinished ? 'edit' : 'error'}) ${errorLine(error)}`,
      detail: marked,
      alwaysShow: true,
      action: { kind: 'none' },
    },
  ];
  if (error.suggestion !== undefined && !unfinished) {
    const mended = text.slice(0, error.from) + error.suggestion + text.slice(error.to);
    items.push({
      label: `$(lightbulb) ${mended}`,
      description: 'what was probably meant',
      alwaysShow: true,
      action: { kind: 'write', text: mended },
    });
  }
  return items;
}

function recentItem(text: string): Item {
  return { label: `$(history) ${text}`, description: 'recent', alwaysShow: true, action: { kind: 'write', text } };
}
