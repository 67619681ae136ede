/**
 * Starts QEMU or User Mode Linux for a guest, with the descriptors that the launcher talks to it by. What the command
 * lines say is `qemuArguments.ts` and `umlArguments.ts`.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { trouble } from '../base/catalogue';
import { RECORDS_FOLDER } from './commandRecords';
import { type GuestOptions, QEMU_MEMORY_MIB } from './guest';
import { MACHINES } from './machine';
import { onCpu } from './oneCpu';
import { qemuArguments } from './qemuArguments';
import type { Kernel } from './toolbox';
import { umlArguments, umlEnvironment } from './umlArguments';
import type { Workplace } from './workplace';

const UML_MEMORY_MIB = 256;
const QUEUE_SIZE = 1024;
const CONSOLE_FD = 3;
const CHANNEL_FD = 4;
const EXTRA_FD = 5;
const ERRORS_FD = 6;
/** The last: User Mode Linux has none. */
const QMP_FD = 7;

/** What belongs to a guest before its program starts. */
export interface GuestPlace {
  readonly workplace: Workplace;
  readonly initramfs: string;
  /** Of the daemons, in the order of the shares. */
  readonly sockets: readonly string[];
  /** The one that User Mode Linux stays on. */
  readonly cpu: number | undefined;
}

/** QEMU or User Mode Linux as it runs. Its standard output and errors are pipes as well. */
export interface GuestProgram {
  readonly process: ChildProcess;
  readonly console: Duplex;
  readonly channel: Duplex;
  readonly errors: Duplex;
  readonly extra: Duplex;
  readonly qmp: Duplex | undefined;
}

/** Throws a Trouble where there is none, or it cannot be started. */
export async function startProgram(options: GuestOptions, place: GuestPlace): Promise<GuestProgram> {
  const process = await (options.kind === 'uml' ? startUml(options, place) : startQemu(options, place));
  const streams = process.stdio as readonly unknown[];
  const at = (fd: number): Duplex => streams[fd] as Duplex;
  return {
    process,
    console: at(CONSOLE_FD),
    channel: at(CHANNEL_FD),
    errors: at(ERRORS_FD),
    extra: at(EXTRA_FD),
    qmp: streams[QMP_FD] as Duplex | undefined,
  };
}

/** What is booted, for a person. */
export function programName({ kind, accelerator }: GuestOptions): string {
  if (kind === 'uml') return 'User Mode Linux';
  return accelerator === 'kvm' ? 'QEMU with KVM' : 'QEMU (emulated: KVM is not used)';
}

/** The kernel that QEMU boots. */
export function kernelOf(options: GuestOptions): Kernel {
  const kernel = options.kernel ?? options.tools.kernel;
  if (kernel === undefined) {
    throw trouble('toolMissing', 'a Linux kernel for the guest', 'Name one with --kernel=FILE.');
  }
  return kernel;
}

function startQemu(options: GuestOptions, { workplace, initramfs, sockets }: GuestPlace): Promise<ChildProcess> {
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
      socket: sockets[index],
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

function startUml(options: GuestOptions, place: GuestPlace): Promise<ChildProcess> {
  const { workplace, initramfs, sockets, cpu } = place;
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
    memoryMiB: options.memoryMiB ?? UML_MEMORY_MIB,
    sockets,
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
