/**
 * Starts a Linux guest with shared folders and owns all that belongs to it: the daemons, QEMU or User Mode Linux, the
 * sockets, the temporary folder. When the guest ends, is stopped, or does not come up, all of it goes.
 *
 * Owns the order of things. What it is started with is `guest.ts`, its program `guestProgram.ts`, whether it comes up
 * `boot.ts`, what happens inside it `guestInit.ts`, how nothing stays behind `workplace.ts`.
 */
import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { trouble } from '../base/catalogue';
import { PROBLEMS_FD, SOCKET_FD, TRACE_FD, ownDaemon, startBackEnd } from './backEnd';
import type { BackEnd } from './backEnd';
import { Boot } from './boot';
import { CommandChannel, freshToken } from './commandChannel';
import { inFiles, onTheLine } from './commandRecords';
import type { Guest, GuestOptions, GuestShare } from './guest';
import { mountPoint } from './guestInit';
import type { GuestMount } from './guestInit';
import { kernelOf, programName, startProgram } from './guestProgram';
import type { GuestProgram } from './guestProgram';
import { buildInitramfs } from './initramfs';
import { QEMU_CHANNEL, QEMU_ERRORS, QEMU_EXTRA, QEMU_MODULES, qemuTerminal } from './qemuArguments';
import { QmpClient } from './qmp';
import { TextTail } from './textTail';
import { oneCpu } from './oneCpu';
import { UML_CHANNEL, UML_ERRORS, UML_EXTRA, UML_MODULES, UML_TERMINAL } from './umlArguments';
import { Workplace, exited } from './workplace';

const BOOT_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
/** A guest at a long command does not hear that it should end. */
const BUSY_STOP_TIMEOUT_MS = 500;

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
  const { kind, shares } = options;
  const progress = options.progress ?? (() => {});
  const token = freshToken();
  const sendRecord = kind === 'uml' ? inFiles(workplace) : onTheLine;
  const initramfs = workplace.write('initramfs', initramfsFor(options, token));
  const cpu = kind === 'uml' ? oneCpu() : undefined;

  progress(`starting ${shares.length === 1 ? 'the daemon' : `${shares.length} daemons`}`, 'daemons');
  const backEnds: BackEnd[] = [];
  for (const [index, share] of shares.entries()) {
    backEnds.push(await startDaemon(share, index, options, workplace, cpu));
  }
  await options.onDaemons?.(backEnds);

  progress(`booting a guest in ${programName(options)}`, 'boot');
  const sockets = backEnds.map(({ socket }) => socket);
  const program = await startProgram(options, { workplace, initramfs, sockets, cpu });
  options.onStarted?.(program.process, backEnds);
  const boot = new Boot();
  const log = logOf(program);
  const qmp =
    program.qmp === undefined ? undefined : new QmpClient(program.qmp, (name) => name === 'STOP' && boot.stop());
  qmp?.connect().catch(() => {}); // `over` tells.
  const channel = new CommandChannel(program.channel, program.errors, token, sendRecord, (event) => boot.take(event));
  const ended = exited(program.process);
  const up = (): Promise<string> =>
    boot.up({
      kind,
      kvm: options.accelerator === 'kvm',
      patience: options.bootTimeoutMs ?? BOOT_TIMEOUT_MS,
      backEnds,
      ended,
      // QEMU that ends closes it as well, and has more to say about that: hence the moment's wait.
      qmpOver: qmp?.over.then((why) => (why.code === 'qmpOver' ? sleep(500, why, { ref: false }) : why)),
      log,
    });

  const release = await up();
  const mounted = shares.length === 0 ? '' : `, mounted at ${shares.map(({ tag }) => mountPoint(tag)).join(', ')}`;
  progress(`Linux ${release} is up${mounted}`, 'up');

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await powerOff(program, channel, backEnds);
    await workplace.close();
  };
  return {
    release,
    workplace,
    backEnds,
    process: program.process,
    console: program.console,
    qmp,
    extra:
      options.extraChannel === true
        ? { stream: program.extra, device: kind === 'uml' ? UML_EXTRA : QEMU_EXTRA }
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

async function startDaemon(
  share: GuestShare,
  index: number,
  options: GuestOptions,
  workplace: Workplace,
  cpu: number | undefined,
): Promise<BackEnd> {
  const backEnd = await startBackEnd(workplace, `share${index}`, daemonCommand(share, options, cpu), {
    trace: hasTrace(share),
    problems: share.daemon === undefined,
  });
  if (backEnd.trace !== undefined) share.onTrace?.(backEnd.trace);
  return backEnd;
}

/** The last of what the console and the guest's program say. */
function logOf({ process, console }: GuestProgram): TextTail {
  const log = new TextTail();
  for (const stream of [process.stderr, process.stdout, console]) {
    stream?.on('data', (chunk: Buffer) => log.add(chunk));
  }
  console.on('error', () => {}); // It ends with the guest, which `ended` tells.
  return log;
}

/** The guest unmounts and ends, then its daemons; what takes too long is not waited for. */
async function powerOff(
  { process: child }: GuestProgram,
  channel: CommandChannel,
  backEnds: readonly BackEnd[],
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    // One whose daemon has gone cannot unmount.
    const stuck = channel.busy || backEnds.some(({ process: { exitCode, signalCode } }) => exitCode !== signalCode);
    const patience = stuck ? BUSY_STOP_TIMEOUT_MS : STOP_TIMEOUT_MS;
    channel.sendLast('exec leave poweroff');
    await Promise.race([exited(child), sleep(patience, undefined, { ref: false })]);
    child.kill('SIGKILL'); // Without effect on one that has ended.
  }
  // The daemons end by themselves when the front-end has gone, and finish their captures.
  await Promise.race([
    Promise.all(backEnds.map((backEnd) => exited(backEnd.process))),
    sleep(2_000, undefined, { ref: false }),
  ]);
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
