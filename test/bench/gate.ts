/**
 * What the debugger's gate costs the daemon while nobody debugs, and while a condition never holds.
 *
 * Four daemons, in turn: one that knows no gate; one as it is by default; with a breakpoint whose condition never holds
 * on the opcode that is measured; with one on another opcode. The queue worker's own CPU time per request. The cost is
 * the median of what each round says: its daemons were measured one right after the other.
 */
import { DebugClient } from '../../src/control/debugClient';
import { debugSocketOf } from '../../src/control/runningShares';
import { runOn } from '../driver/host';
import { confine, median } from './measure';
import { MeasuredSession } from './session';
import { calibrate, workerMicroseconds } from './workerTime';
import { daemonWithoutGate } from './withoutGate';
import { sequences } from './workloads';

/** Requests of one operation. */
const ROWS: ReadonlyMap<string, number> = new Map([
  ['GETATTR', 1],
  ['LOOKUP hit', 1],
  ['OPEN+RELEASE', 2],
  ['READ 4 KiB', 1],
]);
const GUEST_MEMORY = 64 << 20;
/** What is looked for is smaller than what a few rounds differ by: so many for each of the others. */
const ROUNDS = 5;

export interface GateCost {
  readonly name: string;
  /** CPU microseconds of the queue worker per request. */
  readonly without: number;
  readonly offered: number;
  readonly armed: number;
  readonly armedElsewhere: number;
  /** `offered` by `without`, round by round: the median, and the ends of the middle half. */
  readonly ratio: number;
  readonly ratioFrom: number;
  readonly ratioTo: number;
}

async function armed(session: MeasuredSession, opcodes: string): Promise<DebugClient> {
  const { client } = await DebugClient.connect(debugSocketOf(session.daemon.pid), 'bench');
  const { verdicts } = await client.ask('setBreakpoints', {
    breakpoints: [{ id: 1, opcodes, phase: 'entry', condition: 'pid == 1 && uid == 77' }],
  });
  if (!verdicts[0].verified) throw new Error(verdicts[0].message);
  return client;
}

export async function gateCosts(folder: string, rounds: number, milliseconds: number): Promise<GateCost[]> {
  const start = (program?: string): Promise<MeasuredSession> =>
    MeasuredSession.start('ours', folder, GUEST_MEMORY, [], program);
  const sessions: MeasuredSession[] = [];
  const clients: DebugClient[] = [];
  const gateless = daemonWithoutGate();
  try {
    sessions.push(await start(gateless.program));
    for (let i = 0; i < 3; i++) sessions.push(await start());
    clients.push(await armed(sessions[2], '*'), await armed(sessions[3], 'STATFS'));
    runOn(0);
    for (const session of sessions) {
      confine(session.daemon.pid, 1);
      session.watchful = true;
    }
    return sequences
      .filter((row) => ROWS.has(row.name))
      .map((row) => {
        const taken = sessions.map((): number[] => []);
        const count = calibrate(row, sessions[0], milliseconds);
        // The first round warms up and does not count.
        for (let round = 0; round <= rounds * ROUNDS; round++) {
          for (let i = 0; i < sessions.length; i++) {
            const at = (i + round) % sessions.length;
            const cpu = workerMicroseconds(row, sessions[at], count);
            if (round > 0) taken[at].push(cpu / (ROWS.get(row.name) ?? 1));
          }
        }
        const [without, offered, inCondition, armedElsewhere] = taken.map(median);
        const ratios = taken[1].map((cpu, round) => cpu / taken[0][round]).toSorted((a, b) => a - b);
        const [ratioFrom, ratioTo] = [1, 3].map((quarter) => ratios[Math.floor((ratios.length * quarter) / 4)]);
        const ratio = median(ratios);
        return { name: row.name, without, offered, armed: inCondition, armedElsewhere, ratio, ratioFrom, ratioTo };
      });
  } finally {
    for (const client of clients) client.close();
    for (const session of sessions) await session.stop();
    gateless.remove();
  }
}
