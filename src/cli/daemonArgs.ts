/**
 * Options of the daemon that `share --daemon-arg` hands on: read as the daemon will read them, before anything starts.
 * What `share` decides itself is refused, in any spelling. Starts nothing.
 */
import { trouble } from '../base/catalogue';
import { VERSION } from '../base/version';
import { parseOptions, parsePart } from '../daemon/options';

type Given = Extract<ReturnType<typeof parsePart>, { given: unknown }>['given'];

/** What `share` decides, and how a person has a say in it. */
const OWN: { readonly [Name in keyof Given]: readonly [option: string, instead: string] } = {
  sharedDir: ['the folder (--shared-dir)', 'Name the folder itself, or more with --share DIR:TAG.'],
  tag: ['the tag (--tag)', "Use share's own --tag."],
  name: ['the name (--name)', "Use share's own --tag: captures have the name of the tag."],
  socketPath: ['the socket (--socket-path)', 'Start a daemon for another front-end with "virtiofs-studio daemon".'],
  socketGroup: ['the socket (--socket-group)', 'Start a daemon for another front-end with "virtiofs-studio daemon".'],
  fd: ['the socket (--fd)', 'Start a daemon for another front-end with "virtiofs-studio daemon".'],
  traceFd: ['descriptors (--trace-fd)', 'Use --capture, or "virtiofs-studio trace".'],
  problemsFd: ['descriptors (--problems-fd)', 'Problems are told on standard error.'],
  cache: ['the cache mode (--cache)', "Use share's own --cache."],
  readonly: ['whether the guest may write (--readonly)', "Use share's own --read-only."],
  queues: ['the queues (--queues)', "Use share's own --queues."],
  dax: ['the DAX window (--dax)', "Use share's own --dax."],
  daxPolicy: ['the DAX window (--dax-policy)', "Use share's own --dax-policy."],
  capture: ['the capture (--capture)', "Use share's own --capture."],
  captureLimit: ['the capture (--capture-limit)', "Use share's own --capture-limit."],
  snapLength: ['the capture (--snaplen)', "Use share's own --snaplen."],
  traceSyscalls: ['the capture (--trace-syscalls)', "Use share's own --trace-syscalls."],
  faults: ['faults (--fault)', "Use share's own --fault."],
};

/** Throws the Trouble of an option that there is not, that cannot be, or that is not to be said here. */
export function checkDaemonArgs(args: readonly string[]): void {
  const part = parsePart(args);
  if ('trouble' in part) throw part.trouble;
  if (part.prints) throw trouble('daemonArgPrints', args.join(' '));
  for (const name of Object.keys(part.given) as (keyof Given)[]) {
    const own = OWN[name];
    if (own !== undefined) throw trouble('daemonArgOwn', ...own);
  }
}

/** What the daemon will have to say of these words. Throws the Trouble of such as do not go together in one daemon. */
export function checkDaemonWords(words: readonly string[]): readonly string[] {
  const parsed = parseOptions(['--shared-dir=/', '--fd=3', '--tag=share', ...words], VERSION);
  if (parsed.kind === 'refused') throw parsed.trouble;
  return parsed.kind === 'run' ? parsed.notices : [];
}
