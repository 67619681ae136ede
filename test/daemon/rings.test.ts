/** The daemon's rings over real shared memory: bursts, restarts, a guest that reboots, every way to negotiate. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { close, eventfd, signal } from '../../src/native/descriptors';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { AttrOut, GetattrIn } from '../../src/protocol/fuse/structs';
import { Request } from '../../src/protocol/vhostUser/requests';
import type { DeviceOptions } from '../driver/attachedDevice';
import { FuseCalls, FuseError } from '../driver/fuseCalls';
import { FuseClient, type Pending } from '../driver/fuseClient';
import { DaemonProcess, ROOT, Session } from './daemonProcess';

describe('daemon rings', () => {
  let home: string;
  let daemon: DaemonProcess;
  let session: Session;

  async function begin(device: DeviceOptions, ...argv: string[]): Promise<void> {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rings-'));
    fs.mkdirSync(path.join(home, 'share'));
    fs.writeFileSync(path.join(home, 'share', 'file'), 'hello');
    const socket = path.join(home, 'socket');
    daemon = new DaemonProcess([`--socket-path=${socket}`, `--shared-dir=${home}/share`, ...argv]);
    session = await Session.begin(socket, device);
  }

  afterEach(async () => {
    await daemon.stop();
    fs.rmSync(home, { recursive: true, force: true });
  });

  async function end(): Promise<void> {
    session.end();
    assert.equal(await daemon.exit(), 0, daemon.log);
  }

  const getattr = (client: FuseClient, queue = 1): Pending =>
    client.start(Opcode.GETATTR, ROOT, [new Uint8Array(GetattrIn.size)], { room: AttrOut.size, queue });

  for (const eventIdx of [true, false]) {
    for (const indirect of [true, false]) {
      it(`${eventIdx ? 'with' : 'without'} EVENT_IDX, ${indirect ? 'with' : 'without'} indirect tables`, async () => {
        await begin({ eventIdx, indirect, memory: indirect ? 'slots' : 'table', acknowledge: eventIdx });
        const { client, calls } = session;
        client.indirect = indirect;
        // One at a time: each needs its kick and its call.
        for (let index = 0; index < 300; index++) calls.getattr(ROOT);
        // Several at a time, so that both sides meet while they work.
        for (let round = 0; round < 50; round++) {
          const pending = Array.from({ length: 1 + (round % 16) }, () => getattr(client));
          for (const one of pending) assert.equal(client.wait(one).error, 0);
        }
        await end();
      });
    }
  }

  for (const queueSize of [8, 64]) {
    it(`a ring of ${queueSize}, over and over through 2^16`, async () => {
      await begin({ queueSize, indirect: true });
      const { client } = session;
      client.indirect = true;
      for (let round = 0; round < 9000; round++) {
        const pending = Array.from({ length: 8 }, () => getattr(client));
        for (const one of pending) assert.equal(client.wait(one).error, 0);
      }
      await end();
    });
  }

  it('a burst that is longer than one turn is served to its end, and the hiprio queue in between', async () => {
    await begin({ queueSize: 4096, regions: [256 << 20] });
    const client = new FuseClient(session.device, 4096, 1000);
    const ring = session.device.ring(1);
    const pending: Pending[] = [];
    const publish = ring.publish.bind(ring);
    // All of them become visible at once.
    ring.publish = () => false;
    for (let index = 0; index < 900; index++) pending.push(getattr(client));
    ring.publish = publish;
    if (ring.publish()) session.device.kick(1);
    session.calls.forget(ROOT, 0);
    for (const one of pending) assert.equal(client.wait(one).error, 0);
    await end();
  });

  it('what was answered before a chain that breaks the queue is told', async () => {
    for (const before of [1, 2, 5, 40]) {
      await begin({});
      const { device, client } = session;
      const ring = device.ring(1);
      const publish = ring.publish.bind(ring);
      ring.publish = () => false;
      const pending = Array.from({ length: before }, () => getattr(client));
      ring.offer(5000); // there is no such descriptor
      ring.publish = publish;
      if (ring.publish()) device.kick(1);
      for (const one of pending) assert.equal(client.wait(one).error, 0);
      await daemon.says(/queue 1 is stopped: the driver gave a head beyond the descriptor table/);
      await end();
      fs.rmSync(home, { recursive: true });
    }
  });

  it('several queues at a time', async () => {
    await begin({ requestQueues: 4, regions: [256 << 20] }, '--queues=4');
    const { client } = session;
    for (let round = 0; round < 100; round++) {
      const pending = [1, 2, 3, 4, 4, 3, 2, 1].map((queue) => getattr(client, queue));
      for (const one of pending) assert.equal(client.wait(one).error, 0);
    }
    await end();
  });

  it('a queue that stops and starts again goes on where it was, with what was not taken yet', async () => {
    await begin({});
    const { device, client, calls } = session;
    const { nodeid } = calls.lookup(ROOT, 'file');
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index <= round; index++) calls.getattr(ROOT);
      const base = device.stopQueue(1);
      device.startQueue(1, base);
      assert.equal(calls.lookup(ROOT, 'file').nodeid, nodeid, 'the session is the same');
    }
    assert.equal(client.wait(getattr(client)).error, 0);
    await end();
  });

  it('requests that came before the kick descriptor are served without a kick', async () => {
    await begin({});
    const { device, client } = session;
    // Until the queue sleeps and only a kick wakes it.
    await new Promise((resolve) => setTimeout(resolve, 50));
    let kicks = 0;
    device.kick = () => kicks++;
    const pending = getattr(client);
    assert.equal(kicks, 1);
    // A new one, on which nobody has ever kicked.
    const fresh = eventfd();
    device.frontEnd.setRingDescriptor(Request.SET_VRING_KICK, 1, fresh);
    assert.equal(client.wait(pending).error, 0);
    device.kick = () => signal(fresh);
    session.calls.getattr(ROOT);
    close(fresh);
    await end();
  });

  for (const reset of ['RESET_DEVICE', 'SET_STATUS'] as const) {
    it(`a guest that reboots (${reset}) mounts anew; its old nodes are stale`, async () => {
      await begin({});
      const { device } = session;
      const { nodeid } = session.calls.lookup(ROOT, 'file');
      const { fh } = session.calls.open(nodeid, 0);
      for (const queue of [0, 1]) device.stopQueue(queue);
      device.frontEnd.tell(Request[reset], new Uint8Array(reset === 'SET_STATUS' ? 8 : 0));
      for (const queue of [0, 1]) device.startQueue(queue, 0);
      const calls = new FuseCalls(new FuseClient(device, 4096, 16));
      calls.init();
      const code = (wanted: string) => (error: unknown) => error instanceof FuseError && error.code === wanted;
      assert.throws(() => calls.getattr(nodeid), code('ESTALE'));
      const found = calls.lookup(ROOT, 'file');
      assert.notEqual(found.nodeid, nodeid);
      assert.throws(() => calls.read(found.nodeid, fh, 0, 5), code('EBADF'));
      assert.equal(found.attributes.size, 5);
      await end();
    });
  }

  it('--poll-us: the same answers, with fewer kicks', async () => {
    await begin({}, '--poll-us=50000');
    for (let index = 0; index < 200; index++) session.calls.getattr(ROOT);
    assert.ok(session.device.kicks < 150, `${session.device.kicks} kicks for 200 requests`);
    await end();
  });
});
