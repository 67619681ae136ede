import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NumberPacker, NumberUnpacker } from '../../src/control/packedNumbers';

function packed(...columns: readonly (readonly number[])[]): ArrayBuffer {
  const packer = new NumberPacker();
  for (const column of columns) packer.column(Float64Array.from(column));
  return packer.take();
}

function unpacked(buffer: ArrayBuffer, ...lengths: readonly number[]): number[][] | undefined {
  const from = new NumberUnpacker(buffer);
  const columns = lengths.map((length) => {
    const column = new Float64Array(length);
    from.column(column);
    return [...column];
  });
  return from.done ? columns : undefined;
}

const HEAD = 9;

describe('packed numbers', () => {
  it('come out as they went in, whatever they are', () => {
    const whole = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    const near = fc.integer({ min: -300, max: 70_000 });
    // There is no minus zero among what is measured.
    const any = fc.double().map((value) => value + 0);
    const columns = fc.array(fc.array(fc.oneof(near, whole, any), { maxLength: 20 }), { maxLength: 5 });
    fc.assert(
      fc.property(columns, (given) => {
        assert.deepEqual(unpacked(packed(...given), ...given.map(({ length }) => length)), given);
      }),
    );
  });

  it('take as many bytes as their greatest distance from the least', () => {
    const sizes = [
      [[7, 7, 7], 0],
      [[1000, 1255], 2],
      [[1000, 1256], 2 * 2],
      [[0, 2 ** 48 - 1], 2 * 6],
      [[-2, 0, 254], 3 * 2],
      [[0, 2 ** 24 - 1], 2 * 3],
      [[0, 2 ** 32], 2 * 5],
      [[0, 2 ** 48], 2 * 8],
      [[0.5, 1], 2 * 8],
      [[NaN], 8],
      [[], 0],
    ] as const;
    for (const [column, bytes] of sizes) assert.equal(packed(column).byteLength, HEAD + bytes, String(column));
  });

  it('are packed anew after they were taken', () => {
    const packer = new NumberPacker();
    packer.one(1);
    packer.column(new Float64Array(100_000).map((_, i) => i));
    assert.equal(packer.take().byteLength, 8 + HEAD + 3 * 100_000);
    packer.one(2);
    const from = new NumberUnpacker(packer.take());
    assert.equal(from.one(), 2);
    assert.ok(from.done);
  });

  it('are not taken out of what is too short, too long, or says what there is not', () => {
    const buffer = packed([1, 2, 3]);
    assert.equal(unpacked(buffer.slice(0, -1), 3), undefined);
    assert.equal(unpacked(buffer, 2), undefined);
    assert.equal(unpacked(buffer, 3, 1), undefined);
    const strange = buffer.slice(0);
    new Uint8Array(strange)[0] = 7;
    assert.equal(unpacked(strange, 3), undefined);
    const strangeAndEmpty = packed([]);
    new Uint8Array(strangeAndEmpty)[0] = 7;
    assert.equal(unpacked(strangeAndEmpty, 0), undefined);
  });
});
