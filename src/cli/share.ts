/**
 * `virtiofs-studio share`: a guest with folders of this machine in it, with a shell on its console or for one command.
 *
 * Owns the options, the terminal and the exit code. The guest itself is `vm/launcher.ts`.
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { checkDax } from '../vm/daxChecks';
import { onTermination } from '../vm/endings';
import { mountPoint } from '../vm/guestInit';
import { probeKvm } from '../vm/kvm';
import { QEMU_MEMORY_MIB, startGuest } from '../vm/launcher';
import type { Guest, GuestOptions, GuestShare } from '../vm/launcher';
import { QEMU_TERMINAL } from '../vm/qemuArguments';
import { guestTools, kernelFrom } from '../vm/toolbox';
import { UML_TERMINAL } from '../vm/umlArguments';
import { Workplace } from '../vm/workplace';
import { namedFolders, parseCount, parseDax, parseMemory } from './guestOptions';
import { Progress } from './progress';

interface ShareOptions {
  readonly command?: string;
  readonly guest: 'qemu' | 'uml';
  readonly accel: 'auto' | 'kvm' | 'tcg';
  readonly kernel?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly queues?: string;
  readonly qemuArg: string[];
  readonly cache: 'never' | 'metadata' | 'auto' | 'always';
  readonly readOnly: boolean;
  readonly tag?: string;
  readonly share: string[];
  readonly capture?: string;
  readonly captureLimit?: string;
  readonly snaplen?: string;
  readonly traceSyscalls: boolean;
  readonly dax?: string;
  readonly daxPolicy?: string;
  readonly daxMount: 'inode' | 'always' | 'never';
}

/** Ctrl-], as in telnet and virsh. */
const ESCAPE = 0x1d;

export function registerShare(program: Command): void {
  const list = (value: string, before: string[]): string[] => [...before, value];
  program
    .command('share')
    .description('boot a Linux guest with a folder of this machine mounted in it')
    .argument('[dir]', 'folder to share (default: the current one)')
    .option('--command <script>', 'run this in the guest, in the folder, and end with its status')
    .addOption(new Option('--guest <kind>', 'what runs the guest').choices(['qemu', 'uml']).default('qemu'))
    .addOption(new Option('--accel <how>', 'for QEMU').choices(['auto', 'kvm', 'tcg']).default('auto'))
    .option('--kernel <file>', 'Linux kernel image for QEMU (default: a recent one)')
    .option('--memory <size>', 'memory of the guest, such as 512M or 2G')
    .option('--cpus <n>', 'processors of the guest (QEMU only; default: 2)')
    .option('--queues <n>', 'request queues of each share (QEMU only; default: 1)')
    .option('--qemu-arg <word>', 'one more word for QEMU; may be given several times', list, [])
    .addOption(
      new Option('--cache <mode>', 'what the guest may keep')
        .choices(['never', 'metadata', 'auto', 'always'])
        .default('auto'),
    )
    .option('--read-only', 'the guest may not change anything', false)
    .option('--tag <tag>', 'name of the share in the guest: at most 36 bytes, no newline (default: share)')
    .option('--share <dir:tag>', 'share one more folder; may be given several times', list, [])
    .option('--dax <size>', 'give each share a DAX window of this size, from 2M to 256M (QEMU 11.1 and later)')
    .option('--dax-policy <words>', 'which files go through it: pages, tails, >=1M, <2G, *.db (default: pages)')
    .addOption(
      new Option('--dax-mount <how>', 'mount option dax= of the guest')
        .choices(['inode', 'always', 'never'])
        .default('inode'),
    )
    .option('--capture <file>', 'write every request and reply into this file (of several shares: one file each)')
    .option('--capture-limit <size>', 'keep the newest: the capture and its older half stay below this, such as 100M')
    .option('--snaplen <bytes>', 'bytes of data that captures keep of each message (default: 256)')
    .option('--trace-syscalls', 'captures have each host system call as well', false)
    .addHelpText(
      'after',
      '\nWatch the requests from another terminal with "virtiofs-studio trace".\n' +
        'In the guest the folder is /mnt/TAG. Leave its shell with "exit"; Ctrl-] ends the guest at once.\n' +
        'Exit codes: that of the command; 2 wrong options, 3 the machine lacks something, 4 the guest failed.',
    )
    .action(async (folder: string | undefined, options: ShareOptions) => {
      process.exitCode = await share(folder, options);
    });
}

async function share(folder: string | undefined, options: ShareOptions): Promise<number> {
  const folders = namedFolders(folder, options.tag, options.share);
  const interactive = options.command === undefined;
  if (interactive && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw trouble('terminalMissing');
  }
  const sizes = {
    ...(options.memory === undefined ? {} : { memoryMiB: parseMemory(options.memory) }),
    ...(options.cpus === undefined ? {} : { cpus: parseCount('--cpus', options.cpus, 1, 64) }),
    ...(options.queues === undefined ? {} : { queues: parseCount('--queues', options.queues, 1, 64) }),
  };
  const progress = new Progress();
  const tools = await guestTools(options.guest, progress.step);
  const dax = daxOf(options);
  if (dax !== undefined) {
    await checkDax({
      guest: options.guest,
      tools,
      kernel: options.kernel === undefined ? undefined : kernelFrom(options.kernel),
      memoryMiB: sizes.memoryMiB ?? QEMU_MEMORY_MIB,
      windows: folders.map(() => dax.bytes),
      readOnly: options.readOnly,
      cache: options.cache,
    });
  }
  const accelerator = options.guest === 'uml' ? 'tcg' : await chooseAccelerator(options, tools, progress);

  const workplace = await Workplace.open();
  let guest: Guest | undefined;
  const listening = onTermination(async () => {
    if (process.stdin.isTTY) {
      process.stdin.setRawMode(false);
    }
    await (guest === undefined ? workplace.close() : guest.stop());
  });
  try {
    const guestOptions: GuestOptions = {
      kind: options.guest,
      accelerator,
      tools,
      ...sizes,
      ...(options.kernel === undefined ? {} : { kernel: kernelFrom(options.kernel) }),
      qemuArguments: options.qemuArg,
      shares: folders.map((one) => ({
        ...one,
        readOnly: options.readOnly,
        ...(dax === undefined ? {} : { dax }),
        daemonOptions: [
          ...daemonOptions(options),
          ...captureOptions(options, folders.length > 1 ? one.tag : undefined),
        ],
      })),
      ...(interactive ? { shell: terminalShape() } : {}),
      progress: progress.step,
    };
    guest = await startGuest(guestOptions, workplace);
    progress.done();
    return options.command === undefined
      ? await converse(
          guest,
          options,
          folders.map((one) => mountPoint(one.tag)),
        )
      : await runCommand(guest, options.command);
  } finally {
    progress.done();
    await (guest === undefined ? workplace.close() : guest.stop());
    listening();
  }
}

function daxOf({ dax, daxPolicy, daxMount }: ShareOptions): GuestShare['dax'] {
  if (dax === undefined) {
    if (daxPolicy !== undefined) throw trouble('daxPolicyAlone');
    return undefined;
  }
  return { bytes: parseDax(dax), mount: daxMount, ...(daxPolicy === undefined ? {} : { policy: daxPolicy }) };
}

/** Shared memory maps (SQLite, fio) must work by default in every cache mode, hence the second option. */
function daemonOptions(options: ShareOptions): string[] {
  return [`--cache=${options.cache}`, '--allow-mmap', '--xattr', '--log-level=warn'];
}

/** `tag`: where there are several shares, each has a file of its own: `NAME.TAG.fuse.pcapng`. */
function captureOptions(options: ShareOptions, tag: string | undefined): string[] {
  const { capture, captureLimit, snaplen } = options;
  const given = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${name}=${value}`];
  return [
    ...given('--capture', capture === undefined ? undefined : resolve(captureName(capture, tag))),
    ...given('--capture-limit', captureLimit),
    ...given('--snaplen', snaplen),
    ...(options.traceSyscalls ? ['--trace-syscalls'] : []),
  ];
}

function captureName(file: string, tag: string | undefined): string {
  if (tag === undefined) return file;
  const [, stem, extension] = /^(.*?)((?:\.fuse)?\.pcapng)?$/s.exec(file) ?? [];
  return `${stem}.${tag.replaceAll('/', '_')}${extension ?? ''}`;
}

async function chooseAccelerator(
  options: ShareOptions,
  tools: GuestOptions['tools'],
  progress: Progress,
): Promise<'kvm' | 'tcg'> {
  if (options.accel !== 'auto') {
    return options.accel;
  }
  return (await probeKvm(tools, progress.step)).works ? 'kvm' : 'tcg';
}

function terminalShape(): NonNullable<GuestOptions['shell']> {
  const term = process.env['TERM'] ?? 'linux';
  return { term, rows: process.stdout.rows, columns: process.stdout.columns };
}

async function runCommand(guest: Guest, command: string): Promise<number> {
  const write = (chunk: Buffer): void => void process.stdout.write(chunk);
  // What the daemons complain of while the command runs.
  guest.backEnds.forEach(({ process: daemon }) => daemon.stderr?.pipe(process.stderr, { end: false }));
  try {
    const { status } = await guest.run(command, { onOutput: write });
    return status;
  } catch {
    throw trouble('guestGone', command);
  }
}

/** Joins the user's terminal to the guest's console until the guest ends. */
async function converse(guest: Guest, options: ShareOptions, places: readonly string[]): Promise<number> {
  const [input, output] = [process.stdin, process.stdout];
  output.write(
    `Linux ${guest.release}; shared: ${places.join(', ')}. "exit" leaves, Ctrl-] ends the guest at once.\r\n`,
  );
  const type = (keys: Buffer): void => {
    if (keys.includes(ESCAPE)) {
      void guest.workplace.close(0);
    } else {
      guest.console.write(keys);
    }
  };
  const device = options.guest === 'uml' ? UML_TERMINAL : QEMU_TERMINAL;
  const resize = (): void => {
    guest.run(`stty -F ${device} rows ${output.rows} cols ${output.columns}`).catch(() => {}); // It has just ended.
  };
  guest.console.pipe(output, { end: false });
  input.setRawMode(true);
  input.on('data', type);
  output.on('resize', resize);
  // Whatever the shell wrote before this terminal was joined is gone: an empty line brings a prompt.
  guest.console.write('\r');
  try {
    await guest.ended;
  } finally {
    output.off('resize', resize);
    input.off('data', type);
    input.setRawMode(false);
    input.pause();
    guest.console.unpipe(output);
    output.write('\r\n');
  }
  return 0;
}
