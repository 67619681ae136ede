/** The part of `liveViews.ts` that runs inside of the extension host. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Insides } from '../../src/extension';
import { Traffic } from '../extension/traffic/traffic';
import type { OpenCapture } from '../../src/ui/captures/openCapture';
import type { ExtensionFigures, LiveFigures } from './liveViews';

const ID = 'virtiofs-studio.virtiofs-studio';
/** How often the loop is looked at. */
const RESOLUTION_MS = 2;

export async function run(): Promise<void> {
  const { perSecond, seconds, result } = JSON.parse(process.env['LIVE_VIEWS'] ?? '{}') as {
    perSecond: number;
    seconds: number;
    result: string;
  };
  const extension = vscode.extensions.getExtension<Insides>(ID);
  if (!extension) throw new Error('the extension is not there');
  const insides = await extension.activate();
  const loading = loadingTime(extension.extensionPath);
  const views = await insides.views();
  // All three are open and at work.
  for (const view of ['findings', 'inodes', 'requests']) await vscode.commands.executeCommand(`virtiofs.${view}.focus`);
  const traffic = await Traffic.begin('load');
  try {
    await vscode.commands.executeCommand('virtiofs.requests.watch');
    while (views.captures.active?.phase !== 'live') await sleep(20);
    const load = new Load(traffic, perSecond, views.captures.active);
    await load.run(2000);
    const withViews = await load.run(seconds * 1000);
    await vscode.commands.executeCommand('virtiofs.timeline.reveal');
    await load.run(2000);
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    if (!tabs.some(({ input }) => input instanceof vscode.TabInputWebview)) throw new Error('no timeline is open');
    const withTimeline = await load.run(seconds * 1000);
    const figures: ExtensionFigures = {
      loading,
      activation: insides.activation,
      views: withViews,
      timeline: withTimeline,
    };
    writeFileSync(result, JSON.stringify(figures));
  } finally {
    await traffic.end();
  }
}

/** Milliseconds: its code is read and run once more, as VS Code did before it called `activate`. */
function loadingTime(folder: string): number {
  const bundle = join(folder, 'dist/extension.js');
  delete require.cache[bundle];
  const started = performance.now();
  createRequire(__filename)(bundle);
  return performance.now() - started;
}

/** A share that is so busy, and what of it reaches a capture that is open. */
class Load {
  constructor(
    private readonly traffic: Traffic,
    private readonly perSecond: number,
    private readonly capture: OpenCapture,
  ) {}

  async run(milliseconds: number): Promise<LiveFigures> {
    const { traffic, perSecond } = this;
    const before = this.rows;
    const gapsBefore = this.lost;
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    const busy = new BusyLoop();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { requests = 0 } = await traffic.order({ kind: 'pump', perSecond, milliseconds });
    const wall = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    delay.disable();
    busy.end();
    // The last of them are on their way.
    await sleep(500);
    return {
      offered: (requests / wall) * 1000,
      arrived: ((this.rows - before) / wall) * 1000,
      cores: (user + system) / 1000 / wall,
      longestBlock: delay.max / 1e6 - RESOLUTION_MS,
      longestBusy: busy.longest,
      p99Block: delay.percentile(99) / 1e6 - RESOLUTION_MS,
      lost: this.lost - gapsBefore,
      memory: process.memoryUsage.rss() / (1 << 20),
    };
  }

  private get rows(): number {
    return this.capture.reader.count + this.capture.dropped;
  }

  private get lost(): number {
    return this.capture.reader.gaps.reduce((sum, { packets }) => sum + packets, 0);
  }
}

/** How long the event loop was held by work of its own thread: being put aside by a busy machine is not counted. */
class BusyLoop {
  longest = 0;
  private at = performance.now();
  private cpu = threadCpu();
  private readonly timer = setInterval(() => this.look(), RESOLUTION_MS);

  private look(): void {
    const now = performance.now();
    const cpu = threadCpu();
    this.longest = Math.max(this.longest, Math.min(now - this.at, cpu - this.cpu));
    this.at = now;
    this.cpu = cpu;
  }

  end(): void {
    this.look();
    clearInterval(this.timer);
  }
}

/** Milliseconds of CPU that this thread has used; where Node cannot tell, the whole process. */
function threadCpu(): number {
  const { threadCpuUsage = process.cpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1000;
}
