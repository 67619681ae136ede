import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningShare } from '../../../src/control/runningShares';
import { CaptureReader } from '../../../src/trace/captureReader';
import { filteredCapture } from '../../../src/trace/export/pcapng';
import { requestLine } from '../../../src/trace/line';
import { Captures } from '../../../src/ui/captures/captures';
import { Follower, type Follows } from '../../../src/ui/captures/follower';
import { LiveCapture, type LiveLimits } from '../../../src/ui/captures/liveCapture';
import { timelineSource } from '../../../src/ui/captures/timelineSource';
import type { CaptureEvent } from '../../../src/ui/captures/openCapture';
import { CaptureBuilder } from '../../trace/captureBuilder';

const limits: LiveLimits = { memory: 16 << 20 };

async function until(happened: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!happened()) {
    if (Date.now() > end) assert.fail('it does not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A share as a daemon has it: a socket that gives a capture. */
class Share {
  readonly folder = mkdtempSync(join(tmpdir(), 'virtiofs-live-'));
  readonly sockets: Socket[] = [];
  private readonly server: Server;
  readonly facts: RunningShare = {
    pid: process.pid,
    tag: 'work',
    directory: '/srv/work',
    started: '2026-11-26T00:00:00.000Z',
    socket: join(this.folder, 'sock'),
    counters: join(this.folder, 'counters'),
  };

  constructor(first: () => Uint8Array) {
    this.server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(first());
    });
    this.server.listen(this.facts.socket);
  }

  async end(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('a live capture', () => {
  let builder: CaptureBuilder;
  let share: Share;
  let capture: LiveCapture;
  let events: CaptureEvent['kind'][];
  let sent: number;

  function open(given = limits): void {
    capture = new LiveCapture(share.facts, given);
    capture.listen(({ kind }) => events.push(kind));
  }

  function more(add: (builder: CaptureBuilder) => unknown): void {
    add(builder);
    const bytes = builder.bytes();
    share.sockets.at(-1)?.write(bytes.subarray(sent));
    sent = bytes.length;
  }

  beforeEach(async () => {
    builder = new CaptureBuilder().init();
    sent = builder.bytes().length;
    share = new Share(() => builder.bytes().subarray(0, sent));
    events = [];
    await until(() => share.sockets.length >= 0);
  });

  afterEach(async () => {
    capture.close();
    await share.end();
  });

  it('connects, and tells growth', async () => {
    open();
    assert.equal(capture.phase, 'connecting');
    await until(() => capture.reader.count === 1);
    assert.equal(capture.phase, 'live');
    more((b) => b.exchange('LOOKUP', { names: ['a'], error: 'ENOENT' }));
    await until(() => capture.reader.count === 2 && events.includes('grown'));
  });

  it('keeps what comes while it is paused, and shows nothing of it', async () => {
    open();
    await until(() => capture.reader.count === 1);
    capture.pause(true);
    more((b) => b.exchange('GETATTR', { nodeid: 1 }));
    await until(() => capture.reader.count === 2);
    assert.equal(capture.to, 1);
    await until(() => events.at(-1) === 'grown');
    events = [];
    capture.pause(false);
    assert.equal(capture.to, 2);
    assert.deepEqual(events, ['state', 'grown']);
  });

  it('paused for the views goes on for a timeline, which has a pause of its own', async () => {
    open();
    await until(() => capture.reader.count === 1 && events.includes('grown'));
    capture.pause(true);
    const source = timelineSource(capture);
    let told = 0;
    const end = source.onChange(() => void told++);
    more((b) => b.exchange('GETATTR', { nodeid: 1 }));
    await until(() => told > 0 && source.capture.count === 2);
    assert.equal(source.state().phase, 'live');
    end();
    const [before] = [told];
    capture.pause(false);
    assert.equal(told, before);
  });

  it('begins to show anew when it is cleared', async () => {
    open();
    await until(() => capture.reader.count === 1);
    capture.clear();
    assert.deepEqual([capture.from, capture.to], [1, 1]);
    assert.ok(events.includes('begun'));
  });

  it('ends with the share, and is taken up again with all that it has', async () => {
    open();
    more((b) => b.exchange('GETATTR', { nodeid: 1 }));
    await until(() => capture.reader.count >= 1 && share.sockets.length === 1);
    // Cut in the middle of a block.
    share.sockets[0].end(builder.bytes().subarray(0, 7));
    await until(() => capture.phase === 'ended');
    assert.match(capture.notes.join(), /the share has ended/);
    const before = capture.reader.count;
    capture.reconnect();
    await until(() => capture.phase === 'live' && capture.reader.count > before);
    assert.equal(capture.reader.fault, undefined);
    assert.equal(capture.reader.request(capture.reader.count - 1)?.kind, 'request');
  });

  it('says why it does not come', async () => {
    capture = new LiveCapture({ ...share.facts, socket: join(share.folder, 'none') }, limits);
    await until(() => capture.phase === 'broken');
    assert.match(capture.notes.join(), /no capture from "work": no such file or directory \(ENOENT\)/);
  });

  it('breaks off what is no capture', async () => {
    sent = 0;
    open();
    await until(() => share.sockets.length === 1);
    share.sockets[0].write('GET / HTTP/1.1\r\n\r\n');
    await until(() => capture.phase === 'broken');
    assert.match(capture.notes.join(), /is not understood: not a capture/);
    await until(() => share.sockets[0].destroyed || share.sockets[0].readableEnded);
  });

  it('is exported as a capture, whole or what is left of it', async function () {
    this.timeout(20_000);
    const lines = (reader: CaptureReader): string[] =>
      Array.from({ length: reader.count }, (_, row) => requestLine(reader, row));
    const exported = (): CaptureReader => {
      const again = new CaptureReader();
      const rows = Uint32Array.from({ length: capture.reader.count }, (_, row) => row);
      for (const piece of filteredCapture(capture.reader, rows, 'test')) again.push(piece);
      again.end();
      assert.equal(again.fault, undefined);
      return again;
    };
    open({ ...limits, rows: 1 });
    await until(() => capture.reader.count === 1);
    more((b) => b.exchange('LOOKUP', { names: ['a'], out: { nodeid: 2, attr: { mode: 0o40755, nlink: 2 } } }));
    await until(() => capture.reader.count === 2);
    assert.deepEqual(lines(exported()), lines(capture.reader));
    more((b) => {
      for (let i = 0; i < 20_000; i++) b.exchange('GETATTR', { nodeid: 2, pid: i });
    });
    await until(() => capture.dropped > 0 && capture.dropped + capture.reader.count === 20_002);
    const again = exported();
    assert.match(lines(again)[0], /INIT/);
    assert.deepEqual(lines(again).slice(1), lines(capture.reader));
    assert.match(lines(again)[1], /GETATTR "\/a"/);
    assert.match(again.notes.join(), new RegExp(`^${capture.dropped} earlier requests were not kept`));
  });

  it('drops the oldest half of its rows when there are too many, and says so', async function () {
    this.timeout(20_000);
    open({ ...limits, rows: 1 });
    await until(() => capture.phase === 'live');
    more((b) => {
      for (let i = 0; i < 20_000; i++) b.exchange('GETATTR', { nodeid: 1, pid: i });
    });
    await until(() => capture.dropped + capture.reader.count === 20_001);
    assert.ok(capture.dropped > 0 && events.includes('dropped'));
    assert.ok(capture.reader.count <= 16_384 + 4096);
    assert.equal(capture.reader.columns.pid[capture.reader.count - 1], 19_999);
    assert.match(capture.notes.join(), /the oldest \d+ requests were dropped/);
  });

  it('begins anew when there are too many names', async () => {
    open({ ...limits, paths: 100 });
    await until(() => capture.phase === 'live');
    more((b) => {
      for (let i = 0; i < 200; i++) b.exchange('LOOKUP', { names: [`n${i}`], error: 'ENOENT' });
      sent = 0;
    });
    // What the share tells whom it gives a capture is its beginning.
    builder = new CaptureBuilder().init();
    sent = builder.bytes().length;
    await until(() => share.sockets.length === 2 && capture.reader.count === 1);
    assert.ok(events.includes('begun'));
    assert.match(capture.notes.join(), /more than 100 names/);
  });

  it('is one for one share, whoever asks', async () => {
    const captures = new Captures(() => limits);
    const seen: string[] = [];
    captures.listen(({ kind }) => seen.push(kind));
    capture = captures.watch(share.facts);
    assert.equal(captures.watch(share.facts), capture);
    assert.deepEqual(seen, ['opened', 'active']);
    assert.equal(captures.active, capture);
    captures.close(capture);
    assert.deepEqual([captures.active, captures.all.length, seen.at(-1)], [undefined, 0, 'active']);
    captures.dispose();
  });
});

describe('who follows a capture', () => {
  class Part implements Follows {
    begun = 0;
    left = 0;
    shown = 0;
    worked = 0;
    begin(): void {
      this.begun++;
    }
    work(over: () => boolean): boolean {
      while (this.left > 0 && !over()) {
        this.left--;
        const until = performance.now() + 1;
        while (performance.now() < until);
        this.worked++;
      }
      return this.left === 0;
    }
    drop(): void {
      this.left = 0;
    }
    show(): void {
      this.shown++;
    }
  }

  it('works only while somebody looks, in slices that let others run', async () => {
    const captures = new Captures(() => limits);
    const part = new Part();
    const follower = new Follower(captures, part, () => 10);
    part.left = 60;
    follower.ask();
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(part.worked, 0);
    follower.look(true);
    const [first] = [part.worked];
    assert.ok(first < 60, 'all at once');
    await until(() => part.worked === 60 && part.shown > 0);
    follower.look(false);
    part.left = 1;
    follower.ask();
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(part.worked, 60);
    await follower.catchUp();
    assert.equal(part.worked, 61);
    follower.dispose();
    captures.dispose();
  });
});
