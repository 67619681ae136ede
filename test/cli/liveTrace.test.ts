/** `virtiofs-studio trace` of shares that run. */
import assert from 'node:assert/strict';
import { CaptureBuilder } from '../trace/captureBuilder';
import { Place, sample } from './captures';

describe('trace of a running share', () => {
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });

  afterEach(() => place.remove());

  it('shows requests as they come, found by tag, folder and process', async () => {
    const builder = sample();
    const sockets = await place.share('work', builder.bytes());
    const traces = ['work', place.path('shared-work'), String(process.pid)].map((name) => place.start('trace', name));
    for (const trace of traces) await trace.shows(/READ "\/a\.db"/);
    const before = builder.bytes().length;
    builder.exchange('MKDIR', { names: ['late'], out: { nodeid: 9 } });
    for (const socket of sockets) socket.write(builder.bytes().slice(before));
    for (const trace of traces) await trace.shows(/MKDIR "\/late"/);
    for (const socket of sockets) socket.end();
    for (const trace of traces) assert.equal(await trace.ended, 0);
  });

  it('takes the only share there is when none is named', async () => {
    const sockets = await place.share('work', sample().bytes());
    const trace = place.start('trace');
    await trace.shows(/READ/);
    sockets[0].end();
    assert.equal(await trace.ended, 0);
    assert.match(trace.stderr, /"work"/);
  });

  it('lists the shares when there are several, and says so when there is none', async () => {
    const none = place.run(['trace']);
    assert.deepEqual([none.status, none.stdout], [2, '']);
    assert.match(none.stderr, /no share of this user runs/);
    await place.share('one', sample().bytes());
    await place.share('two', sample().bytes(), 1);
    const { status, stdout } = place.run(['trace']);
    assert.equal(status, 0);
    assert.match(stdout, /"one".*\n.*"two"|"two".*\n.*"one"/);
    assert.match(place.run(['trace', 'three']).stderr, /neither a capture nor a share[^]*"one"/);
  });

  it('ends with Ctrl-C, with statistics when they were asked for, and what is in flight', async () => {
    const builder = sample();
    builder.request('SETLKW', { nodeid: 2, in: { fh: 7 } });
    const sockets = await place.share('work', builder.bytes());
    const [lines, counts] = [place.start('trace', 'work'), place.start('trace', 'work', '--stats')];
    await lines.shows(/READ/);
    while (sockets.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    // The second one shows nothing until it ends. When the socket has taken so much more, it has read the beginning.
    const much = new Uint8Array(builder.bytes().length + (4 << 20));
    const filler = new CaptureBuilder().exchange('STATFS').bytes();
    for (let at = 0; at + filler.length <= much.length; at += filler.length) much.set(filler, at);
    const whole = much.subarray(0, Math.floor(much.length / filler.length) * filler.length);
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(whole, resolve))));
    for (const { child } of [lines, counts]) child.kill('SIGINT');
    assert.deepEqual([await lines.ended, await counts.ended], [0, 0]);
    assert.match(lines.stdout, /SETLKW .*… in flight/);
    assert.match(counts.stdout, /^SETLKW +1 +0/m);
    assert.equal(lines.stderr + counts.stderr, '');
  });

  it('shows a request that takes long before its reply comes', async () => {
    const builder = new CaptureBuilder();
    const slow = builder.request('SETLKW', { in: { fh: 7 } });
    const sockets = await place.share('work', builder.bytes());
    const trace = place.start('trace', 'work');
    await trace.shows(/SETLKW .*… in flight/);
    const before = builder.bytes().length;
    builder.reply(slow, { error: 'EINTR' });
    sockets[0].write(builder.bytes().slice(before));
    await trace.shows(/SETLKW .*-> EINTR/);
    sockets[0].end();
    assert.equal(await trace.ended, 0);
    assert.equal(trace.stdout.match(/SETLKW/g)?.length, 2);
  });

  it('ends after --limit requests, and when nobody reads its output', async () => {
    await place.share('work', sample().bytes());
    const limited = place.start('trace', 'work', '--limit', '2');
    assert.equal(await limited.ended, 0);
    assert.equal(limited.stdout.trim().split('\n').length, 2);
    const closed = place.start('trace', 'work');
    closed.child.stdout?.destroy();
    assert.equal(await closed.ended, 0);
    assert.equal(closed.stderr, '');
  });

  it('says so when the share gives no capture', async () => {
    await place.share('work', Buffer.from('SSH-2.0-OpenSSH_9.2 and more of it'));
    const trace = place.start('trace', 'work');
    assert.equal(await trace.ended, 2);
    assert.match(trace.stderr, /"work" is not a capture/);
  });
});
