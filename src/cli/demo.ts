/**
 * `npm run demo`: shares a folder, boots a guest, does real work in it, shows the requests, and says whether every step
 * came out right on both sides.
 *
 * Owns the order and what is printed. The steps are `demoSteps.ts`, the requests `traceLog.ts`.
 */
import { constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { checkCaptureName, checkCaptureTarget } from '../control/captureTarget';
import { onTermination } from '../vm/endings';
import type { Guest, GuestShare } from '../vm/guest';
import { probeKvm } from '../vm/kvm';
import { startGuest } from '../vm/launcher';
import { lockProgram } from '../vm/lockProgram';
import { isReadable } from '../vm/onPath';
import { guestTools } from '../vm/toolbox';
import type { Toolbox } from '../vm/toolbox';
import { Workplace } from '../vm/workplace';
import { demoSteps } from './demoSteps';
import type { DemoStep } from './demoSteps';
import { existingFolder } from './guestOptions';
import { makeSampleTree } from './sampleTree';
import { hearDaemons } from './shareWatch';
import { TraceLog } from './traceLog';

const TAG = 'demo';
const STEP_TIMEOUT_MS = 60_000;
/** Lines are cut to the terminal's width, and elsewhere to one that logs can take. */
const WIDTH_ELSEWHERE = 160;
const SHARED_MEMORY = '/dev/shm';
/** Bytes that the work takes at most, twice over. */
const ROOM_NEEDED = 1 << 30;

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('real work in a guest over a shared folder, with every kind of request shown')
    .argument('[dir]', 'folder to share; the work is done in a fresh folder in it (default: a generated one)')
    .addOption(
      new Option('--guest <kind>', 'what runs the guest (uml: on x86-64 only)')
        .choices(['qemu', 'uml'])
        .default('qemu'),
    )
    .option('--capture <file>', 'keep every request and reply in this file as well, over a capture of before')
    .addHelpText(
      'after',
      '\nExit codes: 0 every step came out right, 1 one did not; 2 wrong options, 3 the machine lacks something or the\n' +
        'output cannot be written, 4 the guest failed; 129 the reader of the output, the terminal or the parent has gone,\n' +
        '130 Ctrl-C, 143 SIGTERM.',
    )
    .action(async (folder: string | undefined, options: { guest: 'qemu' | 'uml'; capture?: string }) => {
      process.exitCode = await demo(folder, options.guest, options.capture);
    });
}

async function demo(folder: string | undefined, kind: 'qemu' | 'uml', capture: string | undefined): Promise<number> {
  const say = (line: string): void => console.log(line);
  const own = folder === undefined ? undefined : existingFolder(folder);
  if (capture !== undefined) {
    checkCaptureName(capture);
    checkCaptureTarget(resolve(capture), false, own === undefined ? [] : [own]);
  }

  const ending = new AbortController();
  const { signal } = ending;
  let workplace: Workplace | undefined;
  let work: string | undefined;
  let guest: Guest | undefined;
  const clean = async (): Promise<void> => {
    await (guest === undefined ? workplace?.close() : guest.stop());
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  };
  // Before anything is made, in the cache as well.
  const listening = onTermination(async () => {
    ending.abort();
    await prepared;
    await clean();
  });
  const preparing = prepare(kind, say, signal);
  const prepared = preparing.then(
    () => {},
    () => {},
  );
  try {
    const { tools, accelerator } = await preparing;
    const begun = performance.now();
    workplace = await Workplace.open();
    signal.throwIfAborted();
    const shared = own ?? workplace.makeFolder(join(memoryFolder() ?? workplace.folder, 'virtiofs-sample-'));
    const place = orTrouble(shared, () => mkdtempSync(join(shared, 'virtiofs-demo-')));
    work = place;
    orTrouble(shared, () => makeSampleTree(join(place, 'tree')));
    const log = new TraceLog(say, () => process.stdout.columns || WIDTH_ELSEWHERE);
    say(`Sharing ${own ?? 'a generated sample tree'}; all work is done in ${basename(place)}/ in it.`);
    const shares: GuestShare[] = [
      {
        directory: shared,
        tag: TAG,
        onTrace: (stream) => log.follow(stream),
        daemonOptions: capture === undefined ? [] : [`--capture=${resolve(capture)}`],
      },
    ];
    if (kind === 'qemu' && accelerator !== 'kvm') {
      say('  QEMU emulates the guest, which takes longer than with KVM: "virtiofs-studio doctor" says why it has to.');
    }
    guest = await startGuest(
      {
        kind,
        accelerator,
        tools,
        // Emulated, a second processor takes time from the daemon on a small machine.
        cpus: 1,
        shares,
        extraFiles: (['posix', 'flock'] as const).map((lock) => ({
          path: `/bin/${lock}-lock`,
          mode: 0o755,
          content: lockProgram(lock, tools.machine),
        })),
        progress: (line) => say(`  ${line}`),
      },
      workplace,
    );
    let troubles = 0;
    const heard = hearDaemons(guest, shares, ({ text, code, remedy }) => {
      troubles++;
      process.stderr.write(`error: ${text} [${code}]\n  ${remedy}\n`);
    });
    await log.endSection();
    const faults = await runSteps(guest, place, log, say);
    await guest.stop();
    await heard;
    await log.endSection();
    verdict(faults, log, (performance.now() - begun) / 1000, say);
    return faults + troubles === 0 ? 0 : 1;
  } catch (error) {
    // Told to end: the exit code is the signal's, and what broke off is no failure.
    if (!signal.aborted) throw error;
    return 1;
  } finally {
    await clean();
    listening();
  }
}

async function prepare(
  kind: 'qemu' | 'uml',
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<{ tools: Toolbox; accelerator: 'kvm' | 'tcg' }> {
  const tools = await guestTools(kind, say, signal);
  return { tools, accelerator: kind === 'qemu' && (await probeKvm(tools, say, signal)).works ? 'kvm' : 'tcg' };
}

/** What the system says of files that are made in `folder` becomes a Trouble. */
function orTrouble<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('demoFolderUnusable', folder, why);
  }
}

/** A folder in memory with room for the demo, so that the figures are the share's and not a slow disk's. */
function memoryFolder(): string | undefined {
  if (!isReadable(SHARED_MEMORY, constants.W_OK | constants.X_OK)) return undefined;
  const { bavail, bsize } = statfsSync(SHARED_MEMORY);
  return bavail * bsize > ROOM_NEEDED ? SHARED_MEMORY : undefined;
}

/** How many steps did not come out right. */
async function runSteps(guest: Guest, work: string, log: TraceLog, say: (line: string) => void): Promise<number> {
  let faults = 0;
  for (const [index, step] of demoSteps.entries()) {
    say(`\n${index + 1}/${demoSteps.length}  ${step.title}`);
    const begun = performance.now();
    const fault = await runStep(guest, step, work);
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    await log.endSection();
    say(fault === undefined ? `  ✔ right, ${seconds} s` : `  ✘ wrong: ${fault}`);
    faults += fault === undefined ? 0 : 1;
  }
  return faults;
}

async function runStep(guest: Guest, step: DemoStep, work: string): Promise<string | undefined> {
  step.prepare?.(work);
  const run = async (script: string): Promise<{ printed: string; fault: string | undefined }> => {
    const whole = `set -e\ncd ${basename(work)}\n${script}`;
    const { status, output } = await guest.run(whole, { timeoutMs: STEP_TIMEOUT_MS, title: step.title });
    const printed = output.toString();
    return { printed, fault: status === 0 ? undefined : `status ${status}: ${printed.trim().slice(-300)}` };
  };
  const first = await run(step.script);
  if (first.fault !== undefined || step.meanwhile === undefined) {
    return first.fault ?? step.check(work, first.printed);
  }
  const between = step.meanwhile.check(work);
  const second = await run(step.meanwhile.then);
  return between ?? second.fault ?? step.check(work, first.printed + second.printed);
}

function verdict(faults: number, log: TraceLog, seconds: number, say: (line: string) => void): void {
  say('');
  log.table().forEach(say);
  const dropped = log.dropped === 0 ? '' : ` (${log.dropped} more were served but not recorded)`;
  say(
    `\n${log.total.toLocaleString('en')} requests${dropped}; errors such as ENOENT are answers that the guest expects.`,
  );
  const right = demoSteps.length - faults;
  say(
    faults === 0
      ? `All ${right} steps came out right, on the guest and on the host, in ${seconds.toFixed(1)} s from boot to power off.`
      : `${faults} of ${demoSteps.length} steps went wrong.`,
  );
}
