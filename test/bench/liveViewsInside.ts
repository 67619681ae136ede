/** The part of `liveViews.ts` that runs inside of the extension host. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Insides } from '../../src/extension';
import { Traffic } from '../extension/traffic/traffic';
import type { LiveFigures } from './liveViews';

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
  const views = await (await extension.activate()).views();
  // All three are open and at work.
  for (const view of ['findings', 'inodes', 'requests']) await vscode.commands.executeCommand(`virtiofs.${view}.focus`);
  const traffic = await Traffic.begin('load');
  try {
    await vscode.commands.executeCommand('virtiofs.requests.watch');
    while (views.captures.active?.phase !== 'live') await sleep(20);
    await traffic.order({ kind: 'pump', perSecond, milliseconds: 2000 });
    await sleep(500);
    const { reader, dropped } = views.captures.active;
    const before = reader.count + dropped;
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    const busy = new BusyLoop();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { requests = 0 } = await traffic.order({ kind: 'pump', perSecond, milliseconds: seconds * 1000 });
    const wall = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    delay.disable();
    busy.end();
    await sleep(500);
    const after = views.captures.active;
    const figures: LiveFigures = {
      offered: (requests / wall) * 1000,
      arrived: ((after.reader.count + after.dropped - before) / wall) * 1000,
      cores: (user + system) / 1000 / wall,
      longestBlock: delay.max / 1e6 - RESOLUTION_MS,
      longestBusy: busy.longest,
      p99Block: delay.percentile(99) / 1e6 - RESOLUTION_MS,
      lost: after.reader.gaps.reduce((sum, { packets }) => sum + packets, 0),
      memory: process.memoryUsage.rss() / (1 << 20),
    };
    writeFileSync(result, JSON.stringify(figures));
  } finally {
    await traffic.end();
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
