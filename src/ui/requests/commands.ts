/** What is done with requests: the commands of the view "Requests", one row each. */
import * as vscode from 'vscode';
import { capital } from '../../base/capital';
import { Trouble, trouble } from '../../base/catalogue';
import { type RunningShare, runningShares } from '../../control/runningShares';
import { printId } from '../../protocol/print';
import { compileFilter } from '../../trace/filter/filter';
import { jsonRow } from '../../trace/jsonRow';
import { requestLine } from '../../trace/line';
import type { Grouping } from '../../trace/requestGroups';
import type { Captures } from '../captures/captures';
import { showError, showInformation } from '../messages';
import { showTrouble } from '../troubleMessage';
import { askFilter } from './filterBox';
import { groupFilter } from './groupFilter';
import { numberOf, type RequestsNode, type RequestsView } from './requestsView';
import { shownPath } from '../shownPath';
import { shownTime } from '../shownTime';
import { withChosen } from '../withChosen';

export interface RequestsContext {
  readonly captures: Captures;
  readonly requests: RequestsView;
  /** Of this workspace. */
  readonly memory: vscode.Memento;
}

const RECENT = 'virtiofs.requests.recentFilters';
const MOST_RECENT = 10;
const MOST_COPIED = 10_000;

type Command = (context: RequestsContext, ...args: readonly unknown[]) => unknown;

const grouped =
  (by: Grouping): Command =>
  ({ requests }) => {
    requests.model.group(by);
    requests.follower.ask();
    requests.refresh();
  };

const groupings: readonly Grouping[] = ['time', 'file', 'process', 'opcode'];

const groupCommands = groupings.flatMap((by) => withChosen(`virtiofs.requests.groupBy${capital(by)}`, grouped(by)));

export const requestCommands: Readonly<Record<string, Command>> = {
  'virtiofs.requests.watch': ({ captures }, pid) => watch(captures, pid),
  'virtiofs.requests.openFile': ({ captures }, uri) => openFile(captures, uri),
  'virtiofs.requests.switch': ({ captures }) => switchCapture(captures),
  'virtiofs.requests.filter': filter,
  'virtiofs.requests.setFilter': (context, text) => setFilter(context, typeof text === 'string' ? text : ''),
  'virtiofs.requests.clearFilter': (context) => setFilter(context, ''),
  'virtiofs.requests.pause': ({ captures }) => captures.active?.pause(true),
  'virtiofs.requests.resume': ({ captures, requests }) => {
    requests.model.showNewest();
    captures.active?.pause(false);
  },
  'virtiofs.requests.clear': ({ captures }) => captures.active?.clear(),
  'virtiofs.requests.reconnect': ({ captures }) => captures.active?.reconnect(),
  'virtiofs.requests.close': ({ captures }) => captures.active && captures.close(captures.active),
  ...Object.fromEntries(groupCommands),
  'virtiofs.requests.more': ({ requests }, node) => more(requests, node),
  'virtiofs.requests.nextError': (context) => nextError(context, true),
  'virtiofs.requests.previousError': (context) => nextError(context, false),
  'virtiofs.requests.followInode': (context, node) => followRow(context, node, 'inode'),
  'virtiofs.requests.followHandle': (context, node) => followRow(context, node, 'handle'),
  'virtiofs.requests.followProcess': (context, node) => followRow(context, node, 'process'),
  'virtiofs.requests.filterGroup': filterGroup,
  'virtiofs.requests.reveal': ({ requests }, at) => typeof at === 'number' && reveal(requests, at),
  'virtiofs.requests.revealInTimeline': revealInTimeline,
  'virtiofs.requests.copyText': (context, node, all) =>
    copy(context, node, all, (capture, row) => requestLine(capture, row).trim()),
  'virtiofs.requests.copyJson': (context, node, all) => copy(context, node, all, jsonRow),
  'virtiofs.requests.copyValue': (_context, node) => copyValue(node),
  'virtiofs.requests.filterHelp': () =>
    vscode.commands.executeCommand('vscode.open', vscode.Uri.parse('virtiofs-trace:/filter-language.md')),
};

// Captures

/** The share of that process, the only one, or the one that is picked. */
async function watch(captures: Captures, pid?: unknown): Promise<void> {
  let shares: RunningShare[];
  try {
    shares = runningShares();
  } catch (error) {
    return void showError(error instanceof Error ? error.message : String(error));
  }
  if (shares.length === 0) {
    const share = 'Share Folder into VM…';
    // Where it would be refused it is not offered.
    const offered = vscode.workspace.isTrusted ? [share] : [];
    const chosen = await showInformation('No share of this user runs.', ...offered);
    return void (chosen === share && vscode.commands.executeCommand('virtiofs.shareFolder'));
  }
  const named = shares.find((one) => one.pid === pid);
  if (named) {
    captures.watch(named);
    return void vscode.commands.executeCommand('virtiofs.requests.focus');
  }
  const items = shares.map((one) => ({
    label: `$(broadcast) ${one.tag}`,
    description: shownPath(one.directory),
    detail: `process ${one.pid}, since ${shownTime(one.started)}`,
    one,
  }));
  const chosen =
    items.length === 1 ? items[0] : await vscode.window.showQuickPick(items, { title: 'Watch which share?' });
  if (chosen) captures.watch(chosen.one);
}

async function openFile(captures: Captures, clicked: unknown): Promise<void> {
  const options = { canSelectMany: false, openLabel: 'Open Capture', filters: { 'FUSE captures': ['pcapng'] } };
  const uri = clicked instanceof vscode.Uri ? clicked : (await vscode.window.showOpenDialog(options))?.[0];
  if (!uri) return;
  // Its path means another file here, or none.
  if (uri.scheme !== 'file') {
    return void showError('The views show captures of the machine that the extension runs on; this one is elsewhere.');
  }
  try {
    captures.openFile(uri.fsPath);
    await vscode.commands.executeCommand('virtiofs.requests.focus');
  } catch (error) {
    const { message, remedy } = error instanceof Trouble ? error : trouble('unexpected', String(error));
    void showTrouble(message, remedy);
  }
}

async function switchCapture(captures: Captures): Promise<void> {
  const items = captures.all.map((capture) => ({
    label: `$(${capture.kind === 'live' ? 'broadcast' : 'file'}) ${capture.title}`,
    description: `${shownPath(capture.about)}${capture === captures.active ? ' · shown now' : ''}`,
    run: async () => captures.activate(capture),
  }));
  const others = [
    { label: '$(add) Watch a share…', description: '', run: () => watch(captures) },
    { label: '$(folder-opened) Open a capture file…', description: '', run: () => openFile(captures, undefined) },
  ];
  const chosen = await vscode.window.showQuickPick([...items, ...others], { title: 'Which capture?' });
  await chosen?.run();
}

// Filters

async function filter(context: RequestsContext): Promise<void> {
  const recent = context.memory.get<string[]>(RECENT, []).filter((one) => typeof one === 'string');
  const chosen = await askFilter(context.requests.model.filter?.text ?? '', recent);
  if (chosen) await setFilter(context, chosen.text);
}

async function setFilter({ requests, memory }: RequestsContext, text: string): Promise<void> {
  const compiled = compileFilter(text);
  if (!compiled.ok) return;
  const empty = text.trim() === '';
  requests.model.setFilter(empty ? undefined : compiled.value);
  requests.follower.ask();
  requests.refresh();
  if (empty) return;
  const recent = memory.get<string[]>(RECENT, []).filter((one) => one !== text);
  await memory.update(RECENT, [text, ...recent].slice(0, MOST_RECENT));
}

const noneSelected = (): void => void showInformation('No request is selected in the view Requests.');

const selected = ({ requests }: RequestsContext, node: unknown): RequestsNode | undefined =>
  (node as RequestsNode | undefined) ?? requests.view.selection[0];

async function followRow(context: RequestsContext, node: unknown, what: 'inode' | 'handle' | 'process'): Promise<void> {
  const { model } = context.requests;
  const at = numberOf(selected(context, node));
  const row = at === undefined ? undefined : model.rowOf(at);
  const reader = model.capture?.reader;
  if (row === undefined || !reader) return noneSelected();
  if (what === 'process') return setFilter(context, `pid == ${reader.columns.pid[row]}`);
  const request = reader.request(row);
  if (what === 'inode') return setFilter(context, inodeFilter(printId(request?.nodeid ?? 0n)));
  const replied = reader.reply(row);
  const fields = [...(request?.structs ?? []), ...(replied?.structs ?? [])].flatMap(({ children }) => children ?? []);
  const handle = fields.find(({ name, value }) => name === 'fh' && typeof value === 'bigint' && value !== 0n);
  if (!handle) return void showInformation('This request has no handle.');
  const id = printId(handle.value as bigint);
  return setFilter(context, `fh == ${id} || reply.fh == ${id}`);
}

/** What is about an inode, and what has told of it. */
const inodeFilter = (id: string): string => `nodeid == ${id} || reply.nodeid == ${id}`;

async function filterGroup(context: RequestsContext, node: unknown): Promise<void> {
  const { model } = context.requests;
  const of = node as RequestsNode | undefined;
  if (of?.kind !== 'group') return;
  const facts = model.groupFacts(of.id);
  const filter = facts && groupFilter(model.grouping, facts, model.pathOf(of.id));
  if (filter !== undefined) return setFilter(context, filter);
  void showInformation('These are the requests of many files: no filter says which.');
}

// Rows

function more(requests: RequestsView, node: unknown): void {
  const of = node as RequestsNode | undefined;
  if (of?.kind === 'older') requests.model.showMore(of.of);
  else if (of?.kind === 'newer') requests.model.showNewest();
  requests.refresh();
}

async function reveal(requests: RequestsView, at: number): Promise<boolean> {
  if (await requests.reveal(at)) return true;
  const kept = requests.model.rowOf(at) !== undefined;
  void showInformation(`Request #${at} ${kept ? 'has no reply so far' : 'is not kept any more'}.`);
  return false;
}

async function nextError(context: RequestsContext, forward: boolean): Promise<number | undefined> {
  const { requests } = context;
  await requests.follower.catchUp();
  const next = requests.model.nextError(requests.selected, forward);
  if (next === undefined) {
    void showInformation(forward ? 'No error after this request.' : 'No error before this request.');
    return undefined;
  }
  await reveal(requests, next);
  return next;
}

async function revealInTimeline(context: RequestsContext, node: unknown): Promise<void> {
  const { capture } = context.requests.model;
  const at = numberOf(selected(context, node));
  if (!capture || at === undefined) return noneSelected();
  await vscode.commands.executeCommand('virtiofs.timeline.reveal', { capture: capture.id, row: at - capture.dropped });
}

async function copy(
  context: RequestsContext,
  node: unknown,
  all: unknown,
  print: (capture: NonNullable<RequestsView['model']['capture']>['reader'], row: number) => string,
): Promise<void> {
  const { model, view } = context.requests;
  const reader = model.capture?.reader;
  const chosen: readonly unknown[] =
    Array.isArray(all) && all.length > 0 ? all : node === undefined ? view.selection : [node];
  if (!reader) return;
  const rows = chosen
    .map(numberOf)
    .filter((at) => at !== undefined)
    .slice(0, MOST_COPIED)
    .map((at) => model.rowOf(at))
    .filter((row) => row !== undefined);
  // What the clipboard has stays.
  if (rows.length === 0) return noneSelected();
  const text = [...new Set(rows)].sort((a, b) => a - b).map((row) => print(reader, row));
  await vscode.env.clipboard.writeText(text.join('\n'));
}

async function copyValue(node: unknown): Promise<void> {
  const of = node as RequestsNode | undefined;
  if (of?.kind === 'detail') await vscode.env.clipboard.writeText(of.detail.text);
}
