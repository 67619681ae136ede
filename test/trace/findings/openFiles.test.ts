import * as assert from 'node:assert/strict';
import { FopenFlag, OpenFlag } from '../../../src/protocol/fuse/flags';
import { CaptureBuilder, type ExchangeOptions } from '../captureBuilder';
import { entryOut, only, silent, usualFlags, without } from './scene';

const begun = (flags: readonly string[] = usualFlags): CaptureBuilder => new CaptureBuilder().init({ flags });

interface Open {
  readonly name?: string;
  readonly flags: number;
  readonly fopen?: number;
}

function open(built: CaptureBuilder, { name = 'data', flags, fopen = 0 }: Open, more: ExchangeOptions = {}) {
  return built
    .exchange('LOOKUP', { names: [name], out: entryOut({ nodeid: 2 }) })
    .exchange('OPEN', { nodeid: 2, in: { flags }, out: { fh: 1, open_flags: fopen }, ...more });
}

const openat = (flags: number) => ({ hostCalls: [{ call: 'openat', arguments: [5, 0, flags, 0], texts: ['data'] }] });

describe('findings: direct-io-refused', () => {
  it('an OPEN with O_DIRECT that the host refuses', () => {
    const finding = only(open(begun(), { flags: OpenFlag.DIRECT }, { error: 'EINVAL' }), 'direct-io-refused');
    assert.deepEqual([...finding.rows], [2]);
    assert.match(finding.text, /1 file could not be opened with O_DIRECT; the first: "\/data"/);
    assert.equal(finding.severity, 'warning');
  });

  it('a flag that does not reach the host, where system calls are in the capture', () => {
    const finding = only(open(begun(), { flags: OpenFlag.DIRECT }, openat(OpenFlag.RDWR)), 'direct-io-refused');
    assert.match(finding.text, /opened with O_DIRECT in the guest and without it on the host/);
    assert.equal(finding.severity, 'info');
  });

  it('reads and writes that are not aligned', () => {
    const built = open(begun(), { flags: OpenFlag.DIRECT });
    built.exchange('READ', { nodeid: 2, in: { fh: 1, offset: 3, size: 100, flags: OpenFlag.DIRECT }, error: 'EINVAL' });
    assert.match(only(built, 'direct-io-refused').text, /1 READ or WRITE of O_DIRECT files failed with EINVAL/);
  });

  it('is silent when the host takes the flag, when nothing tells, and for EINVAL without the flag', () => {
    silent(open(begun(), { flags: OpenFlag.DIRECT }, openat(OpenFlag.DIRECT)));
    silent(open(begun(), { flags: OpenFlag.DIRECT }));
    silent(open(begun(), { flags: OpenFlag.RDWR }, { error: 'EINVAL' }));
    silent(open(begun(), { flags: OpenFlag.RDWR }, openat(OpenFlag.RDWR)));
  });
});

describe('findings: mmap-refused', () => {
  const direct = { flags: OpenFlag.RDWR, fopen: FopenFlag.DIRECT_IO };

  it('files opened past the cache, and mmap of such files not agreed on', () => {
    const finding = only(open(begun(), direct), 'mmap-refused');
    assert.deepEqual([...finding.rows], [2]);
    assert.equal(finding.severity, 'info');
    assert.match(finding.remedy, /--allow-mmap/);
  });

  it('is a warning where a database needs it', () => {
    const finding = only(open(open(begun(), direct), { ...direct, name: 'app.db-shm' }), 'mmap-refused');
    assert.equal(finding.severity, 'warning');
    assert.match(finding.text, /2 files .* 1 of them with the name of a database .* "\/app\.db-shm"/);
  });

  it('is silent where a debugger has written FOPEN_DIRECT_IO into the reply', () => {
    silent(open(begun(), direct, { changed: true }));
  });

  it('is silent with DIRECT_IO_ALLOW_MMAP, with a cache, for files only read, and without an INIT to judge by', () => {
    silent(open(begun([...usualFlags, 'DIRECT_IO_ALLOW_MMAP']), direct));
    silent(open(begun(), { flags: OpenFlag.RDWR, fopen: FopenFlag.KEEP_CACHE }));
    silent(open(begun(), { flags: OpenFlag.RDONLY, fopen: FopenFlag.DIRECT_IO }));
    silent(open(new CaptureBuilder(), direct));
  });
});

describe('findings: locks-never-seen', () => {
  const write = { name: 'app.db', flags: OpenFlag.RDWR };

  it('a database that is opened for writing, with locks that stay in the guest', () => {
    const finding = only(open(begun(without('POSIX_LOCKS', 'FLOCK_LOCKS')), write), 'locks-never-seen');
    assert.deepEqual([...finding.rows], [2]);
    assert.match(finding.text, /did not agree on POSIX_LOCKS and FLOCK_LOCKS.*"\/app\.db"/);
  });

  it('also when only one kind is missing, and for a file that is made', () => {
    const built = begun(without('FLOCK_LOCKS')).exchange('CREATE', {
      names: ['dpkg.lock'],
      in: { flags: OpenFlag.RDWR | OpenFlag.CREAT },
      out: [entryOut({ nodeid: 3 }), { fh: 2 }],
    });
    assert.match(only(built, 'locks-never-seen').text, /did not agree on FLOCK_LOCKS, /);
  });

  it('lock requests that are not served', () => {
    const built = begun().exchange('SETLK', { nodeid: 2, in: { fh: 1 }, error: 'ENOSYS' });
    assert.match(only(built, 'locks-never-seen').text, /1 lock request answered ENOSYS/);
  });

  it('is silent where a debugger has changed what INIT agrees on', () => {
    const init = new CaptureBuilder().init({ flags: without('POSIX_LOCKS', 'FLOCK_LOCKS'), changed: true });
    silent(open(init, write));
  });

  it('is silent when locks were agreed on, for other files, for files only read, and for O_EXCL lock files', () => {
    silent(open(begun(), write));
    const local = without('POSIX_LOCKS', 'FLOCK_LOCKS');
    silent(open(begun(local), { name: 'notes.txt', flags: OpenFlag.RDWR }));
    silent(open(begun(local), { name: 'app.db', flags: OpenFlag.RDONLY }));
    silent(
      begun(local).exchange('CREATE', {
        names: ['index.lock'],
        in: { flags: OpenFlag.RDWR | OpenFlag.CREAT | OpenFlag.EXCL },
        out: [entryOut({ nodeid: 3 }), { fh: 2 }],
      }),
    );
    silent(open(new CaptureBuilder(), write));
    silent(begun(local).exchange('FLUSH', { nodeid: 2, in: { fh: 1, lock_owner: 99 } }));
  });
});
