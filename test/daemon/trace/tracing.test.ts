/** What the daemon shows of the traffic: decoded lines in its log, and a capture on a descriptor. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ExchangePairing, type TracedExchange } from '../../src/trace/exchanges';
import { PACKET_HEADER, decodePacket } from '../../src/trace/packet';
import { readStrictly } from '../trace/strictPcapng';
import { DaemonProcess, type DaemonOptions, ROOT, Session } from './daemonProcess';

const SNAP = 256;

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
      assert.match(daemon.log, /^debug: INIT major=7 .* -> major=7 .* \d+\.\d µs$/m);
      assert.match(daemon.log, /^debug: LOOKUP nodeid=1 "file" -> .*size=5.* \d+\.\d µs$/m);
      assert.match(daemon.log, /^debug: LOOKUP nodeid=1 "none" -> ENOENT \d+\.\d µs$/m);
      assert.match(daemon.log, /^debug: FORGET .*nlookup=1$/m);
    });
  }

  it('prints nothing of the requests otherwise', async () => {
    await begin([]);
    session.calls.getattr(ROOT);
    await end();
    assert.doesNotMatch(daemon.log, /GETATTR|debug/);
  });

  it('--trace-fd writes every request and reply as pcapng, cut at the snap length', async () => {
    const file = fs.openSync(path.join(home, 'capture'), 'w');
    await begin(['--trace-fd=3', '--tag=work'], { descriptors: [file] });
    fs.closeSync(file);
    const { nodeid } = session.calls.lookup(ROOT, 'file');
    const { fh } = session.calls.open(nodeid, 2);
    session.calls.write(nodeid, fh, 0, Buffer.alloc(100_000, 7));
    for (let index = 0; index < 1000; index++) session.calls.getattr(ROOT);
    session.calls.release(nodeid, fh);
    await end();
    const capture = readStrictly(fs.readFileSync(path.join(home, 'capture')));
    assert.equal(capture.interfaces[0].name, 'virtio-fs work');
    const pairing = new ExchangePairing();
    const exchanges: TracedExchange[] = [];
    for (const { time, bytes, originalLength } of capture.packets) {
      const packet = decodePacket(time, bytes);
      assert.ok(packet);
      assert.equal(packet.message.length, Math.min(SNAP, packet.length));
      assert.equal(originalLength, PACKET_HEADER + packet.length);
      const exchange = pairing.take(packet);
      if (exchange) exchanges.push(exchange);
    }
    const names = exchanges.map((one) => one.request.opcode?.name);
    assert.deepEqual(names.slice(0, 4), ['INIT', 'LOOKUP', 'OPEN', 'WRITE']);
    assert.deepEqual(names.slice(4), [...Array<string>(1000).fill('GETATTR'), 'RELEASE']);
    assert.equal(exchanges[3].requestPacket.length, 40 + 40 + 100_000);
    const now = Date.now();
    for (const { requestPacket, nanoseconds, reply } of exchanges) {
      assert.equal(reply?.error, 0);
      assert.ok(nanoseconds !== undefined && nanoseconds > 0 && nanoseconds < 10e9, `${nanoseconds} ns`);
      assert.ok(Math.abs(now - Number(requestPacket.time / 1_000_000n)) < 60_000, 'it was just now');
    }
  });

  it('a capture that cannot be written is told; the share goes on', async () => {
    await begin(['--trace-fd=99']);
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
