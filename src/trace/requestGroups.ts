/**
 * Rows in groups: by file (a tree of folders), process or opcode; of each how many, how many failed, and its rows from
 * the newest back.
 *
 * Grows row by row and never looks at a row twice. Rows of a group are a list through one array, so that a group costs
 * nothing but a few numbers; only files have names in memory. Knows nothing of filters.
 */
import type { Capture } from './capture';
import { roomFor } from './columnArray';
import { isFailed } from './expectedErrors';
import { kindOf } from './line';
import { PairMap } from './pairMap';

export type Grouping = 'time' | 'file' | 'process' | 'opcode';

export interface Group {
  readonly id: number;
  readonly name: string;
  readonly count: number;
  readonly errors: number;
  /** Of the errors those that no guest expects, and dropped replies. */
  readonly failed: number;
  /** Sum of the latencies, nanoseconds, and how many have one. */
  readonly time: number;
  readonly timed: number;
  /** Groups in it. */
  readonly groups: number;
  /** Rows that are its own and of no group in it. */
  readonly own: number;
}

/** The group of everything. */
export const ALL = 0;
/** So many files and folders are told apart; what comes later is counted together. */
const MOST_GROUPS = 1 << 18;
/** The group of all files beyond a number of them. */
export const MANY_PATHS = '(more)';
/** The group of requests about no file, or one that nothing has named. */
export const NO_PATH = '(no path)';

export class RequestGroups {
  private readonly names: string[] = [''];
  private readonly inside: (Map<string, number> | undefined)[] = [undefined];
  private readonly outside = new Set<number>();
  private parent = new Int32Array(64);
  private counts = new Uint32Array(64);
  private errors = new Uint32Array(64);
  private failed = new Uint32Array(64);
  private times = new Float64Array(64);
  private timed = new Uint32Array(64);
  private own = new Uint32Array(64);
  /** Position + 1 of the latest row of its own. */
  private last = new Int32Array(64);
  /** By position: position + 1 of the row before in the same group. */
  private before = new Int32Array(1024);
  private rows = new Uint32Array(1024);
  private readonly byNumber = new PairMap();
  private byPath = new Int32Array(64);
  count = 0;

  constructor(
    private readonly capture: Capture,
    readonly grouping: Grouping,
  ) {
    this.parent[ALL] = -1;
  }

  add(row: number): void {
    const position = this.count++;
    this.rows = roomFor(this.rows, this.count);
    this.rows[position] = row;
    const group = this.groupOf(row);
    this.before = roomFor(this.before, this.count);
    this.before[position] = this.last[group];
    this.last[group] = position + 1;
    this.own[group]++;
    const { columns } = this.capture;
    const { error, latency } = columns;
    const isError = error[row] < 0 ? 1 : 0;
    const failed = isFailed(columns, row) ? 1 : 0;
    const isTimed = Number.isNaN(latency[row]) ? 0 : 1;
    const time = isTimed === 1 ? latency[row] : 0;
    for (let at = group; at >= 0; at = this.parent[at]) {
      this.counts[at]++;
      this.errors[at] += isError;
      this.failed[at] += failed;
      this.times[at] += time;
      this.timed[at] += isTimed;
    }
  }

  /** The groups in a group, the largest first; files and folders by name. */
  groups(of: number, most: number): Group[] {
    const before = this.grouping === 'file' ? this.byName : this.byCount;
    // Of very many all are looked at, and few sorted.
    let found: number[] = [];
    let last: number | undefined;
    for (const id of this.inside[of]?.values() ?? []) {
      if (last !== undefined && before(id, last) >= 0) continue;
      found.push(id);
      if (found.length < 2 * most) continue;
      found = found.sort(before).slice(0, most);
      last = found[most - 1];
    }
    return found
      .sort(before)
      .slice(0, most)
      .map((id) => this.group(id));
  }

  private readonly byCount = (a: number, b: number): number => this.counts[b] - this.counts[a] || a - b;
  private readonly byName = (a: number, b: number): number =>
    Number(this.isFolder(b)) - Number(this.isFolder(a)) || compare(this.names[a], this.names[b]) || a - b;

  private isFolder(id: number): boolean {
    return (this.inside[id]?.size ?? 0) > 0;
  }

  group(id: number): Group {
    return {
      id,
      name: this.names[id],
      count: this.counts[id],
      errors: this.errors[id],
      failed: this.failed[id],
      time: this.times[id],
      timed: this.timed[id],
      groups: this.inside[id]?.size ?? 0,
      own: this.own[id],
    };
  }

  /** A group's own rows, the newest first, `most` at most. */
  newest(id: number, most: number): number[] {
    const found: number[] = [];
    for (let at = this.last[id]; at > 0 && found.length < most; at = this.before[at - 1]) found.push(this.rows[at - 1]);
    return found.sort((a, b) => b - a);
  }

  /** The path of a file or folder, as the share has it; of what is none the name alone. */
  path(id: number): string {
    let path = '';
    for (let at = id; at > ALL; at = this.parent[at]) {
      if (this.outside.has(at)) return `${this.names[at]}${path}`;
      path = `/${this.names[at]}${path}`;
    }
    return path === '' ? '/' : path;
  }

  private groupOf(row: number): number {
    const { columns } = this.capture;
    switch (this.grouping) {
      case 'time':
        return ALL;
      case 'file':
        return this.fileOf(columns.path[row]);
      case 'process':
        return this.numbered(columns.pid[row], () => String(columns.pid[row]));
      case 'opcode': {
        const code = columns.opcode[row] === 0 && columns.error[row] > 0 ? -columns.error[row] : columns.opcode[row];
        return this.numbered(code, () => kindOf(this.capture, row));
      }
    }
  }

  private numbered(number: number, name: () => string): number {
    const known = this.byNumber.get(number, 0);
    if (known >= 0) return known;
    const group = this.child(ALL, name());
    this.byNumber.set(number, 0, group);
    return group;
  }

  private fileOf(path: number): number {
    if (path < this.byPath.length && this.byPath[path] !== 0) return this.byPath[path];
    const text = this.capture.path(path);
    let group = ALL;
    if (text === '') group = this.outsider(NO_PATH);
    else if (text === '/') group = this.outsider('/');
    else {
      const [first, ...names] = text.split('/');
      if (first !== '') group = this.outsider(first);
      for (const name of names) if (name !== '') group = this.child(group, name);
    }
    this.byPath = roomFor(this.byPath, path + 1);
    this.byPath[path] = group;
    return group;
  }

  /** A group at the top that is no name in the root: a folder of which the nodeid alone is known, and the like. */
  private outsider(name: string): number {
    // No name has a slash.
    const group = this.child(ALL, name, `/${name}`);
    this.outside.add(group);
    return group;
  }

  private child(parent: number, name: string, key = name): number {
    const inside = (this.inside[parent] ??= new Map<string, number>());
    const known = inside.get(key);
    if (known !== undefined) return known;
    if (this.names.length >= MOST_GROUPS && key !== `/${MANY_PATHS}`) return this.outsider(MANY_PATHS);
    const group = this.names.length;
    inside.set(key, group);
    this.names.push(name);
    this.inside.push(undefined);
    this.parent = roomFor(this.parent, group + 1);
    this.counts = roomFor(this.counts, group + 1);
    this.errors = roomFor(this.errors, group + 1);
    this.failed = roomFor(this.failed, group + 1);
    this.times = roomFor(this.times, group + 1);
    this.timed = roomFor(this.timed, group + 1);
    this.own = roomFor(this.own, group + 1);
    this.last = roomFor(this.last, group + 1);
    this.parent[group] = parent;
    return group;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
