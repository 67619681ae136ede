import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { need } from '../support/need';
import { getVscode } from '../support/vscode/install';
import { chooseInExplorer, prompt, rows, terminalText, type } from '../support/vscode/steps';
import { CHROMIUM, openWorkbench, type Workbench } from '../support/vscode/workbench';
import { extensionIsKnown } from './timelineWorkbench';

const project = resolve(__dirname, '../../..');
const FILES = 3000;

describe('the status bar', function () {
  this.timeout(240_000);
  let scratch: string;
  let workbench: Workbench;
  let page: Page;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    need(this, 'User Mode Linux', process.arch === 'x64', 'it is for x86-64 only');
    scratch = await mkdtemp(join(tmpdir(), 'virtiofs-status-'));
    for (const name of ['first', 'second']) {
      await mkdir(join(scratch, 'open', name), { recursive: true });
      await writeFile(join(scratch, 'open', name, 'hello.txt'), 'hello\n');
    }
    workbench = await openWorkbench({
      server: await getVscode(),
      workspace: join(scratch, 'open'),
      extensions: [project],
      installed: true,
      settings: { 'virtiofs.guest': 'uml' },
    });
    ({ page } = workbench);
    page.setDefaultTimeout(60_000);
    await extensionIsKnown(page);
  });

  after(async () => {
    await workbench?.close();
    if (scratch !== undefined) await rm(scratch, { recursive: true });
  });

  const items = (): Locator => page.locator('.statusbar-item[id*="virtiofs.vm"]');
  const item = (name: string): Locator => items().filter({ hasText: name });

  async function share(name: string): Promise<void> {
    await chooseInExplorer(page, name, 'Share Folder into VM…');
    await item(name)
      .filter({ hasText: /idle|\/s/ })
      .waitFor({ timeout: 120_000 });
  }

  /** All that its text has ever been, from now on. */
  async function watch(name: string): Promise<() => Promise<string[]>> {
    const element = await item(name).elementHandle();
    assert.ok(element);
    const seen = await element.evaluateHandle((node) => {
      const { MutationObserver } = globalThis as unknown as {
        readonly MutationObserver: new (told: () => void) => { observe(node: unknown, what: object): void };
      };
      const texts: string[] = [];
      new MutationObserver(() => texts.push(node.textContent ?? '')).observe(node, {
        childList: true,
        characterData: true,
        subtree: true,
      });
      return texts;
    });
    return () => seen.jsonValue();
  }

  const rates = (texts: readonly string[]): number[] =>
    texts.flatMap((text) =>
      [...text.matchAll(/([\d.,]+)\/s/g)].map(([, digits]) => Number(digits.replaceAll(',', ''))),
    );

  it('has an item for a virtual machine, which is idle while its guest asks for nothing', async () => {
    assert.equal(await items().count(), 0);
    await share('first');
    await prompt(page);
    await item('first').filter({ hasText: 'idle' }).waitFor();
  });

  it('tells a rate while its guest asks, and is idle again when that is over', async () => {
    const texts = await watch('first');
    // Each name that is not there is a LOOKUP.
    await type(page, `for i in $(seq ${FILES}); do [ -e missing$i ]; done; echo all"" asked`);
    await terminalText(page).getByText('all asked').last().waitFor();
    // Its counters come once a second, after what they count.
    while (!rates(await texts()).some((rate) => rate > 0)) await page.waitForTimeout(100);
    await item('first').filter({ hasText: 'idle' }).waitFor();
  });

  it('has an item for each of two, of which each tells of its own guest', async () => {
    await share('second');
    assert.equal(await items().count(), 2);
    await prompt(page);
    await item('first').filter({ hasText: 'idle' }).waitFor();
    await item('second').filter({ hasText: 'idle' }).waitFor();
    const texts = await watch('first');
    await type(page, 'while :; do cat hello.txt; done >/dev/null');
    await item('second').filter({ hasText: '/s' }).waitFor();
    assert.deepEqual(rates(await texts()), []);
  });

  it('has it no longer when the machine has ended', async () => {
    await item('second').click();
    await rows(page).filter({ hasText: 'Stop' }).first().click();
    await item('second').waitFor({ state: 'detached' });
    assert.equal(await items().count(), 1);
    await item('first').click();
    await rows(page).filter({ hasText: 'Stop' }).first().click();
    await item('first').waitFor({ state: 'detached' });
  });
});
