import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { extension } from './machine';

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
