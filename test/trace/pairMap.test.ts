/** The map of two words to a number, against Map. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PairMap } from '../../src/trace/pairMap';

const word = fc.oneof(fc.nat(4), fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat());
const step = fc.record({ what: fc.constantFrom('set', 'set', 'delete', 'get'), a: word, b: word, value: fc.nat() });

describe('a map of pairs', () => {
  it('does as Map does, whatever is set and deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const map = new PairMap();
        const model = new Map<string, number>();
        for (const { what, a, b, value } of steps) {
          if (what === 'set') {
            map.set(a, b, value % 0x7fff_ffff);
            model.set(`${a} ${b}`, value % 0x7fff_ffff);
          } else if (what === 'delete') {
            map.delete(a, b);
            model.delete(`${a} ${b}`);
          }
          assert.equal(map.get(a, b), model.get(`${a} ${b}`) ?? -1);
          assert.equal(map.size, model.size);
        }
        for (const [key, value] of model) {
          const [a, b] = key.split(' ').map(Number);
          assert.equal(map.get(a, b), value);
        }
      }),
    );
  });

  it('grows, shrinks and is cleared', () => {
    const map = new PairMap();
    for (let i = 0; i < 20_000; i++) map.set(i, i * 7, i);
    for (let i = 0; i < 20_000; i += 2) map.delete(i, i * 7);
    for (let i = 0; i < 20_000; i++) assert.equal(map.get(i, i * 7), i % 2 === 0 ? -1 : i);
    assert.equal(map.size, 10_000);
    map.clear();
    assert.deepEqual([map.size, map.get(1, 7)], [0, -1]);
  });
});
