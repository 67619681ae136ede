/**
 * Starts a Linux guest with shared folders and owns all that belongs to it: the daemons, QEMU or User Mode Linux, the
 * sockets, the temporary folder. When the guest ends, is stopped, or does not come up, all of it goes.
 *
 * Owns the order of things. What the command lines say is `qemuArguments.ts` and `umlArguments.ts`, what happens inside
 * the guest `guestInit.ts`, how nothing stays behind `workplace.ts`.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble, trouble } from '../base/catalogue';
import { PROBLEMS_FD, SOCKET_FD, TRACE_FD, ownDaemon, startBackEnd, whileRunning } from './backEnd';
import type { BackEnd } from './backEnd';
import { CommandChannel, freshToken } from './commandChannel';
import type { CommandOptions, CommandResult, GuestEvent } from './commandChannel';
import { RECORDS_FOLDER, inFiles, onTheLine } from './commandRecords';
import { likelyReason } from './diagnosis';
import { mountPoint } from './guestInit';
import type { GuestMount, InitPlan } from './guestInit';
import { buildInitramfs } from './initramfs';
import type { ExtraFile } from './initramfs';
import { QEMU_CHANNEL, QEMU_ERRORS, QEMU_EXTRA, QEMU_MODULES, qemuArguments, qemuTerminal } from './qemuArguments';
import { MACHINES } from './machine';
import { QmpClient } from './qmp';
import { TextTail } from './textTail';
import type { Kernel, Toolbox } from './toolbox';
import { onCpu, oneCpu } from './oneCpu';
import {
  UML_CHANNEL,
  UML_ERRORS,
  UML_EXTRA,
  UML_MODULES,
  UML_TERMINAL,
  umlArguments,
  umlEnvironment,
} from './umlArguments';
import { Workplace, exited } from './workplace';

export interface GuestShare {
  readonly directory: string;
  readonly tag: string;
  readonly readOnly?: boolean;
  /** Options of the daemon beside those for folder, tag and socket, in virtiofsd's spelling. */
  readonly daemonOptions?: readonly string[];
  /** Our daemon's JavaScript can be debugged on this port of this machine. */
  readonly inspectorPort?: number;
  /** Options of `mount -o` in the guest. */
  readonly mountOptions?: string;
  /** A DAX window (QEMU only): see `daxChecks.ts` for what it needs. */
  readonly dax?: {
    readonly bytes: number;
    /** In the words of the daemon's --dax-policy. */
    readonly policy?: string;
    /** Which files the guest takes through it. Default inode: those that the daemon says can go that way. */
    readonly mount?: 'inode' | 'always' | 'never';
  };
  /**
   * Another daemon than ours: its whole command line, given the descriptor of the listening socket. `daemonOptions`
   * and `readOnly` are then its own business.
   */
  readonly daemon?: (socketFd: number) => readonly string[];
  /** Called with our daemon's capture (pcapng). It must be read to its end. */
  readonly onTrace?: (stream: Readable) => void;
}

export interface GuestOptions {
  readonly kind: 'qemu' | 'uml';
  readonly tools: Toolbox;
  /** Each has a daemon of its own and is mounted at `mountPoint(tag)`. */
  readonly shares: readonly GuestShare[];
  /** Another kernel than that of the tools (QEMU only). */
  readonly kernel?: Kernel;
  /** Default: no KVM. */
  readonly accelerator?: 'kvm' | 'tcg';
  /** Default: 512 for QEMU, 256 for UML. */
  readonly memoryMiB?: number;
  /** Default 2; UML has always 1. */
  readonly cpus?: number;
  /** Request queues of each share (QEMU only), default 1. */
  readonly queues?: number;
  readonly qemuArguments?: readonly string[];
  readonly kernelArguments?: readonly string[];
  readonly extraFiles?: readonly ExtraFile[];
  /** Give one more byte channel between the host and programs in the guest: `Guest.extra`. */
  readonly extraChannel?: boolean;
  /** Keep QEMU alive when the guest reboots, for `Guest.reboot`. */
  readonly reboot?: boolean;
  /** Give an interactive shell on the console. */
  readonly shell?: Omit<NonNullable<InitPlan['shell']>, 'terminal'>;
  /** How long until the folders are mounted; 0: however long that is. Default 60 s. */
  readonly bootTimeoutMs?: number;
  /** Told of each step in a few words. */
  readonly progress?: (line: string, step: 'daemons' | 'boot' | 'up') => void;
  /** Called when all processes are there, before the guest is up. */
  readonly onStarted?: (guest: ChildProcess, backEnds: readonly BackEnd[]) => void;
}

export interface Guest {
  /** Release of the running kernel. */
  readonly release: string;
  readonly workplace: Workplace;
  readonly backEnds: readonly BackEnd[];
  /** QEMU or UML. */
  readonly process: ChildProcess;
  /** The serial console, from the moment the guest was ready. */
  readonly console: Duplex;
  /** Only with QEMU. */
  readonly qmp: QmpClient | undefined;
  /** The host's end of the extra channel, and its device in the guest as a shell pattern. */
  readonly extra: { readonly stream: Duplex; readonly device: string } | undefined;
  /** Runs a shell script in the guest, in the first share's folder. */
  run(script: string, options?: CommandOptions): Promise<CommandResult>;
  /** Reboots and waits until everything is mounted again. Needs `GuestOptions.reboot`. */
  reboot(): Promise<void>;
  /** Unmounts, powers off, waits, and removes everything. May be called again, and after the guest has ended. */
  stop(): Promise<void>;
  /** Resolves when the guest has powered itself off, or died. Its daemons may still be ending. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

/** Memory of a QEMU guest that nobody has said anything of. */
export const QEMU_MEMORY_MIB = 512;
const QUEUE_SIZE = 1024;
const BOOT_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
/** A guest at a long command does not hear that it should end. */
const BUSY_STOP_TIMEOUT_MS = 500;
const CONSOLE_FD = 3;
const CHANNEL_FD = 4;
const EXTRA_FD = 5;
const ERRORS_FD = 6;
/** The last: User Mode Linux has none. */
const QMP_FD = 7;

/**
 * Starts a guest; resolves when its shares are mounted. Throws a Trouble, with everything gone, when that fails.
 * `workplace` becomes the guest's: closing it ends the guest at once, also while it boots.
 */
export async function startGuest(options: GuestOptions, workplace?: Workplace): Promise<Guest> {
  const place = workplace ?? (await Workplace.open());
  try {
    return await start(options, place);
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function start(options: GuestOptions, workplace: Workplace): Promise<Guest> {
  const progress = options.progress ?? (() => {});
  const token = freshToken();
  const sendRecord = options.kind === 'uml' ? inFiles(workplace) : onTheLine;
  const initramfs = workplace.write('initramfs', initramfsFor(options, token));

  progress(`starting ${options.shares.length === 1 ? 'the daemon' : `${options.shares.length} daemons`}`, 'daemons');
  const backEnds: BackEnd[] = [];
  const cpu = options.kind === 'uml' ? oneCpu() : undefined;
  for (const [index, share] of options.shares.entries()) {
    const command = daemonCommand(share, options, cpu);
    const backEnd = await startBackEnd(workplace, `share${index}`, command, {
      trace: hasTrace(share),
      problems: share.daemon === undefined,
    });
    if (backEnd.trace !== undefined) {
      share.onTrace?.(backEnd.trace);
    }
    backEnds.push(backEnd);
  }

  progress(`booting a guest in ${options.kind === 'uml' ? 'User Mode Linux' : qemuName(options)}`, 'boot');
  const child =
    options.kind === 'uml'
      ? await startUml(options, workplace, initramfs, backEnds, cpu)
      : await startQemu(options, workplace, initramfs, backEnds);
  options.onStarted?.(child, backEnds);
  const [terminal, stream, errors, extra, qmpStream] = [CONSOLE_FD, CHANNEL_FD, ERRORS_FD, EXTRA_FD, QMP_FD].map(
    (fd) => child.stdio[fd] as Duplex | undefined,
  );
  const boot = new Boot();
  const log = new TextTail();
  const keep = (chunk: Buffer): void => log.add(chunk);
  child.stderr?.on('data', keep);
  child.stdout?.on('data', keep);
  const console = terminal as Duplex;
  console.on('data', keep);
  console.on('error', () => {}); // It ends with the guest, which `ended` tells.
  const qmp = qmpStream === undefined ? undefined : new QmpClient(qmpStream, (name) => name === 'STOP' && boot.stop());
  qmp?.connect().catch(() => {}); // `over` tells.
  // QEMU that ends closes it as well, and has more to say about that: hence the moment's wait.
  const qmpOver = qmp?.over.then((why) => (why.code === 'qmpOver' ? sleep(500, why, { ref: false }) : why));

  const channel = new CommandChannel(stream as Duplex, errors as Duplex, token, sendRecord, (event) =>
    boot.take(event),
  );
  const ended = exited(child);
  const up = async (): Promise<string> => {
    const patience = options.bootTimeoutMs ?? BOOT_TIMEOUT_MS;
    const late = patience === 0 ? [] : [sleep(patience, 'late' as const, { ref: false })];
    const dead = ended.then(({ code, signal }) => ({ code, signal }));
    const first = await backEnds.reduce<Promise<unknown>>(
      (until, backEnd) => whileRunning(backEnd, until),
      Promise.race([boot.settled, ...late, dead, ...(qmpOver === undefined ? [] : [qmpOver])]),
    );
    if (first instanceof Trouble) throw first;
    if (boot.release !== undefined && boot.failed.length === 0) {
      return boot.release;
    }
    const {
      why,
      remedy,
      sign,
      lines = 15,
    } = likelyReason({
      kind: options.kind,
      kvm: options.accelerator === 'kvm',
      end: boot.stopped ? 'ended' : first === 'late' ? 'late' : boot.failed.length > 0 ? 'failed' : 'ended',
      reached: boot.reached,
      failed: boot.failed,
      log,
    });
    const last = log.lines(lines, sign).map((line) => `\n  | ${line}`);
    const daemons = backEnds.flatMap((backEnd) => backEnd.log.lines(5)).map((line) => `\n  daemon | ${line}`);
    throw trouble('guestNotUp', why, [...last, ...daemons].join(''), remedy);
  };

  const release = await up();
  progress(
    `Linux ${release} is up${options.shares.length === 0 ? '' : ', mounted at '}${options.shares.map((share) => mountPoint(share.tag)).join(', ')}`,
    'up',
  );

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      // One whose daemon has gone cannot unmount.
      const stuck = channel.busy || backEnds.some(({ process: { exitCode, signalCode } }) => exitCode !== signalCode);
      const patience = stuck ? BUSY_STOP_TIMEOUT_MS : STOP_TIMEOUT_MS;
      channel.sendLast('exec leave poweroff');
      await Promise.race([ended, sleep(patience, undefined, { ref: false })]);
      child.kill('SIGKILL'); // Without effect on one that has ended.
    }
    // The daemons end by themselves when the front-end has gone, and finish their captures.
    await Promise.race([
      Promise.all(backEnds.map((backEnd) => exited(backEnd.process))),
      sleep(2_000, undefined, { ref: false }),
    ]);
    await workplace.close();
  };
  return {
    release,
    workplace,
    backEnds,
    process: child,
    console,
    qmp,
    extra:
      options.extraChannel === true && extra !== undefined
        ? { stream: extra, device: options.kind === 'uml' ? UML_EXTRA : QEMU_EXTRA }
        : undefined,
    run: (script, commandOptions) => channel.run(script, commandOptions),
    reboot: async () => {
      boot.again();
      channel.sendLast('exec leave reboot');
      await up();
    },
    stop: () => (stopping ??= stop()),
    ended,
  };
}

/** What the init script has said so far. */
class Boot {
  reached: 'nothing' | 'init' | 'ready' = 'nothing';
  failed: string[] = [];
  release: string | undefined;
  stopped = false;
  settled!: Promise<void>;
  private settle: () => void = () => {};

  constructor() {
    this.again();
  }

  again(): void {
    this.reached = 'nothing';
    this.failed = [];
    this.release = undefined;
    this.settled = new Promise((resolve) => (this.settle = resolve));
  }

  /** QEMU stopped the guest's processors, as it does on an internal error. */
  stop(): void {
    this.stopped = true;
    this.settle();
  }

  take(event: GuestEvent): void {
    if (event.kind === 'started') {
      this.reached = 'init';
    } else if (event.kind === 'failed') {
      this.failed.push(event.what);
    } else {
      this.reached = 'ready';
      this.release = event.release;
      this.settle();
    }
  }
}

function hasTrace(share: GuestShare): boolean {
  return share.onTrace !== undefined && share.daemon === undefined;
}

function daemonCommand(share: GuestShare, options: GuestOptions, cpu: number | undefined): readonly string[] {
  if (share.daemon !== undefined) {
    return share.daemon(SOCKET_FD);
  }
  return [
    ...ownDaemon(share.inspectorPort),
    `--fd=${SOCKET_FD}`,
    `--problems-fd=${PROBLEMS_FD}`,
    `--shared-dir=${realpathSync(share.directory)}`,
    // QEMU has the tag on its own command line and warns about a back-end that has one too; but not for a device that
    // it knows nothing of, as the one with a DAX window is.
    options.kind === 'uml' || share.dax !== undefined ? `--tag=${share.tag}` : `--name=${share.tag}`,
    ...(share.dax === undefined ? [] : [`--dax=${share.dax.bytes}`]),
    ...(share.dax?.policy === undefined ? [] : [`--dax-policy=${share.dax.policy}`]),
    ...(cpu === undefined ? [] : [`--cpu=${cpu}`]),
    ...((options.queues ?? 1) > 1 ? [`--queues=${options.queues}`] : []),
    ...(share.readOnly === true ? ['--readonly'] : []),
    ...(hasTrace(share) ? [`--trace-fd=${TRACE_FD}`] : []),
    ...(share.daemonOptions ?? []),
  ];
}

function initramfsFor(options: GuestOptions, token: string): Buffer {
  const uml = options.kind === 'uml';
  const { busybox, uml: umlTools } = options.tools;
  if (busybox === undefined) {
    throw trouble('toolMissing', 'a static busybox for the guest', 'Run: sudo apt-get install busybox-static');
  }
  const modulesFolder = uml ? umlTools?.modulesFolder : kernelOf(options).modulesFolder;
  return buildInitramfs({
    busybox,
    ...(modulesFolder === undefined ? {} : { modulesFolder }),
    modules: uml ? UML_MODULES : QEMU_MODULES,
    mounts: options.shares.map((share) => ({
      tag: share.tag,
      readOnly: share.readOnly ?? false,
      ...mountOptions(share),
    })),
    channel: uml ? UML_CHANNEL : QEMU_CHANNEL,
    errors: uml ? UML_ERRORS : QEMU_ERRORS,
    records: uml,
    token,
    ...(options.shell === undefined
      ? {}
      : { shell: { ...options.shell, terminal: uml ? UML_TERMINAL : qemuTerminal(options.tools.machine) } }),
    hostname: 'guest',
    ...(options.extraFiles === undefined ? {} : { extraFiles: options.extraFiles }),
  });
}

function mountOptions(share: GuestShare): Pick<GuestMount, 'options' | 'dax'> {
  const words = [
    ...(share.dax === undefined ? [] : [`dax=${share.dax.mount ?? 'inode'}`]),
    ...(share.mountOptions === undefined ? [] : [share.mountOptions]),
  ];
  return { ...(words.length === 0 ? {} : { options: words.join(',') }), dax: share.dax !== undefined };
}

function kernelOf(options: GuestOptions): Kernel {
  const kernel = options.kernel ?? options.tools.kernel;
  if (kernel === undefined) {
    throw trouble('toolMissing', 'a Linux kernel for the guest', 'Name one with --kernel=FILE.');
  }
  return kernel;
}

function qemuName(options: GuestOptions): string {
  return options.accelerator === 'kvm' ? 'QEMU with KVM' : 'QEMU (emulated: KVM is not used)';
}

function startQemu(
  options: GuestOptions,
  workplace: Workplace,
  initramfs: string,
  backEnds: readonly BackEnd[],
): Promise<ChildProcess> {
  const { qemu, machine } = options.tools;
  if (qemu === undefined) {
    throw trouble('toolMissing', 'QEMU', `Run: sudo apt-get install ${MACHINES[machine].qemuPackage}`);
  }
  const words = qemuArguments({
    machine,
    accelerator: options.accelerator ?? 'tcg',
    kernel: kernelOf(options).image,
    initramfs,
    memoryMiB: options.memoryMiB ?? QEMU_MEMORY_MIB,
    cpus: options.cpus ?? 2,
    shares: options.shares.map((share, index) => ({
      tag: share.tag,
      socket: backEnds[index].socket,
      dax: share.dax !== undefined,
    })),
    queues: options.queues ?? 1,
    queueSize: QUEUE_SIZE,
    consoleFd: CONSOLE_FD,
    channelFd: CHANNEL_FD,
    errorsFd: ERRORS_FD,
    ...(options.extraChannel === true ? { extraFd: EXTRA_FD } : {}),
    qmpFd: QMP_FD,
    reboot: options.reboot ?? false,
    ...(options.kernelArguments === undefined ? {} : { kernelArguments: options.kernelArguments }),
    ...(options.qemuArguments === undefined ? {} : { extra: options.qemuArguments }),
  });
  return workplace.spawn([...qemu, ...words], ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe']);
}

function startUml(
  options: GuestOptions,
  workplace: Workplace,
  initramfs: string,
  backEnds: readonly BackEnd[],
  cpu: number | undefined,
): Promise<ChildProcess> {
  const { uml, machine } = options.tools;
  if (uml === undefined) {
    throw trouble(
      'toolMissing',
      'User Mode Linux',
      MACHINES[machine].hasUml
        ? 'Use --guest qemu, or remove the cache folder to fetch it again.'
        : 'Use --guest qemu: there is none for this kind of processor.',
    );
  }
  const words = umlArguments({
    initramfs,
    memoryMiB: options.memoryMiB ?? 256,
    sockets: backEnds.map((backEnd) => backEnd.socket),
    folder: workplace.folder,
    hostfs: join(workplace.folder, RECORDS_FOLDER),
    consoleFd: CONSOLE_FD,
    channelFd: CHANNEL_FD,
    errorsFd: ERRORS_FD,
    ...(options.extraChannel === true ? { extraFd: EXTRA_FD } : {}),
    ...(options.kernelArguments === undefined ? {} : { kernelArguments: options.kernelArguments }),
  });
  const memory = existsSync('/dev/shm') ? '/dev/shm' : workplace.folder;
  const environment = umlEnvironment(workplace.folder, memory);
  const command = onCpu(cpu, [...uml.program, ...words]);
  return workplace.spawn(command, ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], environment);
}
