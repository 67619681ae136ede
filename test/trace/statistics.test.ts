/** The table by opcode: counts, errors, exact percentiles. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { ExchangePairing } from '../../src/trace/exchanges';
import { OpcodeStatistics, percentile } from '../../src/trace/statistics';
import { reply, request } from './messages';

function table(...exchanges: [opcode: number, error: number, microseconds: number][]) {
  const pairing = new ExchangePairing();
  const statistics = new OpcodeStatistics();
  for (const [opcode, error, microseconds] of exchanges) {
    const alone = pairing.take(request(opcode, {}));
    const exchange = alone ?? pairing.take(reply(error, { time: BigInt(microseconds) * 1000n, taken: 0n }));
    assert.ok(exchange);
    statistics.add(exchange);
  }
  return statistics.rows();
}

describe('trace statistics', () => {
  it('has no rows at first', () => assert.deepEqual(table(), []));

  it('counts and times by opcode, the busiest first', () => {
    const rows = table(
      [Opcode.OPEN, 0, 10],
      ...Array.from({ length: 100 }, (_, i): [number, number, number] => [Opcode.READ, i < 3 ? -5 : 0, i + 1]),
    );
    assert.deepEqual(rows, [
      { opcode: 'READ', count: 100, errors: 3, p50: 50, p95: 95, max: 100 },
      { opcode: 'OPEN', count: 1, errors: 0, p50: 10, p95: 10, max: 10 },
    ]);
  });

  it('an opcode without a reply has no latency', () => {
    assert.deepEqual(table([Opcode.FORGET, 0, 0]), [
      { opcode: 'FORGET', count: 1, errors: 0, p50: undefined, p95: undefined, max: undefined },
    ]);
  });

  it('an unknown opcode has a row by its number', () => {
    assert.equal(table([4242, -38, 1])[0].opcode, 'opcode 4242');
  });

  it('the percentile is the smallest value that the part does not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        (values, percent) => {
          const sorted = Float32Array.from(values).sort();
          const found = percentile(sorted, percent / 100) ?? NaN;
          assert.ok(values.includes(found));
          assert.ok(values.filter((value) => value <= found).length * 100 >= percent * values.length - 1e-6);
          assert.ok(values.filter((value) => value < found).length * 100 < percent * values.length);
        },
      ),
    );
    assert.equal(percentile(new Float32Array(0), 0.5), undefined);
    assert.equal(
      percentile(
        Float32Array.from({ length: 100 }, (_, i) => i + 1),
        0.07,
      ),
      7,
    );
  });
});
