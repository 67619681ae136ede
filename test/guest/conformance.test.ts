/**
 * The conformance list inside real guests, on folders that our daemon shares: the same cases as everywhere, made by a
 * process of the guest (`agent.pl`, run by this machine's perl) through the guest's own kernel.
 */
import type { GuestShare } from '../../src/vm/guest';
import { onPath } from '../../src/vm/onPath';
import { features, type OpenPlace, type Place, runCases } from '../conformance/runCases';
import { need } from '../support/need';
import { startAgentGuest } from './agentGuest';
import { type GuestName, needGuests } from './bootGuest';

/** One guest, or two that share one folder. */
async function openGuest({ guest, daemonOptions, dax, guests }: Omit<GuestPlace, keyof Place>): Promise<OpenPlace> {
  const one = await startAgentGuest(guest, daemonOptions, dax);
  try {
    const two = guests === 2 ? await startAgentGuest(guest, daemonOptions, dax, one.folder) : undefined;
    const close = async (): Promise<void> => {
      await two?.close();
      await one.close();
    };
    const explain = async (): Promise<string> => [await one.explain(), await two?.explain()].join('\n');
    return { root: one.root, other: (two ?? one).root, hostFolder: one.folder, explain, close };
  } catch (error) {
    await one.close();
    throw error;
  }
}

interface GuestPlace extends Omit<Place, 'open' | 'patience'> {
  readonly guest: GuestName;
  readonly daemonOptions: readonly string[];
  readonly dax?: GuestShare['dax'];
  readonly guests?: 2;
}

const TIMES_LATER = 'a store through the window moves the times on the host, which Linux asks for within a second';
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
    name: 'Linux 7.x in QEMU, every file through a DAX window',
    guest: 'qemu-7.x',
    daemonOptions: ['--xattr', '--cache=auto'],
    dax: { bytes: 8 << 20, mount: 'always', policy: 'tails' },
    features: features('fileFlags', 'host'),
    differences: { 'writing moves mtime and ctime': TIMES_LATER },
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

for (const { guest, daemonOptions, dax, guests, ...place } of places) {
  describe(`conformance: ${place.name}`, () => {
    before(async function () {
      this.timeout(180_000);
      need(this, 'perl', onPath('perl') !== undefined, 'the cases make their system calls through perl');
      need(this, 'root', process.getuid?.() === 0, 'the cases change users');
      await needGuests(this);
    });
    runCases({
      ...place,
      patience: 90_000,
      open: () => openGuest({ guest, daemonOptions, dax, ...(guests && { guests }) }),
    });
  });
}
