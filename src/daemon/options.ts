/**
 * The daemon's command line, in virtiofsd's spelling: argv in, `DaemonOptions` or a clear refusal out.
 *
 * Pure: looks at nothing but its arguments, prints nothing. The option table below is also the help text. Options of
 * virtiofsd that do not exist here are of two kinds: those that may be left out without anybody noticing are taken with
 * a notice, those that promise something (a sandbox, an id mapping) are refused.
 */
import { type Trouble, trouble } from '../base/catalogue';
import { tagFault } from '../base/tag';

export type CacheMode = 'never' | 'metadata' | 'auto' | 'always';
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface DaemonOptions {
  sharedDir: string;
  /** Without a tag the config space is not offered (QEMU 7.1 to 8.0 dislikes it). */
  tag?: string;
  /** Exactly one of `socketPath` (made and listened on) and `fd` (a listening socket handed over) is there. */
  socketPath?: string;
  fd?: number;
  cache: CacheMode;
  writeback: boolean;
  xattr: boolean;
  readonly: boolean;
  readdirplus: boolean;
  allowDirectIo: boolean;
  allowMmap: boolean;
  announceSubmounts: boolean;
  posixLocks: boolean;
  flock: boolean;
  killprivV2: boolean;
  logLevel: LogLevel;
  /** Wanted RLIMIT_NOFILE; 0 leaves it as it is; undefined: as high as it goes, at most 1,000,000. */
  rlimitNofile?: number;
  /** An open descriptor that the capture (pcapng) is written to. */
  traceFd?: number;
  /** How long an idle queue is polled before the worker sleeps. */
  pollMicroseconds: number;
  /** Request queues offered to the front-end. */
  queues: number;
}

export type ParsedOptions =
  | { kind: 'run'; options: DaemonOptions; notices: readonly string[] }
  /** `--help`, `--version`, `--print-capabilities`: print `text` and exit 0. */
  | { kind: 'print'; text: string }
  | { kind: 'refused'; trouble: Trouble };

interface Draft {
  options: Partial<DaemonOptions>;
  notices: string[];
  /** Set by an option that is answered with text. */
  print: 'help' | 'version' | 'capabilities' | undefined;
}

interface Row {
  /** Spellings, the one that messages use first. */
  names: readonly string[];
  /** What stands for the value in the help; without it the option is a switch. */
  value?: string;
  doc: string;
  apply(draft: Draft, value: string, name: string): Trouble | undefined;
}

const CACHE_MODES: readonly string[] = ['never', 'metadata', 'auto', 'always'] satisfies CacheMode[];
const LOG_LEVELS: readonly string[] = ['off', 'error', 'warn', 'info', 'debug', 'trace'] satisfies LogLevel[];
const MAX_QUEUES = 64;

/** A row that sets one option to what `read` makes of the value; `wanted` describes a good value. */
function setting<Key extends keyof DaemonOptions>(
  names: readonly string[],
  value: string,
  doc: string,
  key: Key,
  wanted: string,
  read: (text: string) => DaemonOptions[Key] | undefined,
): Row {
  return {
    names,
    value,
    doc,
    apply: (draft, text, name) => {
      const result = read(text);
      if (result === undefined) return trouble('optionBadValue', name, text, wanted);
      draft.options[key] = result;
      return undefined;
    },
  };
}

type Switch = {
  [Key in keyof DaemonOptions]-?: DaemonOptions[Key] extends boolean ? Key : never;
}[keyof DaemonOptions];

function toggle(name: string, key: Switch, to: boolean, doc: string): Row {
  return {
    names: [name],
    doc,
    apply: (draft) => {
      draft.options[key] = to;
      return undefined;
    },
  };
}

/** An option of virtiofsd that changes nothing here. */
function ignored(names: readonly string[], value: string | undefined, why: string): Row {
  return {
    names,
    ...(value === undefined ? {} : { value }),
    doc: `No effect: ${why}`,
    apply: (draft, _text, name) => {
      draft.notices.push(`${name} has no effect: ${why}`);
      return undefined;
    },
  };
}

/** An option of virtiofsd that only works with one value here. */
function only(name: string, value: string, good: readonly string[], doc: string, remedy: string): Row {
  return {
    names: [name],
    value,
    doc,
    apply: (_draft, text) =>
      good.includes(text) ? undefined : trouble('optionUnsupported', `${name}=${text}`, remedy),
  };
}

function refused(name: string, value: string | undefined, remedy: string): Row {
  return {
    names: [name],
    ...(value === undefined ? {} : { value }),
    doc: '',
    apply: () => trouble('optionUnsupported', name, remedy),
  };
}

function answer(names: readonly string[], print: NonNullable<Draft['print']>, doc: string): Row {
  return {
    names,
    doc,
    apply: (draft) => {
      draft.print ??= print;
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
const descriptor = (text: string) => integer(text, 0, MAX_FD);
const isolation = 'Start the daemon inside a mount namespace or container of your own, or use virtiofsd for this.';
const mapping = "Files keep the guest's own ids. Use an idmapped mount for the folder, or virtiofsd for this.";
const noMigration = 'live migration is not offered';

const rows: readonly Row[] = [
  setting(['--shared-dir'], 'DIR', 'The folder to share.', 'sharedDir', 'a folder', (text) => text || undefined),
  {
    names: ['--tag'],
    value: 'TAG',
    doc: 'What the guest mounts: 1 to 36 bytes. Offers the config space (for UML).',
    apply: (draft, text) => {
      const fault = tagFault(text);
      if (fault !== undefined) return trouble('tagBad', fault);
      draft.options.tag = text;
      return undefined;
    },
  },
  setting(
    ['--socket-path', '--socket'],
    'PATH',
    'Make this vhost-user socket and wait for the front-end on it.',
    'socketPath',
    'a path',
    (text) => text || undefined,
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
  toggle('--xattr', 'xattr', true, 'Serve extended attributes.'),
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
  setting(['--trace-fd'], 'N', 'Write the capture (pcapng) to this descriptor.', 'traceFd', 'a descriptor', descriptor),
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
    (text) => (LOG_LEVELS.includes(text) ? (text as LogLevel) : undefined),
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
    'never or prefer: both hold an O_PATH descriptor for each inode.',
    'Use never: each inode the guest knows costs one descriptor.',
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
  refused('--socket-group', 'GROUP', "Give the socket's folder that group, or hand over a socket with --fd."),
  refused('--daemonize', undefined, 'Leave that to a service manager, or use setsid and &.'),
];

const byName = new Map(rows.flatMap((row) => row.names.map((name) => [name, row] as const)));

/** The words inside `-o a,b=c`, as the long options they stand for. */
const legacy: Readonly<Record<string, string>> = {
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
const legacyValues: Readonly<Record<string, string>> = { 'cache=none': 'never', 'log_level=err': 'error' };

function apply(draft: Draft, row: Row, name: string, value: string | undefined): Trouble | undefined {
  if (row.value && value === undefined) return trouble('optionNeedsValue', name, row.value);
  if (!row.value && value !== undefined) return trouble('optionTakesNoValue', name);
  return row.apply(draft, value ?? '', name);
}

/** One `-o` argument: words separated by commas, a comma inside a value as `\,`. */
function applyLegacy(draft: Draft, list: string): Trouble | undefined {
  for (const word of list.match(/(?:\\.|[^,\\])+/gs) ?? []) {
    const [, key, given] = /^([^=]*)(?:=(.*))?$/s.exec(word.replace(/\\(.)/gs, '$1')) as RegExpExecArray;
    const name = Object.hasOwn(legacy, key) ? legacy[key] : undefined;
    const row = byName.get(name ?? '');
    if (name === '') continue;
    if (!row) return trouble('optionUnknown', `-o ${key}`);
    const value = given === undefined ? undefined : (legacyValues[`${key}=${given}`] ?? given);
    const fault = apply(draft, row, `-o ${key}`, value);
    if (fault) return fault;
  }
  return undefined;
}

function readArguments(argv: readonly string[], draft: Draft): Trouble | undefined {
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (argument.startsWith('-o')) {
      const list = argument.length > 2 ? argument.slice(2) : argv[++i];
      if (list === undefined) return trouble('optionNeedsValue', '-o', 'OPTIONS');
      const fault = applyLegacy(draft, list);
      if (fault) return fault;
      continue;
    }
    if (!argument.startsWith('-')) return trouble('argumentUnexpected', argument);
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const row = byName.get(name);
    if (!row) return trouble('optionUnknown', name);
    let value = equals < 0 ? undefined : argument.slice(equals + 1);
    if (row.value && value === undefined) value = argv[++i];
    const fault = apply(draft, row, name, value);
    if (fault) return fault;
  }
  return undefined;
}

/** What `--print-capabilities` says (QEMU's docs/interop/vhost-user.json; migration is not claimed, it is not there). */
const CAPABILITIES = JSON.stringify({ type: 'fs', features: ['separate-options'] }, null, 2);

/** Reads the daemon's arguments (without the program's own name). Never throws. */
export function parseOptions(argv: readonly string[], version: string): ParsedOptions {
  const draft: Draft = { options: {}, notices: [], print: undefined };
  const fault = readArguments(argv, draft);
  if (draft.print === 'help') return { kind: 'print', text: helpText() };
  if (draft.print === 'version') return { kind: 'print', text: `virtiofs-studio daemon ${version}` };
  if (draft.print === 'capabilities') return { kind: 'print', text: CAPABILITIES };
  if (fault) return { kind: 'refused', trouble: fault };

  const { sharedDir, ...given } = draft.options;
  if (sharedDir === undefined) return { kind: 'refused', trouble: trouble('sharedDirMissing') };
  if (given.socketPath === undefined && given.fd === undefined)
    return { kind: 'refused', trouble: trouble('socketMissing') };
  if (given.socketPath !== undefined && given.fd !== undefined)
    return { kind: 'refused', trouble: trouble('socketTwice') };
  const options: DaemonOptions = {
    cache: 'auto',
    writeback: false,
    xattr: false,
    readonly: false,
    readdirplus: true,
    allowDirectIo: false,
    allowMmap: false,
    announceSubmounts: true,
    posixLocks: true,
    flock: true,
    killprivV2: true,
    logLevel: 'info',
    pollMicroseconds: 0,
    queues: 1,
    ...given,
    sharedDir,
  };
  return { kind: 'run', options, notices: draft.notices };
}

/** The text of `--help`, made from the table. */
export function helpText(): string {
  const shown = rows.filter((row) => row.doc !== '');
  const left = (row: Row) => row.names.join(', ') + (row.value ? `=${row.value}` : '');
  const width = Math.max(...shown.map((row) => left(row).length));
  return [
    'Usage: virtiofs-studio daemon --shared-dir=DIR (--socket-path=PATH | --fd=N) [options]',
    '',
    "Serves a folder to one virtual machine over virtio-fs. Options are virtiofsd's.",
    '',
    ...shown.map((row) => `  ${left(row).padEnd(width)}  ${row.doc}`),
    '',
    `  -o WORD[=VALUE],...  The older syntax: ${Object.keys(legacy).slice(0, 6).join(', ')}, ...`,
    '',
    'Exit codes: 0 the front-end has gone, 2 wrong options, 3 the machine lacks something, 4 a failure.',
  ].join('\n');
}
