/**
 * A VS Code beside a running share, whose guest does what a test orders, and the timeline of that share. How many
 * requests there are is known exactly: nothing is guessed from what is shown.
 */
import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { Traffic } from '../../extension/traffic/traffic';
import { closeEditors, timelineFrame, timelineWorkbench, type TimelineWorkbench } from '../timelineWorkbench';

/** Milliseconds, of a machine that has much else to do. */
const PATIENCE = 20_000;

export class RunningShare {
  readonly page: Page;
  readonly frame: FrameLocator;
  readonly folder: string;
  /** How many requests there have been. */
  requests = 1;

  private constructor(
    private readonly workbench: TimelineWorkbench,
    readonly traffic: Traffic,
  ) {
    this.page = workbench.page;
    this.folder = workbench.folder;
    this.frame = timelineFrame(this.page);
  }

  /** `before`: is given the page before anything is asked for. */
  static async start(before: (page: Page) => void = () => undefined): Promise<RunningShare> {
    const workbench = await timelineWorkbench({});
    const { page, runtime } = workbench;
    page.setDefaultTimeout(PATIENCE);
    before(page);
    const traffic = await Traffic.begin('work', ['--cache=always', '--trace-syscalls'], {
      ...process.env,
      XDG_RUNTIME_DIR: runtime,
    });
    const share = new RunningShare(workbench, traffic);
    await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
    await share.viewsAre('live');
    return share;
  }

  async end(): Promise<void> {
    await this.traffic.end();
    await this.workbench.close();
  }

  /** A test's own beginning: the views go on, and the timeline is opened anew, with requests that were there before. */
  async begin(): Promise<void> {
    const { page } = this;
    await closeEditors(page);
    if (await page.getByText('work · paused').isVisible()) {
      await this.inHeader('Resume').click();
      await this.viewsAre('live');
    }
    await this.work();
    await this.inViews();
    await this.inHeader('Show Timeline of This Capture').click();
    await this.all();
  }

  /** The guest does its usual work; how many requests that made. */
  async work(): Promise<number> {
    const { requests = 0 } = await this.traffic.order({ kind: 'work' });
    assert.ok(requests > 30, `${requests}`);
    this.requests += requests;
    return requests;
  }

  viewsAre(state: 'live' | 'paused'): Promise<void> {
    return this.page.getByText(`work · ${state}`).waitFor({ timeout: 60_000 });
  }

  treeRow(text: string): Locator {
    return this.page.locator('.pane-body .monaco-list-row', { hasText: text }).first();
  }

  private get header(): Locator {
    return this.page.locator('.pane-header', { hasText: 'Requests' });
  }

  /** What a button of the view "Requests" is called. */
  inHeader(name: string): Locator {
    return this.header.getByRole('button', { name });
  }

  /** The views have all requests that there were. */
  async inViews(): Promise<void> {
    await this.header.filter({ hasText: this.requests.toLocaleString('en') }).waitFor();
    // Its buttons are shown then.
    await this.header.hover();
  }

  async countText(): Promise<string> {
    return (await this.frame.locator('.count').textContent()) ?? '';
  }

  /** Of "3 of 1,234" and "1,234 requests": shown, all. */
  async counts(): Promise<[shown: number, all: number]> {
    const [first, second = first] = [...(await this.countText()).matchAll(/[\d,]+/g)].map(([digits]) =>
      Number(digits.replaceAll(',', '')),
    );
    return [first, second];
  }

  /** The timeline has all requests that there were. */
  all(): Promise<void> {
    return this.until(`${this.requests} requests`, async () => (await this.counts())[1] === this.requests);
  }

  /** For what no locator can wait for. */
  async until(what: string, ready: () => Promise<boolean>): Promise<void> {
    const last = Date.now() + PATIENCE;
    while (!(await ready())) {
      if (Date.now() > last) assert.fail(`waited in vain: ${what}; ${await this.countText()}`);
      await this.page.waitForTimeout(50);
    }
  }
}
