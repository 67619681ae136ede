/** Random conversations: nothing throws, each descriptor is closed exactly once, and rings only run where they may. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Request } from '../../src/protocol/vhostUser/requests';
import { Conversation, F_PROTOCOL_FEATURES, F_VERSION_1, join, u32, u64 } from './recordingDevice';

interface Said {
  readonly request: number;
  readonly payload: Uint8Array;
  readonly descriptors: number;
  readonly refuseRegions: boolean;
}

const R = Request;
const PAGE = 4096;
const ring = fc.oneof({ weight: 6, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(0x2ff) });
const small = fc.constantFrom(0, 1, 2, 64, 128, 256, 0xffff, 0x10000, 0xffff_ffff);
const address = fc.oneof(
  fc.nat(16).map((page) => page * PAGE),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const regionWords = fc.tuple(
  address,
  fc.oneof(
    fc.nat(4).map((n) => n * PAGE),
    address,
  ),
  address,
  fc.constantFrom(0, PAGE),
);

/** Payloads that make sense nearly always, so that conversations get somewhere. */
const payloads: fc.Arbitrary<[request: number, payload: Uint8Array]> = fc.oneof(
  fc.tuple(
    fc.constantFrom(R.SET_VRING_NUM, R.SET_VRING_BASE, R.GET_VRING_BASE),
    fc.tuple(ring, small).map((w) => u32(...w)),
  ),
  fc.tuple(
    fc.constant(R.SET_VRING_ENABLE),
    fc.tuple(ring, fc.nat(1)).map((w) => u32(...w)),
  ),
  fc.tuple(
    fc.constantFrom(R.SET_VRING_KICK, R.SET_VRING_CALL, R.SET_VRING_ERR),
    ring.map((index) => u64(index)),
  ),
  fc.tuple(
    fc.constant(R.SET_VRING_ADDR),
    fc.tuple(ring, address, address, address).map(([index, ...where]) => join(u32(index, 0), u64(...where, 0))),
  ),
  fc.tuple(
    fc.constantFrom(R.ADD_MEM_REG, R.REM_MEM_REG),
    regionWords.map((words) => u64(0, ...words)),
  ),
  fc.tuple(
    fc.constant(R.SET_MEM_TABLE),
    fc
      .tuple(fc.array(regionWords, { maxLength: 3 }), fc.nat(4))
      .map(([regions, extra]) =>
        join(u32(extra === 0 ? 5 : regions.length, 0), ...regions.map((words) => u64(...words))),
      ),
  ),
  fc.tuple(
    fc.constant(R.SET_FEATURES),
    fc.constantFrom(F_VERSION_1, F_VERSION_1 | F_PROTOCOL_FEATURES, 1n).map((bits) => u64(bits)),
  ),
  fc.tuple(
    fc.constantFrom(R.SET_STATUS, R.RESET_DEVICE, R.SET_BACKEND_REQ_FD),
    fc.nat(1).map((word) => u64(word)),
  ),
  fc.tuple(fc.nat(50), fc.uint8Array({ maxLength: 80 })),
);

const said: fc.Arbitrary<Said> = fc
  .record({
    request: fc.constant(0),
    payload: fc.constant(new Uint8Array(0)),
    descriptors: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 2, arbitrary: fc.nat(4) }),
    refuseRegions: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .chain((rest) => payloads.map(([request, payload]) => ({ ...rest, request, payload })));

describe('vhost-user descriptors', () => {
  it('each is closed exactly once, whatever is said', () => {
    let started = 0;
    fc.assert(
      fc.property(fc.boolean(), fc.array(said, { maxLength: 60 }), (prepared, words) => {
        const talk = Conversation.negotiated();
        if (prepared) {
          talk.shareMemory();
          talk.startRing(1);
        }
        for (const { request, payload, descriptors, refuseRegions } of words) {
          talk.device.refuseRegion = refuseRegions ? () => 'no' : undefined;
          talk.say(request, payload, descriptors);
          // What is open is what the rings and the channel hold.
          const held = talk.backEnd.rings.all.flatMap((one) => [one.kick, one.call]).filter((fd) => fd >= 0);
          for (const fd of held) assert.ok(talk.device.open.has(fd));
          assert.ok(talk.device.open.size - held.length <= 1, 'but for the back-end channel');
          for (const one of talk.backEnd.rings.all) assert.equal(one.started, talk.device.running.has(one.index));
          started += talk.device.running.size;
        }
        talk.end();
      }),
      { numRuns: 300 },
    );
    assert.ok(started > 0, 'some conversations got as far as a running ring');
  });
});
