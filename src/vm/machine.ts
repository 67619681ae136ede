/**
 * The kinds of machine that a guest in QEMU can be, which is the host's kind, since only that one runs with KVM: what
 * Debian and QEMU call them, and what is theirs alone on a command line. Pure tables.
 */

/** As in `process.arch`. */
export type MachineName = 'x64' | 'arm64';

export interface Machine {
  /** QEMU's program, and the package that has it. */
  readonly qemu: string;
  readonly qemuPackage: string;
  readonly kernelPackage: string;
  /** Whether Debian has User Mode Linux for it. */
  readonly hasUml: boolean;
  /** Where Debian has its libraries, and the program that loads them; in the root folder. */
  readonly libraries: string;
  readonly loader: string;
  /** The device of the serial console in the guest, without `/dev/`. */
  readonly console: string;
  /** Values of -machine and of -cpu, without KVM. */
  readonly board: string;
  readonly emulatedCpu: string;
  /** Kernel parameters that spare a guest of one user some work. */
  readonly leaner: readonly string[];
}

export const MACHINES: Readonly<Record<MachineName, Machine>> = {
  x64: {
    qemu: 'qemu-system-x86_64',
    qemuPackage: 'qemu-system-x86',
    kernelPackage: 'linux-image-cloud-amd64',
    hasUml: true,
    libraries: 'usr/lib/x86_64-linux-gnu',
    loader: 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    console: 'ttyS0',
    board: 'q35,hpet=off,sata=off,smbus=off,usb=off,vmport=off',
    // Five levels of page tables cost an emulated processor time and gain nothing. Told that its string instructions
    // are fast, Linux copies a byte at a time with them, which here takes twice as long as eight at a time.
    emulatedCpu: 'max,la57=off,erms=off,fsrm=off',
    leaner: ['no_timer_check', 'tsc=reliable', 'i8042.nokbd', 'i8042.noaux'],
  },
  arm64: {
    qemu: 'qemu-system-aarch64',
    qemuPackage: 'qemu-system-arm',
    kernelPackage: 'linux-image-cloud-arm64',
    hasUml: false,
    libraries: 'usr/lib/aarch64-linux-gnu',
    loader: 'usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1',
    console: 'ttyAMA0',
    // The newest interrupt controller that the accelerator has.
    board: 'virt,gic-version=max',
    // To sign each pointer costs an emulated processor a third of its time.
    emulatedCpu: 'max,pauth=off',
    leaner: [],
  },
};

/** The kind of this machine; undefined where guests of its kind are not known. */
export function ownMachine(): MachineName | undefined {
  const { arch } = process;
  return arch === 'x64' || arch === 'arm64' ? arch : undefined;
}
