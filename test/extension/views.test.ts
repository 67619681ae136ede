import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Insides } from '../../src/extension';
import { sharesFolder } from '../../src/control/runningShares';
import type { Views } from '../../src/ui/views';
import type { RequestsNode } from '../../src/ui/requests/requestsView';
import { CaptureBuilder } from '../trace/captureBuilder';
import { connections } from './connections';
import { Traffic } from './traffic/traffic';

const ID = 'virtiofs-studio.virtiofs-studio';
const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(command, ...args);

async function until(what: string, happened: () => boolean, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!happened()) {
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

interface Inside {
  readonly views: Views;
}

async function insides(): Promise<Inside> {
  const extension = vscode.extensions.getExtension<Insides>(ID);
  assert.ok(extension);
  const { views } = await extension.activate();
  return { views: await views() };
}

/** Labels of the tree under a node. */
function labels({ views }: Inside, node?: RequestsNode): string[] {
  return views.requests.getChildren(node).map((child) => labelOf(views.requests.getTreeItem(child)));
}

const labelOf = ({ label }: vscode.TreeItem): string => (typeof label === 'string' ? label : (label?.label ?? ''));

function child(inside: Inside, label: string, node?: RequestsNode): RequestsNode {
  const { views } = inside;
  const found = views.requests
    .getChildren(node)
    .find((each) => labelOf(views.requests.getTreeItem(each)).startsWith(label));
  assert.ok(found, `${label} is not in ${labels(inside, node).join(', ')}`);
  return found;
}

/** VS Code tells of a selection some time after it was asked for. */
function selects({ views }: Inside, at: number): Promise<void> {
  return until(`request ${at} is selected`, () => {
    const [selected] = views.requests.view.selection;
    return selected?.kind === 'row' && selected.at === at;
  });
}

describe('requests of a share at work', () => {
  let inside: Inside;
  let traffic: Traffic;

  before(async function () {
    this.timeout(60_000);
    inside = await insides();
    traffic = await Traffic.begin('work', ['--cache', 'always', '--trace-syscalls']);
    await run('virtiofs.requests.focus');
    await run('virtiofs.requests.watch');
    await until('a live capture', () => inside.views.captures.active?.phase === 'live');
    await traffic.order({ kind: 'work' });
    await until('requests', () => inside.views.captures.active?.reader.columns.opcode.includes(20) === true);
    await inside.views.requests.follower.catchUp();
  });

  after(async () => {
    for (const capture of [...inside.views.captures.all]) inside.views.captures.close(capture);
    await traffic.end();
  });

  afterEach(async () => {
    await run('virtiofs.requests.clearFilter');
    await run('virtiofs.requests.groupByTime');
    await run('virtiofs.requests.resume');
    await inside.views.requests.follower.catchUp();
  });

  it('arrive by themselves, the newest first', () => {
    const all = labels(inside);
    assert.ok(all.includes('READ main.c'), all.join(', '));
    assert.ok(all.indexOf('WRITE out.o') < all.indexOf('LOOKUP src'));
    assert.match(inside.views.requests.view.message ?? '', /^work · live/);
  });

  it('open into request, reply, phases, host calls, descriptor chain and caller, with a sentence for each field', async () => {
    const row = child(inside, 'READ main.c');
    const parts = ['Request', 'Reply', 'Phases', 'Host system calls', 'Descriptor chain', 'Caller and inode'];
    assert.deepEqual(labels(inside, row), parts);
    const argument = child(inside, 'fuse_read_in', child(inside, 'Request', row));
    assert.ok(labels(inside, argument).includes('offset'));
    const size = child(inside, 'size', argument);
    const item = inside.views.requests.getTreeItem(size);
    assert.equal(item.description, '4K');
    const { tooltip } = inside.views.requests.resolveTreeItem(item, size);
    assert.match((tooltip as vscode.MarkdownString).value, /How much at most/);
    assert.ok(labels(inside, child(inside, 'Host system calls', row)).some((label) => label.startsWith('preadv2(')));
  });

  it('are grouped by file as a tree, by process and by opcode', async () => {
    await run('virtiofs.requests.groupByFile');
    await inside.views.requests.follower.catchUp();
    assert.match(inside.views.requests.view.description ?? '', /, by file$/);
    assert.ok(labels(inside).includes('src'));
    const file = child(inside, 'main.c', child(inside, 'src'));
    assert.ok(labels(inside, file).includes('OPEN'));
    await run('virtiofs.requests.groupByProcess');
    await inside.views.requests.follower.catchUp();
    assert.ok(labels(inside).every((label) => label.startsWith('Process ')));
    await run('virtiofs.requests.groupByOpcode');
    await inside.views.requests.follower.catchUp();
    assert.ok(labels(inside).includes('LOOKUP'));
    assert.ok(labels(inside, child(inside, 'LOOKUP')).includes('missing.h'));
  });

  it('are filtered, and say how many of how many', async () => {
    await run('virtiofs.requests.setFilter', 'opcode == READ && path ~ "**/*.c"');
    await inside.views.requests.follower.catchUp();
    assert.deepEqual([...new Set(labels(inside))].sort(), ['READ main.c', 'READ util.c']);
    assert.match(inside.views.requests.view.description ?? '', /^\d+ of \d+$/);
  });

  it('of one inode, handle or process are followed', async () => {
    await run('virtiofs.requests.followInode', child(inside, 'READ main.c'));
    await inside.views.requests.follower.catchUp();
    const inode = labels(inside);
    assert.ok(inode.includes('LOOKUP main.c') && inode.includes('READ main.c'));
    assert.ok(!inode.includes('READ util.c'));
    await run('virtiofs.requests.followHandle', child(inside, 'READ main.c'));
    await inside.views.requests.follower.catchUp();
    const handle = ['RELEASE', 'FLUSH', 'READ', 'OPEN'].map((name) => `${name} main.c`);
    assert.deepEqual(labels(inside), handle);
    await run('virtiofs.requests.followProcess', child(inside, 'READ main.c'));
    await inside.views.requests.follower.catchUp();
    const [, pid] = /^pid == (\d+)$/.exec(inside.views.requests.model.filter?.text ?? '') ?? [];
    const { reader, dropped } = inside.views.captures.active ?? assert.fail();
    const shown = inside.views.requests
      .getChildren()
      .flatMap((node) => (node.kind === 'row' ? [node.at - dropped] : []));
    assert.ok(shown.length > 0);
    assert.deepEqual([...new Set(shown.map((row) => reader.columns.pid[row]))], [Number(pid)]);
  });

  it('stand still while paused, and go on from the newest', async () => {
    await run('virtiofs.requests.pause');
    const before = labels(inside);
    await traffic.order({ kind: 'work' });
    await sleep(600);
    await inside.views.requests.follower.catchUp();
    assert.deepEqual(labels(inside), before);
    await run('virtiofs.requests.resume');
    await inside.views.requests.follower.catchUp();
    assert.ok(labels(inside).length > before.length);
  });

  it('are searched for errors one after the other, as quickly as keys are pressed', async () => {
    const first = await run('virtiofs.requests.nextError');
    assert.equal(typeof first, 'number');
    const next = await run('virtiofs.requests.nextError');
    assert.ok(Number(next) > Number(first));
    assert.equal(await run('virtiofs.requests.previousError'), first);
    await selects(inside, Number(first));
  });

  it('are copied as text and as JSON', async () => {
    const row = child(inside, 'READ main.c');
    await run('virtiofs.requests.copyText', row);
    assert.match(await vscode.env.clipboard.readText(), /READ "\/src\/main\.c" fh=\S+ offset=0 size=4K -> 240 bytes/);
    await run('virtiofs.requests.copyJson', row);
    const { opcode, path } = JSON.parse(await vscode.env.clipboard.readText()) as Record<string, unknown>;
    assert.deepEqual([opcode, path], ['READ', '/src/main.c']);
  });

  it('are coloured by rules; rules that are wrong are told and left out', async () => {
    const settings = vscode.workspace.getConfiguration('virtiofs');
    const rules = [
      { filter: 'opcode == ', color: 'red' },
      { filter: 'opcode == WRITE', color: 'purple' },
    ];
    await settings.update('colorRules', rules, vscode.ConfigurationTarget.Global);
    try {
      const color = (label: string) => inside.views.requests.getTreeItem(child(inside, label)).resourceUri?.path;
      await until('the colour', () => color('WRITE out.o') === '/charts.purple');
      assert.equal(color('READ main.c'), undefined);
      assert.equal(color('MKDIR src'), '/virtiofs.requestFailed');
    } finally {
      await settings.update('colorRules', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('are a document with folding, hover and links', async () => {
    const editor = await inside.views.documents.open('lines');
    assert.ok(editor);
    const { document } = editor;
    const text = document.getText();
    const line = text.split('\n').findIndex((each) => each.includes('READ "/src/main.c"'));
    assert.ok(line > 0);
    assert.equal(document.languageId, 'fuse-trace');
    const folds = (await run('vscode.executeFoldingRangeProvider', document.uri)) as vscode.FoldingRange[];
    assert.ok(folds.some(({ start, end }) => start === line && end > line));
    const at = document.lineAt(line).text.indexOf('offset=');
    const hovers = (await run(
      'vscode.executeHoverProvider',
      document.uri,
      new vscode.Position(line, at + 2),
    )) as vscode.Hover[];
    assert.match(
      hovers.map(({ contents }) => contents.map((each) => (each as vscode.MarkdownString).value).join()).join(),
      /Where/,
    );
    const links = (await run('vscode.executeLinkProvider', document.uri)) as vscode.DocumentLink[];
    assert.ok(links.some(({ target }) => target?.toString().startsWith('command:virtiofs.requests.reveal')));
    const fields = await inside.views.documents.open('fields');
    assert.match(fields?.document.getText() ?? '', /fuse_in_header\n\s+len=/);
    await run('workbench.action.closeAllEditors');
  });

  it('are shown in the timeline of their capture, which is one', async () => {
    const tabs = () =>
      vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(({ label }) => label === 'work');
    await run('virtiofs.requests.revealInTimeline', child(inside, 'READ main.c'));
    await until('the timeline', () => tabs().length === 1);
    await run('virtiofs.timeline.reveal', { capture: 'none', row: 'x' });
    await sleep(200);
    assert.equal(tabs().length, 1);
    await run('workbench.action.closeAllEditors');
    await run('virtiofs.requests.focus');
  });

  it('tell which inodes, handles and locks there are, and what the host has changed behind the guest’s back', async function () {
    this.timeout(30_000);
    await traffic.order({ kind: 'lock' });
    await run('virtiofs.inodes.focus');
    const { inodes } = inside.views;
    await inodes.follower.catchUp();
    await until('the lock', () => {
      void inodes.follower.catchUp();
      return (inodes.model.inodes?.held().length ?? 0) > 0;
    });
    const sections = inodes.getChildren().map((node) => labelOf(inodes.getTreeItem(node)));
    assert.deepEqual(sections.slice(-3), ['Locks', 'Open handles', 'Inodes']);
    const handles = inodes.getChildren({ kind: 'section', of: 'handles' }).map((node) => inodes.getTreeItem(node));
    assert.ok(handles.some((item) => labelOf(item) === 'data.db' && /O_RDWR/.test(String(item.description))));
    const nodes = inodes.getChildren({ kind: 'section', of: 'inodes' }).map((node) => inodes.getTreeItem(node));
    const util = nodes.find((item) => labelOf(item) === 'util.h');
    assert.match(String(util?.description), /(^| · )\/src$/);
    assert.equal(util?.tooltip, '/src/util.h');
    writeFileSync(join(traffic.folder, 'src/util.h'), 'of another length');
    await until('the change on the host', () => {
      void inodes.follower.catchUp();
      return [...inodes.model.differs.values()].some(({ text }) => /the guest believes 240 bytes/.test(text));
    });
    assert.ok(inodes.getChildren().some((node) => node.kind === 'section' && node.of === 'stale'));
    await run('virtiofs.requests.focus');
  });

  it('are cleared', async () => {
    await run('virtiofs.requests.clear');
    await inside.views.requests.follower.catchUp();
    assert.deepEqual(labels(inside), []);
  });
});

describe('a share that ends', () => {
  it('when its daemon is killed leaves what was seen, and nothing else', async function () {
    this.timeout(60_000);
    const inside = await insides();
    const traffic = await Traffic.begin('doomed');
    try {
      await run('virtiofs.requests.focus');
      await run('virtiofs.requests.watch');
      await until('a live capture', () => inside.views.captures.active?.phase === 'live');
      const capture = inside.views.captures.active;
      assert.ok(capture);
      await traffic.order({ kind: 'work' });
      await until('requests', () => capture.reader.count > 20);
      await traffic.order({ kind: 'kill' });
      await until('the end', () => capture.phase === 'ended');
      await inside.views.requests.follower.catchUp();
      assert.ok(labels(inside).includes('READ main.c'));
      assert.match(inside.views.requests.view.message ?? '', /the share has ended/);
      await run('virtiofs.requests.close');
      assert.equal(inside.views.captures.active, undefined);
      assert.deepEqual(labels(inside), []);
    } finally {
      await traffic.end();
    }
    assert.equal(existsSync(traffic.folder), false);
    await until('no socket of it', () => {
      inside.views.captures.look();
      return (
        !existsSync(sharesFolder()) ||
        readdirSync(sharesFolder()).every((name) => !name.startsWith(`${traffic.pid}.json`))
      );
    });
  });
});

describe('captures from files', () => {
  const folder = (): string => (vscode.workspace.workspaceFolders ?? [])[0].uri.fsPath;

  async function open(name: string, bytes: Uint8Array): Promise<Inside> {
    const path = join(folder(), name);
    writeFileSync(path, bytes);
    await run('virtiofs.requests.openFile', vscode.Uri.file(path));
    const inside = await insides();
    const capture = inside.views.captures.active;
    assert.equal(capture?.about, path);
    await until('the end of the file', () => capture.phase === 'ended' || capture.phase === 'broken');
    await inside.views.requests.follower.catchUp();
    return inside;
  }

  const made = (): CaptureBuilder => {
    const builder = new CaptureBuilder().init();
    for (let i = 0; i < 3; i++) builder.exchange('GETATTR', { nodeid: 7, error: 'ESTALE' });
    builder.request('READ', { nodeid: 2, in: { fh: 1, size: 4096 } });
    return builder;
  };

  afterEach(async () => {
    const { views } = await insides();
    for (const capture of [...views.captures.all]) views.captures.close(capture);
  });

  it('show what was never answered, and their findings with the requests that prove them', async () => {
    const built = made().exchange('OPEN', { nodeid: 2, error: 'EACCES', changed: true });
    const inside = await open('some.fuse.pcapng', built.bytes());
    assert.ok(labels(inside).includes('Never answered'));
    const { findings } = inside.views;
    await findings.follower.catchUp();
    const left = 'Left out of findings: 1 request that faults or a debugger changed.';
    assert.equal(findings.view.message, left);
    const [finding] = findings.model.found.filter(({ code }) => code === 'estale');
    assert.ok(finding);
    assert.ok((findings.view.badge?.value ?? 0) > 0);
    const row = findings.getChildren({ kind: 'proof', finding })[0];
    const { command } = findings.getTreeItem(row);
    assert.equal(await run(command?.command ?? '', ...((command?.arguments ?? []) as unknown[])), true);
    await selects(inside, finding.rows[0]);
  });

  it('that are cut off show what is there and say so', async () => {
    const bytes = made().bytes();
    const inside = await open('cut.fuse.pcapng', bytes.subarray(0, bytes.length - 10));
    assert.match(inside.views.requests.view.message ?? '', /cut off/);
    assert.ok(labels(inside).length > 0);
  });

  it('that are none say so, and nothing breaks', async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff);
    const inside = await open('noise.fuse.pcapng', noise);
    assert.equal(inside.views.captures.active?.phase, 'broken');
    assert.match(inside.views.requests.view.message ?? '', /not a capture/);
    assert.deepEqual(labels(inside), []);
    await run('virtiofs.findings.focus');
    const { findings } = inside.views;
    await until('the findings say so too', () => findings.view.message === 'Nothing could be read.');
    await run('virtiofs.requests.focus');
  });

  it('that have no requests say so', async () => {
    const inside = await open('empty.fuse.pcapng', new CaptureBuilder().bytes());
    await until('that is told', () => /no requests in it/.test(inside.views.requests.view.message ?? ''));
  });

  it('are counted with what was never answered, which is shown when it is asked for', async () => {
    const builder = new CaptureBuilder().init().exchange('LOOKUP', { names: ['a.c'] });
    builder.request('SETLKW', { nodeid: 2, in: { fh: 1 } });
    const inside = await open('waits.fuse.pcapng', builder.bytes());
    const { requests } = inside.views;
    assert.equal(requests.view.description, '3');
    await run('virtiofs.requests.reveal', 2);
    await until('it is selected', () => {
      const [node] = requests.view.selection;
      return node?.kind === 'row' && node.at === 2 && node.parent?.kind === 'waiting';
    });
  });

  it('that are not there are told', async () => {
    const inside = await insides();
    await run('virtiofs.requests.openFile', vscode.Uri.file(join(folder(), 'missing.fuse.pcapng')));
    assert.equal(inside.views.captures.active, undefined);
  });
});

describe('the extension at work', () => {
  it('has connected to the sockets of shares, and to nothing else', async () => {
    const inside = await insides();
    const traffic = await Traffic.begin('near', []);
    try {
      await run('virtiofs.requests.watch');
      await until('a live capture', () => inside.views.captures.active?.phase === 'live');
      assert.ok(connections.length > 0);
      for (const target of connections) assert.match(target, /^\//);
    } finally {
      for (const capture of [...inside.views.captures.all]) inside.views.captures.close(capture);
      await traffic.end();
    }
  });
});

describe('requests as text in editors', () => {
  it('have numbers such as #2778, which are no colours', () => {
    for (const languageId of ['fuse-trace', 'fuse-request']) {
      assert.equal(vscode.workspace.getConfiguration('editor', { languageId }).get('colorDecorators'), false);
    }
  });
});

describe('the filter language in editors', () => {
  it('offers fields, and marks what is wrong', async () => {
    const document = await vscode.workspace.openTextDocument({
      language: 'fuse-filter',
      content: 'opcode == READ && lat',
    });
    await vscode.window.showTextDocument(document);
    const end = document.positionAt(document.getText().length);
    const { items } = (await run('vscode.executeCompletionItemProvider', document.uri, end)) as vscode.CompletionList;
    assert.ok(items.some(({ label }) => label === 'latency'));
    await until('the error', () => vscode.languages.getDiagnostics(document.uri).length === 1);
    assert.match(vscode.languages.getDiagnostics(document.uri)[0].message, /no field "lat"/);
    await run('workbench.action.revertAndCloseActiveEditor');
  });

  it('has a page with all fields', async () => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse('virtiofs-trace:/filter-language.md'));
    assert.match(document.getText(), /`latency`/);
  });
});
