/**
 * A second reader of pcapng that believes nothing: it checks every rule of the specification that our writer could
 * break (draft-ietf-opsawg-pcapng, sections 3 and 4), with nothing of the product's own reader in it.
 */
import assert from 'node:assert/strict';

export interface StrictPacket {
  readonly interfaceId: number;
  readonly time: bigint;
  readonly bytes: Uint8Array;
  readonly originalLength: number;
}

export interface StrictInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly name: string;
  /** Units of time in a second. */
  readonly resolution: bigint;
}

export interface StrictCapture {
  readonly interfaces: StrictInterface[];
  readonly packets: StrictPacket[];
  /** isb_ifdrop of each statistics block. */
  readonly dropped: bigint[];
}

/** Options from `at` to the end of a block's body: code → value. */
function options(view: DataView, at: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  while (at < view.byteLength) {
    assert.ok(at + 4 <= view.byteLength, 'a whole option header');
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (code === 0) {
      assert.equal(length, 0, 'opt_endofopt has no value');
      assert.equal(at + 4, view.byteLength, 'opt_endofopt is the last');
      return found;
    }
    const end = at + 4 + length;
    assert.ok(end <= view.byteLength, 'an option ends inside of its block');
    for (let pad = end; pad % 4 !== 0; pad++) assert.equal(view.getUint8(pad), 0, 'options are padded with zeros');
    found.set(code, new Uint8Array(view.buffer, view.byteOffset + at + 4, length));
    at = (end + 3) & ~3;
  }
  assert.equal(found.size, 0, 'a list of options ends with opt_endofopt');
  return found;
}

const time = (view: DataView, at: number): bigint =>
  (BigInt(view.getUint32(at, true)) << 32n) | BigInt(view.getUint32(at + 4, true));

/** Reads a whole capture; fails with the rule that is broken. */
export function readStrictly(bytes: Uint8Array): StrictCapture {
  const capture: StrictCapture = { interfaces: [], packets: [], dropped: [] };
  let at = 0;
  while (at < bytes.length) {
    assert.ok(at + 12 <= bytes.length, `a whole block at ${at}`);
    const block = new DataView(bytes.buffer, bytes.byteOffset + at);
    const type = block.getUint32(0, true);
    const length = block.getUint32(4, true);
    assert.ok(length >= 12 && length % 4 === 0 && at + length <= bytes.length, `block length ${length} at ${at}`);
    assert.equal(block.getUint32(length - 4, true), length, 'both lengths of a block are the same');
    const body = new DataView(bytes.buffer, bytes.byteOffset + at + 8, length - 12);
    if (at === 0) assert.equal(type, 0x0a0d0d0a, 'the first block is a section header');
    readBlock(capture, type, body);
    at += length;
  }
  return capture;
}

function readBlock(capture: StrictCapture, type: number, body: DataView): void {
  switch (type) {
    case 0x0a0d0d0a:
      assert.equal(body.getUint32(0, true), 0x1a2b3c4d, 'byte order');
      assert.deepEqual([body.getUint16(4, true), body.getUint16(6, true)], [1, 0], 'version 1.0');
      assert.equal(body.getBigInt64(8, true), -1n, 'a section of unknown length');
      options(body, 16);
      return;
    case 1: {
      const own = options(body, 8);
      const resolution = own.get(9)?.[0] ?? 6;
      capture.interfaces.push({
        linkType: body.getUint16(0, true),
        snapLength: body.getUint32(4, true),
        name: Buffer.from(own.get(2) ?? []).toString(),
        resolution: (resolution & 0x80) !== 0 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution),
      });
      return;
    }
    case 5: {
      assert.ok(body.getUint32(0, true) < capture.interfaces.length, 'statistics of an interface that is there');
      const drops = options(body, 12).get(5);
      assert.equal(drops?.length, 8);
      capture.dropped.push(new DataView(drops.buffer, drops.byteOffset).getBigUint64(0, true));
      return;
    }
    case 6: {
      const interfaceId = body.getUint32(0, true);
      const captured = body.getUint32(12, true);
      const originalLength = body.getUint32(16, true);
      const of = capture.interfaces[interfaceId];
      assert.ok(of, 'a packet of an interface that is there');
      assert.ok(captured <= originalLength, `captured ${captured} of ${originalLength}`);
      assert.ok(of.snapLength === 0 || captured <= of.snapLength, `captured ${captured}, snap length ${of.snapLength}`);
      const padded = (captured + 3) & ~3;
      for (let pad = captured; pad < padded; pad++) assert.equal(body.getUint8(20 + pad), 0, 'padded with zeros');
      options(body, 20 + padded);
      const bytes = new Uint8Array(body.buffer, body.byteOffset + 20, captured);
      capture.packets.push({ interfaceId, time: time(body, 4), bytes, originalLength });
      return;
    }
    default:
      assert.fail(`block type ${type}`);
  }
}
