/** The columns of the requests' table, and what it can be sorted by. */
export type ColumnName =
  'row' | 'start' | 'queue' | 'pid' | 'opcode' | 'path' | 'what' | 'latency' | 'result' | 'payload';

export interface ColumnParts {
  readonly name: ColumnName;
  readonly title: string;
  readonly number?: true;
  readonly sortable: boolean;
}

export const columns: readonly ColumnParts[] = [
  { name: 'row', title: '#', number: true, sortable: true },
  { name: 'start', title: 'Time (s)', number: true, sortable: true },
  { name: 'queue', title: 'Queue', number: true, sortable: true },
  { name: 'pid', title: 'PID', number: true, sortable: true },
  { name: 'opcode', title: 'Opcode', sortable: true },
  { name: 'path', title: 'Path', sortable: true },
  { name: 'what', title: 'Arguments', sortable: false },
  { name: 'latency', title: 'Latency', number: true, sortable: true },
  { name: 'result', title: 'Result', sortable: true },
  { name: 'payload', title: 'Bytes', number: true, sortable: true },
];

export interface Sorting {
  readonly column: ColumnName;
  readonly down: boolean;
}

export const columnNames: readonly string[] = columns.map(({ name }) => name);
