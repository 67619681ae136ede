import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { HeldRanges, type TypedRange } from '../../src/fs/heldRanges';
import { F_RDLCK, F_UNLCK, F_WRLCK } from '../../src/fs/linux';

const SIZE = 24;
/** Where places of the model begin: at the start, around ends of words and doubles, before the last byte of all. */
const BASES = [0n, 2n ** 32n - 12n, 2n ** 53n - 12n, 2n ** 63n - BigInt(SIZE)];

function ranged(type: number, start: bigint, end: bigint): TypedRange {
  const low = (place: bigint): number => Number(place & 0xffff_ffffn);
  const high = (place: bigint): number => Number(place >> 32n);
  return { type, startLow: low(start), startHigh: high(start), endLow: low(end), endHigh: high(end) };
}

/** Runs of one type, which is what a kernel keeps of a lock for each byte. */
function runs(base: bigint, bytes: readonly number[]): TypedRange[] {
  const found: TypedRange[] = [];
  for (let start = 0; start < SIZE;) {
    let end = start;
    while (end + 1 < SIZE && bytes[end + 1] === bytes[start]) end++;
    if (bytes[start] !== F_UNLCK) found.push(ranged(bytes[start], base + BigInt(start), base + BigInt(end)));
    start = end + 1;
  }
  return found;
}

const step = fc
  .tuple(fc.constantFrom(F_RDLCK, F_WRLCK, F_UNLCK), fc.nat(SIZE - 1), fc.nat(SIZE - 1))
  .map(([type, a, b]) => ({ type, start: Math.min(a, b), end: Math.max(a, b) }));

describe('the ranges that an owner has locked', () => {
  it('are those of a lock for each byte, and no more of them than can be told apart', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BASES), fc.array(step, { maxLength: 40 }), (base, steps) => {
        const held = new HeldRanges();
        const bytes = new Array<number>(SIZE).fill(F_UNLCK);
        for (const { type, start, end } of steps) {
          const before = held.count;
          const change = held.changeFor(ranged(type, base + BigInt(start), base + BigInt(end)));
          assert.equal(held.count, before, 'not before it is applied');
          held.apply(change);
          bytes.fill(type, start, end + 1);
          assert.deepEqual(held.all, runs(base, bytes));
          assert.equal(held.count, before - change.removed + change.pieces.length);
        }
      }),
    );
  });

  it('are found by a byte that they share with another, the first one first, and by being the same', () => {
    const held = new HeldRanges();
    for (const start of [10n, 20n, 30n]) held.apply(held.changeFor(ranged(F_RDLCK, start, start + 4n)));
    const any = (): boolean => true;
    assert.deepEqual(held.find(ranged(F_WRLCK, 14n, 40n), any), ranged(F_RDLCK, 10n, 14n));
    assert.deepEqual(held.find(ranged(F_WRLCK, 15n, 40n), any), ranged(F_RDLCK, 20n, 24n));
    assert.equal(held.find(ranged(F_WRLCK, 15n, 19n), any), undefined);
    assert.equal(
      held.find(ranged(F_WRLCK, 0n, 40n), ({ type }) => type === F_WRLCK),
      undefined,
    );
    assert.equal(held.has(ranged(F_RDLCK, 20n, 24n)), true);
    assert.equal(held.has(ranged(F_WRLCK, 20n, 24n)), false);
    assert.equal(held.has(ranged(F_RDLCK, 20n, 23n)), false);
  });
});
