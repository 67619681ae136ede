import * as assert from 'node:assert/strict';
import { CaptureBuilder } from '../captureBuilder';
import { attrOut, entryOut, only, silent, usualFlags } from './scene';

const begun = (): CaptureBuilder => new CaptureBuilder().init({ flags: usualFlags });

describe('findings: permission-errors', () => {
  const file = (mode: number, uid: number, gid = uid): CaptureBuilder =>
    begun().exchange('LOOKUP', { names: ['secret'], out: entryOut({ nodeid: 2, mode: 0o100000 | mode, uid, gid }) });

  it('who asked for what, and the mode that refused it', () => {
    const built = file(0o600, 0).exchange('OPEN', { nodeid: 2, uid: 1000, gid: 100, error: 'EACCES' });
    const finding = only(built, 'permission-errors');
    assert.deepEqual([...finding.rows], [2]);
    assert.match(
      finding.text,
      /^1 refusal: uid 1000 gid 100: OPEN "\/secret" EACCES; it has mode 0600 and owner 0:0, which gives others only ---/,
    );
    assert.match(finding.path ?? '', /^\/secret$/);
  });

  it('the folder, for a request with a name', () => {
    const built = begun()
      .exchange('GETATTR', { nodeid: 1, out: attrOut({ mode: 0o40755, uid: 0, gid: 0 }) })
      .exchange('MKDIR', { nodeid: 1, names: ['new'], uid: 1000, gid: 0, error: 'EACCES' });
    assert.match(
      only(built, 'permission-errors').text,
      /MKDIR "\/new" EACCES; its folder has mode 0755 and owner 0:0, which gives the group only r-x/,
    );
  });

  it('the attributes as they were then', () => {
    const built = file(0o600, 0)
      .exchange('OPEN', { nodeid: 2, uid: 1000, error: 'EACCES' })
      .exchange('SETATTR', { nodeid: 2, uid: 0, out: attrOut({ mode: 0o100644, uid: 0, gid: 0 }) });
    assert.match(only(built, 'permission-errors').text, /mode 0600/);
  });

  it('and not those of a session before', () => {
    const built = file(0o600, 0)
      .init({ flags: usualFlags })
      .exchange('OPEN', { nodeid: 2, uid: 1000, error: 'EACCES' });
    assert.match(only(built, 'permission-errors').text, /owner and mode are not in the capture/);
  });

  it('says when the mode is not the reason', () => {
    const root = file(0o644, 0).exchange('SETATTR', { nodeid: 2, uid: 0, gid: 0, error: 'EPERM' });
    assert.match(only(root, 'permission-errors').text, /root asked: the daemon itself lacks the right/);
    const owner = file(0o755, 1000).exchange('OPEN', { nodeid: 2, uid: 1000, error: 'EACCES' });
    assert.match(only(owner, 'permission-errors').text, /which allows it: a folder above/);
    const reader = file(0o644, 0).exchange('OPEN', { nodeid: 2, uid: 1000, in: { flags: 0 }, error: 'EACCES' });
    assert.match(only(reader, 'permission-errors').text, /mode 0644 and owner 0:0, which allows it/);
    const owned = file(0o600, 1000).exchange('SETATTR', { nodeid: 2, uid: 1000, error: 'EPERM' });
    assert.match(only(owned, 'permission-errors').text, /mode 0600 and owner 1000:1000, which allows it/);
    const writer = file(0o644, 0).exchange('OPEN', { nodeid: 2, uid: 1000, in: { flags: 2 }, error: 'EACCES' });
    assert.match(only(writer, 'permission-errors').text, /which gives others only r--/);
    const unknown = begun().exchange('OPEN', { nodeid: 9, uid: 1000, error: 'EACCES' });
    assert.match(
      only(unknown, 'permission-errors').text,
      /OPEN inode 9 EACCES, whose owner and mode are not in the capture/,
    );
  });

  it('puts the same refusals together, the most frequent first', () => {
    const built = file(0o600, 0).exchange('READLINK', { nodeid: 2, error: 'EPERM' });
    for (let i = 0; i < 3; i++) built.exchange('OPEN', { nodeid: 2, error: 'EACCES' });
    assert.match(
      only(built, 'permission-errors').text,
      /^4 refusals: uid 1000 gid 1000: OPEN [^;]*\(3 times\); .*READLINK/,
    );
  });

  it('is silent for other errors and for what succeeds', () => {
    silent(
      file(0o600, 0)
        .exchange('OPEN', { nodeid: 2, error: 'EROFS' })
        .exchange('SETLK', { nodeid: 2, error: 'EACCES' })
        .exchange('OPEN', { nodeid: 2, out: { fh: 1 } }),
    );
  });
});

describe('findings: estale', () => {
  it('by path, each with how often', () => {
    const built = begun().exchange('LOOKUP', { names: ['gone'], out: entryOut({ nodeid: 2 }) });
    for (let i = 0; i < 3; i++) built.exchange('GETATTR', { nodeid: 2, error: 'ESTALE' });
    const finding = only(built, 'estale');
    assert.match(finding.text, /^3 replies with ESTALE: "\/gone" 3 times\.$/);
    assert.deepEqual([...finding.rows], [2, 3, 4]);
  });

  it('is silent for a file that is not there', () => {
    silent(begun().exchange('LOOKUP', { names: ['gone'], error: 'ENOENT' }));
  });
});

describe('findings: descriptors-exhausted', () => {
  it('tells the limit of the daemon from that of the host', () => {
    const built = begun()
      .exchange('LOOKUP', { names: ['a'], error: 'EMFILE' })
      .exchange('OPEN', { nodeid: 2, error: 'ENFILE' });
    const finding = only(built, 'descriptors-exhausted');
    assert.equal(finding.severity, 'error');
    assert.match(finding.text, /^1 reply with EMFILE \(the daemon's limit\), 1 with ENFILE/);
  });

  it('is silent when memory ran out', () => silent(begun().exchange('LOOKUP', { names: ['a'], error: 'ENOMEM' })));
});

describe('findings: no-space', () => {
  it('tells a full file system from a quota', () => {
    const built = begun()
      .exchange('LOOKUP', { names: ['log'], out: entryOut({ nodeid: 2 }) })
      .exchange('WRITE', { nodeid: 2, in: { fh: 1 }, payload: 8, error: 'ENOSPC' })
      .exchange('WRITE', { nodeid: 2, in: { fh: 1, offset: 8 }, payload: 8, error: 'ENOSPC' })
      .exchange('MKDIR', { names: ['new'], error: 'EDQUOT' });
    const finding = only(built, 'no-space');
    assert.equal(finding.severity, 'error');
    assert.match(finding.text, /^2 replies with ENOSPC \(the file system is full\), 1 with EDQUOT \(a quota is\)/);
    assert.match(finding.text, /the first after 40 % of the requests: "\/log" 2 times and "\/new"\.$/);
    assert.deepEqual([...finding.rows], [2, 3, 4]);
  });

  it('is silent for an attribute that its inode has no room for', () => {
    silent(begun().exchange('SETXATTR', { nodeid: 2, in: { size: 1 }, names: ['user.a'], error: 'ENOSPC' }));
  });
});

describe('findings: enosys-repeated', () => {
  const asked = (count: number, built = begun()): CaptureBuilder => {
    for (let i = 0; i < count; i++) built.exchange('BMAP', { nodeid: 2, error: 'ENOSYS' });
    return built;
  };

  it('an opcode that is asked for again and again', () => {
    const finding = only(asked(20), 'enosys-repeated');
    assert.equal(finding.total, 19, 'the first is how the guest learns');
    assert.match(finding.text, /BMAP was answered ENOSYS 19 times more/);
  });

  it('is silent for a few, for one of each opcode, and for the first of each session', () => {
    silent(asked(10));
    silent(asked(1).exchange('FALLOCATE', { nodeid: 2, error: 'ENOSYS' }));
    const built = begun();
    for (let i = 0; i < 30; i++) asked(1, built).init({ flags: usualFlags });
    silent(built);
  });
});

describe('findings: what a fault or a debugger has done', () => {
  const changed = true;

  it('is not the share’s: errors, slowness and what its reply says prove nothing', () => {
    const built = begun();
    for (const error of ['EACCES', 'EPERM', 'ESTALE', 'EMFILE', 'ENFILE', 'EINVAL'] as const) {
      built.exchange('OPEN', { nodeid: 2, in: { flags: 0o40000 }, error, changed });
    }
    for (let i = 0; i < 20; i++) built.exchange('BMAP', { nodeid: 2, error: 'ENOSYS', changed });
    for (let i = 0; i < 2000; i++) built.exchange('LOOKUP', { names: ['no'], error: 'ENOENT', changed });
    for (let i = 0; i < 600; i++) {
      built.exchange('GETXATTR', { nodeid: 2, names: ['user.a'], error: 'ENODATA', changed });
    }
    const late = { latency: 1500e6, held: 1499e6 };
    built.exchange('STATFS', { ...late, changed }).exchange('GETATTR', { nodeid: 2, ...late, out: attrOut({}) });
    silent(built);
  });

  it('leaves what the share itself does to be found', () => {
    const built = begun()
      .exchange('OPEN', { nodeid: 2, error: 'EACCES', changed })
      .exchange('OPEN', { nodeid: 2, error: 'EACCES' });
    assert.equal(only(built, 'permission-errors').total, 1);
  });

  it('tells nothing of an inode', () => {
    const built = begun()
      .exchange('LOOKUP', { names: ['secret'], out: entryOut({ nodeid: 2, mode: 0o100600, uid: 7 }) })
      .exchange('GETATTR', { nodeid: 2, out: attrOut({ mode: 0o100777, uid: 8 }), changed })
      .exchange('OPEN', { nodeid: 2, uid: 1000, error: 'EACCES' });
    assert.match(only(built, 'permission-errors').text, /mode 0600 and owner 7:/);
  });
});
