/** Acting as another user for the length of a call: this thread only, and everything is as before afterwards. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { GROUPS_UNTOLD } from '../../src/fs/fileSystem';
import { ThreadCredentials } from '../../src/native/credentials';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { need } from '../support/need';
import { NativeArena } from './nativeArena';

const EACCES = 13;
const AT_FDCWD = -100;
const CREATE = 0o101; // O_CREAT | O_WRONLY
const FSETID = 1n << 4n;
const DAC_OVERRIDE = 1n << 1n;
const CHOWN = 1n;
const USER = 54_321;
const GROUP = 54_322;
const SUPPLEMENTARY = 54_323;

interface Identity {
  /** Real, effective, saved, for file systems. */
  readonly uids: number[];
  readonly gids: number[];
  readonly groups: number[];
  readonly effective: bigint;
}

function identity(task = 'thread-self'): Identity {
  const text = fs.readFileSync(`/proc/${task}/status`, 'latin1');
  const value = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const numbers = (name: string): number[] => value(name).split(/\s+/).filter(Boolean).map(Number);
  return {
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    effective: BigInt(`0x${value('CapEff')}`),
  };
}

const otherThreads = (): string[] =>
  fs
    .readdirSync('/proc/self/task')
    .filter((task) => task !== String(process.pid))
    .map((task) => `self/task/${task}`);

describe('native credentials', () => {
  const native = new NativeArena();
  const credentials = new ThreadCredentials();
  const calls = new LinuxCalls();
  let folder = '';
  let root: Identity;

  before(function () {
    need(this, 'root', process.geteuid?.() === 0, 'only root may act as another user');
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'credentials-'));
    assert.equal(credentials.dropGroups(), 0);
    root = identity();
    assert.deepEqual(root.groups, []);
  });

  afterEach(() => {
    credentials.resume();
    assert.deepEqual(identity(), root, 'everything is as before');
  });

  after(() => {
    if (folder !== '') fs.rmSync(folder, { recursive: true });
  });

  const create = (name: string, mode = 0o644): number => {
    const fd = calls.openat(AT_FDCWD, native.text(path.join(folder, name)), CREATE, mode);
    if (fd >= 0) calls.close(fd);
    return fd;
  };

  it('effective ids change, of this thread alone', () => {
    assert.equal(credentials.impersonate(USER, GROUP, -1), 0);
    const now = identity();
    assert.deepEqual(now.uids, [0, USER, 0, USER]);
    assert.deepEqual(now.gids, [0, GROUP, 0, GROUP]);
    assert.deepEqual(now.groups, []);
    assert.equal(now.effective, 0n, 'and no capability is left');
    const others = otherThreads();
    assert.ok(others.length > 0);
    for (const task of others) assert.deepEqual(identity(task).uids, [0, 0, 0, 0]);
  });

  it('root needs no change', () => {
    assert.equal(credentials.impersonate(0, 0, -1), 0);
    assert.deepEqual(identity(), root);
  });

  it('a group alone, with root’s capabilities', () => {
    assert.equal(credentials.impersonate(0, GROUP, -1), 0);
    assert.deepEqual([identity().uids[1], identity().gids[1]], [0, GROUP]);
    assert.equal(identity().effective, root.effective);
  });

  it('one more group where the new file’s folder has it', () => {
    assert.equal(credentials.impersonate(USER, GROUP, SUPPLEMENTARY), 0);
    assert.deepEqual(identity().groups, [SUPPLEMENTARY]);
    credentials.resume();
    assert.equal(credentials.impersonate(0, 0, SUPPLEMENTARY), 0);
    assert.deepEqual([identity().groups, identity().uids[1]], [[SUPPLEMENTARY], 0]);
  });

  it('new files belong to that user, and permissions are that user’s', () => {
    fs.chmodSync(folder, 0o711);
    credentials.impersonate(USER, GROUP, -1);
    assert.equal(create('refused'), -EACCES);
    credentials.resume();
    fs.chmodSync(folder, 0o777);
    credentials.impersonate(USER, GROUP, -1);
    assert.ok(create('made') >= 0);
    credentials.resume();
    const { uid, gid } = fs.statSync(path.join(folder, 'made'));
    assert.deepEqual([uid, gid], [USER, GROUP]);
  });

  it('where the groups are untold the guest’s check of the folder stands; files are still that user’s', () => {
    fs.chmodSync(folder, 0o711);
    assert.equal(credentials.impersonate(USER, GROUP, GROUPS_UNTOLD), 0);
    assert.deepEqual(
      [identity().uids, identity().groups, identity().effective],
      [[0, USER, 0, USER], [], DAC_OVERRIDE],
    );
    assert.ok(create('untold', 0o6755) >= 0);
    credentials.resume();
    fs.chmodSync(folder, 0o777);
    const { uid, gid } = fs.statSync(path.join(folder, 'untold'));
    assert.deepEqual([uid, gid], [USER, GROUP]);
    assert.equal(credentials.impersonate(0, GROUP, GROUPS_UNTOLD), 0);
    assert.equal(identity().effective, root.effective);
  });

  it('a set-group-ID bit asked for by who is not in the group is not given (CVE-2022-0358)', () => {
    const shared = path.join(folder, 'shared');
    fs.mkdirSync(shared);
    fs.chownSync(shared, 0, SUPPLEMENTARY);
    fs.chmodSync(shared, 0o2777);
    credentials.impersonate(USER, GROUP, -1);
    assert.ok(create('shared/file', 0o2755) >= 0);
    credentials.resume();
    const stat = fs.statSync(path.join(shared, 'file'));
    assert.deepEqual([stat.gid, stat.mode & 0o7777], [SUPPLEMENTARY, 0o755]);
    credentials.impersonate(USER, GROUP, GROUPS_UNTOLD);
    assert.ok(create('shared/untold', 0o2755) >= 0);
    credentials.resume();
    assert.equal(fs.statSync(path.join(shared, 'untold')).mode & 0o7777, 0o755);
    credentials.impersonate(USER, GROUP, SUPPLEMENTARY);
    assert.ok(create('shared/member', 0o2755) >= 0);
    credentials.resume();
    assert.equal(fs.statSync(path.join(shared, 'member')).mode & 0o7777, 0o2755);
  });

  it('again and again', () => {
    for (let round = 1; round <= 100; round++) {
      assert.equal(credentials.impersonate(USER + round, GROUP + round, round % 2 === 0 ? SUPPLEMENTARY : -1), 0);
      credentials.resume();
    }
  });

  it('resume without a change does nothing', () => credentials.resume());

  it('CAP_FSETID goes and comes back, alone', () => {
    assert.equal(credentials.dropFsetid(), 0);
    assert.equal(identity().effective, root.effective & ~FSETID);
    assert.notEqual(identity().effective & CHOWN, 0n);
    credentials.resume();
    assert.equal(identity().effective, root.effective);
  });

  it('without it the kernel clears set-user-ID bits at a write', () => {
    const file = path.join(folder, 'suid');
    const write = (): number => {
      fs.writeFileSync(file, '');
      fs.chmodSync(file, 0o6755);
      const fd = fs.openSync(file, 'r+');
      native.put(0, 'x');
      assert.equal(calls.pwritev2(fd, native.vector(64, 0, 1), 1, 0, 0), 1);
      fs.closeSync(fd);
      return fs.statSync(file).mode & 0o7777;
    };
    assert.equal(write(), 0o6755, 'root keeps them');
    const fd = fs.openSync(file, 'r+');
    credentials.dropFsetid();
    assert.equal(calls.pwritev2(fd, native.vector(64, 0, 1), 1, 0, 0), 1);
    credentials.resume();
    fs.closeSync(fd);
    assert.equal(fs.statSync(file).mode & 0o7777, 0o755);
  });

  it('both at a time, in either order', () => {
    for (const order of [0, 1]) {
      if (order === 0) credentials.dropFsetid();
      assert.equal(credentials.impersonate(USER, GROUP, -1), 0);
      if (order === 1) assert.equal(credentials.dropFsetid(), 0);
      assert.equal(identity().effective, 0n);
      credentials.resume();
      assert.deepEqual(identity(), root);
    }
  });

  it('an id that means nobody is refused, and nothing has changed', () => {
    for (const [uid, gid] of [
      [0xffff_ffff, GROUP],
      [USER, 0xffff_ffff],
    ]) {
      assert.ok(credentials.impersonate(uid, gid, -1) < 0, `${uid}:${gid}`);
      assert.deepEqual(identity(), root);
    }
  });

  it('ids beyond 2^31 are taken as they are', () => {
    assert.equal(credentials.impersonate(0xffff_fffe, 0xffff_fffd, -1), 0);
    assert.deepEqual([identity().uids[1], identity().gids[1]], [0xffff_fffe, 0xffff_fffd]);
  });
});
