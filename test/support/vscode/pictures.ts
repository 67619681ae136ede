/**
 * Takes pictures of a person's way through the extension in a real VS Code, with real guests.
 *
 * `npm run pictures` writes those of the README and the walkthrough into media/. `node out/test/support/vscode/pictures.js
 * --review DIR` writes every step into DIR, in light, dark and high contrast, wide and narrow, for somebody to look at.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { requestStory } from './requestStory';
import { failingStory, sharesStory } from './sharesStory';
import { SIZES, THEMES, broken, tell } from './tell';
import { type Workbench } from './workbench';

const project = resolve(__dirname, '../../../..');

const stories = { shares: sharesStory, request: requestStory, failing: failingStory } as const;

/** `only`: one theme and size, `dark-wide`; `story`: one story. */
async function review(folder: string, only: string | undefined, story: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
      const name = `${theme}-${size}`;
      if (only !== undefined && only !== name) continue;
      const session = { theme, size: SIZES[size] };
      const shoot = async (step: string, page: Workbench['page']): Promise<void> =>
        void (await page.screenshot({ path: join(folder, `${name}-${step}.png`) }));
      for (const [title, steps] of Object.entries(stories)) {
        if (story !== undefined && story !== title) continue;
        await tell(title === 'failing' ? { ...session, settings: await broken(folder) } : session, steps, shoot);
      }
      console.log(`${name} done`);
    }
  }
}

/** Steps that are shown in the walkthrough: what of the page. */
const WALKTHROUGH: Readonly<Record<string, string>> = {
  options: '.quick-input-widget',
  environment: '.quick-input-widget',
  terminal: '.part.panel',
  shares: '.part.sidebar',
};
/** Most of a picture's height that says something. */
const TALLEST = 420;

async function media(): Promise<void> {
  const folder = join(project, 'media/walkthrough');
  await mkdir(folder, { recursive: true });
  for (const theme of ['dark', 'light'] as const) {
    await tell({ theme, size: { width: 1040, height: 720 } }, sharesStory, async (step, page) => {
      if (Object.hasOwn(WALKTHROUGH, step)) {
        const box = await page.locator(WALKTHROUGH[step]).first().boundingBox();
        if (box === null) throw new Error(`nothing to take a picture of: ${step}`);
        const height = Math.min(box.height, step === 'shares' ? TALLEST / 2 : TALLEST);
        await page.screenshot({ path: join(folder, `${step}-${theme}.png`), clip: { ...box, height } });
      }
      if (step === 'shares' && theme === 'dark') {
        await page.screenshot({ path: join(project, 'media/share-folder.png') });
      }
    });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { review: { type: 'string' }, only: { type: 'string' }, story: { type: 'string' } },
  });
  await (values.review === undefined ? media() : review(resolve(values.review), values.only, values.story));
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
