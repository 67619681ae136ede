/**
 * The table of the daemon's options: names, value, help, and what each does to the options being gathered. Options of
 * virtiofsd that do not exist here are of two kinds: those that may be left out without anybody noticing are taken with
 * a notice, those that promise something (a sandbox, an id mapping) are refused.
 */
import { trouble } from '../base/catalogue';
import { parseSize } from '../base/byteSize';
import { CAPTURE_LIMITS, parseCaptureLimit, parseSnapLength, SNAP_LENGTHS } from '../base/captureSizes';
import { DAX_SIZES, DEFAULT_DAX_POLICY, daxSizeFault } from '../base/daxSize';
import { tagFault } from '../base/tag';
import { parseFault } from '../control/rules/faultRule';
import { parsePolicy } from '../fs/dax/policy';
import type { CacheMode } from '../fuse/options';
import { LOG_LEVELS } from './daemonOptions';
import { answer, ignored, only, refused, type Row, setting, toggle } from './optionRows';

const CACHE_MODES: readonly string[] = ['never', 'metadata', 'auto', 'always'] satisfies CacheMode[];
const MAX_QUEUES = 64;

/** An option that gives the share a name. */
function called(name: string, value: string, key: 'tag' | 'name', doc: string): Row {
  return {
    names: [name],
    value,
    doc,
    apply: (draft, text) => {
      const fault = tagFault(text);
      if (fault !== undefined) return trouble('tagBad', fault);
      draft.options[key] = text;
      return undefined;
    },
  };
}

/** A decimal number in a range, else undefined. */
function integer(text: string, least: number, most: number): number | undefined {
  const number = Number(text);
  return /^[0-9]{1,10}$/.test(text) && number >= least && number <= most ? number : undefined;
}

const MAX_FD = 0x7fffffff;
const MAX_CPU = 511;
const descriptor = (text: string) => integer(text, 0, MAX_FD);
const isolation = 'Start the daemon inside a mount namespace or container of your own, or use virtiofsd for this.';
const mapping = "Files keep the guest's own ids. Use an idmapped mount for the folder, or virtiofsd for this.";
const noMigration = 'live migration is not offered';

export const rows: readonly Row[] = [
  setting(['--shared-dir'], 'DIR', 'The folder to share.', 'sharedDir', 'a folder', (text) => text || undefined),
  called('--tag', 'TAG', 'tag', 'What the guest mounts: 1 to 36 bytes. Offers the config space (for UML).'),
  setting(
    ['--socket-path', '--socket'],
    'PATH',
    'Make this vhost-user socket and wait for the front-end on it.',
    'socketPath',
    'a path',
    (text) => text || undefined,
  ),
  setting(
    ['--socket-group'],
    'GROUP',
    'Let the members of this group connect to the socket, beside its owner, and nobody else.',
    'socketGroup',
    'the name of a group',
    (text) => (/^[^:\n\0]+$/.test(text) ? text : undefined),
  ),
  setting(['--fd'], 'N', 'Wait on this listening socket instead.', 'fd', 'a descriptor', descriptor),
  setting(
    ['--cache'],
    'MODE',
    'What the guest may keep: never, metadata, auto (1 s; the default), always.',
    'cache',
    'one of never, metadata, auto, always',
    (text) => (CACHE_MODES.includes(text) ? (text as CacheMode) : undefined),
  ),
  toggle('--writeback', 'writeback', true, 'Let the guest gather writes before it sends them.'),
  toggle('--xattr', 'xattr', true, 'Serve extended attributes, POSIX ACLs excepted.'),
  toggle('--readonly', 'readonly', true, 'Refuse every change with EROFS.'),
  toggle('--no-readdirplus', 'readdirplus', false, 'List folders without attributes.'),
  toggle('--allow-direct-io', 'allowDirectIo', true, "Honour the guest programs' O_DIRECT on the host."),
  toggle('--allow-mmap', 'allowMmap', true, 'With --cache=never or metadata: allow shared mmap.'),
  toggle('--announce-submounts', 'announceSubmounts', true, 'Show mount points below DIR as such (the default).'),
  toggle('--no-announce-submounts', 'announceSubmounts', false, 'Show them as plain folders.'),
  toggle('--no-posix-lock', 'posixLocks', false, 'Keep POSIX locks inside the guest.'),
  toggle('--posix-lock', 'posixLocks', true, 'Take POSIX locks on the host (the default).'),
  toggle('--no-flock', 'flock', false, 'Keep flock locks inside the guest.'),
  toggle('--flock', 'flock', true, 'Take flock locks on the host (the default).'),
  toggle('--killpriv-v2', 'killprivV2', true, 'Clear set-user-ID bits on the host at writes (the default).'),
  toggle('--no-killpriv-v2', 'killprivV2', false, 'Leave that to the guest.'),
  setting(
    ['--queues'],
    'N',
    `Request queues offered, 1 to ${MAX_QUEUES} (default 1).`,
    'queues',
    `a number from 1 to ${MAX_QUEUES}`,
    (text) => integer(text, 1, MAX_QUEUES),
  ),
  setting(
    ['--poll-us'],
    'N',
    'Poll an idle queue for N microseconds before sleeping (default 0; needs a spare core).',
    'pollMicroseconds',
    'a number from 0 to 1000000',
    (text) => integer(text, 0, 1_000_000),
  ),
  setting(['--cpu'], 'N', 'Keep the thread that serves the queues on this CPU.', 'cpu', 'the number of a CPU', (text) =>
    integer(text, 0, MAX_CPU),
  ),
  {
    names: ['--dax'],
    value: 'SIZE',
    doc: `Offer a DAX window, ${DAX_SIZES} (QEMU 11.1 and later).`,
    apply: (draft, text, name) => {
      const bytes = parseSize(text);
      if (bytes === undefined) return trouble('optionBadValue', name, text, DAX_SIZES);
      const fault = daxSizeFault(bytes);
      if (fault !== undefined) return trouble('daxSizeBad', text, fault);
      draft.options.dax = bytes;
      return undefined;
    },
  },
  setting(
    ['--dax-policy'],
    'WORDS',
    `Files for it: pages or tails, sizes (>=1M), globs (*.db); ${DEFAULT_DAX_POLICY} if not given.`,
    'daxPolicy',
    'a list of pages, tails, sizes such as >=1M or <2G, and globs such as *.db',
    (text) => (parsePolicy(text) ? text : undefined),
  ),
  called(
    '--name',
    'NAME',
    'name',
    'What captures and "virtiofs-studio trace" call it (default: the tag, or the folder).',
  ),
  setting(
    ['--capture'],
    'FILE',
    'Write every request and reply into FILE (pcapng), new or over a capture of before.',
    'capture',
    'a file',
    (text) => text || undefined,
  ),
  setting(
    ['--capture-limit'],
    'SIZE',
    'Keep the newest: FILE and FILE.old together stay below SIZE, such as 100M.',
    'captureLimit',
    CAPTURE_LIMITS,
    parseCaptureLimit,
  ),
  setting(
    ['--snaplen'],
    'BYTES',
    'Bytes of data kept of each message (default 256; names and attributes are always whole).',
    'snapLength',
    SNAP_LENGTHS,
    parseSnapLength,
  ),
  toggle('--trace-syscalls', 'traceSyscalls', true, 'Captures and live traces have each host system call as well.'),
  toggle('--no-live-trace', 'liveTrace', false, 'Make no socket for "virtiofs-studio trace" to connect to.'),
  toggle('--no-debug', 'debug', false, 'Make no socket for a debugger to connect to.'),
  {
    names: ['--fault'],
    value: 'RULE',
    doc: 'Do this to requests, such as "errno=EIO,p=0.01 READ *.db" (repeatable; docs/faults.md).',
    apply: (draft, text) => {
      const rule = parseFault(text);
      if ('problem' in rule) return trouble('faultBad', text, rule.problem);
      draft.options.faults = [...(draft.options.faults ?? []), text];
      return undefined;
    },
  },
  setting(['--trace-fd'], 'N', 'Write the capture to this open descriptor.', 'traceFd', 'a descriptor', descriptor),
  setting(
    ['--problems-fd'],
    'N',
    'Tell what goes wrong with the share on this open descriptor, a line of JSON each.',
    'problemsFd',
    'a descriptor',
    descriptor,
  ),
  setting(
    ['--rlimit-nofile'],
    'N',
    'Limit of open files; 0 leaves it (default: as high as it goes, at most 1000000).',
    'rlimitNofile',
    'a number',
    (text) => integer(text, 0, MAX_FD),
  ),
  setting(
    ['--log-level'],
    'LEVEL',
    'off, error, warn, info (the default), debug (prints each request), trace.',
    'logLevel',
    'one of off, error, warn, info, debug, trace',
    (text) => LOG_LEVELS.find((level) => level === text),
  ),
  setting(['-d'], '', 'The same as --log-level=debug.', 'logLevel', '', () => 'debug'),
  answer(['--print-capabilities'], 'capabilities', 'Print what libvirt asks for, as JSON.'),
  answer(['--help', '-h'], 'help', 'This text.'),
  answer(['--version', '-V'], 'version', 'The version.'),

  only('--sandbox', 'KIND', ['none'], 'Only none: the daemon starts no sandbox of its own.', isolation),
  only('--seccomp', 'ACTION', ['none'], 'Only none.', isolation),
  only(
    '--inode-file-handles',
    'WHEN',
    ['never', 'prefer', 'fallback'],
    'never or prefer: the same here, an inode in use is held by an O_PATH descriptor.',
    'Use never or prefer: here an inode costs a descriptor while it is in use.',
  ),
  ignored(['-f'], undefined, 'the daemon always stays in the foreground'),
  ignored(['--syslog'], undefined, 'messages go to standard error, which systemd and containers collect'),
  ignored(['--thread-pool-size'], 'N', 'blocking calls have their own threads'),
  ignored(['--preserve-noatime'], undefined, 'O_NOATIME is always tried first'),
  ignored(['--migration-mode'], 'MODE', noMigration),
  ignored(['--migration-on-error'], 'MODE', noMigration),
  ignored(['--migration-verify-handles'], undefined, noMigration),
  ignored(['--migration-confirm-paths'], undefined, noMigration),

  refused('--posix-acl', undefined, 'Use virtiofsd where the guest must evaluate POSIX ACLs.'),
  refused('--security-label', undefined, 'Use virtiofsd where the guest must label files.'),
  refused('--xattrmap', 'RULES', 'Attributes keep their names. Use virtiofsd for this.'),
  refused('--uid-map', 'MAP', mapping),
  refused('--gid-map', 'MAP', mapping),
  refused('--translate-uid', 'MAP', mapping),
  refused('--translate-gid', 'MAP', mapping),
  refused('--modcaps', 'LIST', 'Start the daemon with the capabilities it should have, for example with setpriv.'),
  refused('--daemonize', undefined, 'Leave that to a service manager, or use setsid and &.'),
];

/** The words inside `-o a,b=c`, as the long options they stand for. */
export const legacy: Readonly<Record<string, string>> = {
  source: '--shared-dir',
  cache: '--cache',
  log_level: '--log-level',
  loglevel: '--log-level',
  debug: '-d',
  xattr: '--xattr',
  writeback: '--writeback',
  readdirplus: '',
  no_readdirplus: '--no-readdirplus',
  allow_direct_io: '--allow-direct-io',
  announce_submounts: '--announce-submounts',
  no_announce_submounts: '--no-announce-submounts',
  posix_lock: '--posix-lock',
  no_posix_lock: '--no-posix-lock',
  flock: '--flock',
  no_flock: '--no-flock',
  killpriv_v2: '--killpriv-v2',
  no_killpriv_v2: '--no-killpriv-v2',
  sandbox: '--sandbox',
  seccomp: '--seccomp',
  modcaps: '--modcaps',
  xattrmap: '--xattrmap',
  posix_acl: '--posix-acl',
  security_label: '--security-label',
  vhost_user_socket: '--socket-path',
  // These ask for what is the case anyway.
  no_xattr: '',
  no_writeback: '',
  no_allow_direct_io: '',
  no_posix_acl: '',
  no_security_label: '',
  allow_root: '',
};

/** Values that were called otherwise in the old syntax. */
export const legacyValues: Readonly<Record<string, string>> = { 'cache=none': 'never', 'log_level=err': 'error' };
