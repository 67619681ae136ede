/**
 * What stops a share from starting because a person has written it: a setting, a profile or a command's arguments that
 * ask for what cannot be. Leaving it out would start something else than was asked for. Owns why that is so and what to
 * write instead; what an option can be is `launchOptions.ts`'s to say. Knows nothing of vscode.
 */
import { type Trouble, trouble } from '../base/catalogue';
import { DAX_SIZES } from '../base/daxSize';
import { TAG_BYTES, tagFault } from '../base/tag';
import {
  daxFault,
  daxPolicyFault,
  DEFAULT_OPTIONS,
  isText,
  type LaunchOptions,
  type OptionName,
  type Profile,
  readOptions,
  valuesOf,
} from './launchOptions';

interface OptionWords {
  /** What to write instead. */
  readonly wanted: string;
  /** What it has to be, where it is not even that; a text unless this says otherwise. */
  readonly kind?: string;
  /** Why a text cannot be it, where there is more to say than its kind. */
  readonly why?: (value: string) => string | undefined;
}

const optionWords: { readonly [Name in OptionName]: OptionWords } = {
  guest: { wanted: '"qemu" or "uml"', why: () => 'there is no such guest' },
  cache: { wanted: '"never", "metadata", "auto" or "always"', why: () => 'there is no such cache mode' },
  readOnly: { wanted: 'true or false', kind: 'true or false' },
  tag: { wanted: `a name of at most ${TAG_BYTES} bytes, such as "share"`, why: (value) => it(tagFault(value)) },
  shares: { wanted: 'a list such as [{ "folder": "~/data", "tag": "data" }]', kind: 'a list of folders' },
  memory: { wanted: 'a size such as "512M" or "2G"', why: () => 'it is no size of at least 96M' },
  cpus: { wanted: 'a number such as 4', kind: 'a number from 1 to 64' },
  bootTimeout: { wanted: 'a number of seconds such as 300', kind: 'a number from 0 to 86400' },
  kernel: { wanted: 'the path of a kernel image' },
  qemuArgs: { wanted: 'a list such as ["-device", "virtio-rng-pci"]', kind: 'a list of texts' },
  daemonArgs: { wanted: 'a list such as ["--writeback"]', kind: 'a list of texts' },
  capture: { wanted: 'the path of a file, such as "../work.fuse.pcapng"' },
  dax: { wanted: `${DAX_SIZES}, such as "64M"`, why: daxFault },
  daxPolicy: { wanted: 'words such as "*.db,>=1M"', why: daxPolicyFault },
  daxMount: { wanted: '"inode", "always" or "never"', why: () => 'there is no such mount option' },
  command: { wanted: 'a line for the shell of the guest, such as "ls -lR"' },
};

const it = (fault: string | undefined): string | undefined => fault && `it ${fault}`;

/** How `option` stands there, why it cannot, and what it could be. */
function refusal(option: OptionName, value: unknown): [value: string, why: string, wanted: string] {
  const { wanted, kind = 'a text', why } = optionWords[option];
  const reason = isText(value) ? why?.(value) : undefined;
  return [shortened(JSON.stringify(value)), reason ?? `it has to be ${kind}`, wanted];
}

const MOST_SHOWN = 60;
const shortened = (text: string): string => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

const settingNames = {
  guest: 'guest',
  dax: 'dax.size',
  daxPolicy: 'dax.policy',
  daxMount: 'dax.mount',
  daemonArgs: 'daemonArgs',
} as const;

/** The options that have a setting. */
export type OptionSettings = Readonly<Record<keyof typeof settingNames, unknown>>;

/**
 * Throws the Trouble of a setting that asks for what cannot be, where it is in force: `chosen` are choices that go
 * before settings.
 */
export function checkSettings(settings: OptionSettings, chosen: Partial<LaunchOptions>): void {
  const { options, faults } = readOptions(settings, '/');
  const hasWindow = { ...DEFAULT_OPTIONS, ...options, ...chosen }.dax !== '';
  for (const [option, name] of Object.entries(settingNames) as [keyof OptionSettings, string][]) {
    if (chosen[option] !== undefined || !faults.includes(option)) continue;
    const aboutWindow = option === 'daxPolicy' || option === 'daxMount';
    if (aboutWindow && !hasWindow) continue;
    throw trouble('settingBad', `virtiofs.${name}`, ...refusal(option, settings[option]));
  }
}

/** The options that a command was given, as by a key binding. Throws the Trouble of one that cannot be. */
export function givenOptions(value: unknown, base: string): Partial<LaunchOptions> {
  const { options, faults } = readOptions(value, base);
  const [option] = faults;
  if (option !== undefined) throw trouble('argumentBad', option, ...refusal(option, valuesOf(value)[option]));
  return options;
}

/** What keeps a profile from being started; undefined: nothing. All of it is meant, whatever else is chosen. */
export function profileTrouble({ name, faults, written }: Profile): Trouble | undefined {
  const [option] = faults;
  return option && trouble('profileBad', name, option, ...refusal(option, written[option]));
}
