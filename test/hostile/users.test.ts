/** Who a request is done as: what a guest's user may not gain, and a daemon that is an ordinary user itself. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { InitFlag2, KERNEL_MINOR_VERSION } from '../../src/protocol/fuse/flags';
import { FuseError, LINUX_FLAGS, LINUX_FLAGS_2 } from '../driver/fuseCalls';
import { Cell, ROOT, type Victim, needCell } from './cell';
import { until } from './patience';

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_TRUNC = 0o1000;
const NOBODY = 65534;
const OTHER_GROUP = 4321;

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FuseError) return error.code;
    throw error;
  }
  return '';
}

describe('users of the guest', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    // Started with a group that files must not profit from.
    victim = await cell.attack({ wrap: ['setpriv', '--groups', String(OTHER_GROUP)] });
    const folder = path.join(cell.share, 'team');
    fs.mkdirSync(folder);
    fs.chownSync(folder, 0, OTHER_GROUP);
    fs.chmodSync(folder, 0o2777);
  });
  after(() => cell?.close());
  afterEach(() => {
    victim.client.uid = victim.client.gid = 0;
    cell.checkHealth(victim);
  });

  it('no set-group-ID file for a group that the caller is not in (CVE-2022-0358)', () => {
    const { calls, client } = victim;
    calls.umask = 0;
    const team = calls.lookup(ROOT, 'team').nodeid;
    client.uid = client.gid = 1000;
    const made = calls.create(team, 'tool', O_RDWR, 0o2755);
    calls.mknod(team, 'node', 0o102755);
    for (const name of ['tool', 'node']) {
      const { mode, uid, gid } = fs.statSync(path.join(cell.share, 'team', name));
      assert.equal(uid, 1000);
      assert.equal(gid, OTHER_GROUP, 'the group is the folder’s');
      assert.equal(mode & 0o2000, 0, `${name}: set-group-ID would lend the group to everybody`);
    }
    calls.release(made.nodeid, made.fh);
    calls.mkdir(team, 'folder', 0o755);
    assert.equal(fs.statSync(path.join(cell.share, 'team/folder')).mode & 0o2000, 0o2000, 'folders do inherit it');
  });

  it('CREATE opens nothing that the caller may not: nobody in the guest has looked at what is there', () => {
    const { calls, client } = victim;
    const drop = path.join(cell.share, 'drop');
    fs.mkdirSync(drop);
    fs.chmodSync(drop, 0o1777);
    fs.writeFileSync(path.join(drop, 'secret'), 'of the host', { mode: 0o600 });
    fs.writeFileSync(path.join(drop, 'notice'), 'for all', { mode: 0o644 });
    const { nodeid } = calls.lookup(ROOT, 'drop');
    client.uid = client.gid = 1000;
    const attempt = (name: string, flags: number): string =>
      codeOf(() => {
        const made = calls.create(nodeid, name, flags, 0o644);
        calls.release(made.nodeid, made.fh);
        calls.forget(made.nodeid);
      });
    // Upon ESTALE the guest's kernel looks it up and judges by itself.
    assert.equal(attempt('secret', O_RDONLY), 'ESTALE');
    assert.equal(attempt('secret', O_RDWR), 'ESTALE');
    assert.equal(attempt('notice', O_RDONLY), '');
    assert.equal(attempt('notice', O_WRONLY), 'ESTALE');
    assert.equal(attempt('notice', O_RDONLY | O_TRUNC), 'ESTALE');
    assert.equal(fs.readFileSync(path.join(drop, 'notice'), 'utf8'), 'for all');
    assert.equal(attempt('own', O_RDWR), '');
    assert.equal(attempt('own', O_RDWR | O_TRUNC), '');
    client.uid = client.gid = 0;
    assert.equal(attempt('secret', O_RDWR), '');
    calls.forget(nodeid);
  });

  it('a file where the caller may not write is not made, with the rights of nobody else', () => {
    const { calls, client } = victim;
    fs.mkdirSync(path.join(cell.share, 'closed'), { mode: 0o755 });
    const closed = calls.lookup(ROOT, 'closed').nodeid;
    client.uid = client.gid = 1000;
    assert.equal(
      codeOf(() => calls.create(closed, 'new', O_RDWR, 0o644)),
      'EACCES',
    );
    assert.equal(
      codeOf(() => calls.mkdir(closed, 'new')),
      'EACCES',
    );
    assert.equal(
      codeOf(() => calls.mknod(closed, 'new', 0o100644)),
      'EACCES',
    );
    assert.equal(
      codeOf(() => calls.symlink(closed, 'new', 'target')),
      'EACCES',
    );
    client.uid = client.gid = 0;
    calls.mkdir(closed, 'by root');
    assert.deepEqual(fs.readdirSync(path.join(cell.share, 'closed')), ['by root'], 'and root is root again afterwards');
  });

  it('a guest that cannot tell groups has checked them: its users make files where one lets them, as themselves', () => {
    const { calls, client } = victim;
    calls.init(KERNEL_MINOR_VERSION, LINUX_FLAGS, LINUX_FLAGS_2 & ~InitFlag2.CREATE_SUPP_GROUP);
    calls.umask = 0;
    try {
      const folder = path.join(cell.share, 'members');
      fs.mkdirSync(folder);
      fs.chownSync(folder, 0, OTHER_GROUP);
      fs.chmodSync(folder, 0o775);
      const members = calls.lookup(ROOT, 'members').nodeid;
      client.uid = client.gid = 1000;
      calls.create(members, 'file', O_RDWR, 0o644);
      calls.mkdir(members, 'folder', 0o755);
      calls.symlink(members, 'link', 'target');
      calls.mknod(members, 'fifo', 0o010644);
      calls.tmpfile(members, O_RDWR, 0o644);
      for (const name of ['file', 'folder', 'link', 'fifo']) {
        const { uid, gid } = fs.lstatSync(path.join(folder, name));
        assert.deepEqual([name, uid, gid], [name, 1000, 1000]);
      }
      const team = calls.lookup(ROOT, 'team').nodeid;
      calls.create(team, 'untold', O_RDWR, 0o2755);
      assert.equal(fs.statSync(path.join(cell.share, 'team/untold')).mode & 0o2000, 0);
      assert.equal(
        codeOf(() => calls.access(members, 2)),
        'EACCES',
        'who asks what a user may is not told that it is everything',
      );
    } finally {
      client.uid = client.gid = 0;
      calls.init();
    }
  });

  it('the number that means nobody in system calls is nobody', () => {
    const { calls, client } = victim;
    for (const [uid, gid] of [
      [0xffff_ffff, 0],
      [0, 0xffff_ffff],
      [0xffff_ffff, 0xffff_ffff],
    ]) {
      client.uid = uid;
      client.gid = gid;
      assert.equal(
        codeOf(() => calls.create(ROOT, 'new', O_RDWR, 0o644)),
        'EINVAL',
      );
      assert.equal(
        codeOf(() => calls.mkdir(ROOT, 'new')),
        'EINVAL',
      );
    }
    assert.ok(!fs.existsSync(path.join(cell.share, 'new')));
  });
});

describe('a daemon that is an ordinary user', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    for (const folder of [cell.home, cell.share]) fs.chownSync(folder, NOBODY, NOBODY);
    const wrap = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all'];
    victim = await cell.attack({ wrap });
  });
  after(() => cell?.close());
  afterEach(() => cell.checkHealth(victim));

  it('says so at the start', () => until('the log to say so', () => /not root/.test(victim.daemon.log())));

  it('makes files, folders and links that are its own, whoever asks', () => {
    const { calls, client } = victim;
    for (const id of [0, 1000]) {
      client.uid = client.gid = id;
      const made = calls.create(ROOT, `file${id}`, O_RDWR, 0o644);
      assert.equal(calls.write(made.nodeid, made.fh, 0, Buffer.from('mine')), 4);
      assert.equal(Buffer.from(calls.read(made.nodeid, made.fh, 0, 10)).toString(), 'mine');
      calls.release(made.nodeid, made.fh);
      calls.mkdir(ROOT, `folder${id}`);
      calls.symlink(ROOT, `link${id}`, 'target');
      for (const name of [`file${id}`, `folder${id}`, `link${id}`]) {
        const { uid, gid } = fs.lstatSync(path.join(cell.share, name));
        assert.deepEqual([uid, gid], [NOBODY, NOBODY]);
      }
    }
    client.uid = client.gid = 0;
  });

  it('cannot give files away, make devices or read what is closed to it', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'kept', O_RDWR, 0o644);
    calls.release(made.nodeid, made.fh);
    assert.equal(
      codeOf(() => calls.setattr(made.nodeid, { valid: 2, uid: 0 })),
      'EPERM',
    );
    assert.equal(
      codeOf(() => calls.mknod(ROOT, 'null', 0o020666, (1 << 8) | 3)),
      'EPERM',
    );
    fs.writeFileSync(path.join(cell.share, 'closed'), 'root only', { mode: 0o600 });
    const closed = calls.lookup(ROOT, 'closed');
    assert.equal(
      codeOf(() => calls.open(closed.nodeid, 0)),
      'EACCES',
    );
    assert.equal(
      codeOf(() => calls.setattr(closed.nodeid, { valid: 8, size: 0 })),
      'EACCES',
    );
  });

  it('serves renames, hard links, locks and folders', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'a', O_RDWR, 0o644);
    calls.setlk(made.nodeid, made.fh, 1n, { type: 1, start: 0n, end: 9n, pid: 1 });
    calls.rename(ROOT, 'a', ROOT, 'b');
    calls.link(made.nodeid, ROOT, 'c');
    const handle = calls.opendir(ROOT);
    const names = calls.readdirplus(ROOT, handle.fh, 0n).map((entry) => entry.name);
    assert.ok(names.includes('b') && names.includes('c'));
    calls.releasedir(ROOT, handle.fh);
    calls.release(made.nodeid, made.fh);
  });
});
