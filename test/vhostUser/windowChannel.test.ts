/** The back-end channel of the DAX window, message by message: order, answers, patience, and what is left behind. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BackendRequest, ProtocolFeature, Request } from '../../src/protocol/vhostUser/requests';
import { ANSWER_PATIENCE, WindowChannel } from '../../src/vhostUser/windowChannel';
import { Conversation, join, region, u32, u64 } from './recordingDevice';

const MAP = BackendRequest.SHMEM_MAP;
const UNMAP = BackendRequest.SHMEM_UNMAP;
const SIZE = 8 << 20;
const PAGE = 4096;
const EIO = -5;
const EAGAIN = -11;
const ENODEV = -19;

/** A channel with a front-end that a test speaks for. */
class Ear {
  readonly sent: { readonly id: number; readonly at: number; readonly length: number; readonly fd: number }[] = [];
  readonly results: string[] = [];
  readonly warnings: string[] = [];
  readonly watched: number[] = [];
  time = 0;
  wakeAt = Infinity;
  sends = true;
  readonly channel: WindowChannel;

  constructor(slots = true) {
    this.channel = new WindowChannel(SIZE, {
      send: (_channel, bytes, fd) => {
        const view = new DataView(bytes.buffer);
        assert.deepEqual([view.getUint32(4, true), view.getUint32(8, true), bytes.length], [9, 40, 52]);
        if (!this.sends) return false;
        const at = Number(view.getBigUint64(12 + 16, true));
        this.sent.push({ id: view.getUint32(0, true), at, length: Number(view.getBigUint64(12 + 24, true)), fd });
        return true;
      },
      watch: (channel) => this.watched.push(channel),
      unwatch: (channel) => this.watched.splice(this.watched.indexOf(channel), 1),
      wake: (after) => (this.wakeAt = this.time + after),
      now: () => this.time,
      warn: (text) => this.warnings.push(text),
    });
    this.channel.negotiated(true, slots);
    this.channel.channelChanged(7);
  }

  map(name: string, at: number): void {
    this.channel.map(50, 0, at, PAGE, (result) => this.results.push(`${name} ${result}`));
  }

  unmap(name: string, at: number): void {
    this.channel.unmap(at, PAGE, (result) => this.results.push(`${name} ${result}`));
  }

  answer(id: number, result: number | bigint = 0n): boolean {
    return this.channel.take(join(u32(id, 5, 8), u64(result)), []);
  }

  /** Time goes on, and what is due happens. */
  pass(milliseconds: number): void {
    const end = this.time + milliseconds;
    while (this.wakeAt <= end) {
      this.time = this.wakeAt;
      this.wakeAt = Infinity;
      this.channel.tick();
    }
    this.time = end;
  }

  ids(): number[] {
    return this.sent.map(({ id }) => id);
  }
}

describe('the back-end channel of the DAX window', () => {
  it('asks one thing after the other; a mapping is there with its answer and its region, in either order', () => {
    const ear = new Ear();
    ear.map('one', 0);
    ear.map('two', PAGE);
    ear.unmap('three', 0);
    assert.deepEqual(ear.ids(), [MAP]);
    assert.equal(ear.sent[0].fd, 50);
    ear.answer(MAP);
    assert.deepEqual(ear.results, [], 'the region is to come');
    ear.channel.regionAdded(2 * PAGE);
    assert.deepEqual(ear.results, [], 'that was another one');
    ear.channel.regionAdded(PAGE);
    assert.deepEqual(ear.results, ['one 0']);
    ear.channel.regionAdded(PAGE);
    ear.answer(MAP);
    assert.deepEqual(ear.results, ['one 0', 'two 0']);
    ear.answer(UNMAP);
    assert.deepEqual(ear.results, ['one 0', 'two 0', 'three 0'], 'a removal waits for no region');
    assert.equal(ear.sent[2].fd, -1);
  });

  it('a refusal is EIO, and no mapping', () => {
    const ear = new Ear();
    ear.map('one', 0);
    ear.unmap('two', 0);
    ear.answer(MAP, 1);
    assert.deepEqual(ear.results, ['one -5'], 'no region is waited for');
    ear.answer(UNMAP, 0xffff_ffff_ffff_ffffn);
    assert.deepEqual(ear.results, ['one -5', 'two -5']);
    assert.equal(ear.channel.ready, true, 'the channel goes on');
  });

  it('a region is waited for 50 ms, and after three that did not come not at all; nor without memory slots', () => {
    const ear = new Ear();
    for (let i = 0; i < 3; i++) {
      ear.map(`${i}`, i * PAGE);
      ear.answer(MAP);
      ear.pass(49);
      assert.equal(ear.results.length, i);
      ear.pass(2);
      assert.equal(ear.results.length, i + 1);
    }
    ear.map('3', 3 * PAGE);
    ear.answer(MAP);
    assert.deepEqual(ear.results, ['0 0', '1 0', '2 0', '3 0']);
    const plain = new Ear(false);
    plain.map('one', 0);
    plain.answer(MAP);
    assert.deepEqual(plain.results, ['one 0']);
  });

  it('when a ring stops nobody waits any more; what comes afterwards is undone before anything else', () => {
    const ear = new Ear();
    ear.map('one', 0);
    ear.map('two', PAGE);
    ear.channel.suspend();
    assert.deepEqual(ear.results, [`one ${EAGAIN}`, `two ${EAGAIN}`]);
    ear.map('three', 0);
    assert.deepEqual(ear.ids(), [MAP], 'two was never asked, three waits');
    ear.channel.regionAdded(PAGE);
    ear.answer(MAP);
    assert.deepEqual(ear.ids(), [MAP, UNMAP]);
    ear.answer(UNMAP);
    assert.deepEqual(ear.ids(), [MAP, UNMAP, MAP]);
    ear.channel.regionAdded(PAGE);
    ear.answer(MAP);
    assert.equal(ear.results.at(-1), 'three 0');
  });

  it('the same between the answer and the region', () => {
    const ear = new Ear();
    ear.map('one', 0);
    ear.answer(MAP);
    ear.channel.suspend();
    ear.pass(60);
    assert.deepEqual([ear.results, ear.ids()], [[`one ${EAGAIN}`], [MAP, UNMAP]]);
  });

  it('a front-end that never answers: an error after ten seconds, and at once for who asks then', () => {
    const ear = new Ear();
    ear.map('one', 0);
    ear.map('two', PAGE);
    ear.pass(ANSWER_PATIENCE - 1);
    assert.deepEqual(ear.results, []);
    ear.pass(2);
    assert.deepEqual(ear.results, [`one ${EAGAIN}`, `two ${EAGAIN}`]);
    assert.match(ear.warnings[0], /does not answer/);
    ear.map('three', 0);
    assert.equal(ear.results[2], `three ${EIO}`);
    ear.channel.regionAdded(PAGE);
    ear.answer(MAP);
    ear.answer(UNMAP);
    ear.map('four', 0);
    ear.channel.regionAdded(PAGE);
    ear.answer(MAP);
    assert.equal(ear.results[3], 'four 0', 'it has come to itself');
  });

  it('ends with what makes no sense, and with its end', () => {
    const cases: ((ear: Ear) => boolean)[] = [
      (ear) => ear.channel.take(new Uint8Array(0), []),
      (ear) => ear.answer(UNMAP),
      (ear) => ear.channel.take(join(u32(MAP, 1, 8), u64(0)), []),
      (ear) => ear.channel.take(u32(MAP, 5, 0), []),
      (ear) => ear.channel.take(u32(MAP, 7, 8), []),
      (ear) => ear.channel.take(u32(MAP, 5, 1 << 20), []),
      (ear) => ear.answer(MAP) && ear.answer(MAP),
    ];
    for (const end of cases) {
      const ear = new Ear();
      ear.map('one', 0);
      ear.map('two', PAGE);
      assert.equal(end(ear), false, end.toString());
      assert.deepEqual(ear.results, [`one ${EIO}`, `two ${EIO}`]);
      assert.equal(ear.channel.ready, false);
      assert.deepEqual(ear.watched, []);
      ear.map('three', 0);
      assert.equal(ear.results[2], `three ${ENODEV}`);
    }
  });

  it('what cannot be sent is EIO', () => {
    const ear = new Ear();
    ear.sends = false;
    ear.map('one', 0);
    assert.deepEqual(ear.results, [`one ${EIO}`]);
  });

  it('every request ends exactly once, and the front-end never keeps a mapping that failed', () => {
    const action = fc.constantFrom(
      'map',
      'unmap',
      'answer',
      'refuse',
      'region',
      'suspend',
      'pass',
      'long',
    ) as fc.Arbitrary<string>;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const ear = new Ear();
        const live = new Map<number, number>();
        let asked = 0;
        let told = 0;
        let answered = 0;
        /** The front-end carries out what it has not answered yet. */
        const reply = (refused: boolean): void => {
          const order = ear.sent.at(answered);
          if (!order) return;
          answered++;
          const { id, at } = order;
          // A mapping that it refuses to take out is its own doing.
          if (refused && id !== MAP) live.delete(at);
          if (refused) return void ear.answer(id, 1);
          if (id === MAP) {
            assert.ok(!live.has(at), 'nothing overlaps');
            live.set(at, 1);
          } else live.delete(at);
          ear.answer(id);
        };
        const wanted = new Map<number, boolean>();
        for (const [index, what] of actions.entries()) {
          if (what === 'map') {
            asked++;
            const at = index * PAGE;
            ear.channel.map(50, 0, at, PAGE, (result) => {
              told++;
              wanted.set(at, result === 0);
            });
          } else if (what === 'unmap') {
            asked++;
            ear.channel.unmap(999 * PAGE, PAGE, () => told++);
          } else if (what === 'answer' || what === 'refuse') reply(what === 'refuse');
          else if (what === 'region') ear.channel.regionAdded(PAGE);
          else if (what === 'suspend') ear.channel.suspend();
          else ear.pass(what === 'pass' ? 30 : ANSWER_PATIENCE);
        }
        ear.channel.suspend();
        for (let more = 0; more < 200; more++) {
          reply(false);
          ear.pass(60);
        }
        assert.equal(told, asked);
        for (const at of live.keys()) assert.equal(wanted.get(at), true, 'somebody knows of it');
      }),
    );
  });
});

describe('a back-end with a DAX window', () => {
  const window = (): { ear: Ear; talk: Conversation } => {
    const ear = new Ear();
    ear.channel.channelChanged(-1);
    return { ear, talk: new Conversation({ window: ear.channel }) };
  };
  const bit = (feature: number): bigint => 1n << BigInt(feature);
  const ADDED = bit(ProtocolFeature.BACKEND_SEND_FD) | bit(ProtocolFeature.SHMEM_MAP);

  it('offers two features more and tells its size; without one neither', () => {
    const { talk } = window();
    const plain = new Conversation();
    const offered = talk.number(Request.GET_PROTOCOL_FEATURES) ?? 0n;
    assert.equal(offered, (plain.number(Request.GET_PROTOCOL_FEATURES) ?? 0n) | ADDED);
    const config = talk.say(Request.GET_SHMEM_CONFIG) ?? assert.fail();
    const view = new DataView(config.buffer);
    assert.deepEqual([config.length, view.getUint32(0, true), view.getBigUint64(8, true)], [2056, 1, BigInt(SIZE)]);
    plain.say(Request.SET_PROTOCOL_FEATURES, u64(offered));
    plain.refuses(/not offered/, Request.GET_SHMEM_CONFIG);
  });

  it('uses it when all that it needs is agreed on, and is told of channels and regions', () => {
    const { ear, talk } = window();
    talk.say(Request.SET_PROTOCOL_FEATURES, u64(ADDED | bit(ProtocolFeature.REPLY_ACK)));
    talk.say(Request.SET_BACKEND_REQ_FD, undefined, 1);
    assert.equal(ear.channel.ready, false, 'BACKEND_REQ is missing');
    talk.say(Request.SET_PROTOCOL_FEATURES, talk.say(Request.GET_PROTOCOL_FEATURES) ?? u64(0));
    assert.equal(ear.channel.ready, true);
    ear.map('one', 0);
    ear.answer(MAP);
    assert.equal(talk.acknowledged(Request.ADD_MEM_REG, region(2 ** 40, PAGE), 1), 0n);
    assert.deepEqual(ear.results, ['one 0']);
    ear.map('two', PAGE);
    const before = ear.watched[0];
    talk.say(Request.SET_BACKEND_REQ_FD, undefined, 1);
    assert.deepEqual(ear.results[1], `two ${EAGAIN}`, 'it was asked on the channel before');
    assert.notEqual(ear.watched[0], before);
    talk.end();
    assert.deepEqual(ear.watched, []);
  });

  it('waits for no region where memory slots are not agreed on', () => {
    const { ear, talk } = window();
    const all = new DataView((talk.say(Request.GET_PROTOCOL_FEATURES) ?? u64(0)).buffer).getBigUint64(0, true);
    talk.say(Request.SET_PROTOCOL_FEATURES, u64(all & ~bit(ProtocolFeature.CONFIGURE_MEM_SLOTS)));
    talk.say(Request.SET_BACKEND_REQ_FD, undefined, 1);
    ear.map('one', 0);
    ear.answer(MAP);
    assert.deepEqual(ear.results, ['one 0']);
    talk.end();
  });
});
