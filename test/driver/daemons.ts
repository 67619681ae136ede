/**
 * Starts the daemons that the driver talks to: ours, Debian's Rust virtiofsd, and the C one of QEMU 7.2.
 *
 * Owns a temporary folder per daemon (socket and log) and the process; both are gone after `stop`. Knows command lines,
 * not protocols.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cachedToolbox, fetchToolbox } from '../../src/vm/toolbox';
import { FrontEnd } from './frontEnd';
import { connectUnix } from './host';

export type DaemonKind = 'ours' | 'rust' | 'c';

const project = path.resolve(__dirname, '../../..');
/** Where Debian's packages put the peers. */
const INSTALLED = { rust: '/usr/libexec/virtiofsd', c: '/usr/lib/qemu/virtiofsd' } as const;

export interface StartOptions {
  /** Further arguments, in the daemon's own spelling. */
  readonly arguments?: readonly string[];
  /** A command in front of the daemon's, such as `unshare -m`. */
  readonly wrap?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Another build of our daemon, and what runs it instead of this Node.js. */
  readonly program?: string | undefined;
  readonly node?: readonly string[] | undefined;
  /** Where the daemon's temporary folder is made; the machine's usual place unless told otherwise. */
  readonly temporary?: string;
}

export interface Daemon {
  readonly kind: DaemonKind;
  readonly pid: number;
  /** From the start of the process until it listened, in milliseconds. */
  readonly startMilliseconds: number;
  /** One session; the daemons serve one and end with it. */
  readonly frontEnd: FrontEnd;
  /** What it has printed so far. */
  log(): string;
  running(): boolean;
  /** Its exit status (128 + signal where one ended it), when it ends by itself in time. */
  exit(milliseconds?: number): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** Fetches the peers into the cache where they are missing. `progress` gets a line when that takes time. */
export async function usePeers(progress: (line: string) => void): Promise<void> {
  for (const name of ['current', 'bookworm'] as const) {
    try {
      await fetchToolbox(name, progress);
    } catch (error) {
      progress(`no toolbox "${name}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function peer(kind: 'rust' | 'c'): readonly string[] | undefined {
  const cached = kind === 'rust' ? cachedToolbox('current')?.rustVirtiofsd : cachedToolbox('bookworm')?.cVirtiofsd;
  return cached ?? (fs.existsSync(INSTALLED[kind]) ? [INSTALLED[kind]] : undefined);
}

const BUILT = path.join(project, 'dist/daemon.js');

function command(
  kind: DaemonKind,
  folder: string,
  socket: string,
  { program = BUILT, node = [process.execPath] }: StartOptions = {},
): string[] | undefined {
  switch (kind) {
    case 'ours': {
      return fs.existsSync(program) ? [...node, program, '--socket-path', socket, '--shared-dir', folder] : undefined;
    }
    case 'rust': {
      const rust = peer('rust');
      return rust && [...rust, '--socket-path', socket, '--shared-dir', folder];
    }
    case 'c': {
      const c = peer('c');
      return c && [...c, '-f', `--socket-path=${socket}`, '-o', `source=${folder}`];
    }
  }
}

/** Why a daemon cannot be started here, or undefined when it can. */
export function whyMissing(kind: DaemonKind): string | undefined {
  return command(kind, '/', '/')
    ? undefined
    : { ours: 'dist/daemon.js is not built', rust: 'no Rust virtiofsd', c: 'no C virtiofsd' }[kind];
}

/** Starts a daemon that shares `folder` and connects to it. Throws with its log when it does not come up. */
export async function startDaemon(kind: DaemonKind, folder: string, options: StartOptions = {}): Promise<Daemon> {
  const home = fs.mkdtempSync(path.join(options.temporary ?? os.tmpdir(), 'driver-'));
  const socket = path.join(home, 'socket');
  const base = command(kind, folder, socket, options);
  if (!base) throw new Error(whyMissing(kind));
  const logFile = path.join(home, 'log');
  const output = fs.openSync(logFile, 'a');
  const [program, ...rest] = [...(options.wrap ?? []), ...base, ...(options.arguments ?? [])];
  const begin = performance.now();
  const child = spawn(program, rest, {
    stdio: ['ignore', output, output],
    env: options.environment ?? process.env,
    cwd: '/',
  });
  fs.closeSync(output);
  const log = (): string => (fs.existsSync(logFile) ? fs.readFileSync(logFile, 'utf8') : '');
  const end = async (): Promise<void> => {
    if (exitStatus(child) === undefined) {
      child.kill('SIGTERM');
      if ((await exitOf(child, 2000)) === undefined) {
        child.kill('SIGKILL');
        await exitOf(child, 2000);
      }
    }
    fs.rmSync(home, { recursive: true, force: true });
  };
  for (let waited = 0; waited < 10_000; waited += 5) {
    if (fs.existsSync(socket)) {
      try {
        const frontEnd = new FrontEnd(connectUnix(socket));
        const startMilliseconds = performance.now() - begin;
        return {
          kind,
          pid: child.pid ?? 0,
          startMilliseconds,
          frontEnd,
          log,
          running: () => exitStatus(child) === undefined,
          exit: (milliseconds = 15_000) => exitOf(child, milliseconds),
          stop: end,
        };
      } catch (error) {
        if (!(error instanceof Error) || !/errno 111/.test(error.message)) throw error;
      }
    }
    if (exitStatus(child) !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const said = log();
  await end();
  throw new Error(`${kind} daemon did not come up: ${said}`);
}

function exitStatus(child: ChildProcess): number | undefined {
  if (child.exitCode !== null) return child.exitCode;
  return child.signalCode !== null ? 128 + os.constants.signals[child.signalCode] : undefined;
}

async function exitOf(child: ChildProcess, milliseconds: number): Promise<number | undefined> {
  if (exitStatus(child) === undefined) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return exitStatus(child);
}
