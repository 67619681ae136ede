import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { LAST_GENERATION } from '../../src/fs/generations';
import { inodeHash, NodeTable } from '../../src/fs/nodeTable';

interface Known {
  readonly inode: number;
  readonly node: number;
  readonly generation: number;
}

type Identity = [mount: number, device: number, inoLow: number, inoHigh: number];

/** Of a new table. */
const BUCKETS = 2048;

/** Inodes that a new table has in a few places beside each other, around its end; many differ in one part alone. */
function crowd(): Identity[] {
  const inCrowd = (one: Identity): boolean => (inodeHash(...one) + 4) % BUCKETS < 8;
  const found: Identity[] = [];
  for (let part = 0; part < 4; part++) {
    const one: Identity = [1, 1, 1, 1];
    for (let more = 5; more > 0;) {
      one[part]++;
      if (!inCrowd(one)) continue;
      found.push([...one]);
      more--;
    }
  }
  return found;
}

describe('node table', () => {
  it('finds what was inserted and nothing else, whatever comes and goes', () => {
    const inodes = crowd();
    const action = fc.record({ insert: fc.boolean(), inode: fc.nat(inodes.length - 1) });
    fc.assert(
      fc.property(fc.array(action, { minLength: 50, maxLength: 300 }), (actions) => {
        const table = new NodeTable();
        table.insert(3, 4, 9, 9, 9, 9);
        const model = new Map<number, Known>();
        const ended: Known[] = [];
        for (const { insert, inode } of actions) {
          const known = model.get(inode);
          assert.equal(table.find(...inodes[inode]), known?.node ?? 0);
          if (insert && known === undefined) {
            const node = table.insert(inode + 10, 8, ...inodes[inode]);
            model.set(inode, { inode, node, generation: table.generation[node] });
          } else if (!insert && known !== undefined) {
            table.remove(known.node);
            model.delete(inode);
            ended.push(known);
          }
        }
        assert.equal(table.count, model.size + 1);
        for (const [inode, one] of inodes.entries()) assert.equal(table.find(...one), model.get(inode)?.node ?? 0);
        for (const { inode, node, generation } of model.values()) {
          assert.equal(table.resolve(node, generation), node);
          assert.equal(table.fd[node], inode + 10);
        }
        for (const { node, generation } of ended) assert.equal(table.resolve(node, generation), 0);
      }),
      { numRuns: 40 },
    );
  });

  it('grows beyond its first capacity', () => {
    const table = new NodeTable();
    for (let i = 1; i <= 5000; i++) assert.equal(table.insert(i, 8, 1, 1, i, 0), i);
    for (let i = 1; i <= 5000; i++) assert.equal(table.find(1, 1, i, 0), i);
    assert.equal(table.find(1, 1, 5001, 0), 0);
  });

  it('knows all that it knew of each inode when it has grown', () => {
    const table = new NodeTable();
    const folder = table.insert(3, 4, 0, 0, 2, 0);
    table.remove(table.insert(4, 8, 0, 0, 3, 0));
    const node = table.insert(10, 8, 11, 12, 13, 14);
    table.lender[node] = 15;
    table.children[node] = 16;
    table.birth[node] = 17;
    table.lookups[node] = 2 ** 40;
    assert.ok(table.setName(node, folder, Buffer.from('name\0'), 0));
    const given = table.insert(5, 8, 0, 0, 4, 0);
    table.disown(given);
    const all = (): unknown[] => {
      const { fd, lender, parent, children, birth, type, device, mount, generation, lookups, inoLow, inoHigh } = table;
      const columns = [fd, lender, parent, children, birth, type, device, mount, generation, lookups, inoLow, inoHigh];
      const name = Buffer.alloc(8);
      table.copyName(node, name, 0);
      return [...columns.map((column) => column[node]), children[folder], name.toString()];
    };
    const before = all();
    assert.deepEqual(before, [10, 15, folder, 16, 17, 8, 12, 11, 1, 2 ** 40, 13, 14, 1, 'name\0\0\0\0']);
    for (let i = 100; table.fd.length === 1024; i++) table.insert(i, 8, 1, 1, i, 0);
    assert.deepEqual(all(), before);
    assert.equal(table.resolve(node, 1), node);
    assert.equal(table.find(11, 12, 13, 14), node);
    assert.equal(table.find(0, 0, 4, 0), 0, 'its number is another inode’s');
    table.remove(given);
    table.remove(node);
    assert.equal(table.find(11, 12, 13, 14), 0);
  });

  it('does not take ids that were never given out', () => {
    const table = new NodeTable();
    table.insert(3, 4, 0, 0, 2, 0);
    assert.equal(table.resolve(1, 0), 1);
    for (const [low, high] of [
      [0, 0],
      [1, 1],
      [2, 0],
      [0xffffffff, 0],
      [1, 0xffffffff],
    ]) {
      assert.equal(table.resolve(low, high), 0);
    }
  });

  it('gives out no nodeid that a double cannot hold: a slot whose generations are used up stays empty', () => {
    const table = new NodeTable();
    table.insert(3, 4, 0, 0, 2, 0);
    const first = table.insert(3, 8, 0, 0, 3, 0);
    table.generation[first] = LAST_GENERATION - 1;
    table.remove(first);
    const last = table.insert(4, 8, 0, 0, 4, 0);
    assert.equal(last, first);
    assert.ok(Number.isSafeInteger(table.generation[last] * 2 ** 32 + 0xffff_ffff));
    assert.equal(table.resolve(last, LAST_GENERATION), last);
    table.remove(last);
    const count = table.count;
    const [other, another] = [5, 6].map((ino) => table.insert(ino, 8, 0, 0, ino, 0));
    assert.deepEqual([other, another].includes(last), false);
    for (const generation of [0, LAST_GENERATION, LAST_GENERATION + 1]) {
      assert.equal(table.resolve(last, generation), 0);
    }
    assert.equal(table.find(0, 0, 4, 0), 0);
    table.remove(other);
    assert.equal(table.insert(7, 8, 0, 0, 7, 0), other);
    assert.equal(table.count, count + 2);
    const alive: number[] = [];
    table.forEach((node) => alive.push(node));
    assert.deepEqual(alive.sort(), [other, another].sort());
  });
});
