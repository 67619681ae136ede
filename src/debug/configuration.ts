/**
 * What launch.json may say, checked. package.json has the same as a schema, for editors.
 */
import { trouble } from '../base/catalogue';

export interface LaunchPlan {
  readonly directory: string;
  readonly guest: 'qemu' | 'uml' | undefined;
  readonly tag: string | undefined;
  readonly readOnly: boolean;
  /** Run in the guest when it is up; the session ends with it. */
  readonly command: string | undefined;
  /** More words for `virtiofs-studio share`. */
  readonly options: readonly string[];
  readonly inspectDaemon: boolean;
}

export interface LiveSettings {
  readonly stopWorld: boolean;
  readonly faults: readonly string[];
}

export type Configuration =
  | { readonly kind: 'capture'; readonly capture: string }
  | { readonly kind: 'launch'; readonly plan: LaunchPlan; readonly live: LiveSettings; readonly noDebug: boolean }
  /** Without a name: the only share that runs. */
  | { readonly kind: 'attach'; readonly share: string | undefined; readonly live: LiveSettings };

type Json = Readonly<Record<string, unknown>>;

/** Throws a Trouble. */
export function checkConfiguration(request: 'launch' | 'attach', args: Json): Configuration {
  if (args['capture'] !== undefined) {
    const other = BESIDE_A_CAPTURE.find((name) => args[name] !== undefined);
    if (other !== undefined) contradiction('capture', other, 'a capture was recorded, nothing of it runs');
    if (request === 'attach') contradiction('capture', 'request": "attach', 'a capture is opened with "launch"');
    return { kind: 'capture', capture: text(args, 'capture') };
  }
  const live = { stopWorld: flag(args, 'stopWorld'), faults: texts(args, 'faults') };
  if (request === 'attach') {
    const pid = args['pid'];
    if (pid !== undefined && !(typeof pid === 'number' && Number.isInteger(pid) && pid > 0))
      wrong('pid', 'a process id');
    const named = ['share', 'directory'].find((name) => args[name] !== undefined && args[name] !== '');
    if (pid !== undefined && named !== undefined) contradiction('pid', named, 'each names the share');
    const share = pid === undefined ? (optional(args, 'share') ?? optional(args, 'directory')) : String(pid as number);
    return { kind: 'attach', share, live };
  }
  if (args['directory'] === undefined) {
    throw trouble('debugConfigurationBad', '"directory" is missing, the folder to share (or "capture", a file)');
  }
  const guest = optional(args, 'guest');
  if (guest !== undefined && guest !== 'qemu' && guest !== 'uml') wrong('guest', '"qemu" or "uml"');
  const noDebug = flag(args, 'noDebug');
  const plan: LaunchPlan = {
    directory: text(args, 'directory'),
    guest: guest as 'qemu' | 'uml' | undefined,
    tag: optional(args, 'tag'),
    readOnly: flag(args, 'readOnly'),
    command: optional(args, 'command'),
    options: texts(args, 'options'),
    inspectDaemon: flag(args, 'inspectDaemon') && !noDebug,
  };
  return { kind: 'launch', plan, live, noDebug };
}

/** What is said of a share that runs, or is to. */
const BESIDE_A_CAPTURE = [
  'directory',
  'share',
  'pid',
  'guest',
  'tag',
  'readOnly',
  'command',
  'options',
  'inspectDaemon',
  'stopWorld',
  'faults',
];

function contradiction(one: string, other: string, why: string): never {
  throw trouble('debugConfigurationBad', `"${one}" and "${other}" cannot both be there: ${why}`);
}

function wrong(name: string, wanted: string): never {
  throw trouble('debugConfigurationBad', `"${name}" is not ${wanted}`);
}

function text(args: Json, name: string): string {
  const value = args[name];
  return typeof value === 'string' && value !== '' ? value : wrong(name, 'a text');
}

const optional = (args: Json, name: string): string | undefined =>
  args[name] === undefined || args[name] === '' ? undefined : text(args, name);

function flag(args: Json, name: string): boolean {
  const value = args[name] ?? false;
  return typeof value === 'boolean' ? value : wrong(name, 'true or false');
}

function texts(args: Json, name: string): readonly string[] {
  const value = args[name] ?? [];
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
    ? (value as string[])
    : wrong(name, 'a list of texts');
}
