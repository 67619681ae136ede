/** What the browser hands to a screen reader of the pages of webviews. */
import type { Page } from 'playwright-core';

interface FrameTree {
  readonly frame: { readonly id: string; readonly url: string };
  readonly childFrames?: readonly FrameTree[];
}

/** Whatever takes the focus and has no name, by its role. */
export async function withoutName(page: Page): Promise<{ readonly looked: number; readonly nameless: string[] }> {
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
