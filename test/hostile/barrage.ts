/** Sends requests of any bytes by a queue of its own, many at a time, and takes them back whatever becomes of them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { InHeader } from '../../src/protocol/fuse/structs';
import type { DeviceOptions } from '../driver/attachedDevice';
import type { Victim } from './cell';
import type { Known } from './goodRequests';
import { sleep } from './patience';

/** The queue of the barrage; 1 is that of everybody else. */
export const QUEUE = 2;
export const MEMORY = 32 << 20;
export const DAEMON_ARGUMENTS: readonly string[] = ['--queues', '2', '--rlimit-nofile', '1000'];
export const DEVICE: DeviceOptions = { regions: [MEMORY], requestQueues: 2, queueSize: 256 };

const IN_HEADER = InHeader.size;
/** Requests in flight at a time. */
const BATCH = 16;
const ROOM = 4096;
const SLOT = 16384;
const FIRST = MEMORY - BATCH * SLOT;
/** Requests between two looks at the daemon's health. */
const ROUND = 256;

const isSetlkw = (request: Uint8Array): boolean =>
  new DataView(request.buffer, request.byteOffset).getUint32(InHeader.offset.opcode, true) === Opcode.SETLKW;

export class Barrage {
  /** Requests that were done: replies without an error. */
  succeeded = 0;

  /** `begin` makes sure of the daemon's health and begins a new session, whose numbers requests are then made of. */
  constructor(
    private readonly victim: Victim,
    private readonly begin: () => Known,
  ) {}

  /** The same requests for the same seed, as far as the numbers of the session are the same. */
  async run(what: (known: Known) => fc.Arbitrary<Uint8Array>, seed: number, rounds: number): Promise<void> {
    this.succeeded = 0;
    for (let round = 0; round < rounds; round++) {
      const requests = fc.sample(what(this.begin()), { seed: seed + round, numRuns: ROUND });
      for (let at = 0; at < ROUND; at += BATCH) {
        await this.send(requests.slice(at, at + BATCH));
        const where = `seed ${seed + round}, requests ${at} to ${at + BATCH}`;
        assert.ok(this.victim.daemon.running(), `${where}: ${this.victim.daemon.log().slice(-2000)}`);
      }
    }
    this.begin();
  }

  private async send(requests: readonly Uint8Array[]): Promise<void> {
    const { device } = this.victim;
    const ring = device.ring(QUEUE);
    const { arena } = device.memory[0];
    let at = FIRST;
    const inProgress = new Map<number, Uint8Array>();
    for (const bytes of requests) {
      arena.u8.set(bytes, at);
      const cut = Math.min(IN_HEADER, bytes.length);
      const head = ring.chain([
        { address: at, length: cut, write: false },
        { address: at + cut, length: bytes.length - cut, write: false },
        { address: at + SLOT - ROOM, length: 16, write: true },
        { address: at + SLOT - ROOM + 16, length: ROOM - 16, write: true },
      ]);
      ring.offer(head);
      inProgress.set(head, bytes);
      at += SLOT;
    }
    ring.publish();
    device.kick(QUEUE);
    const collect = (): boolean => {
      for (let head = ring.take(); head >= 0; head = ring.take()) {
        assert.ok(inProgress.delete(head), 'a request has come back twice');
        ring.free(head);
      }
      return inProgress.size === 0;
    };
    for (const end = Date.now() + 100; !collect() && Date.now() < end;) await sleep(1);
    if (!collect()) {
      const base = device.stopQueue(QUEUE);
      collect();
      // A lock that waits for another one is right to wait: the queue begins anew, without it.
      for (const bytes of inProgress.values()) assert.ok(isSetlkw(bytes), 'a request has not come back');
      device.startQueue(QUEUE, base);
    }
    for (let i = 0; i < requests.length; i++) {
      const reply = FIRST + i * SLOT + SLOT - ROOM;
      if (arena.getU32(reply) >= 16 && arena.getI32(reply + 4) === 0) this.succeeded++;
      arena.setU32(reply, 0);
    }
  }
}
