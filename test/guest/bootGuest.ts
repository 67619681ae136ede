/**
 * A guest for a test, in one of the combinations that count: which kernel, which QEMU or UML, which daemon.
 *
 * Owns the choice of toolbox and the clean-up; the guest itself is the product's launcher.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { aptIsHere } from '../../src/vm/privateApt';
import type { Guest, GuestOptions, GuestShare } from '../../src/vm/guest';
import { startGuest } from '../../src/vm/launcher';
import { cachedToolbox, fetchToolbox, type Toolbox } from '../../src/vm/toolbox';
import { need } from '../support/need';

/** Linux 7.x in QEMU 11, Linux 6.1 in QEMU 7.2, Linux 7.x as User Mode Linux. */
export const guestKinds = {
  'qemu-7.x': { kind: 'qemu', box: 'current' },
  'qemu-6.1': { kind: 'qemu', box: 'bookworm' },
  'uml-7.x': { kind: 'uml', box: 'current' },
} as const;

export type GuestName = keyof typeof guestKinds;

/** To be called in `before`: fetches the toolboxes, or ends the test as skipped (in CI: failed). Give it minutes. */
export async function needGuests(context: Mocha.Context): Promise<void> {
  const fetched = cachedToolbox('current') !== undefined && cachedToolbox('bookworm') !== undefined;
  need(context, 'guest tools', fetched || (process.arch === 'x64' && aptIsHere()), 'no apt to fetch them with');
  await fetchToolbox('current', () => {});
  await fetchToolbox('bookworm', () => {});
}

export interface TestGuestOptions extends Partial<Omit<GuestOptions, 'kind' | 'tools' | 'shares'>> {
  readonly shares?: readonly GuestShare[];
  /** Our daemon's options for the one share that is made when none is given. */
  readonly daemonOptions?: readonly string[];
  /** A DAX window for that share. */
  readonly dax?: GuestShare['dax'];
  /** Whole command line of another daemon for that share. */
  readonly daemon?: (folder: string, socketFd: number, peers: Toolbox) => readonly string[];
}

export interface TestGuest extends Guest {
  /** The shared folder on the host, where no shares were given. In memory, and removed by `close`. */
  readonly folder: string;
  /** Stops the guest and removes the folder. */
  close(): Promise<void>;
}

/** Boots a guest; without `shares` with a fresh folder, mounted at /mnt/test. Needs `needGuests` first. */
export async function bootGuest(name: GuestName, options: TestGuestOptions = {}): Promise<TestGuest> {
  const { kind, box } = guestKinds[name];
  const { daemonOptions = ['--xattr'], daemon, dax, shares, ...rest } = options;
  const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : '/tmp', 'virtiofs-guest-test-'));
  fs.chmodSync(folder, 0o755);
  const peers = { ...(await fetchToolbox('bookworm', () => {})), ...(await fetchToolbox('current', () => {})) };
  const own: GuestShare = {
    directory: folder,
    tag: 'test',
    daemonOptions,
    ...(dax === undefined ? {} : { dax }),
    ...(daemon === undefined ? {} : { daemon: (fd: number) => daemon(folder, fd, peers) }),
  };
  try {
    const tools = await fetchToolbox(box, () => {});
    const guest = await startGuest({ kind, tools, shares: shares ?? [own], ...rest });
    const close = async (): Promise<void> => {
      await guest.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    };
    return { ...guest, folder, close };
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Runs a script and returns what it printed; throws with it when its status is not 0. */
export async function output(guest: Guest, script: string, timeoutMs = 60_000): Promise<string> {
  const result = await guest.run(script, { timeoutMs });
  const text = result.output.toString();
  if (result.status !== 0) {
    throw new Error(`status ${result.status} of: ${script}\n${text}`);
  }
  return text;
}
