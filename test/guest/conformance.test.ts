/**
 * The conformance list inside real guests, on folders that our daemon shares: the same cases as everywhere, made by a
 * process of the guest (`agent.pl`, run by this machine's perl) through the guest's own kernel.
 */
import { spawnSync } from 'node:child_process';
import * as readline from 'node:readline';
import { hostFile, programWithLibraries, type ExtraFile } from '../../src/vm/initramfs';
import { onPath } from '../../src/vm/onPath';
import { AGENT } from '../conformance/places';
import { features, type OpenPlace, type Place, runCases } from '../conformance/runCases';
import type { Posix } from '../conformance/posix';
import { Agent } from '../conformance/syscallPosix';
import { need } from '../support/need';
import { bootGuest, type GuestName, needGuests, output } from './bootGuest';

/** perl, the modules that the agent uses, and the agent. */
function agentFiles(): ExtraFile[] {
  const perl = onPath('perl') ?? '/usr/bin/perl';
  const list = spawnSync(perl, ['-Mstrict', '-Mwarnings', '-e', 'print join "\\n", values %INC'], { encoding: 'utf8' });
  const modules = list.stdout.split('\n').map((file) => hostFile(file, file));
  return [...programWithLibraries(perl, '/usr/bin/perl'), ...modules, hostFile(AGENT, '/agent.pl')];
}

interface AgentGuest {
  readonly root: Posix;
  readonly folder: string;
  close(): Promise<void>;
}

/** A guest with the agent at work in its share; `folder`: an existing folder to share instead of a fresh one. */
async function startAgentGuest(
  name: GuestName,
  daemonOptions: readonly string[],
  folder?: string,
): Promise<AgentGuest> {
  const guest = await bootGuest(name, {
    ...(folder === undefined ? { daemonOptions } : { shares: [{ directory: folder, tag: 'test', daemonOptions }] }),
    extraChannel: true,
    extraFiles: agentFiles(),
  });
  const { extra } = guest;
  if (!extra) throw new Error('no extra channel');
  await output(
    guest,
    `set -- ${extra.device}; [ ! -t 0 ] <"$1" || stty raw -echo <"$1"
     (cd /mnt/test; LC_ALL=C perl /agent.pl "$1" </dev/null >/tmp/agent.log 2>&1 &)`,
  );
  const { stream } = extra;
  const agent = new Agent({
    send: (line) => void stream.write(`${line}\n`),
    onLine: (listener) => void readline.createInterface({ input: stream }).on('line', listener),
    onEnd: (listener) => void stream.on('close', listener),
  });
  return { root: agent.process(), folder: guest.folder, close: () => guest.close() };
}

/** One guest, or two that share one folder. */
async function openGuest(name: GuestName, daemonOptions: readonly string[], guests: 1 | 2): Promise<OpenPlace> {
  const one = await startAgentGuest(name, daemonOptions);
  try {
    const two = guests === 2 ? await startAgentGuest(name, daemonOptions, one.folder) : undefined;
    const close = async (): Promise<void> => {
      await two?.close();
      await one.close();
    };
    return { root: one.root, other: (two ?? one).root, hostFolder: one.folder, close };
  } catch (error) {
    await one.close();
    throw error;
  }
}

interface GuestPlace extends Omit<Place, 'open' | 'patience'> {
  readonly guest: GuestName;
  readonly daemonOptions: readonly string[];
  readonly guests?: 2;
}

const NO_HOLES = 'Linux would ask for holes without writing back first, so it is left to its own answer: all is data';

const places: readonly GuestPlace[] = [
  {
    name: 'Linux 7.x in QEMU, cache=never with mmap',
    guest: 'qemu-7.x',
    daemonOptions: ['--xattr', '--cache=never', '--allow-mmap'],
    features: features('fileFlags'),
  },
  {
    name: 'Linux 7.x in QEMU, cache=always and write-back',
    guest: 'qemu-7.x',
    daemonOptions: ['--xattr', '--cache=always', '--writeback'],
    features: features('fileFlags', 'host'),
    differences: {
      'SEEK_DATA and SEEK_HOLE find their way': NO_HOLES,
    },
  },
  {
    name: 'Linux 6.1 in QEMU, cache=auto',
    guest: 'qemu-6.1',
    daemonOptions: ['--xattr', '--cache=auto'],
    features: features('fileFlags', 'host'),
  },
  {
    name: 'Linux 7.x as User Mode Linux, cache=never',
    guest: 'uml-7.x',
    daemonOptions: ['--xattr', '--cache=never'],
    features: new Set([...features('fileFlags', 'mmap'), 'mmapRefused']),
  },
  {
    name: 'two User Mode Linux guests on one folder, cache=never',
    guest: 'uml-7.x',
    daemonOptions: ['--xattr', '--cache=never'],
    guests: 2,
    features: features('fileFlags', 'mmap'),
  },
];

for (const { guest, daemonOptions, guests, ...place } of places) {
  describe(`conformance: ${place.name}`, () => {
    before(async function () {
      this.timeout(180_000);
      need(this, 'perl', onPath('perl') !== undefined, 'the cases make their system calls through perl');
      need(this, 'root', process.getuid?.() === 0, 'the cases change users');
      await needGuests(this);
    });
    runCases({ ...place, patience: 30_000, open: () => openGuest(guest, daemonOptions, guests ?? 1) });
  });
}
