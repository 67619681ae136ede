/**
 * Takes the README's pictures: a person's way through the extension in a real VS Code, with a real guest.
 * `npm run pictures` writes media/share-folder.png.
 */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Page } from 'playwright-core';
import { getVscode } from './install';
import { openWorkbench } from './workbench';

const project = resolve(__dirname, '../../../..');

async function makeProject(folder: string): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true });
  await writeFile(join(folder, 'src/hello.c'), '#include <stdio.h>\n\nint main(void)\n{\n\tputs("hello, guest");\n}\n');
  await writeFile(join(folder, 'Makefile'), 'hello: src/hello.c\n\t$(CC) -static -o $@ $<\n');
  await writeFile(join(folder, 'notes.md'), '# Notes\n\n- edit here, run in the guest\n');
}

const terminalText = (page: Page) => page.locator('.terminal-wrapper.active .xterm-rows');

async function shareFolder(page: Page): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.locator('.explorer-folders-view').getByText('notes.md').dblclick();
  await page.locator('.monaco-editor .view-lines').first().waitFor();
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget input').first().fill('>Virtio-FS: Share');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Share Folder into VM' }).waitFor();
  await page.keyboard.press('Enter');
  await terminalText(page)
    .getByText(/[$#] *$/)
    .last()
    .waitFor({ timeout: 120_000 });
  for (const line of ['uname -sr', 'df -hT .', 'ls -l', 'echo "- written by the guest" >> notes.md']) {
    await page.keyboard.type(`${line}\n`, { delay: 15 });
    await page.waitForTimeout(800);
  }
  await page.locator('.monaco-editor').getByText('written by the guest').waitFor({ timeout: 20_000 });
  // The pointer and the notifications out of the picture.
  await page.mouse.move(640, 300);
  await page.waitForTimeout(500);
}

async function main(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-pictures-'));
  const workspace = join(scratch, 'project');
  await makeProject(workspace);
  const workbench = await openWorkbench({ server: await getVscode(), workspace, extensions: [project] });
  try {
    await shareFolder(workbench.page);
    await workbench.page.screenshot({ path: join(project, 'media/share-folder.png') });
  } catch (error) {
    await workbench.page.screenshot({ path: join(tmpdir(), 'virtiofs-picture-failed.png') });
    throw error;
  } finally {
    await workbench.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
