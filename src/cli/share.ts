/**
 * `virtiofs-studio share`: a guest with folders of this machine in it, with a shell on its console or for one command.
 *
 * Owns the order of things and the exit code. The options are `shareOptions.ts`, the terminal `terminalShell.ts`, a
 * command `guestCommand.ts`, what an editor is told `launcherLink.ts`, the guest itself `vm/launcher.ts`.
 */
import type { Command } from 'commander';
import { Trouble, trouble } from '../base/catalogue';
import type { LauncherFacts, RunResult, ShareFact, ShareProblem } from '../control/launcher';
import { MOST_OUTPUT } from '../control/launcher';
import { countersSocketOf, socketOf } from '../control/runningShares';
import type { BackEnd } from '../vm/backEnd';
import { checkDax } from '../vm/daxChecks';
import { onTermination } from '../vm/endings';
import { mountCommand, mountPoint } from '../vm/guestInit';
import { needKvm, probeKvm } from '../vm/kvm';
import { startGuest } from '../vm/launcher';
import { type Guest, type GuestOptions, type GuestShare, QEMU_MEMORY_MIB } from '../vm/guest';
import { TextTail } from '../vm/textTail';
import { guestTools, namedKernel } from '../vm/toolbox';
import { Workplace } from '../vm/workplace';
import { crashOf, runCommand } from './guestCommand';
import { tellCaptures } from './tellCaptures';
import { namedFolders, parseCount, parseMemory } from './guestOptions';
import { checkDaemonWords } from './daemonArgs';
import { LauncherLink } from './launcherLink';
import { Progress } from './progress';
import {
  captureFile,
  captureOptions,
  checkGuestHas,
  daemonOptions,
  daxOf,
  describeShare,
  parseShareWords,
  requestOf,
} from './shareOptions';
import type { ShareOptions, ShareRequest } from './shareOptions';
import { hearDaemons, watchShares } from './shareWatch';
import { converse, terminalShape } from './terminalShell';

/** Nobody waits longer for a guest; 0 is for who does. */
const DAY_SECONDS = 86_400;

export function registerShare(program: Command): void {
  describeShare(program.command('share'))
    .addHelpText(
      'after',
      '\nIt ends with the shell or program that started it, also under nohup. To have it stay: setsid -f virtiofs-studio\n' +
        'share --command "..." [dir] </dev/null >log 2>&1, and later kill its process.\n' +
        '\nThe command reads what share reads, unless that is a terminal, and its errors are those of share. In a loop\n' +
        'that reads a list give it </dev/null, or it takes the rest of the list.\n' +
        '\nWatch the requests from another terminal with "virtiofs-studio trace".\n' +
        'In the guest the folder is /mnt/TAG. Leave its shell with "exit"; Ctrl-] ends the guest at once.\n' +
        'Exit codes: with --command that of the command, else 0 when the shell was left; 2 wrong options, 3 the machine\n' +
        'lacks something or the output cannot be written, 4 the guest failed, or the command went well and its capture\n' +
        'is incomplete; 129 the reader of the output, the terminal or the parent has gone, 130 Ctrl-C, 143 SIGTERM.',
    )
    .action(async (...given: Parameters<typeof requestOf>) => {
      process.exitCode = await new ShareCommand().run(requestOf(...given));
    });
}

class ShareCommand {
  private readonly progress = new Progress();
  private link!: LauncherLink;
  private guest: Guest | undefined;
  private workplace: Workplace | undefined;
  /** Captures that daemons write, and nobody has been told of yet. */
  private captures: string[] = [];
  /** What to boot when the guest that runs has ended. */
  private next: ShareRequest | undefined;
  /** Aborted when the guest is to end, whatever is being done: by an editor, or by a signal. */
  private ending = new AbortController();
  /** Settles when what is fetched and tried before a guest starts has come to an end, also by `ending`. */
  private preparing: Promise<unknown> = Promise.resolve();

  /** One guest after another, as long as an editor wants it restarted. */
  async run(first: ShareRequest): Promise<number> {
    let request = first;
    const listening = onTermination(async () => {
      this.ending.abort();
      await this.preparing.catch(() => {}); // Its failure is told by who waits for the guest.
      await this.clean();
    });
    this.link = await LauncherLink.open(first.options.control, {
      stop: () => this.stop(),
      restart: (words) => this.restart(request, words),
      run: (script) => this.runInGuest(script),
    });
    try {
      for (;;) {
        const status = await this.runGuest(request);
        if (this.next === undefined) return status;
        request = this.next;
        this.next = undefined;
        this.ending = new AbortController();
      }
    } catch (error) {
      if (error instanceof Trouble && !this.ending.signal.aborted) {
        const { code, message, remedy } = error;
        this.link.state({ kind: 'failed', code, text: message, remedy });
      }
      throw error;
    } finally {
      listening();
      await this.link.close();
    }
  }

  private async runGuest(request: ShareRequest): Promise<number> {
    const { progress, link } = this;
    const { options } = request;
    const { signal } = this.ending;
    let unwatch = (): void => {};
    try {
      const preparing = this.prepare(request, signal);
      this.preparing = preparing;
      const guestOptions = await preparing;
      // Told to end while it was fetched or tried: nothing more is made.
      signal.throwIfAborted();
      this.workplace = await Workplace.open();
      signal.throwIfAborted();
      const guest = await startGuest(guestOptions, this.workplace);
      this.guest = guest;
      progress.done();
      link.state({ kind: 'up', release: guest.release });
      const cut = new Set<string>();
      const told = (problem: ShareProblem): void => {
        if (problem.code === 'captureStopped') cut.add(problem.tag);
        link.problem(problem);
        process.stderr.write(`\nerror: ${problem.text} [${problem.code}]\n  ${problem.remedy}\n`);
      };
      unwatch = watchShares(guest, guestOptions.shares, told);
      const heard = hearDaemons(guest, guestOptions.shares, told);
      const status = options.command === undefined ? 0 : await runCommand(guest, options.command);
      if (options.command === undefined) await converse(guest, guestOptions);
      const crash = crashOf(guest);
      if (crash !== undefined) throw crash;
      const end = guest.process.signalCode ?? `exit code ${guest.process.exitCode ?? status}`;
      // Its daemons finish their captures now, and say whether they could.
      await guest.stop();
      await heard;
      link.state({ kind: 'stopped', reason: signal.aborted ? 'asked' : 'guest', status: end });
      return options.command === undefined ? status : statusWithCaptures(status, cut);
    } catch (error) {
      // Ended because it should, while it was prepared, booted or at its command: no failure.
      if (!signal.aborted) throw error;
      const when = this.guest === undefined ? 'before it was up' : 'before its command had ended';
      link.state({ kind: 'stopped', reason: 'asked', status: when });
      return 0;
    } finally {
      unwatch();
      progress.done();
      await this.clean();
      this.guest = this.workplace = undefined;
    }
  }

  /** Reads the options and gets what the guest needs. Rejects when `signal` is aborted. */
  private async prepare({ folder, options }: ShareRequest, signal: AbortSignal): Promise<GuestOptions> {
    const { progress, link } = this;
    checkGuestHas(options);
    const folders = namedFolders(folder, options.tag, options.share);
    const interactive = options.command === undefined;
    if (interactive && !(process.stdin.isTTY && process.stdout.isTTY)) {
      throw trouble('terminalMissing');
    }
    const sizes = sizesOf(options);
    const inspectorPort =
      options.inspectDaemon === undefined
        ? undefined
        : parseCount('--inspect-daemon', options.inspectDaemon, 1024, 65535);
    const kernel = options.kernel === undefined ? undefined : namedKernel(options.kernel);
    const step = (name: 'tools' | 'kvm' | 'daemons' | 'boot') => (text: string) => {
      progress.step(text);
      link.state({ kind: 'preparing', step: name, text });
    };
    const dax = daxOf(options);
    const words = folders.map(({ tag }) => [...daemonOptions(options), ...captureOptions(options, folders, tag)]);
    const window = dax === undefined ? [] : [`--dax=${dax.bytes}`];
    // Of several daemons the same.
    const notices = new Set(words.flatMap((one) => checkDaemonWords([...window, ...one])));
    for (const notice of notices) process.stderr.write(`note: ${notice}\n`);
    const tools = await guestTools(options.guest, step('tools'), signal);
    if (dax !== undefined) {
      await checkDax({
        guest: options.guest,
        tools,
        kernel,
        memoryMiB: sizes.memoryMiB ?? QEMU_MEMORY_MIB,
        windows: folders.map(() => dax.bytes),
        readOnly: options.readOnly,
        cache: options.cache,
      });
    }
    const accelerator = options.guest === 'uml' ? 'tcg' : await chooseAccelerator(options, tools, step('kvm'), signal);
    const shares = folders.map((one, index) => ({
      ...one,
      // One port has room for one daemon: that of the folder that was named first.
      ...(index === 0 && inspectorPort !== undefined ? { inspectorPort } : {}),
      readOnly: options.readOnly,
      ...(dax === undefined ? {} : { dax }),
      daemonOptions: words[index],
    }));
    const factsOf = (backEnds: readonly BackEnd[]): ShareFact[] =>
      shares.map((one, index) => shareFacts(one, backEnds[index].process));
    return {
      kind: options.guest,
      accelerator,
      tools,
      ...sizes,
      ...(kernel === undefined ? {} : { kernel }),
      qemuArguments: options.qemuArg,
      shares,
      ...(interactive ? { shell: terminalShape() } : {}),
      progress: (text, reached) => (reached === 'up' ? progress.step(text) : step(reached)(text)),
      onDaemons: async (backEnds) => {
        await link.mayStart(factsOf(backEnds), signal);
        signal.throwIfAborted();
      },
      onStarted: (guest, backEnds) => {
        this.captures = folders.flatMap(({ tag }) => captureFile(options, folders, tag) ?? []);
        link.facts({
          launcher: process.pid,
          kind: options.guest,
          accelerator: options.guest === 'uml' ? 'none' : accelerator,
          guest: processFacts(guest),
          shares: factsOf(backEnds),
        });
      },
    };
  }

  /** Everything of the guest goes, whatever it is at. May be called again: each caller waits for all of it. */
  private async clean(): Promise<void> {
    const { guest, workplace } = this;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    await (guest === undefined ? workplace?.close() : guest.stop());
    tellCaptures(this.captures.splice(0), (line) => process.stderr.write(`${line}\n`));
  }

  private stop(): void {
    this.ending.abort();
    this.next = undefined;
    void (this.guest === undefined ? this.workplace?.close() : this.guest.stop());
  }

  private restart(request: ShareRequest, words: readonly string[] | undefined): void {
    const next = words === undefined ? request : parseShareWords(words);
    if (next.options.command !== undefined) throw trouble('shareWordsBad', '--command ends with its guest');
    this.stop();
    this.next = next;
  }

  private async runInGuest(script: string): Promise<RunResult> {
    if (this.guest === undefined) throw trouble('guestNotThere');
    // No more is kept than is told: a script may have no end.
    const output = new TextTail(MOST_OUTPUT);
    const { status } = await this.guest.run(script, { onOutput: (chunk) => output.add(chunk) });
    return { status, output: output.text };
  }
}

/** A command that went well has not, when its capture is wanted and not whole. */
function statusWithCaptures(status: number, cut: ReadonlySet<string>): number {
  if (cut.size === 0) return status;
  const tags = [...cut].map((tag) => `"${tag}"`).join(', ');
  const incomplete = trouble('captureIncomplete', tags);
  process.stderr.write(`${incomplete.toString()}\n`);
  return status === 0 ? incomplete.exitCode : status;
}

/** How large the guest is to be, and how long it may take, as far as that was said. */
function sizesOf({
  memory,
  cpus,
  queues,
  bootTimeout,
}: ShareOptions): Pick<GuestOptions, 'memoryMiB' | 'cpus' | 'queues' | 'bootTimeoutMs'> {
  return {
    ...(memory === undefined ? {} : { memoryMiB: parseMemory(memory) }),
    ...(cpus === undefined ? {} : { cpus: parseCount('--cpus', cpus, 1, 64) }),
    ...(queues === undefined ? {} : { queues: parseCount('--queues', queues, 1, 64) }),
    ...(bootTimeout === undefined
      ? {}
      : { bootTimeoutMs: 1000 * parseCount('--boot-timeout', bootTimeout, 0, DAY_SECONDS) }),
  };
}

function shareFacts({ directory, tag, readOnly = false }: GuestShare, process: Guest['process']): ShareFact {
  const daemon = processFacts(process);
  return {
    directory,
    tag,
    readOnly,
    mountPoint: mountPoint(tag),
    mountCommand: mountCommand(tag, readOnly ? 'ro' : 'rw'),
    daemon,
    captureSocket: socketOf(daemon.pid),
    countersSocket: countersSocketOf(daemon.pid),
  };
}

function processFacts({ pid = 0, spawnargs }: Guest['process']): LauncherFacts['guest'] {
  return { pid, argv: spawnargs };
}

async function chooseAccelerator(
  options: ShareOptions,
  tools: GuestOptions['tools'],
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<'kvm' | 'tcg'> {
  if (options.accel === 'tcg') return 'tcg';
  if (options.accel === 'kvm') {
    await needKvm(tools, progress, signal);
    return 'kvm';
  }
  return (await probeKvm(tools, progress, signal)).works ? 'kvm' : 'tcg';
}
