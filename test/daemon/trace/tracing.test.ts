/** What the daemon shows of the traffic: lines in its log, captures in files, on descriptors and for who connects. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { runningShares } from '../../../src/control/runningShares';
import { Opcode, opcodeByNumber } from '../../../src/protocol/fuse/opcodes';
import { AttrOut, GetattrIn } from '../../../src/protocol/fuse/structs';
import { hostCalls } from '../../../src/protocol/hostCalls';
import { RowFlag } from '../../../src/trace/capture';
import { CaptureReader } from '../../../src/trace/captureReader';
import { readStrictly } from '../../trace/strictPcapng';
import { DaemonProcess, type DaemonOptions, ROOT, Session } from '../daemonProcess';

const SNAP = 256;

const MIB = 1 << 20;

describe('daemon tracing', () => {
  let home: string;
  let daemon: DaemonProcess;
  let session: Session;

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'tracing-'));
    fs.mkdirSync(path.join(home, 'share'));
    fs.writeFileSync(path.join(home, 'share', 'file'), 'hello');
  });

  afterEach(async () => {
    await daemon.stop();
    fs.rmSync(home, { recursive: true });
  });

  async function begin(argv: readonly string[], options?: DaemonOptions): Promise<void> {
    const socket = path.join(home, 'socket');
    daemon = new DaemonProcess([`--socket-path=${socket}`, `--shared-dir=${home}/share`, ...argv], options);
    session = await Session.begin(socket);
  }

  async function end(): Promise<void> {
    session.end();
    assert.equal(await daemon.exit(), 0, daemon.log);
  }

  for (const option of ['-d', '--log-level=debug']) {
    it(`${option} prints each request with its reply and its latency`, async () => {
      await begin([option]);
      const { nodeid } = session.calls.lookup(ROOT, 'file');
      assert.throws(() => session.calls.lookup(ROOT, 'none'), /ENOENT/);
      session.calls.forget(nodeid);
      session.calls.getattr(ROOT);
      await end();
      assert.match(daemon.log, /^debug: INIT major=7 .* -> major=7 .* [\d.]+ [nµm]?s$/m);
      assert.match(daemon.log, /^debug: LOOKUP nodeid=1 "file" -> .*size=5.* [\d.]+ [nµm]?s$/m);
      assert.match(daemon.log, /^debug: LOOKUP nodeid=1 "none" -> ENOENT [\d.]+ [nµm]?s$/m);
      assert.match(daemon.log, /^debug: FORGET .*nlookup=1$/m);
    });
  }

  it('prints nothing of the requests otherwise', async () => {
    await begin([]);
    session.calls.getattr(ROOT);
    await end();
    assert.doesNotMatch(daemon.log, /GETATTR|debug/);
  });

  /** Everything that is in a capture. */
  function read(file: string): CaptureReader {
    const bytes = fs.readFileSync(file);
    readStrictly(bytes);
    const capture = new CaptureReader();
    capture.push(bytes);
    capture.end();
    return capture;
  }

  const names = (capture: CaptureReader): string[] =>
    Array.from({ length: capture.count }, (_, row) => opcodeByNumber(capture.columns.opcode[row])?.name ?? '?');
  const paths = (capture: CaptureReader): string[] =>
    Array.from({ length: capture.count }, (_, row) => capture.path(capture.columns.path[row]));

  it('has the last reply before a chain that breaks the queue', async () => {
    const file = path.join(home, 'capture');
    await begin([`--capture=${file}`]);
    const { client, device } = session;
    const ring = device.ring(1);
    const publish = ring.publish.bind(ring);
    // Both become visible at once.
    ring.publish = () => false;
    const last = client.start(Opcode.GETATTR, ROOT, [new Uint8Array(GetattrIn.size)], {
      room: AttrOut.size,
    });
    ring.offer(5000); // there is no such descriptor
    ring.publish = publish;
    if (ring.publish()) device.kick(1);
    assert.equal(client.wait(last).error, 0);
    await daemon.says(/queue 1 is stopped/);
    await end();
    const capture = read(file);
    assert.deepEqual(names(capture), ['INIT', 'GETATTR']);
    assert.ok((capture.columns.flags[1] & RowFlag.REPLIED) !== 0);
  });

  for (const how of ['--trace-fd=3', '--capture']) {
    it(`${how} has every request and reply, with paths, data cut at the snap length`, async () => {
      const file = path.join(home, 'capture');
      const fd = fs.openSync(file, 'w');
      await begin([how === '--capture' ? `--capture=${file}` : how, '--tag=work'], { descriptors: [fd] });
      fs.closeSync(fd);
      const { nodeid } = session.calls.lookup(ROOT, 'file');
      const { fh } = session.calls.open(nodeid, 2);
      session.calls.write(nodeid, fh, 0, Buffer.alloc(100_000, 7));
      assert.equal(session.calls.read(nodeid, fh, 0, 50_000).length, 50_000);
      for (let index = 0; index < 1000; index++) session.calls.getattr(ROOT);
      session.calls.release(nodeid, fh);
      session.calls.forget(nodeid);
      await end();
      const capture = read(file);
      assert.deepEqual(capture.notes, []);
      assert.equal(capture.share.tag, 'work');
      assert.deepEqual(names(capture).slice(0, 5), ['INIT', 'LOOKUP', 'OPEN', 'WRITE', 'READ']);
      assert.deepEqual(names(capture).slice(5), [...Array<string>(1000).fill('GETATTR'), 'RELEASE', 'FORGET']);
      assert.deepEqual(paths(capture).slice(1, 6), ['/file', '/file', '/file', '/file', '/']);
      const { columns } = capture;
      assert.deepEqual([columns.requestLength[3], capture.requestBytes(3).length], [40 + 40 + 100_000, 40 + 40 + SNAP]);
      assert.deepEqual([columns.replyLength[4], capture.replyBytes(4).length], [16 + 50_000, 16 + SNAP]);
      assert.deepEqual([columns.flags[3] & RowFlag.REQUEST_CUT, columns.flags[4] & RowFlag.REPLY_CUT], [4, 8]);
      assert.deepEqual([...capture.replyBytes(4).subarray(16)], Array<number>(SNAP).fill(7));
      assert.equal(columns.payload[3], 100_000);
      const now = Date.now();
      for (let row = 0; row < capture.count - 1; row++) {
        const { latency, host, writing, calls, error } = columns;
        assert.equal(error[row], 0);
        assert.ok(latency[row] > 0 && latency[row] < 10e9, `${latency[row]} ns`);
        assert.ok(host[row] + writing[row] <= latency[row], 'the phases are parts of it');
        if (names(capture)[row] !== 'INIT') assert.ok(calls[row] >= 1 && host[row] > 0, 'each asked the host');
      }
      assert.ok(Math.abs(now - Number(capture.origin / 1_000_000n)) < 60_000, 'it was just now');
      assert.ok(capture.control.length > 5 && capture.control[0].fromFrontEnd, 'the handshake is there');
    });
  }

  it('a listing is whole, whatever the snap length: its names are what paths come from', async () => {
    for (let index = 0; index < 300; index++) fs.writeFileSync(path.join(home, 'share', `entry-${index}`), '');
    const file = path.join(home, 'capture');
    await begin([`--capture=${file}`, '--snaplen=0']);
    const { fh } = session.calls.opendir(ROOT);
    const entries = session.calls.readdirplus(ROOT, fh, 0n, 64 * 1024);
    const one = entries.find((entry) => entry.name === 'entry-299');
    assert.ok(one?.entry);
    session.calls.getattr(one.entry.nodeid);
    await end();
    assert.equal(paths(read(file)).at(-1), '/entry-299');
  });

  it('--trace-syscalls shows each host call under its request: arguments, result, duration', async () => {
    const file = path.join(home, 'capture');
    await begin([`--capture=${file}`, '--trace-syscalls']);
    assert.throws(() => session.calls.lookup(ROOT, 'none'), /ENOENT/);
    const { nodeid } = session.calls.lookup(ROOT, 'file');
    const { fh } = session.calls.open(nodeid, 2);
    session.calls.fsync(nodeid, fh, false);
    await end();
    const capture = read(file);
    const calls = (row: number): string[] =>
      capture.hostCalls(row).map((call) => `${hostCalls[call.call].name}(${call.texts.join()}) = ${call.result}`);
    const row = (name: string): number => names(capture).indexOf(name);
    assert.deepEqual(calls(row('LOOKUP')), ['statx(none) = -2']);
    const [opened] = capture.hostCalls(row('OPEN')).slice(-1);
    assert.equal(hostCalls[opened.call].name, 'openat');
    assert.ok(opened.result >= 0 && opened.duration > 0);
    const [synced] = capture.hostCalls(row('FSYNC'));
    assert.deepEqual([hostCalls[synced.call].name, synced.otherThread, synced.result], ['fsync', true, 0]);
    const { flags, host, latency } = capture.columns;
    assert.ok((flags[row('FSYNC')] & RowFlag.LATER) !== 0);
    assert.ok(host[row('FSYNC')] > 0 && host[row('FSYNC')] <= latency[row('FSYNC')]);
    for (let at = 0; at < capture.count; at++) {
      assert.equal(capture.hostCalls(at).length, capture.columns.calls[at], names(capture)[at]);
    }
  });

  it('with --capture-limit both halves can be read alone and together, with names from before', async () => {
    const file = path.join(home, 'capture');
    fs.mkdirSync(path.join(home, 'share/folder'));
    fs.writeFileSync(path.join(home, 'share/folder/deep'), 'x');
    await begin([`--capture=${file}`, '--capture-limit=8M', '--snaplen=64K']);
    const folder = session.calls.lookup(ROOT, 'folder').nodeid;
    const deep = session.calls.lookup(folder, 'deep').nodeid;
    const known = session.calls.lookup(ROOT, 'file').nodeid;
    const { fh } = session.calls.open(deep, 2);
    let count = 0;
    const ask = async (): Promise<void> => {
      session.calls.write(deep, fh, 0, Buffer.alloc(65_000, count));
      session.calls.getattr(known);
      if (count++ % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
    };
    while (count < 200) await ask();
    // The newer half may just have begun; it is to have some of them too, and not to be full.
    // Between two halves there is none of that name for a moment.
    const size = (): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    while (size() < MIB || size() > 3 * MIB) await ask();
    await end();
    const [older, newer] = [read(`${file}.old`), read(file)];
    for (const half of [older, newer]) {
      const seen = paths(half).filter((_, row) => ['WRITE', 'GETATTR'].includes(names(half)[row]));
      assert.deepEqual([...new Set(seen)].sort(), ['/file', '/folder/deep']);
      assert.ok(half.control.length > 5);
    }
    const both = new CaptureReader();
    for (const half of [`${file}.old`, file]) both.push(fs.readFileSync(half));
    both.end();
    assert.deepEqual(both.notes, []);
    const fills = Array.from({ length: both.count }, (_, row) => row)
      .filter((row) => names(both)[row] === 'WRITE')
      .map((row) => both.requestBytes(row)[80]);
    assert.deepEqual(
      fills,
      Array.from({ length: fills.length }, (_, at) => (count - fills.length + at) & 0xff),
      'no gap',
    );
  });

  describe('for whoever connects while the share runs', () => {
    let runtime: string | undefined;
    beforeEach(() => {
      runtime = process.env['XDG_RUNTIME_DIR'];
      process.env['XDG_RUNTIME_DIR'] = home;
    });
    afterEach(() => {
      if (runtime === undefined) delete process.env['XDG_RUNTIME_DIR'];
      else process.env['XDG_RUNTIME_DIR'] = runtime;
    });

    async function watch(): Promise<{
      capture: CaptureReader;
      until(done: () => boolean): Promise<void>;
      leave(): void;
    }> {
      const [share] = runningShares();
      const socket = net.connect(share.socket);
      const capture = new CaptureReader();
      socket.on('data', (chunk) => capture.push(chunk));
      await once(socket, 'data');
      const until = async (done: () => boolean): Promise<void> => {
        for (let waited = 0; !done(); waited += 5) {
          assert.ok(waited < 5000, names(capture).join());
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      return { capture, until, leave: () => socket.destroy() };
    }

    it('a capture that begins at work knows the session and the names that the guest knows', async () => {
      fs.mkdirSync(path.join(home, 'share/folder'));
      fs.writeFileSync(path.join(home, 'share/folder/deep'), 'x');
      await begin(['--name=work']);
      const folder = session.calls.lookup(ROOT, 'folder').nodeid;
      const deep = session.calls.lookup(folder, 'deep').nodeid;
      const { fh } = session.calls.open(deep, 0);
      const { capture, until, leave } = await watch();
      assert.deepEqual(
        runningShares().map((share) => [share.tag, share.directory]),
        [['work', `${home}/share`]],
      );
      session.calls.read(deep, fh, 0, 10);
      session.calls.getattr(folder);
      await until(() => names(capture).at(-1) === 'GETATTR');
      assert.deepEqual(names(capture), ['INIT', 'READ', 'GETATTR']);
      assert.deepEqual(paths(capture), ['', '/folder/deep', '/folder']);
      assert.equal(capture.session(1)?.minor, session.calls.minor);
      assert.ok(capture.control.length > 5);
      leave();
      session.calls.getattr(ROOT);
      const again = await watch();
      session.calls.read(deep, fh, 0, 10);
      await again.until(() => names(again.capture).at(-1) === 'READ');
      assert.deepEqual(names(again.capture), ['INIT', 'READ'], 'what nobody watched is nowhere');
      again.leave();
      await end();
      assert.deepEqual(fs.readdirSync(path.join(home, 'virtiofs-studio')), [], 'nothing stays behind');
    });

    it('a watcher that does not read makes nobody wait, and is told what it missed', async () => {
      await begin(['--snaplen=255K']);
      const { nodeid } = session.calls.lookup(ROOT, 'file');
      const { fh } = session.calls.open(nodeid, 2);
      const [share] = runningShares();
      const lazy = net.connect(share.socket);
      await once(lazy, 'readable');
      for (let index = 0; index < 1000; index++) session.calls.write(nodeid, fh, 0, Buffer.alloc(100_000));
      const capture = new CaptureReader();
      lazy.on('data', (chunk: Buffer) => capture.push(chunk));
      lazy.resume();
      let sent = 1000;
      // Until it has caught up: what it missed stands in the capture before what comes after that.
      do {
        session.calls.getattr(ROOT);
        sent++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } while (names(capture).at(-1) !== 'GETATTR');
      session.end();
      await once(lazy, 'end');
      assert.equal(await daemon.exit(), 0);
      const lost = capture.gaps.reduce((sum, gap) => sum + gap.packets, 0);
      const { flags } = capture.columns;
      let seen = 0;
      for (let row = 0; row < capture.count; row++) {
        if (names(capture)[row] === 'INIT') continue;
        const request = (flags[row] & RowFlag.ORPHAN) === 0 ? 1 : 0;
        seen += request + ((flags[row] & RowFlag.REPLIED) !== 0 ? 1 : 0);
      }
      assert.ok(lost > 0);
      assert.equal(seen + lost, 2 * sent, `${lost} lost, ${seen} seen`);
    });

    it('a share without tag and name is found by the name of its folder', async () => {
      await begin([]);
      assert.deepEqual(
        runningShares().map((share) => [share.tag, share.directory]),
        [['share', `${home}/share`]],
      );
      await end();
    });

    it('--no-live-trace makes no socket', async () => {
      await begin(['--no-live-trace']);
      assert.deepEqual(runningShares(), []);
      await end();
    });
  });

  it('a capture that cannot be written is told; the share goes on', async () => {
    const fifo = path.join(home, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const writer = fs.openSync(fifo, 'w');
    fs.closeSync(reader);
    await begin(['--trace-fd=3'], { descriptors: [writer] });
    fs.closeSync(writer);
    await daemon.says(/^warn: the capture is not written any more/m);
    session.calls.getattr(ROOT);
    await end();
  });

  it('when nobody reads the log any more the share goes on', async () => {
    await begin(['-d']);
    daemon.closeLog();
    for (let index = 0; index < 300; index++) session.calls.getattr(ROOT);
    await new Promise((resolve) => setTimeout(resolve, 100));
    session.calls.getattr(ROOT);
    await end();
  });
});
