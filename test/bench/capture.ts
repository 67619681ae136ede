/**
 * What a capture costs the daemon, and whether it loses anything at speed.
 *
 * The same daemon twice, one of them with `--capture` into memory, in turn; the queue worker's own CPU time per
 * request, with a front-end that does not sleep: else the slower of two daemons pays for waking it up as well.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { runOn } from '../driver/host';
import { readCaptureFile } from './readCapture';
import { confine, median } from './measure';
import { MeasuredSession } from './session';
import { calibrate, workerMicroseconds } from './workerTime';
import { sequences } from './workloads';

/** Requests of one operation, for the rows that are measured: small ones. */
const ROWS: ReadonlyMap<string, number> = new Map([
  ['GETATTR', 1],
  ['LOOKUP hit', 1],
  ['OPEN+RELEASE', 2],
  ['READ 4 KiB', 1],
  ['WRITE 4 KiB', 1],
]);
const DEPTH = 16;
const GUEST_MEMORY = 64 << 20;

export interface CaptureCost {
  readonly name: string;
  /** CPU microseconds of the queue worker per request: without, with, and with host system calls in the capture. */
  readonly without: number;
  readonly captured: number;
  readonly syscalls: number;
}

export interface Endurance {
  readonly seconds: number;
  readonly requests: number;
  readonly perSecond: number;
  /** Requests in the file, with those of setting up. */
  readonly captured: number;
  readonly lost: number;
  readonly bytes: number;
}

/** Files of captures, in memory where there is room; removed by `remove`. */
class Files {
  private readonly folder = fs.mkdtempSync(
    path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'bench-capture-'),
  );

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Gives their room back while the daemon goes on writing. */
  empty(): void {
    for (const name of fs.readdirSync(this.folder)) fs.truncateSync(path.join(this.folder, name));
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function captureCosts(folder: string, rounds: number, milliseconds: number): Promise<CaptureCost[]> {
  const files = new Files();
  const start = (...options: string[]): Promise<MeasuredSession> =>
    MeasuredSession.start('ours', folder, GUEST_MEMORY, options);
  const sessions: MeasuredSession[] = [];
  try {
    sessions.push(await start());
    sessions.push(await start(`--capture=${files.path('plain')}`));
    sessions.push(await start(`--capture=${files.path('syscalls')}`, '--trace-syscalls'));
    runOn(0);
    for (const session of sessions) {
      confine(session.daemon.pid, 1);
      session.watchful = true;
    }
    const rows = sequences.filter((row) => ROWS.has(row.name));
    return rows.map((row) => {
      const taken = sessions.map((): number[] => []);
      const count = calibrate(row, sessions[0], milliseconds);
      // The first round warms up and does not count.
      for (let round = 0; round <= rounds; round++) {
        for (let i = 0; i < sessions.length; i++) {
          const at = (i + round) % sessions.length;
          const cpu = workerMicroseconds(row, sessions[at], count);
          if (round > 0) taken[at].push(cpu / (ROWS.get(row.name) ?? 1));
          files.empty();
        }
      }
      const [without, captured, syscalls] = taken.map(median);
      return { name: row.name, without, captured, syscalls };
    });
  } finally {
    for (const session of sessions) await session.stop();
    files.remove();
  }
}

/** Drives `perSecond` requests for `seconds`, with a capture into a file, and counts what is in the file afterwards. */
export async function captureEndurance(folder: string, perSecond: number, seconds: number): Promise<Endurance> {
  const files = new Files();
  const file = files.path('capture');
  try {
    const session = await MeasuredSession.start('ours', folder, GUEST_MEMORY, [`--capture=${file}`]);
    let requests = 0;
    const begun = performance.now();
    try {
      const work = sequences[0].make(session, DEPTH, false);
      const slice = Math.round(perSecond / 100);
      for (let turn = 1; turn <= seconds * 100; turn++) {
        work.run(slice);
        requests += slice;
        // The pace of a busy guest: so many in each hundredth of a second, and then it does something else.
        while (performance.now() - begun < turn * 10);
      }
      work.release();
    } finally {
      await session.end();
    }
    const taken = (performance.now() - begun) / 1000;
    const { captured, lost } = readCaptureFile(file, (capture) => ({
      captured: capture.count,
      lost: capture.gaps.reduce((sum, gap) => sum + gap.packets, 0),
    }));
    return {
      seconds: taken,
      requests,
      perSecond: requests / taken,
      captured,
      lost,
      bytes: fs.statSync(file).size,
    };
  } finally {
    files.remove();
  }
}
