/**
 * The captures of this folder's tests, by the name of their file: whole ones, and ones that something has happened to.
 */
import { CaptureBuilder } from '../../trace/captureBuilder';
import { sampleCapture } from '../sampleCapture';

export type CaptureName =
  | 'build.fuse.pcapng'
  | 'slower.fuse.pcapng'
  | 'long.fuse.pcapng'
  | 'deep.fuse.pcapng'
  | 'noted.fuse.pcapng'
  | 'noted-twice.fuse.pcapng'
  | 'reloaded.fuse.pcapng'
  | 'rotated.fuse.pcapng'
  | 'cut.fuse.pcapng'
  | 'damaged.fuse.pcapng'
  | 'foreign.fuse.pcapng'
  | 'empty.fuse.pcapng'
  | 'zero.fuse.pcapng';

export function captures(): Record<CaptureName, Uint8Array> {
  const whole = sampleCapture().bytes();
  return {
    'build.fuse.pcapng': whole,
    'slower.fuse.pcapng': sampleCapture({ slower: 1.6, files: 50 }).bytes(),
    'long.fuse.pcapng': long().bytes(),
    'deep.fuse.pcapng': deep().bytes(),
    // Notes outlive a test, and may be written after it: each test that makes some has a capture of its own.
    'noted.fuse.pcapng': whole,
    'noted-twice.fuse.pcapng': whole,
    'reloaded.fuse.pcapng': whole,
    'rotated.fuse.pcapng': rotated().newer,
    'cut.fuse.pcapng': whole.subarray(0, whole.length - 1001),
    'damaged.fuse.pcapng': damaged(whole),
    'foreign.fuse.pcapng': new TextEncoder().encode('This was never a capture, whatever it is called.\n'),
    'empty.fuse.pcapng': new CaptureBuilder().bytes(),
    'zero.fuse.pcapng': new Uint8Array(0),
  };
}

/** With requests whose numbers have five digits, and one that took much longer than all others, at three quarters. */
function long(): CaptureBuilder {
  const builder = new CaptureBuilder();
  for (let i = 0; i < 12_000; i++) builder.exchange('STATFS', i === 9000 ? { latency: 500_000 } : {});
  return builder;
}

/** Linux has no larger ones. */
const MOST_PID = 2 ** 22 - 1;
/** Nanoseconds. */
const LATE = 12_345_678_901_000;

/** Two files a long way down, hours later. */
function deep(): CaptureBuilder {
  const builder = new CaptureBuilder().init();
  const entry = (nodeid: number, mode: number) => ({ nodeid, generation: 1, attr: { mode, nlink: 1 } });
  for (let nodeid = 1; nodeid < 30; nodeid++) {
    builder.exchange('LOOKUP', { nodeid, names: ['node_modules'], out: entry(nodeid + 1, 0o040755) });
  }
  for (const name of ['index.js', 'package.json']) {
    const out = entry(40 + name.length, 0o100644);
    builder.exchange('LOOKUP', { at: LATE + name.length, pid: MOST_PID, nodeid: 30, names: [name], out });
  }
  return builder;
}

/** A capture in two files: 40 requests in the older one, 3 in the newer one. */
export function rotated(): { readonly older: Uint8Array; readonly newer: Uint8Array } {
  const builder = new CaptureBuilder({ facts: { id: 'x', piece: 0 } });
  for (let i = 0; i < 40; i++) builder.exchange('STATFS');
  const older = builder.bytes();
  builder.section({ piece: 1 });
  for (const nodeid of [2, 3, 4]) builder.exchange('GETATTR', { nodeid });
  return { older, newer: builder.bytes().slice(older.length) };
}

/** With a block in the middle that is longer than any can be. */
function damaged(whole: Uint8Array): Uint8Array {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  let at = 0;
  while (at < bytes.length / 2) at += view.getUint32(at + 4, true);
  view.setUint32(at + 4, 0xffff_fff0, true);
  return bytes;
}
