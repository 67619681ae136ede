/**
 * How a folder is shared into a VM: the choices a person has, where they are remembered, and the launcher's words for
 * them. Checks what comes from settings and memory. Pure, except that relative folders are resolved; knows nothing of
 * vscode.
 */
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { trouble } from '../base/catalogue';
import { DAX_POLICY_SIZE, daxSizeFault, parseDaxSize } from '../base/daxSize';
import { checkAskedWindows } from '../base/daxWish';
import { tagFault } from '../base/tag';
import { sentence } from './sentence';

export const GUESTS = ['qemu', 'uml'] as const;
export const CACHE_MODES = ['never', 'metadata', 'auto', 'always'] as const;
export const DAX_MOUNTS = ['inode', 'always', 'never'] as const;
export const DAX_SIZES = ['2M', '4M', '8M', '16M', '32M', '64M', '128M', '256M'] as const;

export interface ExtraShare {
  readonly folder: string;
  readonly tag: string;
}

/** Empty texts: the launcher's own choice. */
export interface LaunchOptions {
  readonly guest: (typeof GUESTS)[number];
  readonly cache: (typeof CACHE_MODES)[number];
  readonly readOnly: boolean;
  readonly tag: string;
  readonly shares: readonly ExtraShare[];
  readonly memory: string;
  readonly cpus: string;
  /** Seconds that it may take to come up; 0: as long as it likes. */
  readonly bootTimeout: string;
  readonly kernel: string;
  readonly qemuArgs: readonly string[];
  /** More words for each daemon. What they may be is the launcher's to say. */
  readonly daemonArgs: readonly string[];
  /** A capture file, maybe with `START_TIME` in its name; empty: none is written. */
  readonly capture: string;
  /** Size of each share's DAX window; empty: none. */
  readonly dax: string;
  /** Which files go through it. */
  readonly daxPolicy: string;
  /** The guest's mount option. */
  readonly daxMount: (typeof DAX_MOUNTS)[number];
  /** Typed into the guest's shell once it is up. */
  readonly command: string;
}

/** In the name of a capture: when its guest starts. A choice is kept, and no start is to write over the last one's. */
export const START_TIME = '${time}';

export const DEFAULT_OPTIONS: LaunchOptions = {
  guest: 'qemu',
  cache: 'auto',
  readOnly: false,
  tag: 'share',
  shares: [],
  memory: '',
  cpus: '',
  bootTimeout: '',
  kernel: '',
  qemuArgs: [],
  daemonArgs: [],
  capture: '',
  dax: '',
  daxPolicy: '',
  daxMount: 'inode',
  command: '',
};

export type OptionName = keyof LaunchOptions;
/** Options as they come from settings and memory: anything. */
export type OptionValues = Readonly<Partial<Record<OptionName, unknown>>>;

/** A named set of choices in the setting `virtiofs.profiles`. */
export interface Profile {
  readonly name: string;
  readonly options: Partial<LaunchOptions>;
  /** Those that make no sense, which are not among `options`. */
  readonly faults: readonly OptionName[];
  /** As it stands in the setting. */
  readonly written: OptionValues;
}

const LONGEST = 4096;
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= LONGEST && !value.includes('\0');
const oneOf =
  <T extends string>(words: readonly T[]) =>
  (value: unknown): T | undefined =>
    words.find((word) => word === value);
const text = (value: unknown): string | undefined => (isText(value) ? value : undefined);
const count = (value: unknown): string | undefined =>
  (typeof value === 'number' || isText(value)) && /^([1-9]|[1-5]\d|6[0-4])?$/.test(String(value))
    ? String(value)
    : undefined;

/** Up to a day. */
const seconds = (value: unknown): string | undefined =>
  (typeof value === 'number' || isText(value)) && /^\d{0,5}$/.test(String(value)) && Number(value) <= 86_400
    ? String(value)
    : undefined;

type Reader<T> = (value: unknown, base: string) => T | undefined;

/** One reader an option: undefined for a value that it cannot have. */
const readers: { readonly [Name in keyof LaunchOptions]: Reader<LaunchOptions[Name]> } = {
  guest: oneOf(GUESTS),
  cache: oneOf(CACHE_MODES),
  readOnly: (value) => (typeof value === 'boolean' ? value : undefined),
  tag: (value) => (isText(value) && tagFault(value) === undefined ? value : undefined),
  shares: readShares,
  memory: (value) => (isText(value) && (value === '' || memoryFault(value) === undefined) ? value : undefined),
  cpus: count,
  bootTimeout: seconds,
  kernel: (value, base) => (isText(value) ? (value === '' ? '' : absolute(value, base)) : undefined),
  qemuArgs: words,
  daemonArgs: words,
  capture: (value, base) => (isText(value) ? (value === '' ? '' : absolute(value, base)) : undefined),
  dax: (value) => (isText(value) && (value === '' || daxFault(value) === undefined) ? value : undefined),
  daxPolicy: (value) => (isText(value) && daxPolicyFault(value) === undefined ? value : undefined),
  daxMount: oneOf(DAX_MOUNTS),
  command: text,
};

function words(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length <= 1000 && value.every(isText) ? value : undefined;
}

function readShares(value: unknown, base: string): ExtraShare[] | undefined {
  if (!Array.isArray(value) || value.length > 100) return undefined;
  const shares: ExtraShare[] = [];
  for (const entry of value as unknown[]) {
    const { folder, tag } = (entry ?? {}) as Record<string, unknown>;
    if (!isText(folder) || folder === '') return undefined;
    const at = absolute(folder, base);
    if (tag !== undefined && (!isText(tag) || tagFault(tag) !== undefined)) return undefined;
    shares.push({
      folder: at,
      tag: isText(tag)
        ? tag
        : freeTag(
            at,
            shares.map((share) => share.tag),
          ),
    });
  }
  return shares;
}

/** Why a share cannot have that tag beside `others`, with what a tag has to be; undefined when it can. */
export function tagRefusal(tag: string, others: readonly ExtraShare[]): string | undefined {
  const fault = tagFault(tag);
  const reason = fault === undefined ? undefined : trouble('tagBad', fault);
  if (reason) return sentence(reason.message, reason.remedy);
  return others.some((share) => share.tag === tag) ? 'Another folder has this tag' : undefined;
}

/** What is wrong with a size of memory; undefined when nothing is. */
export function memoryFault(value: string): string | undefined {
  const match = /^(\d{1,7})([MG]?)(?:i?B)?$/i.exec(value);
  const mebibytes = match === null ? 0 : Number(match[1]) * (match[2].toUpperCase() === 'G' ? 1024 : 1);
  return mebibytes >= 96 ? undefined : 'A size of at least 96M, such as 512M or 2G';
}

/** What is wrong with the size of a DAX window; undefined when nothing is. */
export function daxFault(value: string): string | undefined {
  const bytes = parseDaxSize(value);
  if (!(bytes > 0)) return 'that is no size';
  const fault = daxSizeFault(bytes);
  return fault === undefined ? undefined : `a window of that size ${fault}`;
}

/** What is wrong with a policy's words; undefined when nothing is. */
export function daxPolicyFault(value: string): string | undefined {
  if (value === '') return undefined;
  const bad = value.split(',').find((word) => word === '' || (/^[<>]/.test(word) && !DAX_POLICY_SIZE.test(word)));
  if (bad === undefined) return undefined;
  return bad === '' ? '"," has to have a word on each side' : `${bad} is no size such as >=1M`;
}

const QEMU_MEBIBYTES = 512;

/** Throws the Trouble that stands in the way of the DAX windows that are asked for. */
export function checkDaxWindows({ guest, memory, dax, shares, readOnly, cache }: LaunchOptions): void {
  if (dax === '') return;
  const [, amount, unit] = /^(\d+)([MG]?)/i.exec(memory) ?? ['', QEMU_MEBIBYTES, 'M'];
  const memoryMiB = Number(amount) * (String(unit).toUpperCase() === 'G' ? 1024 : 1);
  const windows = Array.from({ length: 1 + shares.length }, () => parseDaxSize(dax));
  checkAskedWindows({ guest, memoryMiB, windows, readOnly, cache });
}

/** `~`, `${workspaceFolder}` and paths relative to `base`. */
export function absolute(path: string, base: string): string {
  const full = path.replace(/^~(?=\/|$)/, homedir()).replaceAll('${workspaceFolder}', base);
  return isAbsolute(full) ? full : resolve(base, full);
}

/** A tag after the folder's name that none of `taken` is. */
export function freeTag(folder: string, taken: readonly string[]): string {
  const name = [...basename(folder).replace(/[^A-Za-z0-9._-]/g, '_')].slice(0, 32).join('') || 'share';
  let tag = name;
  for (let count = 2; taken.includes(tag); count++) tag = `${name}${count}`;
  return tag;
}

/** What of `value` (from settings, from memory) makes sense, and the names of what does not. */
export function readOptions(value: unknown, base: string): { options: Partial<LaunchOptions>; faults: OptionName[] } {
  const given = valuesOf(value);
  const faults: OptionName[] = [];
  const options: Record<string, unknown> = {};
  for (const [name, reader] of Object.entries(readers) as [OptionName, Reader<unknown>][]) {
    if (given[name] === undefined) continue;
    const read = reader(given[name], base);
    if (read === undefined) faults.push(name);
    else options[name] = read;
  }
  return { options: options as Partial<LaunchOptions>, faults };
}

export const valuesOf = (value: unknown): OptionValues => (typeof value === 'object' && value !== null ? value : {});

/** The profiles of the setting; entries without a name are none. */
export function readProfiles(value: unknown, base: string): Profile[] {
  if (!Array.isArray(value)) return [];
  return (value as unknown[]).flatMap((entry) => {
    const { name } = (entry ?? {}) as Record<string, unknown>;
    return isText(name) && name.trim() !== '' ? [{ name, ...readOptions(entry, base), written: valuesOf(entry) }] : [];
  });
}

/** Arguments of `virtiofs-studio share`, for a guest that starts `now`. */
export function shareWords(folder: string, options: LaunchOptions, now = new Date()): string[] {
  const given = (name: string, value: string): string[] => (value === '' ? [] : [`${name}=${value}`]);
  const qemu = options.guest === 'qemu';
  return [
    ...['--guest', options.guest],
    ...['--cache', options.cache],
    `--tag=${options.tag}`,
    ...(options.readOnly ? ['--read-only'] : []),
    ...options.shares.flatMap(({ folder: more, tag }) => [`--share=${more}:${tag}`]),
    ...given('--memory', options.memory),
    ...(qemu ? given('--cpus', options.cpus) : []),
    ...(qemu ? given('--kernel', options.kernel) : []),
    ...given('--boot-timeout', options.bootTimeout),
    ...(qemu ? options.qemuArgs.map((word) => `--qemu-arg=${word}`) : []),
    ...options.daemonArgs.map((word) => `--daemon-arg=${word}`),
    ...given('--capture', captureAt(options.capture, now)),
    ...given('--dax', options.dax),
    ...(options.dax === '' ? [] : [...given('--dax-policy', options.daxPolicy), `--dax-mount=${options.daxMount}`]),
    '--',
    folder,
  ];
}

/** In a few words what is not as by default, for one line of a list. */
export function summary(options: LaunchOptions): string {
  return [
    options.guest === 'qemu' ? 'QEMU' : 'User Mode Linux',
    `cache ${options.cache}`,
    ...(options.readOnly ? ['read-only'] : []),
    ...(options.shares.length > 0 ? [`${options.shares.length} more`] : []),
    ...(options.memory === '' ? [] : [options.memory]),
    ...(options.cpus === '' ? [] : [`${options.cpus} CPUs`]),
    ...(options.dax === '' ? [] : [`DAX ${options.dax}`]),
    ...(options.capture === '' ? [] : [`capture ${basename(captureShown(options.capture))}`]),
  ].join(', ');
}

/** Where a capture of `folder` goes when no other place is chosen. */
export const defaultCapture = (folder: string): string =>
  join(folder, '..', `${basename(folder) || 'share'}-${START_TIME}.fuse.pcapng`);

/** The file of a guest that starts `now`. */
export const captureAt = (capture: string, now: Date): string => capture.replaceAll(START_TIME, stamp(now));

/** What was chosen where `captureAt(…, now)` was offered: a name that kept the time is another one at each start. */
export const captureChosen = (file: string, now: Date): string => file.replaceAll(stamp(now), START_TIME);

/** Where the next start writes when what is at `capture` is to stay: there, with its time in the name. */
export function captureBeside(capture: string): string {
  if (capture === '' || capture.includes(START_TIME)) return capture;
  const name = basename(capture);
  const stem = name.replace(/(\.fuse)?\.pcapng$/, '');
  return join(dirname(capture), `${stem}-${START_TIME}${name.slice(stem.length)}`);
}

/** For a person. */
export const captureShown = (capture: string): string => capture.replaceAll(START_TIME, 'DATE-TIME');

/** `20261126-193005`, by the clock of whoever sits here. */
function stamp(now: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
