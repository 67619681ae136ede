/**
 * Takes pictures of a person's way through the debugger in a real VS Code with a real guest:
 * `node out/test/support/vscode/debugPictures.js DIR` writes each step into DIR, in light and dark.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Page } from 'playwright-core';
import { getVscode } from './install';
import { openWorkbench } from './workbench';

const project = resolve(__dirname, '../../../..');
const THEMES = { dark: 'Default Dark Modern', light: 'Default Light Modern' } as const;

type Look = (name: string) => Promise<void>;

const rows = (page: Page) => page.locator('.quick-input-list .monaco-list-row');

async function command(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget input').first().fill(`>${title}`);
  await rows(page).filter({ hasText: title }).first().waitFor();
  await page.keyboard.press('Enter');
}

async function settled(page: Page): Promise<void> {
  await page.mouse.move(1100, 640);
  await page.waitForTimeout(900);
}

/** Breakpoint in the opcodes document, F5, a held open, its host calls, its reply with another errno, the console. */
async function story(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  // Commands of extensions come a moment after the workbench.
  await page.waitForTimeout(4000);
  await command(page, 'Virtio-FS: Show FUSE Opcodes');
  await page.locator('.monaco-editor .view-line', { hasText: 'Opens a file' }).first().click();
  await page.keyboard.press('F9');
  await settled(page);
  await look('opcodes');
  await page.keyboard.press('F5');
  const row = (text: string) => page.locator('.debug-pane .monaco-list-row', { hasText: text }).first();
  await row('entry').waitFor({ timeout: 60_000 });
  await settled(page);
  await row('entry').click();
  await row('Request').click();
  await row('fuse_open_in').click();
  await settled(page);
  await look('held');
  await page.keyboard.press('F11');
  await row('before').waitFor({ timeout: 10_000 });
  await page.keyboard.press('F11');
  await row('after').waitFor({ timeout: 10_000 });
  await settled(page);
  await look('call');
  await page.keyboard.press('Shift+F11');
  await row('reply').waitFor({ timeout: 10_000 });
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
}

async function main(): Promise<void> {
  const folder = resolve(process.argv[2] ?? 'pictures');
  await mkdir(folder, { recursive: true });
  for (const [theme, title] of Object.entries(THEMES)) {
    const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-pictures-'));
    const workspace = join(scratch, 'project');
    await mkdir(join(workspace, '.vscode'), { recursive: true });
    await writeFile(join(workspace, 'notes.md'), '# Notes\n\n- edit here, run in the guest\n');
    const launch = {
      type: 'virtiofs',
      request: 'launch',
      name: 'cat in a guest',
      directory: '${workspaceFolder}',
      guest: 'uml',
      command: 'cat notes.md',
    };
    await writeFile(
      join(workspace, '.vscode/launch.json'),
      JSON.stringify({ version: '0.2.0', configurations: [launch] }),
    );
    const workbench = await openWorkbench({
      server: await getVscode(),
      workspace,
      extensions: [project],
      size: { width: 1440, height: 900 },
      settings: { 'workbench.colorTheme': title, 'debug.toolBarLocation': 'docked' },
    });
    const shoot: Look = async (name) =>
      void (await workbench.page.screenshot({ path: join(folder, `${theme}-${name}.png`) }));
    try {
      await story(workbench.page, shoot);
    } catch (error) {
      await shoot('failed');
      throw error;
    } finally {
      await workbench.close();
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
