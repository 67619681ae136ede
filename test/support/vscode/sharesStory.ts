/**
 * A person's way through sharing: welcome view, folder, choices, a guest at work, the view Shares, what can be done
 * with a VM, the check of the machine, a guest that fails. Says when there is something to look at; knows nothing of
 * files.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Page } from 'playwright-core';
import { command, type Look, prompt, rows, settled, treeRow, type } from './steps';

export async function makeProject(folder: string): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true });
  await writeFile(join(folder, 'src/hello.c'), '#include <stdio.h>\n\nint main(void)\n{\n\tputs("hello, guest");\n}\n');
  await writeFile(join(folder, 'Makefile'), 'hello: src/hello.c\n\t$(CC) -static -o $@ $<\n');
  await writeFile(join(folder, 'notes.md'), '# Notes\n\n- edit here, run in the guest\n');
}

/** Stories' choices: a guest that is up in a second. */
export const storySettings = {
  'virtiofs.guest': 'uml',
  'virtiofs.profiles': [
    { name: 'release kernel', guest: 'qemu', memory: '2G', cpus: 4, cache: 'always' },
    { name: 'look, do not touch', guest: 'uml', readOnly: true },
  ],
};

export async function sharesStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.locator('.explorer-folders-view').getByText('notes.md').dblclick();
  await page.locator('.monaco-editor .view-lines').first().waitFor();
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await page.getByText('see what the guest does with it').first().waitFor({ timeout: 20_000 });
  await settled(page);
  await look('welcome');

  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'release kernel' }).waitFor();
  await settled(page);
  await look('folder');
  await page.keyboard.press('Escape');

  await command(page, 'Virtio-FS: Share Folder into VM with Options…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await page.keyboard.press('Enter');
  await rows(page).filter({ hasText: 'Cache mode' }).waitFor();
  await settled(page);
  await look('options');
  await rows(page).filter({ hasText: 'Cache mode' }).click();
  await rows(page).filter({ hasText: 'metadata' }).waitFor();
  await settled(page);
  await look('cache');
  await page.keyboard.press('Escape');
  await rows(page).filter({ hasText: 'Start' }).first().waitFor();
  await page.keyboard.press('Enter');
  await prompt(page);
  for (const line of ['uname -sr', 'ls -l', 'cat notes.md']) await type(page, line);
  await settled(page);
  await look('terminal');

  await type(page, 'while true; do ls -l src >/dev/null; cat notes.md >/dev/null; usleep 20000; done');
  // The first row is the machine; its share is folded.
  await treeRow(page, 'project').waitFor();
  await treeRow(page, '/project').locator('.monaco-tl-twistie').last().click();
  await treeRow(page, 'Queue 1').waitFor();
  await page.waitForTimeout(2500);
  await settled(page);
  await look('shares');
  await treeRow(page, 'project').hover();
  await page.waitForTimeout(1500);
  await look('hover');

  await page.locator('.statusbar-item', { hasText: 'project' }).first().click();
  await rows(page).filter({ hasText: 'Copy Mount Command' }).waitFor();
  await settled(page);
  await look('actions');
  await page.keyboard.press('Escape');

  await command(page, 'Virtio-FS: Check Environment');
  await rows(page).filter({ hasText: 'Node.js' }).waitFor({ timeout: 60_000 });
  await settled(page);
  await look('environment');
  await page.keyboard.press('Escape');

  await command(page, 'Virtio-FS: Open Walkthrough');
  await page.getByText('Look at this machine').first().waitFor({ timeout: 20_000 });
  await page.waitForTimeout(1000);
  await look('walkthrough');
}

/** Settings with a profile whose guest cannot boot, and one that asks for a window that cannot be. */
export async function makeBroken(workspace: string): Promise<Record<string, unknown>> {
  const kernel = join(workspace, 'vmlinuz-broken');
  await writeFile(kernel, 'no kernel\n'.repeat(1000));
  const profiles = [
    { name: 'broken', guest: 'qemu', kernel },
    { name: 'odd window', guest: 'qemu', dax: '48M' },
  ];
  return { 'virtiofs.profiles': profiles };
}

/**
 * A guest that is not started, for what its profile asks for; and one that does not come up, since its kernel is none.
 */
export async function failingStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'odd window' }).waitFor();
  await settled(page);
  await look('profiles');
  await rows(page).filter({ hasText: 'odd window' }).click();
  const refusal = page.locator('.notification-toast', { hasText: 'profile "odd window" has "dax": "48M"' });
  await refusal.waitFor();
  await settled(page);
  await look('refused');
  const started = page.locator('.terminal-wrapper, .pane-body .monaco-list-row:has-text("project")');
  if ((await started.count()) > 0) throw new Error('a profile that cannot be has started something');
  await refusal.getByRole('button', { name: 'Clear Notification' }).click();

  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'broken' }).waitFor();
  await rows(page).filter({ hasText: 'broken' }).click();
  await treeRow(page, 'ended').waitFor({ timeout: 60_000 });
  await settled(page);
  await look('failed');
  await treeRow(page, 'project').hover();
  await page.waitForTimeout(1500);
  await look('failed-hover');
}
