/** The way from the ring to a reader: valid pcapng, decoded lines, a slow reader, a reader that has gone. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { TraceDrain } from '../../src/daemon/traceDrain';
import { RecordKind, TraceReader, TraceWriter, makeTraceRing } from '../../src/daemon/traceRing';
import { copyBytes, pinnedArena } from '../../src/native/memory';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { decodePacket, PACKET_HEADER } from '../../src/trace/packet';
import { LINK_TYPE } from '../../src/trace/pcapng';
import { reply, request } from '../trace/messages';
import { readStrictly } from '../trace/strictPcapng';

const SNAP = 64;
const RING = 8192;
const NOW = 1_700_000_000_000;
const source = pinnedArena(4096);

/** A ring, a drain to `fd`, and what the drain has said. */
class Bench {
  readonly lines: string[] = [];
  readonly failures: string[] = [];
  readonly drain: TraceDrain;
  private readonly address = makeTraceRing(RING);
  private readonly writer = new TraceWriter(this.address, RING);
  readonly reader = new TraceReader(this.address, RING);

  constructor(fd: number | undefined) {
    this.drain = new TraceDrain(this.reader, {
      fd,
      tag: 'work',
      snapLength: SNAP,
      line: (text) => this.lines.push(text),
      failed: (error) => this.failures.push(error.code ?? error.message),
    });
  }

  put(kind: RecordKind, head: number, message: Uint8Array, time = NOW, taken = NOW): boolean {
    const kept = Math.min(SNAP, message.length);
    const at = this.writer.reserve(kept);
    if (at < 0) return false;
    source.u8.set(message);
    copyBytes(this.writer.bytesAddress(at), source.address(0), kept);
    this.writer.commit(at, kind, 1, head, message.length, time, taken);
    return true;
  }

  /** A GETATTR and its reply, `microseconds` later. */
  exchange(head: number, microseconds = 250): void {
    this.put(RecordKind.Request, head, request(Opcode.GETATTR, {}).message);
    this.put(RecordKind.Reply, head, reply(-2, {}).message, NOW + microseconds / 1000, NOW);
  }
}

describe('trace drain', () => {
  let folder: string;
  let file: string;
  let fd = -1;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drain-'));
    file = path.join(folder, 'capture');
    fd = fs.openSync(file, 'w');
  });

  afterEach(() => {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  });

  it('writes valid pcapng: each message with its times, cut at the snap length', async () => {
    const bench = new Bench(fd);
    bench.exchange(7);
    await bench.drain.end();
    const capture = readStrictly(fs.readFileSync(file));
    assert.deepEqual(capture.interfaces, [
      { linkType: LINK_TYPE, snapLength: PACKET_HEADER + SNAP, name: 'virtio-fs work', resolution: 10n ** 9n },
    ]);
    const [asked, answered] = capture.packets;
    assert.equal(asked.time, BigInt(NOW) * 1_000_000n);
    assert.equal(answered.time, BigInt(NOW) * 1_000_000n + 250_000n);
    const whole = request(Opcode.GETATTR, {}).message;
    assert.deepEqual([asked.bytes.length, asked.originalLength], [PACKET_HEADER + SNAP, PACKET_HEADER + whole.length]);
    const packet = decodePacket(asked.time, asked.bytes);
    assert.deepEqual(packet?.message, whole.subarray(0, SNAP));
    assert.deepEqual([packet?.direction, packet?.queue, packet?.head, packet?.length], ['request', 1, 7, whole.length]);
    assert.deepEqual(decodePacket(answered.time, answered.bytes)?.taken, asked.time);
  });

  it('writes by itself, without being asked to end', async () => {
    const bench = new Bench(fd);
    bench.exchange(7);
    for (let waited = 0; waited < 2000 && readStrictly(fs.readFileSync(file)).packets.length < 2; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(readStrictly(fs.readFileSync(file)).packets.length, 2);
    await bench.drain.end();
  });

  it('gives one decoded line for an exchange, with its latency', async () => {
    const bench = new Bench(undefined);
    bench.exchange(7, 250);
    bench.put(RecordKind.Request, 8, request(Opcode.FORGET, {}).message);
    await bench.drain.end();
    assert.equal(bench.lines.length, 2);
    assert.match(bench.lines[0], /^GETATTR nodeid=1.* -> ENOENT 250\.0 µs$/);
    assert.match(bench.lines[1], /^FORGET .*[^s]$/);
  });

  it('writes how many records were dropped', async () => {
    const bench = new Bench(fd);
    let put = 0;
    while (bench.put(RecordKind.Request, put, request(Opcode.GETATTR, {}).message)) put++;
    bench.exchange(1);
    const { dropped } = bench.reader;
    assert.ok(dropped >= 2);
    await bench.drain.end();
    const capture = readStrictly(fs.readFileSync(file));
    assert.deepEqual([capture.packets.length, capture.dropped], [put, [BigInt(dropped)]]);
    assert.deepEqual(bench.lines, [`${dropped} messages are missing here: they came faster than they were read`]);
  });

  it('a reader that has gone is told once; lines go on', async () => {
    const closed = fs.openSync(path.join(folder, 'read-only'), fs.constants.O_CREAT | fs.constants.O_RDONLY);
    const bench = new Bench(closed);
    bench.exchange(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    bench.exchange(2);
    await bench.drain.end();
    fs.closeSync(closed);
    assert.deepEqual(bench.failures, ['EBADF']);
    assert.equal(bench.lines.length, 2);
  });

  describe('into a pipe', () => {
    let reader: ChildProcess;

    const start = (script: string): number => {
      const fifo = path.join(folder, 'fifo');
      execFileSync('mkfifo', [fifo]);
      reader = spawn('sh', ['-c', script, 'sh', fifo, path.join(folder, 'out')], { stdio: 'ignore' });
      return fs.openSync(fifo, 'w');
    };

    const over = (): Promise<unknown> =>
      reader.exitCode === null ? new Promise((resolve) => reader.once('exit', resolve)) : Promise.resolve();

    it('everything arrives, also by a reader that is slow to begin', async () => {
      const pipe = start('exec 3<"$1"; sleep 0.2; cat <&3 >"$2"');
      const bench = new Bench(pipe);
      for (let head = 0; head < 600; head++) {
        bench.exchange(head);
        if (head % 30 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await bench.drain.end();
      fs.closeSync(pipe);
      await over();
      const capture = readStrictly(fs.readFileSync(path.join(folder, 'out')));
      assert.equal(capture.packets.length + Number(capture.dropped.at(-1) ?? 0n), 1200);
    });

    it('the end does not wait for a reader that does not read', async () => {
      const pipe = start('exec 3<"$1"; exec sleep 20');
      const bench = new Bench(pipe);
      for (let round = 0; round < 40; round++) {
        for (let head = 0; head < 30; head++) bench.exchange(head);
        await new Promise((resolve) => setTimeout(resolve, 12));
      }
      assert.ok(bench.reader.dropped > 0, 'the pipe is full and so is the ring');
      const began = Date.now();
      await bench.drain.end(300);
      assert.ok(Date.now() - began < 2000);
      reader.kill();
      await over();
      fs.closeSync(pipe);
    });
  });
});
