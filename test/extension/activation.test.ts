import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { CaptureBuilder } from '../trace/captureBuilder';
import { chunks, loaded } from './loaded';
import { extension, insides, sample, until } from './machine';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when?: string }[]>>;
    readonly viewsWelcome: readonly { readonly contents: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly description: string }[] }[];
  };
}

/** What VS Code itself registers for each view. */
const ofViews =
  /^virtiofs\.(?:shares|requests|inodes|findings|dax)(?:\.(?:focus|open|resetViewLocation|toggleVisibility|removeView))?$/;

describe('the code of the extension', function () {
  this.timeout(60_000);
  let scratch: string;
  before(() => (scratch = mkdtempSync(join(tmpdir(), 'virtiofs-code-'))));
  after(() => rmSync(scratch, { recursive: true }));

  /** What `step` has loaded besides what was there. */
  async function adds(step: () => Thenable<unknown>): Promise<string[]> {
    const before = chunks();
    await step();
    return chunks().filter((name) => !before.includes(name));
  }

  it('is one file until it is awake', async () => {
    await extension().activate();
    assert.ok(
      loaded.some(({ name }) => name === 'vscode'),
      'it was awake before anything was watched',
    );
    assert.deepEqual(
      loaded.filter(({ name, waking }) => waking && !name.startsWith('node:')),
      [],
    );
  });

  it('is then that of the views, which VS Code asks for at once: no timeline, debugger, share or check', async () => {
    await (await insides()).views();
    assert.ok(chunks().includes('views'));
    assert.deepEqual(
      chunks().filter((name) => /^timeline$|debug|src_ui_(shareFolder|environment)/.test(name)),
      [],
    );
  });

  it('is that of the check of the machine when it is asked for', async () => {
    const added = await adds(async () => {
      void vscode.commands.executeCommand('virtiofs.checkEnvironment');
      await until('the check is loaded', 10, () => chunks().includes('src_ui_environment_ts'));
    });
    assert.deepEqual(added, ['src_ui_environment_ts']);
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
  });

  it('is that of sharing when a folder is to be shared', async () => {
    const missing = vscode.Uri.joinPath(sample(), 'missing');
    const added = await adds(() => vscode.commands.executeCommand('virtiofs.shareFolder', missing));
    assert.deepEqual(added, ['src_ui_shareFolder_ts']);
  });

  it('is that of the timeline when a capture is opened, and of the debugger when one is debugged', async () => {
    const path = join(scratch, 'some.fuse.pcapng');
    writeFileSync(path, new CaptureBuilder().init().bytes());
    const opened = await adds(() =>
      vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), 'virtiofs.capture'),
    );
    assert.deepEqual(opened, ['timeline']);
    const debugged = await adds(() =>
      vscode.debug.startDebugging(undefined, { type: 'virtiofs', request: 'launch', name: 'some', capture: path }),
    );
    assert.ok(debugged.includes('src_debug_adapter_ts'), debugged.join());
    assert.deepEqual(
      debugged.filter((name) => !name.includes('debug')),
      [],
    );
    await vscode.debug.stopDebugging();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});

describe('the extension in VS Code', () => {
  const manifest = (): Manifest => extension().packageJSON as Manifest;
  const contributed = (): string[] => manifest().contributes.commands.map(({ command }) => command);

  it('wakes quickly', async () => {
    const { activation } = await extension().activate();
    // Its code is read and run once more: what VS Code did before it called `activate`.
    const bundle = join(extension().extensionPath, 'dist/extension.js');
    delete require.cache[bundle];
    const started = performance.now();
    createRequire(__filename)(bundle);
    const loading = performance.now() - started;
    console.log(`      loading ${loading.toFixed(1)} ms, activate ${activation.toFixed(1)} ms`);
    // Aimed at 100 ms on an idle machine; a busy one gets more.
    assert.ok(loading + activation < 500, `${loading + activation} ms`);
  });

  it('registers each command that it contributes, and no other', async () => {
    await extension().activate();
    const registered = (await vscode.commands.getCommands(true)).filter(
      (id) => id.startsWith('virtiofs.') && !ofViews.test(id),
    );
    assert.deepEqual(registered.sort(), contributed().sort());
  });

  it('names only commands that are there, in menus, welcome views and the walkthrough', async () => {
    await extension().activate();
    const all = new Set(await vscode.commands.getCommands(false));
    const { menus, viewsWelcome, walkthroughs } = manifest().contributes;
    const texts = [
      ...viewsWelcome.map(({ contents }) => contents),
      ...walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
    ];
    const named = [
      ...Object.values(menus).flatMap((entries) => entries.map(({ command }) => command)),
      ...texts.flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id]) => id)),
    ];
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter((id) => !all.has(id)),
      [],
    );
  });

  it('writes its walkthrough in what VS Code takes there, which has no single stars', () => {
    for (const { description } of manifest().contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      // But for file names.
      assert.doesNotMatch(description, /(?<!\*)\*\w/);
    }
  });

  it('has for each choice of a menu one that is chosen, and shows one of the two', () => {
    const { menus } = manifest().contributes;
    const entries = menus['view/title'];
    const whenOf = (id: string): string => entries.find(({ command }) => command === id)?.when ?? '';
    const chosen = contributed().filter((id) => id.endsWith('.chosen'));
    assert.equal(chosen.length, 4 + 5);
    for (const id of chosen) {
      const choice = id.replace(/\.chosen$/, '');
      const [, what] = /(?:groupBy|sortBy)(\w+)$/.exec(choice) ?? [];
      assert.ok(whenOf(id).endsWith(` == ${what.toLowerCase()}`), whenOf(id));
      assert.equal(whenOf(choice), whenOf(id).replace(/ == (\w+)$/, ' != $1'));
      const offered = menus['commandPalette'].find(({ command }) => command === id);
      assert.equal(offered?.when, 'false', id);
    }
  });

  it('opens its log, its settings and its walkthrough', async () => {
    for (const id of ['virtiofs.showLog', 'virtiofs.openSettings', 'virtiofs.openWalkthrough']) {
      await vscode.commands.executeCommand(id);
    }
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
