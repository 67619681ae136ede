import * as assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { NodeIndex } from '../../../src/trace/findings/nodeIndex';

describe('findings: NodeIndex', () => {
  it('is a map from ids to small numbers, whatever goes in and out', () => {
    const key = fc.oneof(
      fc.nat(40),
      fc.integer({ min: 0, max: 20 }).map((i) => i * 0x1_0000_0000 + 7),
      fc.nat(40).map((i) => i << 20),
    );
    const step = fc.tuple(fc.boolean(), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const index = new NodeIndex(1000);
        const model = new Map<number, number>();
        for (const [adds, id] of steps) {
          if (adds) {
            const slot = index.add(id);
            if (model.has(id)) assert.equal(slot, model.get(id));
            else assert.ok(slot >= 0 && slot < index.capacity && ![...model.values()].includes(slot));
            model.set(id, slot);
          } else {
            assert.equal(index.remove(id), model.get(id) ?? -1);
            model.delete(id);
          }
          assert.equal(index.count, model.size);
        }
        for (const [id, slot] of model) assert.deepEqual([index.find(id), index.key(slot)], [slot, id]);
        const visited: number[] = [];
        index.forEach((slot) => visited.push(slot));
        assert.deepEqual(visited.sort(), [...model.values()].sort());
      }),
    );
  });

  it('takes no more than it may, and numbers are given out again', () => {
    const index = new NodeIndex(1000);
    for (let id = 0; id < 50_000; id++) index.add(id * 3);
    assert.equal(index.count, 1000);
    assert.equal(index.full, true);
    assert.ok(index.capacity <= 1024);
    assert.equal(index.find(3000), -1);
    const freed = index.remove(0);
    assert.equal(index.add(7), freed);
  });

  it('turns away an id that is no exact double: it could be another one', () => {
    const index = new NodeIndex(10);
    const last = Number.MAX_SAFE_INTEGER;
    assert.equal(index.add(last), 0);
    assert.equal(index.wide, false);
    for (const id of [last + 1, 2 ** 60, -(2 ** 60)]) assert.deepEqual([index.add(id), index.find(id)], [-1, -1]);
    assert.deepEqual([index.count, index.wide, index.full], [1, true, false]);
    index.clear();
    assert.equal(index.wide, false);
  });

  it('forgets everything', () => {
    const index = new NodeIndex(10);
    for (let id = 0; id < 20; id++) index.add(id);
    index.clear();
    assert.deepEqual([index.count, index.full, index.find(3)], [0, false, -1]);
    assert.equal(index.add(3), 0);
  });
});
