/**
 * The stories of a person at the workbench, which are tests and make the pictures: what each needs, and what it tells.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleCapture } from '../../workbench/sampleCapture';
import { captureStory } from './captureStory';
import { daxSettings, daxStory, makeData } from './daxStory';
import { daxWatchStory } from './daxWatchStory';
import { debugRunningStory, debugStory, makeLaunch } from './debugStory';
import { requestStory } from './requestStory';
import { failingStory, makeBroken, sharesStory } from './sharesStory';
import { type Told } from './tell';

async function makeCaptures(workspace: string): Promise<void> {
  await writeFile(join(workspace, 'build.fuse.pcapng'), sampleCapture().bytes());
  await writeFile(join(workspace, 'slower.fuse.pcapng'), sampleCapture({ slower: 1.6, files: 50 }).bytes());
}

export const stories = {
  shares: {
    title: 'shares a folder, works in it, looks around, and closes VS Code',
    story: sharesStory,
  },
  request: {
    title: 'follows one request from the guest to a file, and stops the guest',
    story: requestStory,
  },
  capture: {
    title: 'opens a capture, looks at it from all sides, and compares it with another one',
    story: captureStory,
    prepare: makeCaptures,
  },
  debug: {
    title: 'holds a request, steps through it and answers with another errno',
    story: debugStory,
    prepare: makeLaunch,
    settings: { 'debug.toolBarLocation': 'docked' },
  },
  debugRunning: {
    title: 'debugs a share that runs by its context menu, and lets it go on',
    story: debugRunningStory,
  },
  dax: {
    title: 'shares with a DAX window, and sees what is in it',
    story: daxStory,
    prepare: makeData,
    settings: daxSettings,
  },
  daxWatch: {
    title: 'gives a guest a DAX window and watches it',
    story: daxWatchStory,
  },
  failing: {
    title: 'shares by a profile that cannot be, and into a guest that does not boot',
    story: failingStory,
    prepare: makeBroken,
  },
} satisfies Readonly<Record<string, Told & { readonly title: string }>>;

export type StoryName = keyof typeof stories;
