/**
 * Makes the views of captures ("Requests", "Inodes and Handles", "DAX Window", "Findings"), the documents of decoded
 * requests and the filter language's services, and joins them. For the rest of the extension: `Views.captures`.
 */
import * as vscode from 'vscode';
import { capital } from '../base/capital';
import type { InodeOrder } from '../trace/inodes/inodes';
import { Captures } from './captures/captures';
import { DaxView } from './dax/daxView';
import { FindingsView } from './findings/findingsView';
import { InodesView, type InodesNode } from './inodes/inodesView';
import { LiveTimelines } from './captures/liveTimelines';
import { ShareWatch } from './captures/shareWatch';
import { showWarning } from './messages';
import { checkColorRules } from './requests/colorRules';
import { requestCommands } from './requests/commands';
import { COLOR_SCHEME, RequestsView, type RequestsNode } from './requests/requestsView';
import { registerFilterLanguage } from './trace/filterLanguage';
import { TraceDocuments } from './trace/traceDocuments';
import type { VirtualMachines } from './virtualMachines';
import { withChosen } from './withChosen';

export interface Views extends vscode.Disposable {
  readonly captures: Captures;
  readonly requests: RequestsView;
  readonly inodes: InodesView;
  readonly findings: FindingsView;
  readonly documents: TraceDocuments;
  readonly dax: DaxView;
  /** Runs one of the views' commands. */
  run(command: string, args: readonly unknown[]): unknown;
}

const MIB = 1 << 20;

export function createViews(extension: vscode.ExtensionContext, vms: VirtualMachines): Views {
  const captures = new Captures(() => ({ memory: liveMemory() }));
  const requests = new RequestsView(captures);
  const findings = new FindingsView(captures);
  const inodes = new InodesView(captures, () => findings.model.stale);
  const documents = new TraceDocuments(captures, requests);
  const context = { captures, requests, memory: extension.workspaceState };
  const dax = new DaxView(extension, captures);
  const timelines = new LiveTimelines(extension, captures);
  const commands: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
    ...Object.fromEntries(
      Object.entries(requestCommands).map(([id, run]) => [id, (...args: readonly unknown[]) => run(context, ...args)]),
    ),
    ...Object.fromEntries(
      orders.flatMap((order) => withChosen(`virtiofs.inodes.sortBy${capital(order)}`, () => inodes.sortBy(order))),
    ),
    'virtiofs.inodes.more': () => inodes.more(),
    'virtiofs.inodes.follow': (node) => followInode(node as InodesNode | undefined),
    'virtiofs.trace.showText': (node) => documents.open('lines', rowOf(node as RequestsNode | undefined)),
    'virtiofs.trace.showFields': (node) => documents.open('fields', rowOf(node as RequestsNode | undefined)),
    'virtiofs.timeline.reveal': (place) => timelines.reveal(place),
  };
  const subscriptions: vscode.Disposable[] = [
    requests,
    findings,
    inodes,
    documents,
    registerFilterLanguage(),
    timelines,
    dax,
    vscode.window.registerFileDecorationProvider({ provideFileDecoration: decorate }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('virtiofs.colorRules')) readColorRules(requests);
    }),
    watchForShares(captures, vms, [requests.view, inodes.view, findings.view]),
  ];
  readColorRules(requests);
  return {
    captures,
    requests,
    inodes,
    findings,
    documents,
    dax,
    run: (command, args) => (Object.hasOwn(commands, command) ? commands[command](...args) : undefined),
    dispose: () => {
      for (const one of subscriptions) one.dispose();
      captures.dispose();
    },
  };
}

const orders: readonly InodeOrder[] = ['recent', 'bytes', 'age', 'lookups', 'handles'];

function liveMemory(): number {
  const megabytes = vscode.workspace.getConfiguration('virtiofs').get<unknown>('live.memory');
  const usable = typeof megabytes === 'number' && Number.isFinite(megabytes) ? megabytes : 256;
  return Math.max(16, Math.min(4096, Math.floor(usable))) * MIB;
}

function readColorRules(requests: RequestsView): void {
  const { rules, problems } = checkColorRules(vscode.workspace.getConfiguration('virtiofs').get<unknown>('colorRules'));
  requests.setRules(rules);
  if (problems.length === 0) return;
  const open = 'Open Settings';
  void showWarning(`Setting virtiofs.colorRules: ${problems.join('; ')}.`, open).then((chosen) => {
    if (chosen === open) void vscode.commands.executeCommand('workbench.action.openSettings', 'virtiofs.colorRules');
  });
}

/** The colour that a row was given is its URI. */
function decorate({ scheme, path }: vscode.Uri): vscode.FileDecoration | undefined {
  if (scheme !== COLOR_SCHEME) return undefined;
  return { color: new vscode.ThemeColor(path.slice(1)) };
}

function rowOf(node: RequestsNode | undefined): number | undefined {
  let at = node;
  while (at?.kind === 'detail') at = at.parent;
  return at?.kind === 'row' ? at.at : undefined;
}

async function followInode(node: InodesNode | undefined): Promise<void> {
  if (node?.kind === 'inode') {
    const id = node.nodeid;
    await vscode.commands.executeCommand('virtiofs.requests.setFilter', `nodeid == ${id} || reply.nodeid == ${id}`);
  } else if (node?.kind === 'handle') {
    const { fh } = node.handle;
    await vscode.commands.executeCommand('virtiofs.requests.setFilter', `fh == ${fh} || reply.fh == ${fh}`);
  } else return;
  await vscode.commands.executeCommand('virtiofs.requests.focus');
}

/** While one of the views is looked at and nothing is there, or more to come, a share that begins is watched. */
function watchForShares(
  captures: Captures,
  vms: VirtualMachines,
  views: readonly vscode.TreeView<unknown>[],
): vscode.Disposable {
  const watch = new ShareWatch(
    () => captures.look(vms.daemons),
    () => vms.all.some((vm) => vm.isAlive && !vm.isUp),
  );
  const turn = (): void => watch.watch(views.some((view) => view.visible));
  turn();
  const heard = views.map((view) => view.onDidChangeVisibility(turn));
  return vscode.Disposable.from(
    ...heard,
    vms.onDidChange(() => watch.turn()),
    watch,
  );
}
