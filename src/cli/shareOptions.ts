/**
 * The options of `virtiofs-studio share`: what there is, and what of it the daemon is told. Reads words, starts
 * nothing.
 */
import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { CAPTURE_LIMITS, parseCaptureLimit, parseSnapLength, SNAP_LENGTHS } from '../base/captureSizes';
import { DEFAULT_DAX_POLICY } from '../base/daxSize';
import { checkCaptureName, checkCaptureTarget } from '../control/captureTarget';
import { parseFault } from '../control/rules/faultRule';
import type { GuestShare } from '../vm/guest';
import { checkDaemonArgs } from './daemonArgs';
import { type NamedFolder, parseDax } from './guestOptions';

export interface ShareOptions {
  readonly command?: string;
  readonly guest: 'qemu' | 'uml';
  /** What QEMU alone has is there only when it was given: User Mode Linux refuses it. */
  readonly accel?: 'auto' | 'kvm' | 'tcg';
  readonly kernel?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly queues?: string;
  readonly bootTimeout?: string;
  readonly qemuArg: string[];
  readonly daemonArg: string[];
  readonly cache: 'never' | 'metadata' | 'auto' | 'always';
  readonly readOnly: boolean;
  readonly tag?: string;
  readonly share: string[];
  readonly capture?: string;
  readonly captureLimit?: string;
  readonly snaplen?: string;
  readonly traceSyscalls: boolean;
  readonly fault: readonly string[];
  readonly dax?: string;
  readonly daxPolicy?: string;
  readonly daxMount?: 'inode' | 'always' | 'never';
  readonly control?: string;
  readonly inspectDaemon?: string;
}

/** What is shared, and how. */
export interface ShareRequest {
  readonly folder: string | undefined;
  readonly options: ShareOptions;
}

function commandOf(script: string): string {
  if (script.trim() === '') throw trouble('commandEmpty');
  return script;
}

/** Gives `command` the argument and the options of `share`. */
export function describeShare(command: Command): Command {
  const list = (value: string, before: string[]): string[] => [...before, value];
  // More arguments than one are let through: `requestOf` says what to do with them.
  return command
    .allowExcessArguments()
    .description('boot a Linux guest with a folder of this machine mounted in it')
    .argument('[dir]', 'folder to share (default: the current one; beside --share none, unless --tag is given)')
    .option('--command <script>', 'run this in the guest, in the folder, and end with its status', commandOf)
    .addOption(
      new Option('--guest <kind>', 'what runs the guest (uml: on x86-64 only)')
        .choices(['qemu', 'uml'])
        .default('qemu'),
    )
    .addOption(
      new Option('--accel <how>', 'who runs its processors (QEMU only; default: auto)').choices(['auto', 'kvm', 'tcg']),
    )
    .option('--kernel <file>', 'Linux kernel image (QEMU only; default: a recent one)')
    .option('--memory <size>', 'memory of the guest, such as 512M or 2G')
    .option('--cpus <n>', 'processors of the guest (QEMU only; default: 2)')
    .option('--queues <n>', 'request queues of each share (QEMU only; default: 1)')
    .option('--boot-timeout <seconds>', 'how long the guest may take to come up; 0: as long as it likes (default: 60)')
    .option('--qemu-arg <word>', 'one more word for QEMU (no other guest); may be given several times', list, [])
    .option(
      '--daemon-arg <word>',
      'one more word for each daemon, such as --writeback; may be given several times',
      list,
      [],
    )
    .addOption(
      new Option('--cache <mode>', 'what the guest may keep')
        .choices(['never', 'metadata', 'auto', 'always'])
        .default('auto'),
    )
    .option('--read-only', 'the guest may not change anything', false)
    .option('--tag <tag>', 'name of the share in the guest: at most 36 bytes, no newline (default: share)')
    .option('--share <dir:tag>', 'share one more folder; may be given several times', list, [])
    .option(
      '--capture <file>',
      'write every request and reply into this file, over a capture of before (of several shares: one file each)',
    )
    .option('--capture-limit <size>', 'keep the newest: the capture and its older half stay below this, such as 100M')
    .option('--snaplen <bytes>', 'bytes of data that captures keep of each message (default: 256)')
    .option(
      '--fault <rule>',
      'do this to requests, such as "errno=EIO,p=0.01 READ *.db"; may be given several times (docs/faults.md)',
      list,
      [],
    )
    .option('--trace-syscalls', 'captures, and live traces, have each host system call as well', false)
    .option('--dax <size>', 'give each share a DAX window of this size, from 2M to 256M (QEMU 11.1 and later)')
    .option(
      '--dax-policy <words>',
      `which files go through it: pages, tails, >=1M, <2G, *.db (default: ${DEFAULT_DAX_POLICY})`,
    )
    .addOption(
      new Option('--dax-mount <how>', 'mount option dax= of the guest, with --dax (default: inode)').choices([
        'inode',
        'always',
        'never',
      ]),
    )
    .addOption(new Option('--inspect-daemon <port>', "for editors: debug the daemon's JavaScript there").hideHelp())
    .addOption(
      new Option('--control <socket>', 'for editors: connect here, tell how it goes, take requests').hideHelp(),
    );
}

/** What `command` was given. Throws a Trouble for more than one folder. */
export function requestOf(folder: string | undefined, options: ShareOptions, command: Command): ShareRequest {
  if (command.args.length > 1) throw trouble('foldersTooMany', command.args[1]);
  return { folder, options };
}

/** What the words after `share` ask for. Throws a Trouble for words that it does not know. */
export function parseShareWords(words: readonly string[]): ShareRequest {
  let request: ShareRequest | undefined;
  const command = describeShare(new Command('share'))
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .action((...given: Parameters<typeof requestOf>) => {
      request = requestOf(...given);
    });
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw trouble('shareWordsBad', error.message);
    throw error;
  }
  if (request === undefined) throw trouble('shareWordsBad', words.join(' '));
  return request;
}

/** Throws a Trouble for what User Mode Linux would silently do without. */
export function checkGuestHas({ guest, accel, kernel, cpus, queues, qemuArg, ...window }: ShareOptions): void {
  if (guest !== 'uml') return;
  const given = { '--accel': accel, '--kernel': kernel, '--cpus': cpus, '--queues': queues, '--qemu-arg': qemuArg[0] };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option !== undefined) throw trouble('qemuOnly', option);
  if ((window.dax ?? window.daxPolicy ?? window.daxMount) !== undefined) throw trouble('daxUml');
}

/** The DAX window that each share gets, if any. Throws a Trouble for words that make no sense. */
export function daxOf({ dax, daxPolicy, daxMount }: ShareOptions): GuestShare['dax'] {
  if (dax === undefined) {
    if (daxPolicy !== undefined) throw trouble('daxOptionAlone', '--dax-policy');
    if (daxMount !== undefined) throw trouble('daxOptionAlone', '--dax-mount');
    return undefined;
  }
  const mount = daxMount ?? 'inode';
  return { bytes: parseDax(dax), mount, ...(daxPolicy === undefined ? {} : { policy: daxPolicy }) };
}

/**
 * Shared memory maps (SQLite, fio) must work by default in every cache mode, hence the second option. Throws a Trouble
 * for a fault rule that is none, and for arguments that the daemon would refuse, before anything is started.
 */
export function daemonOptions(options: ShareOptions): string[] {
  for (const rule of options.fault) {
    const parsed = parseFault(rule);
    if ('problem' in parsed) throw trouble('faultBad', rule, parsed.problem);
  }
  const faults = options.fault.map((rule) => `--fault=${rule}`);
  checkDaemonArgs(options.daemonArg);
  return [`--cache=${options.cache}`, '--allow-mmap', '--xattr', '--log-level=warn', ...faults, ...options.daemonArg];
}

/** Where the capture of the share `tag` among `folders` is, as it was named. */
export function captureFile(
  { capture }: ShareOptions,
  folders: readonly NamedFolder[],
  tag: string,
): string | undefined {
  return capture === undefined ? undefined : captureName(capture, folders.length > 1 ? tag : undefined);
}

/**
 * Of the share `tag` among `folders`: where there are several, each has a file of its own, `NAME.TAG.fuse.pcapng`.
 * Throws a Trouble for a capture that cannot be, before anything is started.
 */
export function captureOptions(options: ShareOptions, folders: readonly NamedFolder[], tag: string): string[] {
  const { captureLimit, snaplen } = options;
  if (options.capture !== undefined) checkCaptureName(options.capture);
  const file = captureFile(options, folders, tag);
  const capture = file === undefined ? undefined : resolve(file);
  if (captureLimit !== undefined) {
    if (capture === undefined) throw trouble('captureLimitAlone');
    if (parseCaptureLimit(captureLimit) === undefined) {
      throw trouble('numberBad', '--capture-limit', captureLimit, CAPTURE_LIMITS);
    }
  }
  if (snaplen !== undefined && parseSnapLength(snaplen) === undefined) {
    throw trouble('numberBad', '--snaplen', snaplen, SNAP_LENGTHS);
  }
  const writable = options.readOnly ? [] : folders.map(({ directory }) => directory);
  if (capture !== undefined) checkCaptureTarget(capture, captureLimit !== undefined, writable);
  const given = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${name}=${value}`];
  return [
    ...given('--capture', capture),
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
