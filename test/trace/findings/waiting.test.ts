import * as assert from 'node:assert/strict';
import { CaptureBuilder } from '../captureBuilder';
import { attrOut, found, MS, only, SECOND, silent, usualFlags } from './scene';

const US = 1000;
const begun = (): CaptureBuilder => new CaptureBuilder({ queues: 3 }).init({ flags: usualFlags, at: 0 });

interface Look {
  readonly at: number;
  readonly queued?: number;
  readonly latency?: number;
  readonly queue?: number;
  readonly host?: number;
  readonly writing?: number;
  readonly changed?: boolean;
}

const look = (built: CaptureBuilder, request: Look): CaptureBuilder =>
  built.exchange('GETATTR', { nodeid: 2, out: attrOut({}), ...request });

describe('findings: queue-starvation', () => {
  it('requests that wait behind others: the daemon is busy', () => {
    const built = begun();
    // Groups of eight that become visible at once; each takes 1 ms.
    for (let group = 0; group < 10; group++) {
      for (let i = 0; i < 8; i++) {
        look(built, { at: (group * 20 + i + 1) * MS, queued: i * MS, latency: 1 * MS, queue: 1 + (i & 1) });
      }
    }
    const finding = only(built, 'queue-starvation');
    assert.equal(finding.total, 40, 'those that waited for four others or more');
    assert.match(finding.text, /40 requests \(49 %; queue 1: 20 and queue 2: 20\) waited 5\.5 ms on average/);
    assert.match(finding.text, /The longest wait was 7 ms .* For 100 % of them the daemon was busy/);
  });

  it('requests that wait while nothing is served: the daemon is not running', () => {
    const built = begun();
    for (let i = 1; i <= 40; i++) look(built, { at: i * 20 * MS, queued: 8 * MS, latency: 10 * US });
    assert.match(only(built, 'queue-starvation').text, /For 100 % of them nothing was being served/);
  });

  describe('is silent', () => {
    it('when they wait behind one that a debugger holds', () => {
      const built = begun().exchange('STATFS', { at: 1 * MS, latency: 900 * MS, held: 899 * MS, changed: true });
      for (let i = 0; i < 40; i++) look(built, { at: (902 + i) * MS, queued: (800 + i) * MS, latency: 10 * US });
      silent(built);
    });
    it('when it is the held ones themselves', () => {
      const built = begun();
      for (let i = 1; i <= 40; i++) look(built, { at: i * 20 * MS, queued: 8 * MS, latency: 10 * US, changed: true });
      silent(built);
    });
    it('when waits are short', () => {
      const built = begun();
      for (let i = 1; i <= 100; i++) look(built, { at: i * MS, queued: 400 * US, latency: 10 * US });
      silent(built);
    });
    it('when serving takes as long as waiting', () => {
      const built = begun();
      for (let i = 1; i <= 100; i++) look(built, { at: i * 10 * MS, queued: 5 * MS, latency: 4 * MS });
      silent(built);
    });
    it('when it happens rarely', () => {
      const built = begun();
      for (let i = 1; i <= 2000; i++) look(built, { at: i * MS, queued: i % 60 === 0 ? 5 * MS : 0, latency: 10 * US });
      silent(built);
    });
  });
});

describe('findings: slow-requests', () => {
  const many = (latency = 100 * US): CaptureBuilder => {
    const built = begun();
    for (let i = 1; i <= 100; i++) look(built, { at: i * MS, latency });
    return built;
  };

  it('one that takes a multiple of the median, and where the time went', () => {
    const finding = only(look(many(), { at: 200 * MS, latency: 80 * MS, host: 79 * MS }), 'slow-requests');
    assert.deepEqual([...finding.rows], [101]);
    assert.equal(finding.severity, 'info');
    assert.match(
      finding.text,
      /^1 request: GETATTR inode 2 80 ms, usually 1\d\d µs, 79 ms of it in host system calls\.$/,
    );
    assert.match(
      only(look(many(), { at: 200 * MS, latency: 80 * MS }), 'slow-requests').text,
      /80 ms of it in the daemon/,
    );
    const writing = look(many(), { at: 200 * MS, latency: 80 * MS, host: 1 * MS, writing: 70 * MS });
    assert.match(only(writing, 'slow-requests').text, /70 ms of it after the last host system call/);
  });

  it('a second and more is a warning, also for an opcode that is rare', () => {
    const built = many().exchange('STATFS', { at: 200 * MS, latency: 1500 * MS });
    assert.equal(only(built, 'slow-requests').severity, 'warning');
  });

  it('counts more of them than it names', () => {
    const built = many();
    for (let i = 0; i < 30; i++) look(built, { at: (200 + i * 100) * MS, latency: (90 + i) * MS });
    const finding = only(built, 'slow-requests');
    assert.equal(finding.total, 30);
    assert.equal(finding.rows.length, 16);
  });

  describe('is silent', () => {
    it('when all of them take long', () => silent(look(many(20 * MS), { at: 9 * SECOND, latency: 60 * MS })));
    it('when nobody would notice', () => silent(look(many(), { at: 200 * MS, latency: 40 * MS })));
    it('for an fsync, which waits for the disk, and for a lock, which waits for its holder', () => {
      silent(many().exchange('FSYNC', { at: 200 * MS, nodeid: 2, latency: 1500 * MS }));
      silent(many().exchange('SETLKW', { at: 200 * MS, nodeid: 2, latency: 60 * SECOND }));
    });
  });
});

describe('findings: requests-in-flight', () => {
  const hung = (): CaptureBuilder => {
    const built = begun();
    built.request('READ', { at: 1 * SECOND, nodeid: 2, pid: 77, in: { fh: 1, size: 4096 } });
    return built;
  };

  it('a request that was never answered', () => {
    const finding = only(look(hung(), { at: 9 * SECOND }), 'requests-in-flight');
    assert.deepEqual([...finding.rows], [1]);
    assert.equal(finding.severity, 'error');
    assert.match(finding.text, /1 request without a reply: READ inode 2 \(#1, pid 77\) for 8 s\./);
  });

  it('is information where packets were lost, since the reply may be among them', () => {
    const all = look(look(hung(), { at: 2 * SECOND }).lost(1), { at: 9 * SECOND });
    const [lost, finding] = found(all);
    assert.deepEqual([lost.code, finding.code], ['lost-packets', 'requests-in-flight']);
    assert.equal(finding.severity, 'info');
    assert.match(finding.text, /Packets were lost, perhaps the replies/);
  });

  describe('is silent', () => {
    it('when the capture ends soon after', () => silent(look(hung(), { at: 3 * SECOND })));
    it('for what wants no reply, and for waiting for a lock', () => {
      const built = begun().exchange('FORGET', { at: 1 * SECOND, nodeid: 2 });
      built.request('SETLKW', { at: 1 * SECOND, nodeid: 2 });
      silent(look(built, { at: 9 * SECOND }));
    });
    it('for one whose reply a fault has dropped', () => {
      const built = begun();
      built.replyDropped(built.request('READ', { at: 1 * SECOND, nodeid: 2, in: { fh: 1, size: 4096 } }));
      silent(look(built, { at: 9 * SECOND }));
    });
    it('when the guest has started anew since', () => {
      silent(look(hung().init({ flags: usualFlags, at: 2 * SECOND }), { at: 9 * SECOND }));
    });
  });
});

describe('findings: lost-packets', () => {
  it('how many, and where', () => {
    const built = look(look(begun(), { at: 1 * MS }).lost(5), { at: 2 * MS });
    const finding = only(look(built.lost(2), { at: 3 * MS }), 'lost-packets');
    assert.match(finding.text, /^7 packets lost before #2 \(5\) and #3 \(2\)\.$/);
    assert.deepEqual([...finding.rows], [2, 3]);
  });

  it('is silent when the statistics say that none was', () => silent(look(begun().lost(0), { at: 1 * MS })));
});
