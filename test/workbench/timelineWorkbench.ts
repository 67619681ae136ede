/** A workbench with captures in its folder, and ways into a timeline's page. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { getVscode } from '../support/vscode/install';
import { chooseInExplorer } from '../support/vscode/steps';
import { openWorkbench, type Workbench } from '../support/vscode/workbench';

const project = resolve(__dirname, '../../..');

export interface TimelineWorkbench extends Workbench {
  readonly folder: string;
}

export interface TimelineWorkbenchOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** As a person has installed it: only then are notifications shown. */
  readonly installed?: boolean;
  /** A folder with a package of it; else this project. */
  readonly extension?: string;
  readonly browserArgs?: readonly string[];
}

/** `files`: bytes, or the path of a file that is to be linked to. */
export async function timelineWorkbench(
  files: Readonly<Record<string, Uint8Array | string>>,
  { settings = {}, installed = false, extension = project, browserArgs = [] }: TimelineWorkbenchOptions = {},
): Promise<TimelineWorkbench> {
  const folder = await mkdtemp(join(tmpdir(), 'virtiofs-timeline-'));
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string') await symlink(content, join(folder, name));
    else await writeFile(join(folder, name), content);
  }
  const workbench = await openWorkbench({
    server: await getVscode(),
    workspace: folder,
    extensions: [extension],
    installed,
    settings,
    browserArgs,
  });
  const close = async (): Promise<void> => {
    await workbench.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await extensionIsKnown(workbench.page);
    return { ...workbench, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Before VS Code knows of the extension it would open a capture as text. */
export async function extensionIsKnown(page: Page): Promise<void> {
  await page.locator('.explorer-folders-view').waitFor({ timeout: 60_000 });
  for (let turn = 0; ; turn++) {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input').first().fill('>Virtio-FS: Compare');
    const known = page.locator('.quick-input-list .monaco-list-row', { hasText: 'Compare Captures' });
    const there = await known.waitFor({ timeout: 1500 }).then(
      () => true,
      () => false,
    );
    await page.keyboard.press('Escape');
    if (there) return;
    if (turn > 20) throw new Error('VS Code does not know the extension');
  }
}

/** Opens a capture as a double click does. */
export async function openFile(page: Page, name: string): Promise<void> {
  const item = page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first();
  const asText = page.getByText('not displayed in the text editor');
  for (let turn = 0; ; turn++) {
    await item.waitFor({ timeout: 30_000 });
    await item.dblclick();
    await page.locator('iframe.webview.ready:visible').or(asText).first().waitFor({ timeout: 60_000 });
    if (!(await asText.isVisible())) return;
    // VS Code knows commands of an extension before it knows its editors.
    if (turn === 5) throw new Error(`${name} is opened as text`);
    await command(page, 'View: Close All Editors');
    await page.waitForTimeout(500);
  }
}

/** The timeline that is shown. */
export function timelineFrame(page: Page): FrameLocator {
  return page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');
}

/** Waits for a capture to be there as a whole. */
export async function whenComplete(frame: FrameLocator): Promise<void> {
  await frame.locator('#timeline[data-complete="true"]').waitFor({ timeout: 60_000 });
}

export async function command(page: Page, name: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input').first();
  await input.waitFor({ state: 'visible' });
  await input.fill(`>${name}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
  await page.keyboard.press('Enter');
}

export async function closeEditors(page: Page): Promise<void> {
  for (const key of ['Control+K', 'Control+W']) await page.keyboard.press(key);
  await page.locator('iframe.webview.ready:visible').waitFor({ state: 'detached' });
}

/** The Explorer's way from a capture file to the views. */
export const openInViews = (page: Page, name: string): Promise<void> =>
  chooseInExplorer(page, name, 'Open Capture in Views');
