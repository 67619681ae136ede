/**
 * Builds the command line of a User Mode Linux guest. Pure: same options, same words.
 *
 * UML is a Linux kernel that is an ordinary program; it speaks vhost-user itself (kernel:
 * arch/um/drivers/virtio_uml.c), so it needs neither QEMU nor KVM, and takes the initramfs that QEMU guests take. Words
 * it does not know it gives to init, where they do no harm.
 */

export interface UmlOptions {
  readonly initramfs: string;
  readonly memoryMiB: number;
  /** vhost-user sockets of the shares' back-ends. The tag comes from the back-end's config space. */
  readonly sockets: readonly string[];
  /** UML's own files (a pid, a management socket) go here; otherwise into `~/.uml`. */
  readonly folder: string;
  /** The folder of the host that its hostfs shows. */
  readonly hostfs: string;
  /** Connected sockets: the serial console, the command channel and the errors of commands. */
  readonly consoleFd: number;
  readonly channelFd: number;
  readonly errorsFd: number;
  /** One more byte channel for programs in the guest. */
  readonly extraFd?: number;
  readonly kernelArguments?: readonly string[];
}

/**
 * A terminal of the kernel has room for 4 KiB. When that is full, UML's driver no longer looks at its descriptor, and
 * not again when there is room: never more than that is to be on its way. It takes a system call for each byte.
 */
export const UML_CHANNEL = '/dev/tty1';
/** The same behind `errorsFd`. */
export const UML_ERRORS = '/dev/tty2';
/** The same behind `extraFd`; a terminal that the program in the guest makes raw (`stty raw -echo`). */
export const UML_EXTRA = '/dev/tty3';
export const UML_TERMINAL = '/dev/tty0';
export const UML_MODULES: readonly string[] = ['virtiofs'];

/** VIRTIO_ID_FS in the kernel's virtio_ids.h. */
const VIRTIO_FS_DEVICE = 26;

/** The kernel's arguments, without the program itself. */
export function umlArguments(options: UmlOptions): string[] {
  return [
    `mem=${options.memoryMiB}M`,
    `initrd=${options.initramfs}`,
    'rdinit=/init',
    'con=null',
    `con0=fd:${options.consoleFd},fd:${options.consoleFd}`,
    `con1=fd:${options.channelFd},fd:${options.channelFd}`,
    `con2=fd:${options.errorsFd},fd:${options.errorsFd}`,
    ...(options.extraFd === undefined ? [] : [`con3=fd:${options.extraFd},fd:${options.extraFd}`]),
    'ssl=null',
    `uml_dir=${options.folder}`,
    // Otherwise a plain mount shows all of the host. No barrier: the kernel takes `..` in a mount for what it is.
    `hostfs=${options.hostfs}`,
    'umid=guest',
    'quiet',
    'panic=-1',
    // It would start anew, without the daemons, which have ended with the connection.
    'noreboot',
    ...options.sockets.map((socket) => `virtio_uml.device=${socket}:${VIRTIO_FS_DEVICE}`),
    ...(options.kernelArguments ?? []),
  ];
}

/**
 * Environment of the process. Guest memory is a file in TMPDIR that is mapped executable, so it should be a tmpfs
 * without `noexec`; without HOME the kernel crashes as it starts.
 */
export function umlEnvironment(folder: string, memoryFolder: string): NodeJS.ProcessEnv {
  return { HOME: folder, TMPDIR: memoryFolder, PATH: '/usr/bin:/bin' };
}
