/** Captures of other daemons, of older versions or edited by hand: nodeids may be any 64 bits. */
import * as assert from 'node:assert/strict';
import { printId } from '../../src/protocol/print';
import type { CaptureReader } from '../../src/trace/captureReader';
import { compileFilter, select } from '../../src/trace/filter/filter';
import { findings } from '../../src/trace/findings/findings';
import { Inodes } from '../../src/trace/inodes/inodes';
import { CaptureBuilder } from './captureBuilder';

/** One as doubles. */
const ONE = 2n ** 60n + 1n;
const OTHER = 2n ** 60n + 2n;
const LAST = BigInt(Number.MAX_SAFE_INTEGER);

const entry = (nodeid: bigint): { nodeid: bigint; attr_valid: number; attr: { mode: number; size: number } } => ({
  nodeid,
  attr_valid: 9,
  attr: { mode: 0o100600, size: Number(nodeid % 7n) },
});

describe('nodeids that are no exact doubles', () => {
  const capture: CaptureReader = new CaptureBuilder()
    .init()
    .exchange('LOOKUP', { names: ['one'], out: entry(ONE) })
    .exchange('LOOKUP', { names: ['other'], out: entry(OTHER) })
    .exchange('LOOKUP', { names: ['last'], out: entry(LAST) })
    .exchange('OPEN', { nodeid: ONE, out: { fh: 1 } })
    .exchange('READ', { nodeid: ONE, in: { fh: 1, size: 10 }, outPayload: 10 })
    .exchange('READ', { nodeid: OTHER, in: { fh: 2, size: 20 }, outPayload: 20 })
    .exchange('READ', { nodeid: LAST, in: { fh: 3, size: 30 }, outPayload: 30 })
    .exchange('SETLK', {
      nodeid: OTHER,
      in: { fh: 2, owner: 5, lk: { start: 0, end: 9, type: 1, pid: 3 } },
    })
    .exchange('OPEN', { nodeid: ONE + 2n, error: 'EACCES' })
    .exchange('OPEN', { nodeid: ONE + 3n, error: 'EACCES' })
    .capture();
  const inodes = new Inodes(capture);
  assert.ok(inodes.advance(capture.count, () => false));

  it('are told of, once, with how often they came', () => {
    // Two became known; six requests are about some.
    assert.equal(capture.wideNodes, 8);
    assert.deepEqual(
      capture.notes.filter((note) => note.includes('2^53')),
      ['nodes with numbers of 2^53 and more, seen 8 times: findings, inodes and handles leave these out'],
    );
    const usual = new CaptureBuilder().init().exchange('LOOKUP', { names: ['last'], out: entry(LAST) });
    assert.deepEqual(usual.capture().notes, []);
  });

  it('have their own paths', () => {
    assert.deepEqual(
      [5, 6, 7].map((row) => capture.path(capture.columns.path[row])),
      ['/one', '/other', '/last'],
    );
  });

  it('are told apart by filters, also in comparison with another field', () => {
    const passing = (text: string): number[] => {
      const filter = compileFilter(text);
      assert.ok(filter.ok, text);
      return [...select(capture, filter.value)];
    };
    for (const [nodeid, expected] of [
      [ONE, [4, 5]],
      [OTHER, [6, 8]],
      [LAST, [7]],
    ] as const) {
      assert.deepEqual(passing(`nodeid == ${printId(nodeid)}`), expected);
      assert.deepEqual(passing(`nodeid in (${nodeid})`), expected);
    }
    assert.deepEqual(passing(`reply.nodeid == ${OTHER}`), [2]);
    assert.deepEqual(passing(`nodeid > ${ONE} && opcode == READ`), [6]);
  });

  it('are decoded with all their bits', () => {
    assert.equal(capture.request(6)?.nodeid, OTHER);
  });

  it('are left out of inodes, handles and locks: there they would be one', () => {
    for (const order of ['bytes', 'recent', 'age', 'lookups', 'handles'] as const) {
      const ids = inodes.list(order, 10).map(({ nodeid }) => BigInt(nodeid));
      assert.deepEqual(
        ids.filter((id) => id !== 1n),
        [LAST],
        order,
      );
    }
    assert.equal(inodes.inodeOf(Number(LAST)).read, 30);
    assert.deepEqual([inodes.opened(10), inodes.held(), inodes.wanted()], [[], [], []]);
  });

  it('are named exactly by findings, which do not mistake one for a changed other', () => {
    const found = findings(capture);
    assert.deepEqual(
      found.map(({ code }) => code),
      ['permission-errors'],
    );
    for (const id of [ONE + 2n, ONE + 3n]) assert.ok(found[0].text.includes(`inode ${printId(id)}`), found[0].text);
  });
});
