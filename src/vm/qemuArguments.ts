/**
 * Builds QEMU's command line for a guest with virtio-fs shares. Pure: same options, same words.
 *
 * Sources: QEMU's manual page and docs/system/devices/vhost-user.rst. Guest memory must be shared with the back-ends
 * (memfd, `share=on`); a queue size of 1024 lets the guest send requests of 1 MiB, which the default of 128 does not.
 * Descriptors named here are those the launcher hands over: see `guestProgram.ts`.
 */

import { MACHINES, type MachineName } from './machine';

export interface QemuShare {
  readonly tag: string;
  /** The vhost-user socket on which the back-end listens. */
  readonly socket: string;
  /** The back-end offers a DAX window. */
  readonly dax?: boolean;
}

export interface QemuOptions {
  readonly machine: MachineName;
  readonly accelerator: 'kvm' | 'tcg';
  readonly kernel: string;
  readonly initramfs: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly shares: readonly QemuShare[];
  /** Request queues of each share; the guest uses more than one since Linux 6.10. */
  readonly queues: number;
  readonly queueSize: number;
  /** Connected sockets: the serial console, the command channel, the errors of commands, QMP. */
  readonly consoleFd: number;
  readonly channelFd: number;
  readonly errorsFd: number;
  readonly qmpFd: number;
  /** One more byte channel for programs in the guest. */
  readonly extraFd?: number;
  /** Let the guest reboot; otherwise a reboot ends QEMU, as does a panic. */
  readonly reboot: boolean;
  readonly kernelArguments?: readonly string[];
  /** The user's own words, last, so that they win. */
  readonly extra?: readonly string[];
}

/**
 * Device in the guest behind `channelFd`. Needs `virtio_console` in the kernel or as a module. A port, not a
 * `virtconsole`: QEMU drops what a console says faster than the host reads it.
 */
export const QEMU_CHANNEL = '/dev/vport*p1';
/** The same behind `errorsFd`. */
export const QEMU_ERRORS = '/dev/vport*p2';
/** The same behind `extraFd`. */
export const QEMU_EXTRA = '/dev/vport*p3';
/** The serial console in the guest. */
export const qemuTerminal = (machine: MachineName): string => `/dev/${MACHINES[machine].console}`;

/** Modules the guest needs where its kernel does not have them built in. */
export const QEMU_MODULES: readonly string[] = ['virtio_pci', 'virtio_console', 'virtiofs'];

/** QEMU's arguments, without the program itself. */
export function qemuArguments(options: QemuOptions): string[] {
  const { board, emulatedCpu } = MACHINES[options.machine];
  return [
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    ['-machine', `${board},memory-backend=memory`],
    ...(options.accelerator === 'kvm'
      ? [
          ['-accel', 'kvm'],
          ['-cpu', 'host'],
        ]
      : [
          ['-accel', 'tcg,thread=multi'],
          ['-cpu', emulatedCpu],
        ]),
    ['-smp', String(options.cpus)],
    ['-m', `${options.memoryMiB}M`],
    ['-object', `memory-backend-memfd,id=memory,size=${options.memoryMiB}M,share=on`],
    ['-kernel', options.kernel],
    ['-initrd', options.initramfs],
    ['-append', kernelCommandLine(options)],
    ['-chardev', `socket,id=console,fd=${options.consoleFd}`],
    ['-serial', 'chardev:console'],
    ['-chardev', `socket,id=channel,fd=${options.channelFd}`],
    ['-device', 'virtio-serial-pci'],
    ['-device', 'virtserialport,chardev=channel,name=virtiofs-studio'],
    ['-chardev', `socket,id=errors,fd=${options.errorsFd}`],
    ['-device', 'virtserialport,chardev=errors,name=virtiofs-studio-errors'],
    ...(options.extraFd === undefined
      ? []
      : [
          ['-chardev', `socket,id=extra,fd=${options.extraFd}`],
          ['-device', 'virtserialport,chardev=extra,name=extra'],
        ]),
    ['-chardev', `socket,id=qmp,fd=${options.qmpFd}`],
    ['-mon', 'chardev=qmp,mode=control'],
    ...options.shares.flatMap((share, index) => shareArguments(share, index, options)),
    options.reboot ? [] : ['-no-reboot'],
    [...(options.extra ?? [])],
  ].flat();
}

/** A vhost-user device of any kind, which has what vhost-user-fs-pci has not: shared memory regions (QEMU 11.1). */
export const DAX_DEVICE = 'vhost-user-test-device-pci';

/** VIRTIO_ID_FS, and the bytes of struct virtio_fs_config, which then comes from the back-end. */
const DEVICE_ID = 26;
const CONFIG_BYTES = 40;

function shareArguments(share: QemuShare, index: number, options: QemuOptions): string[][] {
  const device =
    share.dax === true
      ? [
          DAX_DEVICE,
          `chardev=share${index}`,
          `virtio-id=${DEVICE_ID}`,
          `num_vqs=${options.queues + 1}`,
          `config_size=${CONFIG_BYTES}`,
          `vq_size=${options.queueSize}`,
        ]
      : [
          'vhost-user-fs-pci',
          `chardev=share${index}`,
          `tag=${escaped(share.tag)}`,
          `queue-size=${options.queueSize}`,
          `num-request-queues=${options.queues}`,
        ];
  return [
    ['-chardev', `socket,id=share${index},path=${escaped(share.socket)}`],
    ['-device', device.join(',')],
  ];
}

/** Self tests, probes and hardening that a guest of one user does not need; emulated, they double its work. */
const LEANER: readonly string[] = ['cryptomgr.notests', 'mitigations=off'];
const LEANER_EMULATED: readonly string[] = [
  'init_on_alloc=0',
  'cgroup_disable=memory',
  'lsm=capability',
  'kfence.sample_interval=0',
  'randomize_kstack_offset=off',
  'hardened_usercopy=off',
  'nowatchdog',
  'audit=0',
];

function kernelCommandLine(options: QemuOptions): string {
  const { console, leaner } = MACHINES[options.machine];
  return [
    `console=${console}`,
    'quiet',
    options.reboot ? 'panic=0' : 'panic=-1',
    ...LEANER,
    ...leaner,
    ...(options.accelerator === 'tcg' ? LEANER_EMULATED : []),
    ...(options.kernelArguments ?? []),
  ].join(' ');
}

/** In QEMU's option lists a comma inside a value is written twice. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}
