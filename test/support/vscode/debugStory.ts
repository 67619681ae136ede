/**
 * A person's ways through the debugger: a breakpoint in the list of opcodes, F5, a request held at its entry, its host
 * system calls one by one, its reply with another errno, which the guest then gets; and from a share that runs, by its
 * context menu, there and back. Knows nothing of files but the one it starts from.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Page } from 'playwright-core';
import {
  chooseInMenu,
  command,
  contributed,
  type Look,
  prompt,
  rows,
  settled,
  terminalText,
  toTerminal,
  treeRow,
  type,
} from './steps';

/** Before VS Code opens the folder. */
export async function makeLaunch(workspace: string): Promise<void> {
  const launch = {
    type: 'virtiofs',
    request: 'launch',
    name: 'cat in a guest',
    directory: '${workspaceFolder}',
    guest: 'uml',
    command: 'cat notes.md',
  };
  await mkdir(join(workspace, '.vscode'), { recursive: true });
  await writeFile(
    join(workspace, '.vscode/launch.json'),
    JSON.stringify({ version: '0.2.0', configurations: [launch] }, null, 2),
  );
}

export async function debugStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await contributed(page);
  await command(page, 'Virtio-FS: Show FUSE Opcodes');
  await page.locator('.monaco-editor .view-line', { hasText: 'Opens a file' }).first().click();
  await page.keyboard.press('F9');
  await settled(page);
  await look('opcodes');
  await page.keyboard.press('F5');
  const row = (text: string) => page.locator('.debug-pane .monaco-list-row', { hasText: text }).first();
  await row('entry').waitFor({ timeout: 60_000 });
  await settled(page);
  // At its beginning: in a narrow window the middle has the buttons, the first of which goes on.
  await row('entry').click({ position: { x: 30, y: 10 } });
  // Open already where VS Code had the room for it.
  if (!(await row('fuse_open_in').isVisible())) await row('Request').click();
  await row('fuse_open_in').click();
  await settled(page);
  await look('held');
  await page.keyboard.press('F11');
  await row('before').waitFor({ timeout: 60_000 });
  await page.keyboard.press('F11');
  await row('after').waitFor({ timeout: 60_000 });
  await settled(page);
  await look('call');
  await page.keyboard.press('Shift+F11');
  await row('reply').waitFor({ timeout: 60_000 });
  await command(page, 'Debug Console: Focus on Debug Console View');
  for (const line of ['held', 'inode(nodeid).path', 'hex(reply)', 'set reply.error = EACCES']) {
    await page.keyboard.type(line, { delay: 10 });
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(700);
  }
  await settled(page);
  await look('reply');
  await page.keyboard.press('F5');
  // The session ends with the command; what the guest was answered stays to be read.
  await row('hiprio').waitFor({ state: 'detached', timeout: 60_000 });
  await page.locator('.repl', { hasText: 'Permission denied' }).first().waitFor();
  await page
    .locator('.monaco-editor .view-line', { hasText: /error\s+=\s+EACCES/ })
    .first()
    .waitFor();
  await settled(page);
  await look('ended');
}

export async function debugRunningStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await page.getByText('see what the guest does with it').first().waitFor({ timeout: 20_000 });
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await page.keyboard.press('Enter');
  await prompt(page);
  await treeRow(page, '/project').click({ button: 'right' });
  await chooseInMenu(page, 'Debug Share');
  // The view and the Debug Console come with the session.
  await page.locator('.debug-toolbar').waitFor({ timeout: 60_000 });
  await page.locator('.repl').first().waitFor();
  const queue = page.locator('.debug-pane .monaco-list-row', { hasText: 'hiprio' }).first();
  await queue.waitFor({ timeout: 60_000 });
  await settled(page);
  await look('attached');
  await page.keyboard.press('Shift+F5');
  await queue.waitFor({ state: 'detached', timeout: 60_000 });
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Run and Debug' }).waitFor();
  // The share goes on without its debugger. VS Code takes the focus to its view when the session's panes go, which may
  // be while a line is typed: a person types it again.
  const told = terminalText(page).getByText('run in the guest').first();
  for (let turn = 0; (await told.count()) === 0; turn++) {
    assert.ok(turn < 3, 'the guest does not say what is in its file');
    await page.keyboard.press('Escape');
    await toTerminal(page);
    await type(page, 'cat notes.md');
    await told.waitFor({ timeout: 15_000 }).catch(() => undefined);
  }
  await settled(page);
  await look('gone-on');
}
