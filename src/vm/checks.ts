/**
 * Looks at what this machine has for running guests and the daemon, one check at a time, each with the fix for what is
 * missing. Changes nothing, except that trying KVM keeps its answer. How the findings are shown is the caller's.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { freemem } from 'node:os';
import { promisify } from 'node:util';
import { Trouble, trouble } from '../base/catalogue';
import { homePath } from '../base/homePath';
import type { Finding } from '../control/findings';
import { sizeText } from '../trace/sizeText';
import { ownDaemon } from './backEnd';
import { cacheFolder, homeFolder } from './cacheFolder';
import { kernelHasDax, qemuDax } from './daxChecks';
import { KVM_FORBIDDEN, probeKvm } from './kvm';
import { kvmAccessCommand } from './kvmAccess';
import { MACHINES } from './machine';
import { hasModule } from './modules';
import { shellQuote } from './shellQuote';
import { cachedToolbox, fetchFault, machineToolbox } from './toolbox';
import type { Toolbox } from './toolbox';

/** What is looked at. */
export interface Machine {
  readonly tools: Toolbox;
  /** A file in /proc. */
  readonly read: (path: string) => string;
  /** Bytes that are free on the file system of a folder; undefined where there is none. */
  readonly room: (folder: string) => number | undefined;
  readonly kvm: typeof probeKvm;
  /** The command by which this user may open /dev/kvm. */
  readonly kvmAccess: () => string;
}

type Check = (machine: Machine, waiting: (line: string) => void) => Promise<Omit<Finding, 'subject'>>;

const MIB = 1 << 20;
/** A guest's memory and what QEMU needs beside it. */
const GUEST_MIB = 700;

/** What to do, and where it is a shell line, that. */
interface Fix {
  readonly fix: string;
  readonly command?: string;
}

/** Our own command line as this process was started, whatever the shell's PATH has. */
const SELF = [process.execPath, process.argv[1] ?? ''].map(shellQuote).join(' ');
const FETCH: Fix = {
  fix: 'Run "virtiofs-studio share --command true" once: it fetches the guest tools (about 0.5 GB).',
  command: `${process.versions['electron'] === undefined ? '' : 'ELECTRON_RUN_AS_NODE=1 '}${SELF} share --read-only --command true`,
};

function canFetch(): boolean {
  const cache = cacheFolder();
  return cache !== undefined && fetchFault(cache) === undefined;
}

/** Findings are copied into reports, and pictures are taken of them: whose folder it is, is not their business. */
const shown = (path: string): string => homePath(path, homeFolder() ?? '');

const ok = (found: string) => ({ verdict: 'ok' as const, found });
const fixed = (fix: string | Fix): Fix => (typeof fix === 'string' ? { fix } : fix);
const warning = (found: string, fix: string | Fix) => ({ verdict: 'warning' as const, found, ...fixed(fix) });
const missing = (found: string, fix: string | Fix) => ({ verdict: 'missing' as const, found, ...fixed(fix) });
const shell = (before: string, command: string, after = ''): Fix => ({ fix: `${before}${command}${after}`, command });

/** Every check, in the order in which their findings are best read. */
export const checks = {
  Linux: async () =>
    process.platform === 'linux'
      ? ok(`${process.platform} ${process.arch}`)
      : missing(`this is ${process.platform}`, 'Use a Linux machine (Remote - SSH, WSL).'),

  'Node.js': async () => {
    const [major, minor] = process.versions.node.split('.').map(Number);
    const enough = major > 20 || (major === 20 && minor >= 9);
    return enough ? ok(process.versions.node) : missing(process.versions.node, 'Install Node.js 20.9 or later.');
  },

  koffi: async () => {
    // In a process of its own: where the binary does not fit, loading it may end the process.
    try {
      const { stdout } = await run(process.execPath, ['-e', LOAD_KOFFI, createRequire(__filename).resolve('koffi')]);
      return ok(`version ${stdout}, calls into libc work`);
    } catch (error) {
      return missing(
        `does not load: ${firstLine(error)}`,
        `Run "npm ci"; its binary for this machine is in the package @koromix/koffi-linux-${process.arch}.`,
      );
    }
  },

  daemon: async () => {
    try {
      return ok(ownDaemon().map(shown).join(' '));
    } catch (error) {
      return missing(firstLine(error), 'Run "npm run build".');
    }
  },

  'guest tools': async ({ tools }) => {
    if (tools.folder !== undefined) {
      return ok(`${shown(tools.folder)} (remove it at any time)`);
    }
    if (tools.qemu && tools.kernel && tools.busybox) {
      return ok('those of this machine');
    }
    const cache = cacheFolder();
    if (cache === undefined) return missing('no place to fetch them into', trouble('cacheNowhere').remedy);
    const fault = fetchFault(cache);
    if (fault === undefined) return warning(`not fetched yet into ${shown(cache)}`, FETCH);
    // On another machine there is still the daemon.
    const verdict = fault.code === 'toolboxOtherMachine' ? warning : missing;
    return verdict(fault.message, fault.remedy);
  },

  QEMU: async ({ tools }) => {
    const { qemu: program, qemuPackage } = MACHINES[tools.machine];
    if (tools.qemu === undefined) {
      return warning(`no ${program}`, canFetch() ? FETCH : `Install ${qemuPackage}.`);
    }
    const version = await output([...tools.qemu, '--version']);
    const [major, minor] = /version (\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0];
    try {
      await output([...tools.qemu, '-device', 'vhost-user-fs-pci,help']);
    } catch {
      return missing(`${firstLine(version)}, without the device vhost-user-fs-pci`, `Install ${qemuPackage}.`);
    }
    return major > 7 || (major === 7 && minor >= 2)
      ? ok(firstLine(version))
      : warning(firstLine(version), 'Tested with 7.2 and later: update it, or let the guest tools be fetched.');
  },

  KVM: async ({ tools, kvm, kvmAccess }, waiting) => {
    if (tools.qemu === undefined || tools.kernel === undefined || tools.busybox === undefined) {
      return warning('not tried: the guest tools are not there', canFetch() ? FETCH : 'Install what is missing above.');
    }
    const { works, why } = await kvm(tools, waiting);
    return works ? ok(why) : warning(why, kvmFix(why, kvmAccess));
  },

  'guest kernel': async ({ tools: { kernel } }) => {
    if (kernel === undefined) {
      return warning('no kernel with virtio-fs that can be read', canFetch() ? FETCH : 'Name one with --kernel.');
    }
    const { modulesFolder } = kernel;
    if (modulesFolder !== undefined && !hasModule(modulesFolder, 'virtiofs')) {
      return missing(`Linux ${kernel.release} has no virtio-fs`, 'Name another with --kernel, or let one be fetched.');
    }
    return ok(`Linux ${kernel.release} with virtio-fs`);
  },

  'DAX window': async ({ tools: { qemu, kernel } }) => {
    if (qemu === undefined || kernel === undefined) {
      const fix = canFetch() ? FETCH : 'Install what is missing above.';
      return warning('not looked at: no QEMU or no guest kernel', fix);
    }
    const { able, version } = await qemuDax(qemu);
    if (!able) {
      return warning(
        `${version}: no DAX window`,
        'It needs QEMU 11.1 or later: update it, or let the guest tools be fetched.',
      );
    }
    return kernelHasDax(kernel) === false
      ? warning(`Linux ${kernel.release} was built without it: no DAX window`, 'Name another kernel with --kernel.')
      : ok(`${version} has it`);
  },

  'User Mode Linux': async ({ tools: { uml, machine } }) => {
    if (!MACHINES[machine].hasUml) return warning('there is none for this kind of processor', 'Use --guest qemu.');
    return uml === undefined
      ? warning('not there; only --guest uml needs it', canFetch() ? FETCH : 'Use --guest qemu.')
      : ok(`Linux ${uml.release}`);
  },

  memory: async ({ read }) => {
    const available = Number(/MemAvailable:\s+(\d+)/.exec(read('/proc/meminfo'))?.[1] ?? 0) * 1024;
    const free = available || freemem();
    const text = `${sizeText(free)} available`;
    return free >= GUEST_MIB * MIB
      ? ok(text)
      : warning(text, 'Close something, or give the guest less with --memory=256M.');
  },

  '/dev/shm': async ({ read, room: roomOf }) => {
    const room = roomOf('/dev/shm');
    if (room === undefined) {
      return warning(
        'not there; User Mode Linux keeps its memory in it',
        shell('Run: ', 'sudo mount -t tmpfs tmpfs /dev/shm'),
      );
    }
    const mount = read('/proc/mounts')
      .split('\n')
      .find((line) => line.split(' ')[1] === '/dev/shm');
    if (/\bnoexec\b/.test(mount ?? '')) {
      return warning('mounted noexec', shell('User Mode Linux cannot use it: ', 'sudo mount -o remount,exec /dev/shm'));
    }
    return room >= 300 * MIB
      ? ok(`${sizeText(room)} of room`)
      : warning(
          `${sizeText(room)} of room`,
          shell('User Mode Linux needs 256 MiB: ', 'sudo mount -o remount,size=1G /dev/shm'),
        );
  },

  user: async () => {
    if (process.getuid?.() === 0) {
      return ok('root: files are created with the ids that the guest names');
    }
    const { username, uid } = { username: process.env['USER'] ?? 'this user', uid: process.getuid?.() };
    return warning(
      `${username} (${uid}): files in the share belong to this user, whatever ids the guest names`,
      'That is fine for most work. For real ids start the daemon as root.',
    );
  },

  'open files': async ({ read }) => {
    const hard = /Max open files\s+\S+\s+(\S+)/.exec(read('/proc/self/limits'))?.[1] ?? 'unknown';
    return hard === 'unlimited' || Number(hard) >= 65_536
      ? ok(`up to ${hard}`)
      : warning(
          `up to ${hard}; each file the guest uses takes one`,
          'For large trees raise it: "ulimit -Hn 524288" as root, or LimitNOFILE= in the unit.',
        );
  },
} as const satisfies Readonly<Record<string, Check>>;

function thisMachine(): Machine {
  return {
    tools: cachedToolbox('current') ?? machineToolbox(),
    read: (path) => readFileSync(path, 'utf8'),
    room: (folder) => {
      if (!existsSync(folder)) return undefined;
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    kvm: probeKvm,
    kvmAccess: () => kvmAccessCommand(statSync('/dev/kvm'), readFileSync('/etc/group', 'utf8')),
  };
}

/** Runs every check; `onFinding` is told of each as it is done, `waiting` of what takes seconds. */
export async function checkMachine(
  onFinding: (finding: Finding) => void,
  waiting: (line: string) => void = () => {},
): Promise<Finding[]> {
  const machine = thisMachine();
  const findings: Finding[] = [];
  for (const [subject, check] of Object.entries<Check>(checks)) {
    const finding = { subject, ...(await check(machine, waiting).catch(asFinding)) };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

/** What a check meets on its way is found as well, and no reason to leave out the others. */
function asFinding(error: unknown): Omit<Finding, 'subject'> {
  if (error instanceof Trouble) return missing(error.message, error.remedy);
  throw error;
}

const run = promisify(execFile);

const LOAD_KOFFI = `
  const koffi = require(process.argv[1]);
  const getpid = koffi.load('libc.so.6').func('getpid', 'int', []);
  if (getpid() !== process.pid) throw new Error('getpid answers wrongly');
  process.stdout.write(koffi.version);
`;

async function output(argv: readonly string[]): Promise<string> {
  const { stdout } = await run(argv[0], argv.slice(1));
  return stdout;
}

function kvmFix(why: string, access: Machine['kvmAccess']): string | Fix {
  if (why === KVM_FORBIDDEN) {
    const command = access();
    const then = command.includes('usermod') ? ', then log in again. Until then' : ' (until the next boot). Else';
    return shell('Run: ', command, `${then} guests run emulated.`);
  }
  return 'Guests run emulated, a few times slower. For KVM: a machine with (nested) virtualization switched on.';
}

function firstLine(text: unknown): string {
  const words = text instanceof Error ? text.message : String(text);
  const lines = words.split('\n');
  return (lines.find((line) => /^\w*Error: /.test(line)) ?? lines[0]).trim();
}
