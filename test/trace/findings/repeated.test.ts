import * as assert from 'node:assert/strict';
import { growth } from '../../../src/trace/findings/thresholds';
import { CaptureBuilder } from '../captureBuilder';
import { attrOut, entryOut, only, silent, SECOND, usualFlags, without } from './scene';

const begun = (flags: readonly string[] = usualFlags): CaptureBuilder => new CaptureBuilder().init({ flags });

describe('findings: readdir-without-plus', () => {
  interface Listing {
    readonly entries: number;
    readonly pid?: number;
    readonly later?: number;
    readonly nodeid?: number;
    readonly changed?: boolean;
  }
  const listed = (
    built: CaptureBuilder,
    { entries, pid = 100, later = 0, nodeid = 2, changed = false }: Listing,
  ): CaptureBuilder => {
    built
      .exchange('LOOKUP', {
        names: [nodeid === 2 ? 'many' : `many${nodeid}`],
        out: entryOut({ nodeid, mode: 0o40755 }),
      })
      .exchange('READDIR', { nodeid, in: { fh: 1, size: 4096 }, entries: [{ name: 'f0' }] });
    const from = (built.last?.at ?? 0) + later + 20_000;
    for (let i = 0; i < entries; i++) {
      built.exchange('LOOKUP', {
        at: from + i * 20_000,
        nodeid,
        pid,
        names: [`f${i}`],
        out: entryOut({ nodeid: 100 + i }),
        changed,
      });
    }
    return built;
  };

  it('a listing that is followed by a LOOKUP for each entry', () => {
    const finding = only(
      listed(begun(without('DO_READDIRPLUS', 'READDIRPLUS_AUTO')), { entries: 200 }),
      'readdir-without-plus',
    );
    assert.equal(finding.total, 200);
    assert.equal(finding.rows[0], 2, 'the listing comes first');
    assert.match(
      finding.text,
      /^200 LOOKUPs followed 1 listing by the same process, 200 of them in "\/many"; DO_READDIRPLUS/,
    );
  });

  it('also when the capture began after INIT', () => {
    assert.match(
      only(listed(new CaptureBuilder(), { entries: 200 }), 'readdir-without-plus').text,
      /no READDIRPLUS is in/,
    );
  });

  describe('is silent', () => {
    const plain = (): CaptureBuilder => begun(without('DO_READDIRPLUS', 'READDIRPLUS_AUTO'));
    it('when READDIRPLUS was agreed on: the guest chose', () => silent(listed(begun(), { entries: 200 })));
    it('when a fault answers the lookups', () => silent(listed(plain(), { entries: 200, changed: true })));
    it('when another process looks names up', () => silent(listed(plain(), { entries: 200, pid: 200 })));
    it('when it is long after', () => silent(listed(plain(), { entries: 200, later: 5 * SECOND })));
    it('when entries are few, also of many folders', () => {
      const built = plain();
      for (let i = 0; i < 10; i++) listed(built, { entries: 12, nodeid: 2 + i });
      silent(built);
    });
    it('when it is one folder of a middling size', () => silent(listed(plain(), { entries: 50 })));
    it('when READDIRPLUS is seen, though INIT is not', () => {
      const built = new CaptureBuilder().exchange('READDIRPLUS', { nodeid: 1, in: { fh: 1, size: 4096 } });
      silent(listed(built, { entries: 200 }));
    });
  });
});

describe('findings: descriptor-growth', () => {
  const opened = (
    built: CaptureBuilder,
    count: number,
    closed: (i: number) => boolean,
    changed = false,
  ): CaptureBuilder => {
    built.exchange('LOOKUP', { names: ['logs'], out: entryOut({ nodeid: 2, mode: 0o40755 }) });
    for (let i = 0; i < count; i++) {
      const nodeid = 100 + (i % 10);
      built.exchange('LOOKUP', { nodeid: 2, names: [`log${i % 10}`], out: entryOut({ nodeid }) });
      built.exchange('OPEN', { nodeid, out: { fh: i + 1 }, changed });
      if (closed(i)) built.exchange('RELEASE', { nodeid, in: { fh: i + 1 } });
    }
    return built;
  };

  it('files that are opened and not closed', () => {
    const finding = only(
      opened(begun(), 800, (i) => i % 5 === 0),
      'descriptor-growth',
    );
    assert.equal(finding.total, 640);
    assert.match(finding.text, /^The guest holds 640 open files at the end and gave 20 % of 800 back \(RELEASE\)/);
    assert.match(finding.text, /By eighths of the capture: [\d, ]+, 640\. Folders with most of them: "\/logs" 640\./);
  });

  const listed = (afterEach?: (built: CaptureBuilder, nodeids: readonly number[]) => void): CaptureBuilder => {
    const built = begun().exchange('LOOKUP', { names: ['tree'], out: entryOut({ nodeid: 2, mode: 0o40755 }) });
    const each = 500;
    for (let i = 0; i < growth.nodes; i += each) {
      const nodeids = Array.from({ length: each }, (_, k) => 100 + i + k);
      const entries = nodeids.map((nodeid) => ({ name: `f${nodeid - 100}`, out: entryOut({ nodeid }) }));
      built.exchange('READDIRPLUS', { nodeid: 2, in: { fh: 1, size: 1 << 20 }, entries });
      afterEach?.(built, nodeids);
    }
    return built;
  };

  it('inodes that are looked up and not given back', () => {
    const finding = only(listed(), 'descriptor-growth');
    assert.match(finding.text, /^The guest holds 100001 inodes at the end and gave 0 % of 100001 back \(FORGET\)/);
    assert.match(finding.text, /Folders with most of them: "\/tree" 100000 and "\/" 1\./);
  });

  describe('is silent', () => {
    it('when files are closed', () => silent(opened(begun(), 800, () => true)));
    it('when inodes are given back, many at a time', () =>
      silent(
        listed((built, nodeids) => {
          const forgets = nodeids.map((nodeid) => ({ nodeid, nlookup: 1 }));
          built.request('BATCH_FORGET', { in: { count: forgets.length }, forgets });
        }),
      ));
    it('when most are closed', () => silent(opened(begun(), 2000, (i) => i % 5 > 1)));
    it('when a debugger has written the handles', () => silent(opened(begun(), 800, () => false, true)));
    it('when few stay open', () => silent(opened(begun(), 800, (i) => i % 2 === 0)));
    it('when many are held, but no longer more (a server that has opened its files)', () => {
      const built = opened(begun(), 800, () => false);
      for (let i = 0; i < 4000; i++) built.exchange('GETATTR', { nodeid: 2, out: attrOut({}) });
      for (let i = 801; i < 900; i++) built.exchange('RELEASE', { nodeid: 2, in: { fh: i } });
      silent(built);
    });
    it('when the guest starts anew', () => silent(opened(begun(), 800, () => false).init({ flags: usualFlags })));
  });
});

describe('findings: xattr-storm', () => {
  const asked = (built: CaptureBuilder, name: string, count: number, nodeid: (i: number) => number): CaptureBuilder => {
    for (let i = 0; i < count; i++) {
      const node = nodeid(i);
      built.exchange('WRITE', { nodeid: node, in: { fh: 1, offset: i * 9000 }, payload: 8, out: { size: 8 } });
      built.exchange('GETXATTR', { nodeid: node, in: { size: 24 }, names: [name], error: 'ENODATA' });
    }
    return built;
  };

  it('security.capability before every write, without HANDLE_KILLPRIV_V2', () => {
    const finding = only(
      asked(begun(without('HANDLE_KILLPRIV_V2')), 'security.capability', 400, () => 2),
      'xattr-storm',
    );
    assert.equal(finding.total, 398);
    assert.match(
      finding.text,
      /398 repeated GETXATTRs of "security\.capability" for 1 inode.* 398 came between the 400 WRITEs .* HANDLE_KILLPRIV_V2 was not agreed on/,
    );
    assert.match(finding.remedy, /--killpriv-v2/);
  });

  it('any other name, and each name for itself', () => {
    const finding = only(
      asked(begun(), 'system.posix_acl_access', 400, (i) => 2 + (i & 1)),
      'xattr-storm',
    );
    assert.match(finding.text, /396 repeated .* for 2 inodes/);
    assert.doesNotMatch(finding.text, /KILLPRIV/);
  });

  describe('is silent', () => {
    it('when each file is asked for once or twice (ls -l)', () => {
      silent(asked(begun(), 'security.selinux', 800, (i) => 2 + (i >> 1)));
    });
    it('when they are few', () => silent(asked(begun(), 'security.capability', 200, () => 2)));
    it('when the attribute is there', () => {
      const built = begun();
      for (let i = 0; i < 400; i++) {
        built.exchange('GETXATTR', { nodeid: 2, in: { size: 24 }, names: ['user.a'], outPayload: 'x' });
      }
      silent(built);
    });
  });
});

describe('findings: negative-lookups', () => {
  const missed = (built: CaptureBuilder, names: number, count: number): CaptureBuilder => {
    for (let i = 0; i < count; i++) built.exchange('LOOKUP', { names: [`lib${i % names}.so`], error: 'ENOENT' });
    return built;
  };

  it('the same names that are not there, again and again', () => {
    const finding = only(missed(begun(), 20, 2000), 'negative-lookups');
    assert.equal(finding.total, 1920, 'four of each are free');
    assert.match(
      finding.text,
      /1920 LOOKUPs of 20 names that are not there.* are 96 % of all requests: "\/lib0\.so" 100 times, /,
    );
    assert.match(finding.text, /and 15 more\.$/);
  });

  describe('is silent', () => {
    it('when each name is missed a few times (a configure script)', () => silent(missed(begun(), 500, 2000)));
    it('when they are few', () => silent(missed(begun(), 5, 900)));
    it('when most requests are others', () => {
      const built = missed(begun(), 20, 1200);
      for (let i = 0; i < 5000; i++) built.exchange('GETATTR', { nodeid: 1, out: attrOut({ nodeid: 1 }) });
      silent(built);
    });
    it('when the guest may remember that a name is not there (nodeid 0)', () => {
      const built = begun();
      for (let i = 0; i < 2000; i++) built.exchange('LOOKUP', { names: ['a'], out: { nodeid: 0, entry_valid: 1 } });
      silent(built);
    });
  });
});
