/**
 * Takes pictures of a person's way through the extension in a real VS Code, with real guests: the stories of
 * stories.ts.
 *
 * `npm run pictures` writes those of the README and the walkthrough into media/ (`--story NAME`: of one story only).
 * `node out/test/support/vscode/pictures.js --review DIR` writes every step into DIR, in all themes and sizes, for
 * somebody to look at (`--story NAME`), and of the sights of sights.ts. Theme and size change at each step, so that
 * what does not follow them is seen as well.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { sights } from './sights';
import { stories, type StoryName } from './stories';
import { SIZES, tell, type Told, THEME_PAIRS, THEMES } from './tell';

/** By which the workbench says what it wears. */
const THEME_CLASSES = {
  dark: 'dark_modern',
  light: 'light_modern',
  contrast: 'hc_black',
  contrastLight: 'hc_light',
} as const;

const project = resolve(__dirname, '../../../..');

interface Choice {
  readonly story: string | undefined;
}

const chosen = (of: Readonly<Record<string, Told>>, { story }: Choice): [name: string, told: Told][] =>
  Object.entries(of).filter(([name]) => story === undefined || story === name);

type Theme = keyof typeof THEMES;

/** The system is light or dark now, and VS Code and what is shown in it have followed. */
async function wear(theme: Theme, light: boolean, page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: light ? 'light' : 'dark' });
  await page.locator(`.monaco-workbench[class*="${THEME_CLASSES[theme]}"]`).waitFor();
  await page.waitForTimeout(350);
}

async function review(folder: string, choice: Choice): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, told] of chosen({ ...stories, ...sights }, choice)) {
    for (const pair of THEME_PAIRS) {
      const [dark, light] = pair;
      const settings = {
        'window.autoDetectColorScheme': true,
        'workbench.preferredDarkColorTheme': THEMES[dark],
        'workbench.preferredLightColorTheme': THEMES[light],
      };
      await tell({ theme: dark, size: SIZES.wide, settings }, told, async (step, page) => {
        for (const theme of pair) {
          await wear(theme, theme === light, page);
          for (const [word, size] of Object.entries(SIZES)) {
            await page.setViewportSize(size);
            await page.waitForTimeout(350);
            await page.screenshot({ path: join(folder, `${name}-${step}-${theme}-${word}.png`) });
          }
        }
        await page.setViewportSize(SIZES.wide);
        await wear(dark, false, page);
      });
      console.log(`${name} ${pair.join(', ')} done`);
    }
  }
}

interface Picture {
  readonly story: StoryName;
  readonly step: string;
  /** Below media/, without its ending; of the walkthrough with the theme behind it. */
  readonly file: string;
  /** What of the page, and what is between; all of it otherwise. */
  readonly parts?: readonly string[];
  /** Most of its height that says something. */
  readonly tallest?: number;
  /** Of the window: in the walkthrough a picture is about half as wide as the usual one, and has to be read. */
  readonly size?: Size;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const QUICK_PICK = '.quick-input-widget';
const SIDE_BAR = '.part.sidebar';
const EDITOR = '.part.editor';

/** Light and dark. */
const walkthrough: readonly Picture[] = [
  { story: 'shares', step: 'environment', file: 'environment', parts: [QUICK_PICK], tallest: 420 },
  { story: 'shares', step: 'terminal', file: 'terminal', parts: ['.part.panel'], tallest: 420 },
  { story: 'shares', step: 'shares', file: 'shares', parts: [SIDE_BAR], tallest: 210 },
  { story: 'request', step: '3-tree', file: 'requests', parts: [SIDE_BAR], tallest: 620 },
  { story: 'capture', step: 'zoomed', file: 'timeline', parts: [EDITOR], size: { width: 800, height: 740 } },
  { story: 'debug', step: 'held', file: 'debug', parts: [SIDE_BAR, EDITOR], size: { width: 800, height: 760 } },
  { story: 'dax', step: 'dax', file: 'dax', parts: [SIDE_BAR] },
  { story: 'shares', step: 'options', file: 'options', parts: [QUICK_PICK], tallest: 420 },
];

/** Dark. */
const readme: readonly Picture[] = [
  { story: 'shares', step: 'shares', file: 'share-folder' },
  { story: 'capture', step: 'zoomed', file: 'timeline' },
  { story: 'debug', step: 'held', file: 'debugger' },
  { story: 'dax', step: 'dax-range', file: 'dax-window' },
];

const PICTURE: Size = { width: 1200, height: 760 };

async function take(page: Page, { parts, tallest = Infinity, size = PICTURE }: Picture, path: string): Promise<void> {
  const resize = async (to: Size): Promise<void> => {
    if (size === PICTURE) return;
    await page.setViewportSize(to);
    await page.waitForTimeout(1500);
  };
  await resize(size);
  if (parts === undefined) await page.screenshot({ path });
  else await page.screenshot({ path, clip: await around(page, parts, tallest) });
  await resize(PICTURE);
}

async function around(page: Page, parts: readonly string[], tallest: number): Promise<Size & { x: number; y: number }> {
  const boxes = await Promise.all(parts.map((part) => page.locator(part).first().boundingBox()));
  const there = boxes.filter((box) => box !== null);
  if (there.length < parts.length) throw new Error(`nothing to take a picture of: ${parts.join(', ')}`);
  const x = Math.min(...there.map((box) => box.x));
  const y = Math.min(...there.map((box) => box.y));
  const right = Math.max(...there.map((box) => box.x + box.width));
  // Beside each other: what is below the lowest that both have is of one of them.
  const bottom = Math.min(...there.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: Math.min(bottom - y, tallest) };
}

async function media(choice: Choice): Promise<void> {
  const folder = join(project, 'media');
  for (const theme of ['dark', 'light'] as const) {
    for (const [name, told] of chosen(stories, choice)) {
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
    options: { review: { type: 'string' }, story: { type: 'string' } },
  });
  const choice = { story: values.story };
  await (values.review === undefined ? media(choice) : review(resolve(values.review), choice));
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
