/** The bench's parts whose figures need little wording: the gate, the timeline, the live views, the DAX window. */
import { rmSync } from 'node:fs';
import { getVscode } from '../support/vscode/install';
import { daxReport, measureDax } from './dax';
import { gateCosts } from './gate';
import { type LiveFigures, measureLiveViews } from './liveViews';
import type { Part } from './part';
import { table } from './report';
import { type FrameFigures, type MotionFigures, measureTimeline } from './timeline';
import { makeTree } from './tree';

const fixed = (value: number, digits = 2): string => value.toFixed(digits);

export const gate: Part = {
  name: 'gate',
  about: 'What the debugger costs while nobody debugs; medians, each daemon in turn.',
  measure: async (plan, say) => {
    say('gate: four daemons in turn');
    const folder = makeTree();
    try {
      const costs = await gateCosts(folder, plan.rounds, plan.milliseconds);
      const rows = costs.map((cost) => [
        cost.name,
        fixed(cost.without),
        fixed(cost.offered),
        `${fixed(cost.ratio, 3)} (${fixed(cost.ratioFrom, 2)} to ${fixed(cost.ratioTo, 2)})`,
        fixed(cost.armed),
        fixed(cost.armedElsewhere),
      ]);
      const head = [
        'request',
        'no gate',
        'as it is',
        'ratio (middle half)',
        'a condition that never holds',
        'another opcode',
      ];
      const title = 'depth 16: CPU microseconds of the queue worker per request';
      return { json: costs, text: [title, ...table([head, ...rows]), ''].join('\n') };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const timeline: Part = {
  name: 'timeline',
  about:
    'In a real VS Code (code-server) in headless Chromium, measured in the page; its window has come to rest, and the timeline is its first webview.',
  measure: async (plan, say) => {
    say('timeline: a capture of a million requests in VS Code');
    await getVscode();
    const figures = await measureTimeline(plan.quick ? 100_000 : 1_000_000);
    const frames = (name: string, of: FrameFigures): string[] => [
      name,
      ...[of.median, of.p95, of.workP95, of.drawP95].map((value) => fixed(value, 1)),
    ];
    const motions = (title: string, of: MotionFigures, still: readonly string[][] = []): string[] => [
      title,
      ...table([
        ['moving', 'frame ms, median', 'p95', 'of it at work p95', 'drawing p95'],
        ...still,
        frames('zooming', of.zooming),
        frames('panning', of.panning),
        frames('panning, by file', of.panningFiles),
      ]),
      '',
    ];
    const text = [
      `the timeline of ${figures.requests.toLocaleString('en')} requests: first picture after ` +
        `${fixed(figures.firstPicture)} s, complete after ${fixed(figures.complete)} s`,
      '',
      ...motions('each frame when the one before it is done: what frames take', figures.unlimited),
      ...motions("at the screen's 60 frames a second, which a quicker frame waits for", figures.atScreenRate, [
        frames('nothing (what a frame is at least)', figures.still),
      ]),
      ...table([
        ['filter', 'milliseconds'],
        ...figures.filtering.map(({ filter, milliseconds }) => [filter || '(none)', fixed(milliseconds, 0)]),
      ]),
      '',
    ].join('\n');
    return { json: figures, text };
  },
};

export const views: Part = {
  name: 'views',
  about: 'The extension in a real VS Code, beside a share that is as busy as that.',
  measure: async (plan, say) => {
    say('views: 50,000 requests a second');
    const figures = await measureLiveViews(50_000, plan.quick ? 3 : 15);
    const row = (name: string, of: LiveFigures): string[] => [
      name,
      `${of.arrived.toFixed(0)} of ${of.offered.toFixed(0)}`,
      `${of.lost}`,
      fixed(of.cores),
      fixed(of.longestBlock, 0),
      fixed(of.longestBusy, 0),
      fixed(of.p99Block, 0),
      of.memory.toFixed(0),
    ];
    const text = [
      ...table([
        ['open', 'requests a second', 'lost', 'cores', 'longest block ms', 'of it at work', 'p99', 'MB'],
        row('Requests, Inodes, Findings', figures.views),
        row('these and a live timeline', figures.timeline),
      ]),
      '',
      `activation: ${fixed(figures.loading + figures.activation, 0)} ms, of which activate() ${fixed(figures.activation, 0)} ms`,
      '',
    ].join('\n');
    return { json: figures, text };
  },
};

export const dax: Part = {
  name: 'dax',
  about: 'One guest in QEMU, the same files through a share with a window and one without, in turn.',
  measure: async (plan, say) => {
    say('dax: a guest with and without a window');
    const results = await measureDax(plan.rounds, say);
    return { json: results, text: daxReport(results) };
  },
};
