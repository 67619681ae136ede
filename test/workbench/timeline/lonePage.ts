/**
 * The timeline's page in a browser by itself: what VS Code would give to it comes when the test says so.
 *
 * `lonePage()` within a `describe` has a browser for its tests; each opens its own page, which is closed after it.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { FromTimeline, ToTimeline } from '../../../src/control/timeline';
import { need } from '../../support/need';
import { CHROMIUM } from '../../support/vscode/workbench';

const project = resolve(__dirname, '../../../..');

/** Keeps what the page says. */
const vscodeWith = (state: unknown): string => `
  window.taken = [];
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => window.taken.push(message),
    getState: () => (${JSON.stringify(state)}),
    setState: () => undefined,
  });`;

export function lonePage(): LonePage {
  const lone = new LonePage();
  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    await lone.start();
  });
  afterEach(() => lone.close());
  after(() => lone.end());
  return lone;
}

class LonePage {
  private browser: Browser | undefined;
  private page: Page | undefined;

  async start(): Promise<void> {
    this.browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  }

  /** `state`: what an earlier page has left. */
  async open(state: unknown = null): Promise<Page> {
    if (!this.browser) throw new Error('not started');
    const page = (this.page = await this.browser.newPage());
    page.setDefaultTimeout(12_000);
    await page.route('**', (route) => route.fulfill({ contentType: 'text/html', body: '<main id="timeline"></main>' }));
    await page.goto('http://localhost/');
    await page.addScriptTag({ content: vscodeWith(state) });
    await page.addStyleTag({ path: join(project, 'dist/webview/timeline.css') });
    await page.addScriptTag({ path: join(project, 'dist/webview/timeline.js') });
    return page;
  }

  async give(message: ToTimeline): Promise<void> {
    await this.page?.evaluate(`window.postMessage(${JSON.stringify(message)})`);
  }

  async taken(): Promise<FromTimeline[]> {
    return (await this.page?.evaluate<FromTimeline[]>('window.taken')) ?? [];
  }

  async close(): Promise<void> {
    await this.page?.close();
    this.page = undefined;
  }

  async end(): Promise<void> {
    await this.browser?.close();
  }
}
