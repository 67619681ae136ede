/** Captures read at once or in pieces, and everything that they say: for tests of reading. */
import { CaptureReader, type CaptureReaderOptions } from '../../src/trace/captureReader';
import { CaptureBuilder } from './captureBuilder';

/** Reads a whole capture, in chunks cut at these places; each chunk is overwritten afterwards. */
export function read(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  options: CaptureReaderOptions = {},
): CaptureReader {
  const reader = new CaptureReader(options);
  let at = 0;
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    const chunk = bytes.slice(at, end);
    reader.push(chunk);
    chunk.fill(0xee);
    at = end;
  }
  reader.end();
  return reader;
}

/** A row's columns and messages as a plain object. */
export function rowOf(capture: CaptureReader, row: number) {
  const c = capture.columns;
  return {
    start: c.start[row],
    latency: c.latency[row],
    queued: c.queued[row],
    host: c.host[row],
    writing: c.writing[row],
    opcode: c.opcode[row],
    queue: c.queue[row],
    error: c.error[row],
    nodeid: c.nodeid[row],
    uid: c.uid[row],
    gid: c.gid[row],
    pid: c.pid[row],
    requestLength: c.requestLength[row],
    replyLength: c.replyLength[row],
    payload: c.payload[row],
    path: capture.path(c.path[row]),
    calls: c.calls[row],
    flags: c.flags[row],
  };
}

/** All that a capture says. */
export const everything = (capture: CaptureReader) => ({
  rows: Array.from({ length: capture.count }, (_, row) => ({
    ...rowOf(capture, row),
    request: capture.request(row),
    requestBytes: Array.from(capture.requestBytes(row)),
    reply: capture.reply(row),
    replyBytes: Array.from(capture.replyBytes(row)),
    hostCalls: capture.hostCalls(row),
    minor: capture.session(row)?.minor,
  })),
  control: capture.control,
  gaps: capture.gaps,
  share: capture.share,
  notes: capture.notes,
  origin: capture.origin,
});

/** A bit of everything that a capture can have. */
export const mixed = (): CaptureBuilder => {
  const builder = new CaptureBuilder({ tag: 'work', directory: '/srv', queues: 3 })
    .vhostUser(1)
    .names([{ nodeid: 9, parent: 1, name: 'old' }])
    .init({ flags: ['DO_READDIRPLUS'] })
    .exchange('LOOKUP', { names: ['a'], out: { nodeid: 2, attr: { mode: 0o100644 } } })
    .exchange('READ', {
      nodeid: 2,
      in: { fh: 1, size: 4096 },
      outPayload: 4096,
      hostCalls: [{ call: 'preadv2', arguments: [5, 0, 1, 0, 0], result: 4096, duration: 900 }],
    })
    .lost(3);
  const pending = builder.request('READ', { queue: 2, nodeid: 9, in: { size: 10 } });
  return builder
    .exchange('WRITE', { nodeid: 2, in: { fh: 1 }, payload: 'hello', error: 'ENOSPC' })
    .exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } })
    .reply(pending, { outPayload: 'ok', later: true })
    .exchange('READDIRPLUS', { in: { size: 99 }, entries: [{ name: 'x', out: { nodeid: 7 } }] });
};
