/**
 * The one VS Code of this folder's tests: started by the first of them, ended after the last. What they share is the
 * window alone: each begins with a capture that was opened for it, whatever the one before has left behind, also by
 * failing.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { need } from '../../support/need';
import { CHROMIUM } from '../../support/vscode/workbench';
import { hasNames } from '../accessibilityTree';
import {
  closeEditors,
  openFile,
  timelineFrame,
  timelineWorkbench,
  type TimelineWorkbench,
  whenComplete,
} from '../timelineWorkbench';
import { type CaptureName, captures } from './captures';

/** Milliseconds, of a machine that has much else to do. */
const PATIENCE = 20_000;

let started: SharedTimeline | undefined;

export async function sharedTimeline(context: Mocha.Context): Promise<SharedTimeline> {
  need(context, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
  // What comes and goes beside captures is not shown: a row of the Explorer that moves is not hit.
  const settings = {
    'files.exclude': { '**/*.notes.json*': true, '**/*.old': true },
    // The theme is what a test says of the system.
    'window.autoDetectColorScheme': true,
  };
  return (started ??= new SharedTimeline(await timelineWorkbench(captures(), { settings })));
}

// Of the whole run: no file knows whether it is the last one.
after('ends the VS Code of the timeline', async () => {
  await started?.workbench.close();
});

export class SharedTimeline {
  readonly page: Page;
  readonly frame: FrameLocator;
  readonly folder: string;
  /** How many requests are shown, in words. */
  readonly count: Locator;
  /** How much time is in view, in words; in motion they are behind the picture, and then are not this. */
  readonly range: Locator;
  readonly filterInput: Locator;
  readonly rows: Locator;
  private readonly size: { readonly width: number; readonly height: number };

  constructor(readonly workbench: TimelineWorkbench) {
    const { page, folder } = workbench;
    page.setDefaultTimeout(PATIENCE);
    const size = page.viewportSize();
    assert.ok(size);
    this.size = size;
    this.page = page;
    this.folder = folder;
    this.frame = timelineFrame(page);
    this.count = this.frame.locator('.count');
    this.range = this.frame.locator('.range:not([data-late])');
    this.filterInput = this.frame.getByRole('combobox', { name: 'Filter requests' });
    this.rows = this.frame.locator('.table-row[data-row]:visible');
  }

  /** A test's own beginning: this capture as it is when it is opened for the first time. */
  async begin(name: CaptureName): Promise<void> {
    const { page } = this;
    // A window that is being loaded anew takes no keys, and opens afterwards what was open before.
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    await page.mouse.up();
    await page.setViewportSize(this.size);
    await page.emulateMedia({ colorScheme: 'dark' });
    await closeEditors(page);
    await this.open(name);
  }

  /** With what is beside it. */
  async open(name: CaptureName): Promise<void> {
    await openFile(this.page, name);
    await whenComplete(this.frame);
  }

  async shows(count: RegExp): Promise<void> {
    await this.count.filter({ hasText: count }).waitFor();
  }

  async filter(text: string, count: RegExp): Promise<void> {
    await this.filterInput.fill(text);
    await this.filterInput.press('Enter');
    await this.shows(count);
  }

  /** Of the page as it is now. */
  hasNames(least = 3): Promise<void> {
    return hasNames(this.page, this.frame.locator('#timeline'), least);
  }

  /** For what no locator can wait for. */
  async until(what: string, ready: () => Promise<boolean>): Promise<void> {
    const last = Date.now() + PATIENCE;
    while (!(await ready())) {
      if (Date.now() > last) assert.fail(`waited in vain: ${what}`);
      await this.page.waitForTimeout(50);
    }
  }
}

/** Of a duration as it is shown. */
export function inMicroseconds(text: string): number {
  const [, number, unit] = /^([\d.]+) (ns|µs|ms|s)$/.exec(text) ?? [];
  return Number(number) * ({ ns: 1e-3, µs: 1, ms: 1e3, s: 1e6 }[unit] ?? NaN);
}
