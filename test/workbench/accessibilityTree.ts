/** What a screen reader has of the pages of webviews: by their elements, and by what the browser makes of them. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';

const { nameless } = createRequire(__filename)(resolve(__dirname, '../../../test/workbench/labelsInPage.cjs')) as {
  nameless(root: unknown): string[];
};

/** Of a page as it is now. `least`: so many things take the focus. */
export async function hasNames(page: Page, root: Locator, least: number): Promise<void> {
  assert.deepEqual(await root.evaluate(nameless), []);
  const tree = await withoutName(page);
  assert.ok(tree.looked >= least, `only ${tree.looked} things take the focus`);
  assert.deepEqual(tree.nameless, []);
}

interface FrameTree {
  readonly frame: { readonly id: string; readonly url: string };
  readonly childFrames?: readonly FrameTree[];
}

/** Whatever takes the focus and has no name, by its role. */
async function withoutName(page: Page): Promise<{ readonly looked: number; readonly nameless: string[] }> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('Accessibility.enable');
    const { frameTree } = await session.send('Page.getFrameTree');
    // The page itself is the innermost of a webview's frames.
    const pages = ({ frame, childFrames = [] }: FrameTree): FrameTree[] =>
      childFrames.length > 0 ? childFrames.flatMap(pages) : frame.url.includes('/webview/') ? [{ frame }] : [];
    const nameless: string[] = [];
    let looked = 0;
    for (const { frame } of pages(frameTree as FrameTree)) {
      const { nodes } = await session.send('Accessibility.getFullAXTree', { frameId: frame.id });
      for (const { ignored, role, name, properties = [] } of nodes) {
        const focusable = properties.some((one) => one.name === 'focusable' && one.value.value === true);
        if (ignored || !focusable || role?.value === 'RootWebArea') continue;
        looked++;
        if (String(name?.value ?? '').trim() === '') nameless.push(String(role?.value));
      }
    }
    return { looked, nameless };
  } finally {
    await session.detach();
  }
}
