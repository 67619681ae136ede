/** What a capture costs a guest: the same work in two User Mode Linux guests in turn, one of them captured. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Guest } from '../../src/vm/guest';
import { startGuest } from '../../src/vm/launcher';
import { fetchToolbox } from '../../src/vm/toolbox';
import { median } from './measure';

export interface GuestCaptureFigures {
  /** Seconds of the work. */
  readonly without: number;
  readonly captured: number;
}

/** Much metadata, some data: what a build or a package manager does. */
const WORK = `set -e; mkdir work; cd work
awk 'BEGIN { for (i = 0; i < 400; i++) { name = "file-" i; print i >name; close(name) } }'
for round in 1 2 3; do ls -lR . >/dev/null; cat file-* >all; cp -a . ../copy; tar cf ../tar -C ../copy .; rm -rf ../copy ../tar; done
cd ..; rm -rf work`;

export async function guestCapture(rounds: number, progress: (line: string) => void): Promise<GuestCaptureFigures> {
  const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'bench-guest-'));
  const tools = await fetchToolbox('current', progress);
  const guests: Guest[] = [];
  const start = async (name: string, daemonOptions: readonly string[]): Promise<void> => {
    const directory = path.join(folder, name);
    fs.mkdirSync(directory);
    guests.push(await startGuest({ kind: 'uml', tools, shares: [{ directory, tag: name, daemonOptions }] }));
  };
  try {
    await start('plain', []);
    await start('captured', [`--capture=${path.join(folder, 'capture')}`]);
    const taken = guests.map((): number[] => []);
    // The first round warms up and does not count.
    for (let round = 0; round <= rounds; round++) {
      for (const [at, guest] of guests.entries()) {
        const begun = performance.now();
        const { status, output } = await guest.run(WORK, { timeoutMs: 120_000 });
        if (status !== 0) throw new Error(`the work in the guest failed: ${output.toString()}`);
        if (round > 0) taken[at].push((performance.now() - begun) / 1000);
      }
    }
    return { without: median(taken[0]), captured: median(taken[1]) };
  } finally {
    for (const guest of guests) await guest.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
