/** What still runs of what a test has started. */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processes that name the workspace and do not end within some seconds. */
export async function processesAbout(workspace: string): Promise<string[]> {
  for (let tries = 100; ; tries--) {
    const left = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(commandLine)
      .filter((line) => line.includes(workspace));
    if (left.length === 0 || tries === 0) return left;
    await sleep(100);
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has just ended
  }
}
