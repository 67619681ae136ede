/**
 * Guests of ours whose share has a DAX window, for one test after the other: each with its daemon and a front-end that
 * maps what it is handed. Registers what is done before and after each test; `begin` makes a guest, and the functions
 * beside it speak for the one that was made last.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttrFlag } from '../../../src/protocol/fuse/flags';
import { AttachedDevice, type DeviceOptions } from '../../driver/attachedDevice';
import { type Daemon, startDaemon, whyMissing } from '../../driver/daemons';
import { FuseCalls } from '../../driver/fuseCalls';
import { FuseClient } from '../../driver/fuseClient';
import { DriverWindow, type SetupValues } from '../../driver/window';
import { need } from '../../support/need';

export const ROOT = 1n;
export const PAGE = 4096;
/** What Linux maps at a time. */
export const RANGE = 2 << 20;
export const O_RDWR = 2;

export interface WindowGuest {
  readonly daemon: Daemon;
  readonly device: AttachedDevice;
  readonly client: FuseClient;
  readonly calls: FuseCalls;
  readonly window: DriverWindow;
}

export interface WindowCase {
  /** The shared folder on the host. */
  readonly folder: string;
  readonly at: (name: string) => string;
  readonly host: (name: string) => string;
  readonly put: (name: string, bytes: string | Buffer) => void;
  /** `policy`: empty for none, so that the daemon's own counts. */
  readonly begin: (policy?: string, options?: DeviceOptions, ...args: readonly string[]) => Promise<WindowGuest>;
  /** From now on the functions below are about this one. */
  readonly turnTo: (guest: WindowGuest) => void;
  readonly node: (name: string) => bigint;
  readonly setup: (nodeid: bigint, values?: Partial<SetupValues>) => number;
  readonly remove: (nodeid: bigint, moffset?: number, len?: number) => number;
  readonly seen: (offset: number, length: number) => string;
  /** Whether the guest is told to map a file. */
  readonly dax: (name: string) => boolean;
  readonly log: () => string;
  /** Serves the back-end channel until `is`. */
  readonly until: (what: string, is: () => boolean) => Promise<void>;
}

/** Bytes that differ from their neighbours. */
export const letters = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => 97 + (i % 23)));

/** To be called in a `describe`. */
export function windowCase(): WindowCase {
  let folder: string;
  let all: WindowGuest[];
  let guest: WindowGuest;

  before(function () {
    need(this, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
  });
  beforeEach(() => {
    folder = fs.mkdtempSync('/dev/shm/virtiofs-window-');
    all = [];
  });
  afterEach(async () => {
    for (const { window, device, daemon } of all) {
      device.close();
      window.close();
      assert.equal(await daemon.exit(3000), 0, daemon.log());
      await daemon.stop();
    }
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const at = (name: string): string => `${folder}/${name}`;
  const node = (name: string): bigint => guest.calls.lookup(ROOT, name).nodeid;
  return {
    get folder() {
      return folder;
    },
    at,
    host: (name) => fs.readFileSync(at(name), 'latin1'),
    put: (name, bytes) => fs.writeFileSync(at(name), bytes),
    begin: async (policy = 'tails', options = {}, ...args) => {
      const words = ['--tag', 'dax', '--dax', '8M', ...(policy === '' ? [] : ['--dax-policy', policy]), ...args];
      const daemon = await startDaemon('ours', folder, { arguments: words });
      const device = new AttachedDevice(daemon.frontEnd, {
        memory: 'slots',
        window: true,
        regions: [32 << 20],
        ...options,
      });
      const window = new DriverWindow(device);
      const client = new FuseClient(device, 1 << 16, 32);
      const calls = new FuseCalls(client);
      calls.init();
      guest = { daemon, device, client, calls, window };
      all.push(guest);
      return guest;
    },
    turnTo: (other) => {
      guest = other;
    },
    node,
    setup: (nodeid, values = {}) => guest.window.setup(guest.client, nodeid, { len: RANGE, ...values }),
    remove: (nodeid, moffset = 0, len = RANGE) => guest.window.remove(guest.client, nodeid, [{ moffset, len }]),
    seen: (offset, length) => guest.window.load(offset, length).toString('latin1'),
    dax: (name) => (guest.calls.lookup(ROOT, name).attributes.flags & AttrFlag.DAX) !== 0,
    log: () => guest.daemon.log(),
    until: async (what, is) => {
      for (const end = Date.now() + 3000; !is(); await sleep(10)) {
        guest.window.serve();
        assert.ok(Date.now() < end, `${what}: ${guest.daemon.log()}`);
      }
    },
  };
}
