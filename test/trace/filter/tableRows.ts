/** Rows for tests of filters, made from the bytes of requests and replies as a capture's reader would. */
import { decodeReply, decodeRequest, type Reply, type Request, type SessionShape } from '../../../src/protocol/message';
import { RowFlag } from '../../../src/trace/capture';
import type { Rows } from '../../../src/trace/filter/rows';

export interface Line {
  request?: Uint8Array;
  reply?: Uint8Array;
  session?: SessionShape;
  path?: string;
  start?: number;
  latency?: number;
  queued?: number;
  host?: number;
  writing?: number;
  held?: number;
  queue?: number;
  calls?: number;
  payload?: number;
  flags?: number;
}

export type TableRows = Rows & { readonly count: number; readonly lines: readonly Line[] };

const none = new Uint8Array(0);

export function tableRows(lines: readonly Line[], origin = 1_700_000_000_000_000_000n): TableRows {
  const n = lines.length;
  const paths = ['', ...new Set(lines.map((line) => line.path ?? '').filter((path) => path !== ''))];
  const word = (bytes: Uint8Array | undefined, at: number): number =>
    bytes && bytes.length >= at + 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) : 0;
  const request = (row: number): Request | undefined => {
    const { request: bytes, session } = lines[row];
    return bytes && decodeRequest(bytes, session);
  };
  const reply = (row: number): Reply | undefined => {
    const { reply: bytes, session } = lines[row];
    return bytes && decodeReply(bytes, request(row), session);
  };
  const each = (of: (line: Line) => number): number[] => lines.map(of);
  return {
    count: n,
    lines,
    origin,
    paths: paths.length,
    path: (index) => paths[index] ?? '',
    requestBytes: (row) => lines[row].request ?? none,
    replyBytes: (row) => lines[row].reply ?? none,
    request,
    reply,
    session: (row) => lines[row].session,
    columns: {
      start: Float64Array.from(each((line) => line.start ?? 0)),
      latency: Float64Array.from(each((line) => (line.reply && line.request ? (line.latency ?? 10_000) : NaN))),
      queued: Float32Array.from(each((line) => line.queued ?? 0)),
      host: Float32Array.from(each((line) => line.host ?? 0)),
      writing: Float32Array.from(each((line) => line.writing ?? 0)),
      held: Float32Array.from(each((line) => line.held ?? 0)),
      opcode: Uint16Array.from(each((line) => word(line.request, 4))),
      queue: Uint16Array.from(each((line) => line.queue ?? 1)),
      error: Int16Array.from(each((line) => word(line.reply, 4) | 0)),
      nodeid: Float64Array.from(each((line) => word(line.request, 20) * 2 ** 32 + word(line.request, 16))),
      uid: Uint32Array.from(each((line) => word(line.request, 24))),
      gid: Uint32Array.from(each((line) => word(line.request, 28))),
      pid: Uint32Array.from(each((line) => word(line.request, 32))),
      requestLength: Uint32Array.from(each((line) => word(line.request, 0))),
      replyLength: Uint32Array.from(each((line) => word(line.reply, 0))),
      payload: Uint32Array.from(each((line) => line.payload ?? 0)),
      path: Uint32Array.from(each((line) => paths.indexOf(line.path ?? ''))),
      otherPath: new Uint32Array(n),
      calls: Uint16Array.from(each((line) => line.calls ?? 0)),
      flags: Uint16Array.from(each((line) => (line.flags ?? 0) | presence(line))),
    },
  };
}

const presence = ({ request, reply }: Line): number => (reply ? RowFlag.REPLIED : 0) | (request ? 0 : RowFlag.ORPHAN);
