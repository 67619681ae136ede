/** What the tests of findings have in common: captures read back, and replies that speak of files. */
import * as assert from 'node:assert/strict';
import { CaptureReader } from '../../../src/trace/captureReader';
import { findings, type Finding, type FindingCode } from '../../../src/trace/findings/findings';
import { type CaptureBuilder, EPOCH, type FieldValues } from '../captureBuilder';

export const MS = 1e6;
export const SECOND = 1e9;

const EPOCH_SECONDS = Number(EPOCH / 1_000_000_000n);

export function read(built: CaptureBuilder): CaptureReader {
  const reader = new CaptureReader();
  reader.push(built.bytes());
  reader.end();
  return reader;
}

/** Everything found, so that a near miss is silent altogether. */
export const found = (built: CaptureBuilder): Finding[] => findings(read(built));

/** The only finding, which has this code. */
export function only(built: CaptureBuilder, code: FindingCode): Finding {
  const all = found(built);
  assert.deepEqual(
    all.map((each) => each.code),
    [code],
    all.map((each) => each.text).join('\n'),
  );
  return all[0];
}

export function silent(built: CaptureBuilder): void {
  assert.deepEqual(
    found(built).map((each) => `${each.code}: ${each.text}`),
    [],
  );
}

export interface FileFacts {
  readonly nodeid?: number;
  readonly ino?: number;
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** When it was last changed: nanoseconds after EPOCH. */
  readonly mtime?: number;
  readonly ctime?: number;
  readonly atime?: number;
  /** Seconds that the guest may use what it is told. */
  readonly valid?: number;
}

/** The fields of one time, whose seconds and nanoseconds are apart. */
function time(name: string, at: number): FieldValues {
  const seconds = Math.floor(at / SECOND);
  return { [name]: EPOCH_SECONDS + seconds, [`${name}nsec`]: at - seconds * SECOND };
}

function attr({ nodeid = 2, ino = nodeid, size = 0, mode = 0o100644, uid = 1000, gid = 1000, ...rest }: FileFacts) {
  const { mtime = -SECOND, ctime = mtime, atime = mtime } = rest;
  return {
    ino,
    size,
    mode,
    uid,
    gid,
    nlink: 1,
    ...time('atime', atime),
    ...time('mtime', mtime),
    ...time('ctime', ctime),
  };
}

/** fuse_entry_out: of LOOKUP, CREATE, an entry of READDIRPLUS … */
export function entryOut(facts: FileFacts): FieldValues {
  const { nodeid = 2, valid = 1 } = facts;
  return { nodeid, entry_valid: valid, attr_valid: valid, attr: attr(facts) };
}

/** fuse_attr_out. */
export function attrOut(facts: FileFacts): FieldValues {
  return { attr_valid: facts.valid ?? 1, attr: attr(facts) };
}

/** What a Linux guest and our daemon agree on with --cache=auto. */
export const usualFlags = [
  'ASYNC_READ',
  'POSIX_LOCKS',
  'ATOMIC_O_TRUNC',
  'BIG_WRITES',
  'FLOCK_LOCKS',
  'AUTO_INVAL_DATA',
  'DO_READDIRPLUS',
  'READDIRPLUS_AUTO',
  'ASYNC_DIO',
  'PARALLEL_DIROPS',
  'MAX_PAGES',
  'HANDLE_KILLPRIV_V2',
] as const;

export const without = (...flags: string[]): string[] => usualFlags.filter((each) => !flags.includes(each));
