/**
 * The daemon's command line, in virtiofsd's spelling: argv in, `DaemonOptions` or a clear refusal out.
 *
 * Pure: looks at nothing but its arguments, prints nothing. Which options there are is `optionTable.ts`, which is also
 * the help text.
 */
import { type Trouble, trouble } from '../base/catalogue';
import { nearest } from '../base/nearest';
import type { DaemonOptions } from './daemonOptions';
import type { Draft, Row } from './optionRows';
import { legacy, legacyValues, rows } from './optionTable';

const DEFAULT_SNAP_LENGTH = 256;

export type ParsedOptions =
  | { kind: 'run'; options: DaemonOptions; notices: readonly string[] }
  /** `--help`, `--version`, `--print-capabilities`: print `text` and exit 0. */
  | { kind: 'print'; text: string }
  | { kind: 'refused'; trouble: Trouble };

const byName = new Map(rows.flatMap((row) => row.names.map((name) => [name, row] as const)));

/** The option that was probably meant, '' when there is none like it. */
function meant(word: string): string {
  return nearest(word.replace(/=.*$/s, ''), byName.keys()) ?? '';
}

/** The same for a word of `-o`; a new option that was given there is named as it is. */
function meantLegacy(word: string): string {
  const words = Object.keys(legacy).map((each) => `-o ${each}`);
  return nearest(`-o ${word}`, words) ?? meant(`--${word.replaceAll('_', '-')}`);
}

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
    if (name === '') {
      if (given !== undefined) return trouble('optionTakesNoValue', `-o ${key}`);
      continue;
    }
    if (!row) return trouble('optionUnknown', `-o ${key}`, meantLegacy(key));
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
    if (!argument.startsWith('-')) return trouble('argumentUnexpected', argument, meant(`--${argument}`));
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const row = byName.get(name);
    if (!row) return trouble('optionUnknown', name, meant(name));
    let value = equals < 0 ? undefined : argument.slice(equals + 1);
    if (row.value && value === undefined) value = argv[++i];
    const fault = apply(draft, row, name, value);
    if (fault) return fault;
  }
  return undefined;
}

/**
 * What `--print-capabilities` says (QEMU's docs/interop/vhost-user.json; migration is not claimed, it is not there).
 */
const CAPABILITIES = JSON.stringify({ type: 'fs', features: ['separate-options'] }, null, 2);

/** What a part of a command line sets, and nothing of what the rest has to have. Never throws. */
export function parsePart(
  argv: readonly string[],
): { readonly given: Partial<DaemonOptions>; readonly prints: boolean } | { readonly trouble: Trouble } {
  const draft: Draft = { options: {}, notices: [], print: undefined };
  const fault = readArguments(argv, draft);
  return fault ? { trouble: fault } : { given: draft.options, prints: draft.print !== undefined };
}

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
  if (given.socketGroup !== undefined && given.socketPath === undefined)
    return { kind: 'refused', trouble: trouble('socketGroupAlone') };
  if (given.captureLimit !== undefined && given.capture === undefined)
    return { kind: 'refused', trouble: trouble('captureLimitAlone') };
  const dax = daxFault(given);
  if (dax) return { kind: 'refused', trouble: dax };
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
    snapLength: DEFAULT_SNAP_LENGTH,
    traceSyscalls: false,
    liveTrace: true,
    debug: true,
    faults: [],
    ...given,
    sharedDir,
  };
  return { kind: 'run', options, notices: draft.notices };
}

/** What does not go together with a DAX window. */
function daxFault({ dax, daxPolicy, tag, readonly, cache, writeback }: Partial<DaemonOptions>): Trouble | undefined {
  if (dax === undefined) return daxPolicy === undefined ? undefined : trouble('daxOptionAlone', '--dax-policy');
  if (readonly === true) return trouble('daxReadOnly');
  if (tag === undefined) return trouble('daxWithoutTag');
  if (cache === 'never' || cache === 'metadata') return trouble('daxCache', cache);
  return writeback === true ? trouble('daxWriteback') : undefined;
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
