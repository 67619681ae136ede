/** Rows in the order of a column of the table. What the rows do not have for it is asked for. */
import { opcodeName } from './families';
import type { Rows } from './rows';
import { sortByKeys, sortByNumber, sortByStart } from './sorting';
import type { ColumnName } from './tableColumns';

/** What is not in the rows: where each path is in alphabetical order, and the bytes of data of each row. */
export interface AskedFor {
  paths(): Promise<Uint32Array>;
  payloads(): Promise<Uint32Array>;
}

/** `shown`: the rows in question, as they came. What cannot be had sorts as if all were the same. */
export async function orderBy(
  column: ColumnName,
  rows: Rows,
  shown: Uint32Array,
  asked: AskedFor,
): Promise<Uint32Array> {
  const { start, latency, queue, pid, opcode, path, error } = rows.columns;
  const byKeys = (key: (row: number) => number): Uint32Array => sortByKeys(shown, shown.map(key));
  const none = (): Uint32Array => new Uint32Array(0);
  switch (column) {
    case 'start':
      return sortByStart(shown, start);
    case 'latency':
      return sortByNumber(shown, (row) => latency[row]);
    case 'queue':
      return byKeys((row) => queue[row]);
    case 'pid':
      return byKeys((row) => pid[row]);
    case 'path': {
      const ranks = await asked.paths().catch(none);
      return byKeys((row) => ranks[path[row]] ?? 0);
    }
    case 'payload': {
      const payloads = await asked.payloads().catch(none);
      return byKeys((row) => payloads[row] ?? 0);
    }
    case 'opcode': {
      const ranks = opcodeRanks();
      return byKeys((row) => ranks[Math.min(opcode[row], ranks.length - 1)]);
    }
    case 'result':
      return sortByNumber(shown, (row) => (rows.inFlight(row) ? 1 : error[row]));
    case 'row':
    case 'what':
      return shown;
  }
}

/** The place of each opcode's name in alphabetical order. */
function opcodeRanks(): Uint32Array {
  const ranks = new Uint32Array(65);
  Array.from({ length: 64 }, (_, opcode) => opcode)
    .sort((a, b) => (opcodeName(a) < opcodeName(b) ? -1 : 1))
    .forEach((opcode, rank) => (ranks[opcode] = rank));
  ranks[64] = 64;
  return ranks;
}
