import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Views } from '../../src/ui/views';
import { CaptureBuilder } from '../trace/captureBuilder';
import { until } from './machine';
import { closeAll, labels, run, selects, viewsOf } from './views';

describe('captures from files', () => {
  const folder = (): string => (vscode.workspace.workspaceFolders ?? [])[0].uri.fsPath;

  async function open(name: string, bytes: Uint8Array): Promise<Views> {
    const path = join(folder(), name);
    writeFileSync(path, bytes);
    await run('virtiofs.requests.openFile', vscode.Uri.file(path));
    const views = await viewsOf();
    const capture = views.captures.active;
    assert.equal(capture?.about, path);
    await until('the end of the file', 20, () => capture.phase === 'ended' || capture.phase === 'broken');
    await views.requests.follower.catchUp();
    return views;
  }

  const made = (): CaptureBuilder => {
    const builder = new CaptureBuilder().init();
    for (let i = 0; i < 3; i++) builder.exchange('GETATTR', { nodeid: 7, error: 'ESTALE' });
    builder.request('READ', { nodeid: 2, in: { fh: 1, size: 4096 } });
    return builder;
  };

  afterEach(async () => {
    const views = await viewsOf();
    closeAll(views);
  });

  it('show what was never answered, and their findings with the requests that prove them', async () => {
    const built = made().exchange('OPEN', { nodeid: 2, error: 'EACCES', changed: true });
    const views = await open('some.fuse.pcapng', built.bytes());
    assert.ok(labels(views).includes('Never answered'));
    const { findings } = views;
    await findings.follower.catchUp();
    const left = 'Left out of findings: 1 request that faults or a debugger changed.';
    assert.equal(findings.view.message, left);
    const [finding] = findings.model.found.filter(({ code }) => code === 'estale');
    assert.ok(finding);
    assert.ok((findings.view.badge?.value ?? 0) > 0);
    const row = findings.getChildren({ kind: 'proof', finding })[0];
    const { command } = findings.getTreeItem(row);
    assert.equal(await run(command?.command ?? '', ...((command?.arguments ?? []) as unknown[])), true);
    await selects(views, finding.rows[0]);
  });

  it('that are cut off show what is there and say so', async () => {
    const bytes = made().bytes();
    const views = await open('cut.fuse.pcapng', bytes.subarray(0, bytes.length - 10));
    assert.match(views.requests.view.message ?? '', /cut off/);
    assert.ok(labels(views).length > 0);
  });

  it('that are none say so, and nothing breaks', async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff);
    const views = await open('noise.fuse.pcapng', noise);
    assert.equal(views.captures.active?.phase, 'broken');
    assert.match(views.requests.view.message ?? '', /not a capture/);
    assert.deepEqual(labels(views), []);
    await run('virtiofs.findings.focus');
    const { findings } = views;
    await until('the findings say so too', 20, () => findings.view.message === 'Nothing could be read.');
    await run('virtiofs.requests.focus');
  });

  it('that have no requests say so', async () => {
    const views = await open('empty.fuse.pcapng', new CaptureBuilder().bytes());
    await until('that is told', 20, () => /no requests in it/.test(views.requests.view.message ?? ''));
  });

  it('are counted with what was never answered, which is shown when it is asked for', async () => {
    const builder = new CaptureBuilder().init().exchange('LOOKUP', { names: ['a.c'] });
    builder.request('SETLKW', { nodeid: 2, in: { fh: 1 } });
    const views = await open('waits.fuse.pcapng', builder.bytes());
    const { requests } = views;
    assert.equal(requests.view.description, '3');
    assert.equal(await run('virtiofs.requests.reveal', 2), true);
    await until('it is selected', 20, () => {
      const [node] = requests.view.selection;
      return node?.kind === 'row' && node.at === 2 && node.parent?.kind === 'waiting';
    });
  });

  it('select a request also where VS Code has forgotten that it was asked for', async () => {
    const views = await open('forgotten.fuse.pcapng', made().bytes());
    const { view } = views.requests;
    const { reveal } = view;
    view.reveal = () => {
      view.reveal = reveal;
      return Promise.resolve();
    };
    assert.equal(await run('virtiofs.requests.reveal', 1), true);
    assert.equal(view.reveal, reveal);
    await selects(views, 1);
  });

  it('have rows of their own: what is selected or open in one is not so in another', async () => {
    const idsIn = async (name: string): Promise<(string | undefined)[]> => {
      const { requests } = await open(name, made().bytes());
      const tree = requests.getChildren();
      const nodes = [...tree, ...tree.flatMap((node) => requests.getChildren(node))];
      return nodes.map((node) => requests.getTreeItem(node).id);
    };
    const first = await idsIn('first.fuse.pcapng');
    const second = new Set(await idsIn('second.fuse.pcapng'));
    assert.deepEqual(
      first.filter((id) => second.has(id)),
      [],
    );
  });

  it('of which no request is selected leave what the clipboard has, and the filter, as they are', async () => {
    const { requests } = await open('unselected.fuse.pcapng', made().bytes());
    await until('nothing is selected', 20, () => requests.view.selection.length === 0);
    await vscode.env.clipboard.writeText('kept');
    for (const command of ['copyText', 'copyJson', 'followInode', 'revealInTimeline']) {
      await run(`virtiofs.requests.${command}`);
    }
    assert.equal(await vscode.env.clipboard.readText(), 'kept');
    assert.equal(requests.model.filter, undefined);
  });

  it('of another machine are not taken for those that have their path here', async () => {
    const path = join(folder(), 'here.fuse.pcapng');
    writeFileSync(path, made().bytes());
    await run('virtiofs.requests.openFile', vscode.Uri.file(path).with({ scheme: 'elsewhere' }));
    assert.equal((await viewsOf()).captures.active, undefined);
  });

  it('that are not there are told', async () => {
    const views = await viewsOf();
    await run('virtiofs.requests.openFile', vscode.Uri.file(join(folder(), 'missing.fuse.pcapng')));
    assert.equal(views.captures.active, undefined);
  });
});
