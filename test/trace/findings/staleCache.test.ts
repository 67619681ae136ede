import * as assert from 'node:assert/strict';
import { Request } from '../../../src/protocol/vhostUser/requests';
import { OpenFlag } from '../../../src/protocol/fuse/flags';
import { CaptureBuilder } from '../captureBuilder';
import { attrOut, entryOut, MS, only, SECOND, silent, usualFlags } from './scene';

const begun = (): CaptureBuilder => new CaptureBuilder().init({ flags: usualFlags, at: 0 });

/** A capture in which the guest looks a file up, valid for a second. */
const seen = (valid = 1): CaptureBuilder =>
  begun().exchange('LOOKUP', { at: 10 * MS, names: ['a.txt'], out: entryOut({ size: 5, valid }) });

describe('findings: stale-cache', () => {
  it('a size that no request of the guest changed, within the time that was given', () => {
    const built = seen().exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 9, mtime: 300 * MS }) });
    const finding = only(built, 'stale-cache');
    assert.deepEqual([...finding.rows], [1, 2]);
    assert.equal(finding.total, 1);
    assert.match(finding.text, /^1 change by .*"\/a\.txt".*600 ms\.$/);
    assert.match(finding.path ?? '', /^\/a\.txt$/);
  });

  it('seen only later: the time of change on the host says that the guest had it cached then', () => {
    const built = seen().exchange('GETATTR', { at: 5 * SECOND, nodeid: 2, out: attrOut({ size: 9, mtime: 510 * MS }) });
    assert.match(only(built, 'stale-cache').text, /500 ms\.$/);
  });

  it('a change of ctime alone: somebody else has changed the mode', () => {
    const built = seen().exchange('GETATTR', {
      at: 900 * MS,
      nodeid: 2,
      out: attrOut({ size: 5, mode: 0o100600, mtime: -SECOND, ctime: 500 * MS }),
    });
    only(built, 'stale-cache');
  });

  it('also in a listing with attributes', () => {
    const entries = [{ name: 'a.txt', out: entryOut({ size: 9, mtime: 500 * MS }) }];
    only(seen().exchange('READDIRPLUS', { at: 900 * MS, nodeid: 1, in: { size: 4096 }, entries }), 'stale-cache');
  });

  it('a name that leads to another file (an editor on the host saves by renaming)', () => {
    const other = entryOut({ nodeid: 3, ino: 30, size: 9, mtime: 400 * MS });
    const finding = only(seen().exchange('LOOKUP', { at: 900 * MS, names: ['a.txt'], out: other }), 'stale-cache');
    assert.deepEqual([...finding.rows], [1, 2]);
  });

  it('a name that is gone while it could still be used', () => {
    only(seen().exchange('LOOKUP', { at: 900 * MS, names: ['a.txt'], error: 'ENOENT' }), 'stale-cache');
  });

  describe('is silent', () => {
    it('when a fault says that a name is gone', () => {
      silent(seen().exchange('LOOKUP', { at: 900 * MS, names: ['a.txt'], error: 'ENOENT', changed: true }));
    });

    it('when the time had run out before the change', () => {
      silent(seen().exchange('GETATTR', { at: 5 * SECOND, nodeid: 2, out: attrOut({ size: 9, mtime: 2 * SECOND }) }));
    });

    it('when nothing was given to cache (cache=never)', () => {
      silent(seen(0).exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 9, mtime: 500 * MS }) }));
    });

    it('when the guest wrote', () => {
      const built = seen()
        .exchange('WRITE', { at: 300 * MS, nodeid: 2, in: { fh: 1, offset: 5 }, payload: 4, out: { size: 4 } })
        .exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 9, mtime: 300 * MS }) });
      silent(built);
    });

    it('when a WRITE was under way that was taken after the second look', () => {
      const built = seen();
      const look = built.request('GETATTR', { at: 300 * MS, nodeid: 2 });
      const write = built.request('WRITE', { at: 301 * MS, nodeid: 2, in: { fh: 1, offset: 5 }, payload: 4 });
      built.reply(write, { latency: 1 * MS, out: { size: 4 } });
      silent(built.reply(look, { latency: 5 * MS, out: attrOut({ size: 9, mtime: 302 * MS }) }));
    });

    it('when a WRITE that was taken before the first look was still in flight', () => {
      const built = begun().exchange('LOOKUP', { at: 1 * MS, names: ['a.txt'], out: entryOut({ size: 5 }) });
      const write = built.request('WRITE', { at: 2 * MS, nodeid: 2, in: { fh: 1, offset: 5 }, payload: 4 });
      built.exchange('GETATTR', { at: 3 * MS, nodeid: 2, out: attrOut({ size: 5 }) });
      built.reply(write, { latency: 10 * MS, out: { size: 4 } });
      silent(built.exchange('GETATTR', { at: 50 * MS, nodeid: 2, out: attrOut({ size: 9, mtime: 11 * MS }) }));
    });

    it('when the guest truncated, made room, copied into it, set an attribute or opened it with O_TRUNC', () => {
      const changed = { at: 900 * MS, nodeid: 2, out: attrOut({ size: 0, mtime: 300 * MS }) };
      silent(seen().exchange('SETATTR', { at: 300 * MS, nodeid: 2, out: attrOut({ size: 0, mtime: 300 * MS }) }));
      silent(
        seen()
          .exchange('FALLOCATE', { at: 300 * MS, nodeid: 2 })
          .exchange('GETATTR', changed),
      );
      silent(
        seen()
          .exchange('COPY_FILE_RANGE', { at: 300 * MS, nodeid: 7, in: { nodeid_out: 2 } })
          .exchange('GETATTR', changed),
      );
      silent(
        seen()
          .exchange('SETXATTR', { at: 300 * MS, nodeid: 2, names: ['user.a'], payload: 'x' })
          .exchange('GETATTR', changed),
      );
      silent(
        seen()
          .exchange('OPEN', {
            at: 300 * MS,
            nodeid: 2,
            in: { flags: OpenFlag.WRONLY | OpenFlag.TRUNC },
            out: { fh: 1 },
          })
          .exchange('GETATTR', changed),
      );
    });

    it('when the guest made entries in the folder, moved some there or linked the file', () => {
      const folder = (mtime: number) => attrOut({ nodeid: 4, mode: 0o40755, size: 0, mtime });
      const known = (): CaptureBuilder => begun().exchange('GETATTR', { at: 10 * MS, nodeid: 4, out: folder(0) });
      const look = { at: 900 * MS, nodeid: 4, out: folder(300 * MS) };
      silent(
        known()
          .exchange('MKDIR', { at: 300 * MS, nodeid: 4, names: ['d'], out: entryOut({ nodeid: 5 }) })
          .exchange('GETATTR', look),
      );
      silent(
        known()
          .exchange('RENAME', { at: 300 * MS, nodeid: 1, in: { newdir: 4 }, names: ['a', 'b'] })
          .exchange('GETATTR', look),
      );
      silent(
        seen()
          .exchange('LINK', {
            at: 300 * MS,
            nodeid: 1,
            in: { oldnodeid: 2 },
            names: ['b'],
            out: entryOut({ size: 5, mtime: -SECOND, ctime: 300 * MS }),
          })
          .exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 5, mtime: -SECOND, ctime: 300 * MS }) }),
      );
    });

    it('when only ctime changed and the guest had removed or renamed a name', () => {
      const built = seen()
        .exchange('UNLINK', { at: 300 * MS, nodeid: 1, names: ['hard-link'] })
        .exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 5, mtime: -SECOND, ctime: 300 * MS }) });
      silent(built);
    });

    it('when the guest had given the inode back, or had started anew', () => {
      const look = { at: 900 * MS, names: ['a.txt'], out: entryOut({ size: 9, ino: 8, mtime: 400 * MS }) };
      silent(
        seen()
          .exchange('FORGET', { at: 200 * MS, nodeid: 2, in: { nlookup: 1 } })
          .exchange('LOOKUP', look),
      );
      silent(
        seen()
          .init({ flags: usualFlags, at: 200 * MS })
          .exchange('LOOKUP', look),
      );
    });

    it('when the guest itself put another file in the place of the name', () => {
      const built = seen()
        .exchange('RENAME2', { at: 300 * MS, nodeid: 1, in: { newdir: 1 }, names: ['b', 'a.txt'] })
        .exchange('LOOKUP', { at: 900 * MS, names: ['a.txt'], out: entryOut({ nodeid: 3, ino: 30, mtime: 300 * MS }) });
      silent(built);
    });

    it('when the file is mapped for writing through the DAX window', () => {
      const built = seen()
        .exchange('SETUPMAPPING', { at: 200 * MS, nodeid: 2, in: { flags: 1, len: 4096 } })
        .exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 5, mtime: 500 * MS }) });
      silent(built);
    });

    it('across lost packets, which may have held the request that changed it', () => {
      const built = seen()
        .lost(3)
        .exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 9, mtime: 500 * MS }) });
      only(built, 'lost-packets');
    });

    it('when only the access time changes', () => {
      silent(seen().exchange('GETATTR', { at: 900 * MS, nodeid: 2, out: attrOut({ size: 5, atime: 500 * MS }) }));
    });
  });

  it('takes no vhost-user message for a request', () => {
    silent(begun().vhostUser(Request.GET_FEATURES));
  });
});
