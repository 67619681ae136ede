/** The ring between queue worker and main thread: records in order, dropped and counted when there is no room. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RECORD_HEADER, RecordKind, TraceReader, TraceWriter, makeTraceRing } from '../../src/daemon/traceRing';
import { copyBytes, pinnedArena } from '../../src/native/memory';

const SIZE = 1024;

interface Record {
  readonly kind: RecordKind;
  readonly queue: number;
  readonly head: number;
  readonly length: number;
  readonly time: number;
  readonly taken: number;
  readonly bytes: number[];
}

const source = pinnedArena(4096);

class Ring {
  private readonly address = makeTraceRing(SIZE);
  readonly writer = new TraceWriter(this.address, SIZE);
  readonly reader = new TraceReader(this.address, SIZE);

  /** False when it was dropped. */
  put(record: Record): boolean {
    const at = this.writer.reserve(record.bytes.length);
    if (at < 0) return false;
    source.u8.set(record.bytes);
    copyBytes(this.writer.bytesAddress(at), source.address(0), record.bytes.length);
    this.writer.commit(at, record.kind, record.queue, record.head, record.length, record.time, record.taken);
    return true;
  }

  take(): Record[] {
    const records: Record[] = [];
    const count = this.reader.drain((record) => records.push({ ...record, bytes: [...record.bytes] }));
    assert.equal(count, records.length);
    return records;
  }
}

const record = (bytes: number[], extra = 0): Record => ({
  kind: RecordKind.Reply,
  queue: 65535,
  head: 0xffff_fffe,
  length: bytes.length + extra,
  time: 1_700_000_000_000.25,
  taken: 1_699_999_999_999.75,
  bytes,
});
const bytes = (length: number, from = 0): number[] => Array.from({ length }, (_, at) => (from + at) & 0xff);

describe('trace ring', () => {
  it('is empty at first', () => assert.deepEqual(new Ring().take(), []));

  it('gives a record as it was put in, whatever its length', () => {
    const ring = new Ring();
    for (let length = 0; length <= 40; length++) {
      const one = record(bytes(length, length));
      assert.ok(ring.put(one));
      assert.deepEqual(ring.take(), [one]);
    }
  });

  it('of a cut message exactly what was kept, and its full length', () => {
    const ring = new Ring();
    for (const kept of [1, 7, 8, 13]) {
      const one = record(bytes(kept), 1_000_000);
      ring.put(one);
      assert.deepEqual(ring.take(), [one]);
    }
  });

  it('shows nothing before it is committed', () => {
    const ring = new Ring();
    const at = ring.writer.reserve(8);
    assert.deepEqual(ring.take(), []);
    ring.writer.commit(at, RecordKind.Request, 1, 2, 8, 3, 4);
    assert.equal(ring.take().length, 1);
  });

  it('can be filled to the last byte, then drops and counts, then goes on', () => {
    const ring = new Ring();
    const full = SIZE / (RECORD_HEADER + 32);
    for (let index = 0; index < full; index++) assert.ok(ring.put(record(bytes(32, index))));
    assert.equal(ring.put(record([])), false);
    assert.equal(ring.put(record(bytes(32))), false);
    assert.equal(ring.reader.dropped, 2);
    assert.equal(ring.take().length, full);
    assert.ok(ring.put(record(bytes(32))));
    assert.equal(ring.reader.dropped, 2);
  });

  it('a record never wraps: a filler takes the rest', () => {
    const ring = new Ring();
    for (let round = 0; round < 50; round++) {
      const records = [record(bytes(500, round)), record(bytes(100, round))];
      for (const one of records) assert.ok(ring.put(one));
      assert.deepEqual(ring.take(), records);
    }
  });

  it('the filler counts: what lies behind it unread is not written over', () => {
    const ring = new Ring();
    ring.put(record(bytes(104 - RECORD_HEADER)));
    ring.take();
    const unread = record(bytes(720 - RECORD_HEADER));
    assert.ok(ring.put(unread));
    // 304 bytes are free, but 200 of them at the end and 104 at the start.
    assert.equal(ring.put(record(bytes(256 - RECORD_HEADER))), false);
    const [small, more] = [record(bytes(200 - RECORD_HEADER)), record(bytes(104 - RECORD_HEADER))];
    assert.ok(ring.put(small) && ring.put(more));
    assert.deepEqual(ring.take(), [unread, small, more]);
  });

  it('what is larger than the ring is dropped, not waited for', () => {
    const ring = new Ring();
    assert.equal(ring.put(record(bytes(SIZE))), false);
    assert.ok(ring.put(record(bytes(SIZE - RECORD_HEADER))));
  });

  it('random writers and readers: what is not counted as dropped comes out, in order', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.nat(300) },
      { weight: 1, arbitrary: fc.constant('take' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = new Ring();
        const expected: Record[] = [];
        let dropped = 0;
        for (const [index, one] of steps.entries()) {
          if (one === 'take') {
            assert.deepEqual(ring.take(), expected.splice(0));
            continue;
          }
          const put = { ...record(bytes(one, index)), head: index };
          if (ring.put(put)) expected.push(put);
          else dropped++;
          assert.equal(ring.reader.dropped, dropped);
        }
        assert.deepEqual(ring.take(), expected);
      }),
      { numRuns: 60 },
    );
  });
});
