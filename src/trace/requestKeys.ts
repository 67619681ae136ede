/**
 * Whether two requests, of two captures, ask for the same: a number for opcode, path and the arguments that matter.
 *
 * Not nodeid, fh, unique, lock owners, process ids, times and data, which differ between two runs of the same program.
 * Which bytes those are follows from the structure tables once per opcode, so that a million requests take no decoding.
 */
import { opcodeByNumber, sizeInSession, type OpcodeRow } from '../protocol/fuse/opcodes';
import { InHeader } from '../protocol/fuse/structs';
import type { Field, StructTable } from '../protocol/struct';
import type { Capture } from './capture';
import { isOrphan } from './line';

/** Fields that are no `id` and yet name something of one run. */
const ofOneRun: ReadonlySet<string> = new Set([
  'owner',
  'lock_owner',
  'pid',
  'unique',
  'kh',
  'arg',
  'nlookup',
  'umask',
]);

interface Layout {
  /** Pairs of places, from the start of the message: from and to. */
  readonly ranges: Int32Array;
  /** Where the names begin, and how many there are. */
  readonly namesAt: number;
  readonly names: number;
}

const layouts = new Map<number, Layout>();
const NOTHING: Layout = { ranges: new Int32Array(0), namesAt: InHeader.size, names: 0 };

/** `first`: bytes of the first structure in this session. */
function layoutOf(row: OpcodeRow | undefined, first: number): Layout {
  // Numbers that mean nothing come from hostile guests, and are of 32 bits.
  if (!row) return NOTHING;
  const key = row.number * 0x1000 + first;
  let layout = layouts.get(key);
  if (layout) return layout;
  const ranges: number[] = [];
  let at = InHeader.size;
  row.in.forEach((table, index) => {
    const size = index === 0 ? first : table.size;
    // What INIT offers is the kernel's version, and no difference between two runs of a program.
    if (row.name !== 'INIT') addRanges(table, at, at + size, ranges);
    at += size;
  });
  layout = { ranges: Int32Array.from(ranges), namesAt: at, names: row.names.length };
  layouts.set(key, layout);
  return layout;
}

/** Bytes of the first structure; the session is only asked where names come behind a structure that it may shorten. */
function firstSize(capture: Capture, row: number, opcode: OpcodeRow | undefined): number {
  if (!opcode || opcode.in.length === 0) return 0;
  const varies = opcode.names.length > 0 && opcode.compat?.some((each) => each.of === 'in');
  const session = varies ? capture.session(row) : undefined;
  return session ? sizeInSession(opcode, 'in', 0, session.minor, session.hasFlag) : opcode.in[0].size;
}

function addRanges(table: StructTable, at: number, end: number, ranges: number[]): void {
  for (const field of table.fields) {
    if (at + field.at + field.size > end) return;
    if (typeof field.type !== 'string') addRanges(field.type, at + field.at, end, ranges);
    else if (matters(field)) ranges.push(at + field.at, at + field.at + field.size);
  }
}

function matters({ name, show }: Field): boolean {
  return show !== 'padding' && show !== 'id' && show !== 'seconds' && !name.endsWith('nsec') && !ofOneRun.has(name);
}

/** Paths of two captures under the same numbers. */
export class SharedPaths {
  private readonly numbers = new Map<string, number>();

  /** The number of each path of `capture`, by its index. */
  of(capture: Capture): Uint32Array {
    const result = new Uint32Array(capture.paths);
    for (let index = 0; index < result.length; index++) {
      const path = capture.path(index);
      let number = this.numbers.get(path);
      if (number === undefined) this.numbers.set(path, (number = this.numbers.size));
      result[index] = number;
    }
    return result;
  }
}

/** One number a row, equal where the requests ask for the same; NaN for a reply without a request. */
export function requestKeys(capture: Capture, paths: SharedPaths): Float64Array {
  const keys = new Float64Array(capture.count);
  const { opcode, path } = capture.columns;
  const numbers = paths.of(capture);
  for (let row = 0; row < keys.length; row++) {
    if (isOrphan(capture, row)) {
      keys[row] = NaN;
      continue;
    }
    const opcodeRow = opcodeByNumber(opcode[row]);
    const layout = layoutOf(opcodeRow, firstSize(capture, row, opcodeRow));
    keys[row] = keyOf(capture.requestBytes(row), layout, opcode[row], numbers[path[row]]);
  }
  return keys;
}

/**
 * Two hashes of 26 bits: among a million requests two different ones are alike once in 9,000 comparisons of captures.
 */
function keyOf(bytes: Uint8Array, { ranges, namesAt, names }: Layout, opcode: number, path: number): number {
  let a = mix(mix(0x811c9dc5, opcode), path);
  let b = mix(mix(0x2f0b4c47, path), opcode);
  for (let i = 0; i < ranges.length; i += 2) {
    const end = Math.min(ranges[i + 1], bytes.length);
    for (let at = ranges[i]; at < end; at++) {
      a = Math.imul(a ^ bytes[at], 0x01000193);
      b = Math.imul(b ^ bytes[at], 0x5bd1e995) ^ (b >>> 15);
    }
  }
  for (let at = namesAt, left = names; left > 0 && at < bytes.length; at++) {
    if (bytes[at] === 0) left--;
    a = Math.imul(a ^ bytes[at], 0x01000193);
    b = Math.imul(b ^ bytes[at], 0x5bd1e995) ^ (b >>> 15);
  }
  return (finish(a) & 0x3ffffff) * 0x4000000 + (finish(b) & 0x3ffffff);
}

const mix = (hash: number, word: number): number => Math.imul(hash ^ word, 0x85ebca6b) ^ (hash >>> 13);

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x45d9f3b);
  h ^= h >>> 15;
  return h;
}
