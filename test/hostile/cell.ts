/**
 * A cell to attack a daemon in: a shared folder, things beside it that nobody may touch, and a daemon that can write
 * nowhere else on this machine.
 *
 * The daemon runs in a mount namespace of its own in which everything but the cell's folder is read-only, so that an
 * attack that succeeds is seen on the canaries and does no harm. Knows no attack.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { AttachedDevice, type DeviceOptions } from '../driver/attachedDevice';
import { type Daemon, startDaemon, whyMissing } from '../driver/daemons';
import { FuseCalls } from '../driver/fuseCalls';
import { FuseClient } from '../driver/fuseClient';
import { need } from '../support/need';

/**
 * `sh -c CONFINE confine CELL TMPFS COMMAND…`: runs COMMAND where only CELL can be written to; TMPFS, unless empty, is
 * the size of a tmpfs to mount at CELL/share first. The folder for the socket is everybody's: COMMAND may change users.
 */
const CONFINE = `set -e
cell=$1 size=$2
shift 2
mount --make-rprivate /
mount --bind "$cell" "$cell"
chmod 1777 "$cell"/driver-*
if [ -n "$size" ]; then mount -t tmpfs -o "nodev,size=$size" share "$cell/share"; fi
while read -r _ _ _ _ at _; do
  case $at in "$cell"*) ;; *) mount -o remount,bind,ro "$(printf %b "$at")" ;; esac
done </proc/self/mountinfo
exec "$@"`;

/** What is told of one file beside the share: whether it is the same in all ways that a guest could have changed. */
interface Canary {
  readonly file: string;
  readonly state: string;
}

export interface CellOptions {
  /** Size of a tmpfs to be shared, such as "4m". The test itself then sees only `inside()`. */
  readonly tmpfs?: string;
}

export interface AttackOptions {
  /** Further arguments of the daemon. */
  readonly arguments?: readonly string[];
  /** A command between the confinement and the daemon, such as setpriv. */
  readonly wrap?: readonly string[];
  readonly device?: DeviceOptions;
  /** Bytes of the largest payload; with less of it more requests can be in flight. */
  readonly largest?: number;
}

/** A daemon with a front-end of ours attached and a session begun. */
export interface Victim {
  readonly daemon: Daemon;
  readonly device: AttachedDevice;
  readonly client: FuseClient;
  readonly calls: FuseCalls;
}

export const ROOT = 1n;
export const SECRET = 'what nobody may see';
export const INSIDE = 'what the guest may see';

/** First in a `before`: what all of these tests need. */
export function needCell(context: Mocha.Context): void {
  need(context, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
  fs.mkdirSync(path.join(home, 'driver-'));
  const confined = spawnSync('unshare', ['-m', 'sh', '-c', CONFINE, 'confine', home, '', 'true'], { encoding: 'utf8' });
  fs.rmSync(home, { recursive: true });
  const reason = confined.stderr || confined.error?.message || '';
  need(context, 'a read-only mount namespace', confined.status === 0, reason.trim());
}

export class Cell {
  readonly home: string;
  readonly share: string;
  /** A folder beside the share, with `canary` (a file) and `folder/leaf` in it. */
  readonly outside: string;
  private readonly canaries: readonly Canary[];
  private readonly daemons: Daemon[] = [];
  private readonly devices: AttachedDevice[] = [];

  constructor(private readonly options: CellOptions = {}) {
    this.home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-')));
    fs.chmodSync(this.home, 0o755);
    this.share = path.join(this.home, 'share');
    this.outside = path.join(this.home, 'outside');
    fs.mkdirSync(this.share);
    fs.writeFileSync(path.join(this.share, 'inside'), INSIDE);
    fs.mkdirSync(path.join(this.outside, 'folder'), { recursive: true });
    for (const name of ['canary', 'folder/leaf']) fs.writeFileSync(path.join(this.outside, name), SECRET);
    const all = ['canary', 'folder/leaf', 'folder', ''].map((name) => path.join(this.outside, name));
    // Older than their last change, so that reading them shows even on a mount with relatime.
    for (const file of all) fs.utimesSync(file, new Date('2001-01-01'), new Date('2002-02-02'));
    this.canaries = all.map((file) => ({ file, state: stateOf(file) }));
  }

  /** A file of the share as the host has it. */
  inside(name: string): string {
    const daemon = this.daemons.at(-1);
    return this.options.tmpfs === undefined || !daemon
      ? path.join(this.share, name)
      : path.join(`/proc/${daemon.pid}/root`, this.share, name);
  }

  /** Runs a program in the cell to its end; its exit status. */
  run(...command: readonly string[]): number | null {
    const free = fs.mkdtempSync(path.join(this.home, 'driver-'));
    const { status } = spawnSync('unshare', [...this.confinement(), ...command], { cwd: '/' });
    fs.rmSync(free, { recursive: true });
    return status;
  }

  private confinement(): string[] {
    return ['-m', 'sh', '-c', CONFINE, 'confine', this.home, this.options.tmpfs ?? ''];
  }

  /** Starts a confined daemon; it has one front-end in its life and none yet beyond the bare connection. */
  async start(options: AttackOptions = {}): Promise<Daemon> {
    const daemon = await startDaemon('ours', this.share, {
      temporary: this.home,
      wrap: ['unshare', ...this.confinement(), ...(options.wrap ?? [])],
      arguments: ['--xattr', ...(options.arguments ?? [])],
    });
    this.daemons.push(daemon);
    return daemon;
  }

  /** Starts a confined daemon and a session with it. */
  async attack(options: AttackOptions = {}): Promise<Victim> {
    const daemon = await this.start(options);
    const device = new AttachedDevice(daemon.frontEnd, options.device);
    this.devices.push(device);
    const client = new FuseClient(device, options.largest);
    const calls = new FuseCalls(client);
    calls.init();
    return { daemon, device, client, calls };
  }

  /** After an attack: nothing beside the share has been read or changed. */
  checkOutside(): void {
    for (const { file, state } of this.canaries) assert.equal(stateOf(file), state, file);
    assert.deepEqual(fs.readdirSync(this.home).filter(isUnexpected), []);
  }

  /** The daemon runs, answers an ordinary request about the share rightly, and nothing beside it has been touched. */
  checkHealth(victim: Victim): void {
    assert.ok(victim.daemon.running(), `the daemon has ended: ${victim.daemon.log()}`);
    const { calls } = victim;
    const entry = calls.lookup(ROOT, 'inside');
    const file = calls.open(entry.nodeid, 0);
    assert.equal(Buffer.from(calls.read(entry.nodeid, file.fh, 0, 100)).toString(), INSIDE);
    calls.release(entry.nodeid, file.fh);
    calls.forget(entry.nodeid);
    this.checkOutside();
  }

  async close(): Promise<void> {
    for (const device of this.devices) device.close();
    for (const daemon of this.daemons) await daemon.stop();
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

function isUnexpected(name: string): boolean {
  return name !== 'share' && name !== 'outside' && !name.startsWith('driver-');
}

/** Everything about a file that a guest could change, and the time of its last reading: not renewed by this one. */
function stateOf(file: string): string {
  const s = fs.lstatSync(file, { bigint: true });
  const times = [s.ino, s.mode, s.nlink, s.uid, s.gid, s.size, s.atimeNs, s.mtimeNs, s.ctimeNs].join(' ');
  if (s.isDirectory()) return times;
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOATIME);
  const content = fs.readFileSync(fd, 'utf8');
  fs.closeSync(fd);
  return `${times} ${content}`;
}
