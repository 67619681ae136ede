/** Counts, errors and latency by opcode. Percentiles are exact: every latency is kept, four bytes each. */
import type { TracedExchange } from './exchanges';

export interface OpcodeRow {
  readonly opcode: string;
  readonly count: number;
  readonly errors: number;
  /** Microseconds; undefined for opcodes without a reply. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly max: number | undefined;
}

class Latencies {
  private values = new Float32Array(64);
  count = 0;

  add(value: number): void {
    if (this.count === this.values.length) {
      const grown = new Float32Array(this.count * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.count++] = value;
  }

  sorted(): Float32Array {
    return this.values.slice(0, this.count).sort();
  }
}

/** The value below which the fraction `part` of a sorted list lies (nearest rank). */
export function percentile(sorted: Float32Array, part: number): number | undefined {
  // In doubles 0.07 × 100 is a little more than 7.
  const rank = Math.ceil(part * sorted.length - 1e-9);
  return sorted.length === 0 ? undefined : sorted[Math.max(0, rank - 1)];
}

export class OpcodeStatistics {
  private readonly rowsByName = new Map<string, { count: number; errors: number; latencies: Latencies }>();

  add(exchange: TracedExchange): void {
    const { name } = exchange;
    let row = this.rowsByName.get(name);
    if (!row) this.rowsByName.set(name, (row = { count: 0, errors: 0, latencies: new Latencies() }));
    row.count++;
    if (exchange.error !== 0) row.errors++;
    if (exchange.nanoseconds !== undefined) row.latencies.add(exchange.nanoseconds / 1000);
  }

  /** The busiest first. */
  rows(): OpcodeRow[] {
    return [...this.rowsByName]
      .map(([opcode, { count, errors, latencies }]) => {
        const sorted = latencies.sorted();
        return {
          opcode,
          count,
          errors,
          p50: percentile(sorted, 0.5),
          p95: percentile(sorted, 0.95),
          max: percentile(sorted, 1),
        };
      })
      .sort((a, b) => b.count - a.count);
  }
}
