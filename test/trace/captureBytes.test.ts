/** Bytes of a capture by their place: from a file again, or out of the memory of a live stream. */
import assert from 'node:assert/strict';
import { FileBytes, LiveBytes, SEGMENT } from '../../src/trace/captureBytes';

/** A byte that follows from its place. */
const byteAt = (at: number): number => (at * 31 + (at >> 8)) & 0xff;
const stretch = (at: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => byteAt(at + i));

describe('bytes of a capture', () => {
  const places: readonly [at: number, length: number][] = [
    [0, 10],
    [SEGMENT - 3, 3],
    [SEGMENT - 3, 7],
    [SEGMENT - 1, SEGMENT + 2],
    [3 * SEGMENT - 5, 5],
    [77, 0],
  ];

  it('of a file: any stretch, also across segments and with reads in any order', () => {
    const length = 3 * SEGMENT;
    const file = stretch(0, length);
    let reads = 0;
    const bytes = new FileBytes((at, size) => {
      reads++;
      return file.subarray(at, Math.min(length, at + size));
    });
    for (const [at, size] of [...places, ...[...places].reverse()]) {
      assert.deepEqual(Uint8Array.from(bytes.bytes(at, size)), stretch(at, size), `${size} at ${at}`);
    }
    assert.equal(reads, 3, 'each segment is read once');
    assert.deepEqual(Uint8Array.from(bytes.bytes(length - 4, 10)), stretch(length - 4, 4), 'what there is');
  });

  it('of a file that grows: what was not there yet is read again', () => {
    let length = 10;
    const bytes = new FileBytes((at, size) => stretch(at, Math.max(0, Math.min(length - at, size))));
    assert.deepEqual(Uint8Array.from(bytes.bytes(5, 10)), stretch(5, 5));
    length = 20;
    assert.deepEqual(Uint8Array.from(bytes.bytes(5, 10)), stretch(5, 10));
  });

  it('of a file: few segments are kept', () => {
    const reads: number[] = [];
    const bytes = new FileBytes((at, size) => {
      reads.push(at / SEGMENT);
      return new Uint8Array(size);
    });
    for (let i = 0; i < 40; i++) bytes.bytes(i * SEGMENT, 1);
    bytes.bytes(0, 1);
    assert.equal(reads.length, 41, 'the first has been given up');
  });

  it('of a file: memory is used again, but not that of what was asked for last', () => {
    const rooms = new Set<Uint8Array>();
    const bytes = new FileBytes((at, size, room) => {
      rooms.add(room);
      room.set(stretch(at, size));
      return room;
    });
    const request = bytes.bytes(0, 8);
    for (let i = 1; i < 16; i++) bytes.bytes(i * SEGMENT, 1);
    assert.deepEqual(request, bytes.bytes(0, 8));
    const reply = bytes.bytes(50 * SEGMENT, 8);
    assert.deepEqual(request, stretch(0, 8), 'the oldest, but the one before');
    assert.deepEqual(reply, stretch(50 * SEGMENT, 8));
    for (let i = 0; i < 100; i++) assert.deepEqual(bytes.bytes(i * SEGMENT + 3, 5), stretch(i * SEGMENT + 3, 5));
    assert.equal(rooms.size, 16);
  });

  it('of a live stream: as they came, in chunks of any size', () => {
    const bytes = new LiveBytes(10 * SEGMENT);
    let at = 0;
    for (let size = 1; at < 3 * SEGMENT; size = (size * 7) % 60_000) {
      bytes.push(stretch(at, size));
      at += size;
    }
    for (const [from, size] of places) {
      assert.deepEqual(Uint8Array.from(bytes.bytes(from, size)), stretch(from, size), `${size} at ${from}`);
    }
    assert.deepEqual(Uint8Array.from(bytes.bytes(at - 3, 9)), stretch(at - 3, 3));
    assert.equal(bytes.bytes(at + SEGMENT, 5).length, 0);
  });

  it('of a live stream: the oldest go, and then there is nothing in their place', () => {
    const bytes = new LiveBytes(2 * SEGMENT);
    bytes.push(stretch(0, 3 * SEGMENT - 10));
    assert.equal(bytes.bytes(0, 5).length, 0);
    assert.equal(bytes.bytes(SEGMENT - 2, 5).length, 0, 'half of it is gone');
    assert.deepEqual(Uint8Array.from(bytes.bytes(SEGMENT, 5)), stretch(SEGMENT, 5));
    assert.deepEqual(Uint8Array.from(bytes.bytes(3 * SEGMENT - 20, 10)), stretch(3 * SEGMENT - 20, 10));
  });
});
