import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Views } from '../../src/ui/views';
import { until } from './machine';
import { Traffic } from './traffic/traffic';
import { child, closeAll, labelOf, labels, run, selects, viewsOf } from './views';

describe('requests of a share at work', () => {
  let views: Views;
  let traffic: Traffic;

  before(async function () {
    this.timeout(60_000);
    views = await viewsOf();
    traffic = await Traffic.begin('work', ['--cache', 'always', '--trace-syscalls']);
    await run('virtiofs.requests.focus');
    await run('virtiofs.requests.watch');
    await until('a live capture', 20, () => views.captures.active?.phase === 'live');
    await traffic.order({ kind: 'work' });
    await until('requests', 20, () => views.captures.active?.reader.columns.opcode.includes(20) === true);
    await views.requests.follower.catchUp();
  });

  after(async () => {
    closeAll(views);
    await traffic.end();
  });

  afterEach(async () => {
    await run('virtiofs.requests.clearFilter');
    await run('virtiofs.requests.groupByTime');
    await run('virtiofs.requests.resume');
    await views.requests.follower.catchUp();
  });

  it('arrive by themselves, the newest first', () => {
    const all = labels(views);
    assert.ok(all.includes('READ main.c'), all.join(', '));
    assert.ok(all.indexOf('WRITE out.o') < all.indexOf('LOOKUP src'));
    assert.match(views.requests.view.message ?? '', /^work · live/);
  });

  it('open into request, reply, phases, host calls, descriptor chain and caller, with a sentence for each field', async () => {
    const row = child(views, 'READ main.c');
    const parts = ['Request', 'Reply', 'Phases', 'Host system calls', 'Descriptor chain', 'Caller and inode'];
    assert.deepEqual(labels(views, row), parts);
    const argument = child(views, 'fuse_read_in', child(views, 'Request', row));
    assert.ok(labels(views, argument).includes('offset'));
    const size = child(views, 'size', argument);
    const item = views.requests.getTreeItem(size);
    assert.equal(item.description, '4K');
    const { tooltip } = views.requests.resolveTreeItem(item, size);
    assert.match((tooltip as vscode.MarkdownString).value, /How much at most/);
    assert.ok(labels(views, child(views, 'Host system calls', row)).some((label) => label.startsWith('preadv2(')));
  });

  it('are grouped by file as a tree, by process and by opcode', async () => {
    await run('virtiofs.requests.groupByFile');
    await views.requests.follower.catchUp();
    assert.match(views.requests.view.description ?? '', /, by file$/);
    assert.ok(labels(views).includes('src'));
    const file = child(views, 'main.c', child(views, 'src'));
    assert.ok(labels(views, file).includes('OPEN'));
    await run('virtiofs.requests.groupByProcess');
    await views.requests.follower.catchUp();
    assert.ok(labels(views).every((label) => label.startsWith('Process ')));
    await run('virtiofs.requests.groupByOpcode');
    await views.requests.follower.catchUp();
    assert.ok(labels(views).includes('LOOKUP'));
    assert.ok(labels(views, child(views, 'LOOKUP')).includes('missing.h'));
  });

  it('are filtered, and say how many of how many', async () => {
    await run('virtiofs.requests.setFilter', 'opcode == READ && path ~ "**/*.c"');
    await views.requests.follower.catchUp();
    assert.deepEqual([...new Set(labels(views))].sort(), ['READ main.c', 'READ util.c']);
    assert.match(views.requests.view.description ?? '', /^\d+ of \d+$/);
  });

  it('of one inode, handle or process are followed', async () => {
    await run('virtiofs.requests.followInode', child(views, 'READ main.c'));
    await views.requests.follower.catchUp();
    const inode = labels(views);
    assert.ok(inode.includes('LOOKUP main.c') && inode.includes('READ main.c'));
    assert.ok(!inode.includes('READ util.c'));
    await run('virtiofs.requests.followHandle', child(views, 'READ main.c'));
    await views.requests.follower.catchUp();
    const handle = ['RELEASE', 'FLUSH', 'READ', 'OPEN'].map((name) => `${name} main.c`);
    assert.deepEqual(labels(views), handle);
    await run('virtiofs.requests.followProcess', child(views, 'READ main.c'));
    await views.requests.follower.catchUp();
    const [, pid] = /^pid == (\d+)$/.exec(views.requests.model.filter?.text ?? '') ?? [];
    const { reader, dropped } = views.captures.active ?? assert.fail();
    const shown = views.requests.getChildren().flatMap((node) => (node.kind === 'row' ? [node.at - dropped] : []));
    assert.ok(shown.length > 0);
    assert.deepEqual([...new Set(shown.map((row) => reader.columns.pid[row]))], [Number(pid)]);
  });

  it('stand still while paused, and go on from the newest', async () => {
    await run('virtiofs.requests.pause');
    const before = labels(views);
    await traffic.order({ kind: 'work' });
    await sleep(600);
    await views.requests.follower.catchUp();
    assert.deepEqual(labels(views), before);
    await run('virtiofs.requests.resume');
    await views.requests.follower.catchUp();
    assert.ok(labels(views).length > before.length);
  });

  it('are searched for errors one after the other, as quickly as keys are pressed', async () => {
    const first = await run('virtiofs.requests.nextError');
    assert.equal(typeof first, 'number');
    const next = await run('virtiofs.requests.nextError');
    assert.ok(Number(next) > Number(first));
    assert.equal(await run('virtiofs.requests.previousError'), first);
    await selects(views, Number(first));
  });

  it('are copied as text and as JSON', async () => {
    const row = child(views, 'READ main.c');
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
      const color = (label: string) => views.requests.getTreeItem(child(views, label)).resourceUri?.path;
      await until('the colour', 20, () => color('WRITE out.o') === '/charts.purple');
      assert.equal(color('READ main.c'), undefined);
      assert.equal(color('MKDIR src'), '/virtiofs.requestFailed');
    } finally {
      await settings.update('colorRules', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('are a document with folding, hover and links', async () => {
    const editor = await views.documents.open('lines');
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
    const fields = await views.documents.open('fields');
    assert.match(fields?.document.getText() ?? '', /fuse_in_header\n\s+len=/);
    await run('workbench.action.closeAllEditors');
  });

  it('are shown in the timeline of their capture, which is one', async () => {
    const tabs = () =>
      vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(({ label }) => label === 'work');
    await run('virtiofs.requests.revealInTimeline', child(views, 'READ main.c'));
    await until('the timeline', 20, () => tabs().length === 1);
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
    const { inodes } = views;
    await inodes.follower.catchUp();
    await until('the lock', 20, () => {
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
    await until('the change on the host', 20, () => {
      void inodes.follower.catchUp();
      return [...inodes.model.differs.values()].some(({ text }) => /the guest believes 240 bytes/.test(text));
    });
    assert.ok(inodes.getChildren().some((node) => node.kind === 'section' && node.of === 'stale'));
    await run('virtiofs.requests.focus');
  });

  it('are cleared', async () => {
    await run('virtiofs.requests.clear');
    await views.requests.follower.catchUp();
    assert.deepEqual(labels(views), []);
  });
});
