/**
 * How quick the timeline is with a capture of a million requests, in a real VS Code: until it is there, a frame while
 * it is zoomed and moved, a filter. Measured in the page.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { openFile, timelineFrame, timelineWorkbench, whenComplete } from '../workbench/timelineWorkbench';
import { median } from './measure';
import { writeCapture } from './readCapture';

export interface FrameFigures {
  readonly frames: number;
  /** Milliseconds from one frame to the next. */
  readonly median: number;
  readonly p95: number;
  readonly longest: number;
  /**
   * Of them the main thread is at work, for the timeline and the workbench around it; and within that draws the lanes.
   */
  readonly workP95: number;
  readonly drawP95: number;
}

export interface MotionFigures {
  readonly zooming: FrameFigures;
  readonly panning: FrameFigures;
  /** By file: hundreds of lanes. */
  readonly panningFiles: FrameFigures;
}

export interface TimelineFigures {
  readonly requests: number;
  /** Medians of seconds from the double click to a picture with the first rows, and to that with all. */
  readonly firstPicture: number;
  readonly complete: number;
  /** As the screen of the browser has it: a frame begins 60 times a second, and a quicker one waits for the next. */
  readonly atScreenRate: MotionFigures;
  /** So too, and nothing is done: what a frame is at least, on this machine. */
  readonly still: FrameFigures;
  /** Each frame begins when the one before it is done: what frames take, from the wheel to the last pixel. */
  readonly unlimited: MotionFigures;
  /** Milliseconds from the change of a filter's text to the new picture. */
  readonly filtering: readonly { readonly filter: string; readonly milliseconds: number; readonly passed: string }[];
}

const FILTERS = ['opcode == READ', 'latency > 50us && opcode != READ', 'path ~ "*file0001*"', 'read.size >= 4K', ''];

type Motion = 'still' | 'zoom' | 'pan';

interface InPage {
  watchClicks(): void;
  clickedAt(): number;
  drawnAt(): { first: number; complete: number };
  frames(surface: unknown, options: { motion: Motion; seconds: number }): Promise<FrameFigures>;
  filter(input: unknown, text: string): Promise<{ milliseconds: number; passed: string }>;
}

const inPage = createRequire(__filename)(resolve(__dirname, '../../../test/bench/timelineInPage.cjs')) as InPage;

const frames = (frame: FrameLocator, motion: Motion, seconds: number): Promise<FrameFigures> =>
  frame.locator('#lanes').evaluate(inPage.frames, { motion, seconds });

async function filterOnce(frame: FrameLocator, filter: string) {
  return { filter, ...(await frame.locator('.filter-box input').evaluate(inPage.filter, filter)) };
}

/** Milliseconds after which VS Code has started what it starts with a window. */
const SETTLED = 4000;
/** A VS Code is started for each opening; the medians count. */
const OPENINGS = 3;

/** `capture`: a file that is there; else one is made. */
export async function measureTimeline(requests = 1_000_000, capture?: string): Promise<TimelineFigures> {
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-bench-timeline-'));
  const file = capture ?? join(scratch, 'million.fuse.pcapng');
  try {
    if (capture === undefined) {
      writeCapture(file, requests);
      // Else the disk is at work while it is opened.
      const written = openSync(file, 'r');
      fsyncSync(written);
      closeSync(written);
    }
    const taken: Opening[] = [];
    for (let opening = 0; opening < OPENINGS; opening++) taken.push(await openOnce(file, []));
    const middle = (of: 'firstPicture' | 'complete'): number => median(taken.map((figures) => figures[of]));
    const { requests: shown, motions: atScreenRate, still, filtering } = taken[0];
    const { motions: unlimited } = await openOnce(file, NO_FRAME_LIMIT);
    const [firstPicture, complete] = [middle('firstPicture'), middle('complete')];
    return { requests: shown, firstPicture, complete, atScreenRate, still, unlimited, filtering };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Opening extends Omit<TimelineFigures, 'atScreenRate' | 'unlimited'> {
  readonly motions: MotionFigures;
}

/** Chromium draws as often as it can, instead of 60 times a second. */
const NO_FRAME_LIMIT = ['--disable-frame-rate-limit', '--disable-gpu-vsync'];

async function openOnce(file: string, browserArgs: readonly string[]): Promise<Opening> {
  const workbench = await timelineWorkbench({ 'million.fuse.pcapng': file }, { browserArgs });
  try {
    const { page } = workbench;
    const row = page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'million.fuse.pcapng' }).first();
    await row.waitFor({ timeout: 30_000 });
    // VS Code has come to rest, as when a person has found the file; it is the first webview of this window.
    await page.waitForTimeout(SETTLED);
    await page.evaluate(inPage.watchClicks);
    await openFile(page, 'million.fuse.pcapng');
    const frame = timelineFrame(page);
    await whenComplete(frame);
    const shown = Number(await frame.locator('#timeline').getAttribute('data-rows'));
    await page.waitForTimeout(1000);
    const clicked = await page.evaluate(inPage.clickedAt);
    const drawn = await frame.locator('#lanes').evaluate(inPage.drawnAt);
    const [firstPicture, complete] = [drawn.first, drawn.complete].map((at) => (at - clicked) / 1000);
    const still = await frames(frame, 'still', 4);
    const zooming = await frames(frame, 'zoom', 4);
    await frame.getByRole('button', { name: 'Show everything' }).click();
    const surface = frame.locator('#lanes');
    await surface.focus();
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('+');
      await page.waitForTimeout(250);
    }
    const panning = await frames(frame, 'pan', 4);
    await frame.getByLabel('Lanes').selectOption('file');
    await page.waitForTimeout(1500);
    const panningFiles = await frames(frame, 'pan', 4);
    await frame.getByLabel('Lanes').selectOption('queue');
    await page.waitForTimeout(1500);
    const filtering: Awaited<ReturnType<typeof filterOnce>>[] = [];
    for (const filter of FILTERS) filtering.push(await filterOnce(frame, filter));
    const motions = { zooming, panning, panningFiles };
    return { requests: shown, firstPicture, complete, motions, still, filtering };
  } finally {
    await workbench.close();
  }
}

if (require.main === module) {
  void measureTimeline(1_000_000, process.argv[2]).then(
    (figures) => {
      console.log(JSON.stringify(figures, undefined, 2));
      process.exit(0);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
