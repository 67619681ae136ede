/**
 * The vhost-user socket in this process: messages in pieces, descriptors, silence, and front-ends that go or talk
 * nonsense.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CONNECTION_AREA, Connection } from '../../src/daemon/connection';
import { accept, close, connectUnix, eventfd, listenUnix } from '../../src/native/descriptors';
import { pinnedArena } from '../../src/native/memory';
import { Request } from '../../src/protocol/vhostUser/requests';
import { BackEnd } from '../../src/vhostUser/backEnd';
import type { Device } from '../../src/vhostUser/device';
import { FrontEnd, words } from '../driver/frontEnd';
import { sendBytes } from '../driver/host';

/** A device for conversations that never get to memory and rings. */
const device = (warnings: string[]): Device => ({
  addRegion: () => 'no memory here',
  removeRegion: () => undefined,
  startRing: () => 'no rings here',
  stopRing: () => 0,
  callChanged: () => undefined,
  closeDescriptor: close,
  warn: (text) => warnings.push(text),
});

const openNow = (): number => fs.readdirSync('/proc/self/fd').length;

describe('connection', () => {
  const arena = pinnedArena(64 + CONNECTION_AREA);
  let warnings: string[];
  let backEnd: BackEnd;
  let connection: Connection;
  let frontEnd: FrontEnd;
  let before: number;
  let gone: boolean;

  beforeEach(() => {
    before = openNow();
    gone = false;
    warnings = [];
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'connection-'));
    const listening = listenUnix(path.join(folder, 'socket'));
    frontEnd = new FrontEnd(connectUnix(path.join(folder, 'socket')));
    frontEnd.patience = 0;
    backEnd = new BackEnd(device(warnings), { tag: 'work', requestQueues: 1 });
    connection = new Connection(accept(listening), arena, 64, backEnd, (text) => warnings.push(text));
    close(listening);
    fs.rmSync(folder, { recursive: true });
  });

  afterEach(() => {
    if (!gone) frontEnd.close();
    backEnd.close();
    connection.close();
    assert.equal(openNow(), before, 'every descriptor is closed');
  });

  const leave = (): void => {
    frontEnd.close();
    gone = true;
  };

  it('answers what has come, and waits for more', () => {
    assert.equal(connection.readable(), 'open');
    frontEnd.send(Request.GET_QUEUE_NUM, new Uint8Array(0));
    frontEnd.send(Request.GET_STATUS, new Uint8Array(0));
    assert.equal(connection.readable(), 'open');
    assert.deepEqual(frontEnd.receive()?.payload, words(2));
    assert.equal(frontEnd.receive()?.request, Request.GET_STATUS);
    assert.equal(frontEnd.receive(), undefined);
  });

  it('a message may come byte by byte, with its descriptor at any of them', () => {
    const message = Buffer.concat([new Uint8Array(new Uint32Array([Request.SET_VRING_CALL, 1, 8]).buffer), words(1)]);
    const call = eventfd();
    message.forEach((byte, index) => {
      sendBytes(frontEnd.socket, Uint8Array.of(byte), index === 5 ? [call] : []);
      assert.equal(connection.readable(), 'open');
    });
    close(call);
    assert.ok(backEnd.rings.all[1].call >= 0);
    assert.ok(fs.readlinkSync(`/proc/self/fd/${backEnd.rings.all[1].call}`).includes('eventfd'));
  });

  it('each message keeps its own descriptors, though many have come at once', () => {
    const calls = [eventfd(), eventfd()];
    calls.forEach((call, index) => frontEnd.send(Request.SET_VRING_CALL, words(index), [call]));
    frontEnd.send(Request.SET_OWNER, new Uint8Array(0));
    calls.forEach(close);
    assert.equal(connection.readable(), 'open');
    assert.ok(backEnd.rings.all[0].call >= 0 && backEnd.rings.all[1].call >= 0);
    assert.notEqual(backEnd.rings.all[0].call, backEnd.rings.all[1].call);
    assert.deepEqual(warnings, []);
  });

  it('knows whether anything was said at all', () => {
    assert.equal(connection.silent, true);
    frontEnd.send(Request.SET_OWNER, new Uint8Array(0));
    connection.readable();
    leave();
    assert.equal(connection.readable(), 'closed');
    assert.equal(connection.silent, false);
  });

  it('who goes without a word was silent', () => {
    leave();
    assert.equal(connection.readable(), 'closed');
    assert.equal(connection.silent, true);
    assert.deepEqual(warnings, []);
  });

  it('the end in the middle of a message closes what came with it', () => {
    const call = eventfd();
    frontEnd.sendRaw([Request.SET_VRING_CALL, 1, 8], new Uint8Array(0), [call]);
    close(call);
    assert.equal(connection.readable(), 'open');
    leave();
    assert.equal(connection.readable(), 'closed');
  });

  it('nonsense ends the conversation, with the reason', () => {
    frontEnd.sendRaw([Request.GET_FEATURES, 1, 0x7fff_ffff], new Uint8Array(0), [frontEnd.socket]);
    assert.equal(connection.readable(), 'closed');
    assert.match(warnings[0], /cut off: a vhost-user message of 2147483647 bytes/);
  });

  it('a front-end that has gone cannot be answered', () => {
    frontEnd.send(Request.GET_FEATURES, new Uint8Array(0));
    leave();
    assert.equal(connection.readable(), 'closed');
    assert.match(warnings[0], /a reply could not be sent: errno 32/);
  });
});
