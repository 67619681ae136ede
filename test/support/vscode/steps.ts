/** What a person does in a workbench again and again: the palette, a tree's row, a line in a terminal. */
import { errors, type Frame, type Locator, type Page } from 'playwright-core';

export type Look = (name: string) => Promise<void>;

export const rows = (page: Page): Locator => page.locator('.quick-input-list .monaco-list-row');
export const input = (page: Page): Locator => page.locator('.quick-input-widget input').first();
export const treeRow = (page: Page, text: string): Locator =>
  page.locator('.pane-body .monaco-list-row', { hasText: text }).first();
export const terminalText = (page: Page): Locator => page.locator('.terminal-wrapper.active .xterm-rows');

/** Commands and views of the extension come a moment after the workbench. */
export async function contributed(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().waitFor({ timeout: 120_000 });
}

/**
 * By the palette. A list that is just going may give the focus back to what had it before, which closes a palette that
 * has come meanwhile: a person presses the key again.
 */
export async function command(page: Page, title: string): Promise<void> {
  const row = rows(page).filter({ hasText: title }).first();
  const asked = async (): Promise<boolean> => {
    await page.keyboard.press('F1');
    try {
      await input(page).fill(`>${title}`, { timeout: 8000 });
      return true;
    } catch (error) {
      if (error instanceof errors.TimeoutError) return false;
      throw error;
    }
  };
  for (let turn = 0; !(await asked()); turn++) if (turn === 2) throw new Error(`no palette comes for ${title}`);
  await row.waitFor();
  await page.keyboard.press('Enter');
}

/** In the menu that comes up. */
export async function chooseInMenu(page: Page, name: string): Promise<void> {
  const entry = page.getByRole('menuitem', { name });
  await entry.waitFor();
  // The menu takes no click before it has come in.
  await page.waitForTimeout(500);
  await entry.click();
  await page.locator('.monaco-menu-container').waitFor({ state: 'hidden' });
}

/** By the Explorer's context menu of the file or folder of this name. */
export async function chooseInExplorer(page: Page, name: string, entry: string): Promise<void> {
  const item = page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first();
  await item.click({ button: 'right' });
  await chooseInMenu(page, entry);
}

/** Of the pages of webviews the one that has this. */
export async function pageWith(page: Page, selector: string): Promise<Frame> {
  for (let turn = 0; turn < 100; turn++) {
    for (const frame of page.frames()) if ((await frame.locator(selector).count()) > 0) return frame;
    await page.waitForTimeout(200);
  }
  throw new Error(`no page comes that has ${selector}`);
}

/** The pointer is out of the way and nothing moves any more. */
export async function settled(page: Page): Promise<void> {
  // In the title bar, where nothing is.
  await page.mouse.move(200, 12);
  await page.waitForTimeout(600);
}

export async function type(page: Page, line: string): Promise<void> {
  await page.keyboard.type(`${line}\n`, { delay: 15 });
  await page.waitForTimeout(700);
}

/** The terminal has the focus. Where something else of VS Code takes that meanwhile, a person asks again. */
export async function toTerminal(page: Page): Promise<void> {
  const focused = page.locator('.terminal-wrapper.active .xterm.focus');
  for (let turn = 0; turn < 5; turn++) {
    await command(page, 'Terminal: Focus Terminal');
    const there = await focused.waitFor({ timeout: 6000 }).then(
      () => true,
      () => false,
    );
    if (there) return;
  }
  throw new Error('the terminal does not get the focus');
}

/** The guest's shell waits for a line. */
export async function prompt(page: Page): Promise<void> {
  await terminalText(page)
    .getByText(/[$#] *$/)
    .last()
    .waitFor({ timeout: 120_000 });
}

const MOST_INTERRUPTS = 10;

/**
 * Ends what runs in the guest's shell. A Ctrl+C that comes while an emulated guest is between fork and exec is lost now
 * and then, and a person presses again.
 */
export async function interrupt(page: Page): Promise<void> {
  const lines = terminalText(page).locator('> div');
  for (let press = 0; press < MOST_INTERRUPTS; press++) {
    await page.keyboard.press('Control+C');
    for (let turn = 0; turn < 20; turn++) {
      const said = (await lines.allInnerTexts()).map((line) => line.trim()).filter((line) => line !== '');
      if (/[$#]$/.test(said.at(-1) ?? '')) return;
      await page.waitForTimeout(100);
    }
  }
  throw new Error(`Ctrl+C ends nothing in the guest's shell, ${MOST_INTERRUPTS} times`);
}
