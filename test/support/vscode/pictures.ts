/**
 * Takes pictures of a person's way through the extension in a real VS Code, with real guests: the stories of stories.ts.
 *
 * `npm run pictures` writes those of the README and the walkthrough into media/ (`--story NAME`: of one story only).
 * `node out/test/support/vscode/pictures.js --review DIR` writes every step into DIR, in all themes, wide and narrow, for
 * somebody to look at (`--only dark-wide`, `--story NAME`).
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { stories, type StoryName } from './stories';
import { SIZES, tell, type Told, THEMES } from './tell';

const project = resolve(__dirname, '../../../..');

interface Choice {
  readonly only: string | undefined;
  readonly story: string | undefined;
}

const chosen = ({ story }: Choice): [name: string, told: Told][] =>
  Object.entries(stories).filter(([name]) => story === undefined || story === name);

async function review(folder: string, choice: Choice): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    for (const [word, size] of Object.entries(SIZES)) {
      const kind = `${theme}-${word}`;
      if (choice.only !== undefined && choice.only !== kind) continue;
      for (const [name, told] of chosen(choice)) {
        await tell({ theme, size }, told, async (step, page) => {
          await page.screenshot({ path: join(folder, `${kind}-${name}-${step}.png`) });
        });
        console.log(`${kind} ${name} done`);
      }
    }
  }
}

interface Picture {
  readonly story: StoryName;
  readonly step: string;
  /** Below media/, without its ending; of the walkthrough with the theme behind it. */
  readonly file: string;
  /** What of the page; all of it otherwise. */
  readonly part?: string;
  /** Most of its height that says something. */
  readonly tallest?: number;
}

const QUICK_PICK = '.quick-input-widget';
const SIDE_BAR = '.part.sidebar';

/** Light and dark. */
const walkthrough: readonly Picture[] = [
  { story: 'shares', step: 'environment', file: 'environment', part: QUICK_PICK, tallest: 420 },
  { story: 'shares', step: 'terminal', file: 'terminal', part: '.part.panel', tallest: 420 },
  { story: 'shares', step: 'shares', file: 'shares', part: SIDE_BAR, tallest: 210 },
  { story: 'request', step: '3-tree', file: 'requests', part: SIDE_BAR, tallest: 620 },
  { story: 'capture', step: 'zoomed', file: 'timeline', part: '.part.editor' },
  { story: 'debug', step: 'held', file: 'debug' },
  { story: 'dax', step: 'dax', file: 'dax', part: SIDE_BAR },
  { story: 'shares', step: 'options', file: 'options', part: QUICK_PICK, tallest: 420 },
];

/** Dark. */
const readme: readonly Picture[] = [
  { story: 'shares', step: 'shares', file: 'share-folder' },
  { story: 'capture', step: 'zoomed', file: 'timeline' },
  { story: 'debug', step: 'held', file: 'debugger' },
  { story: 'dax', step: 'dax-range', file: 'dax-window' },
];

async function take(page: Page, { part, tallest = Infinity }: Picture, path: string): Promise<void> {
  if (part === undefined) return void (await page.screenshot({ path }));
  const box = await page.locator(part).first().boundingBox();
  if (box === null) throw new Error(`nothing to take a picture of: ${part}`);
  await page.screenshot({ path, clip: { ...box, height: Math.min(box.height, tallest) } });
}

const PICTURE = { width: 1200, height: 760 };

async function media(choice: Choice): Promise<void> {
  const folder = join(project, 'media');
  for (const theme of ['dark', 'light'] as const) {
    for (const [name, told] of chosen(choice)) {
      const wanted = [...walkthrough, ...readme].some(({ story }) => story === name);
      if (!wanted) continue;
      await tell({ theme, size: PICTURE }, told, async (at, page) => {
        const here = ({ story, step }: Picture): boolean => story === name && step === at;
        for (const one of walkthrough.filter(here)) {
          await take(page, one, join(folder, 'walkthrough', `${one.file}-${theme}.png`));
        }
        if (theme === 'light') return;
        for (const one of readme.filter(here)) await take(page, one, join(folder, `${one.file}.png`));
      });
      console.log(`${theme} ${name} done`);
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { review: { type: 'string' }, only: { type: 'string' }, story: { type: 'string' } },
  });
  const choice = { only: values.only, story: values.story };
  await (values.review === undefined ? media(choice) : review(resolve(values.review), choice));
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
