/**
 * What a filter looks at: rows in columns, and their bytes. A `Capture` is one; `OneRow` is a single request that is
 * being served, for breakpoints.
 */
import { InHeader, OutHeader, ReadIn } from '../../protocol/fuse/structs';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import type { Machine } from '../../protocol/machine';
import { decodeReply, decodeRequest, type Reply, type Request, type SessionShape } from '../../protocol/message';
import { RowFlag, type Capture, type RequestColumns } from '../capture';
import { u32 } from './words';

export type Rows = Pick<
  Capture,
  'columns' | 'origin' | 'path' | 'paths' | 'requestBytes' | 'replyBytes' | 'request' | 'reply' | 'session'
>;

const none = new Uint8Array(0);

const wordOr0 = (bytes: Uint8Array, at: number): number => (at + 4 <= bytes.length ? u32(bytes, at) : 0);

/** Requests whose size is where that of READ is. */
const sized: ReadonlySet<number> = new Set([Opcode.READ, Opcode.WRITE, Opcode.READDIR, Opcode.READDIRPLUS]);

/** One request as it is being served; row 0 is it. Filled anew for each, so that nothing is allocated meanwhile. */
export class OneRow implements Rows {
  readonly columns = {
    start: new Float64Array(1),
    latency: new Float64Array(1),
    queued: new Float32Array(1),
    host: new Float32Array(1),
    writing: new Float32Array(1),
    otherPath: new Uint32Array(1),
    held: new Float32Array(1),
    opcode: new Uint16Array(1),
    queue: new Uint16Array(1),
    error: new Int16Array(1),
    nodeid: new Float64Array(1),
    uid: new Uint32Array(1),
    gid: new Uint32Array(1),
    pid: new Uint32Array(1),
    requestLength: new Uint32Array(1),
    replyLength: new Uint32Array(1),
    payload: new Uint32Array(1),
    path: new Uint32Array(1),
    calls: new Uint16Array(1),
    flags: new Uint16Array(1),
  } satisfies RequestColumns;
  /** No path index is ever remembered: 1 is a different path for each request. */
  readonly paths = 0;
  private requestPart: Uint8Array = none;
  private replyPart: Uint8Array = none;
  private shape: SessionShape | undefined;
  private pathText: string | (() => string) = '';

  readonly origin = 0n;

  constructor(private readonly machine: Machine) {}

  /**
   * A request was taken. `bytes` has the whole of it, or at least what it has before any data. A path that is costly to
   * find may be a function: it is called when a filter looks at the path.
   */
  take(
    bytes: Uint8Array,
    at: { start: number; queue: number; path: string | (() => string); session: SessionShape | undefined },
  ): void {
    const { columns } = this;
    this.requestPart = bytes;
    this.replyPart = none;
    this.shape = at.session;
    this.pathText = at.path;
    columns.start[0] = at.start;
    columns.queue[0] = at.queue;
    columns.opcode[0] = wordOr0(bytes, InHeader.offset.opcode);
    columns.nodeid[0] =
      wordOr0(bytes, InHeader.offset.nodeid) + wordOr0(bytes, InHeader.offset.nodeid + 4) * 0x1_0000_0000;
    columns.uid[0] = wordOr0(bytes, InHeader.offset.uid);
    columns.gid[0] = wordOr0(bytes, InHeader.offset.gid);
    columns.pid[0] = wordOr0(bytes, InHeader.offset.pid);
    columns.requestLength[0] = wordOr0(bytes, InHeader.offset.len);
    columns.path[0] = at.path === '' ? 0 : 1;
    columns.latency[0] = NaN;
    columns.queued[0] = columns.host[0] = columns.writing[0] = columns.held[0] = 0;
    columns.error[0] = columns.calls[0] = columns.replyLength[0] = 0;
    const number = columns.opcode[0];
    columns.flags[0] =
      (opcodeByNumber(number)?.reply === false ? RowFlag.SILENT : 0) | (this.machine === 'arm64' ? RowFlag.ARM64 : 0);
    columns.payload[0] = sized.has(number) ? wordOr0(bytes, InHeader.size + ReadIn.offset.size) : 0;
  }

  /** Its reply is ready. Phases are nanoseconds. */
  answer(bytes: Uint8Array, took: { latency: number; host: number; writing: number; calls: number }): void {
    const { columns } = this;
    this.replyPart = bytes;
    columns.latency[0] = took.latency;
    columns.host[0] = took.host;
    columns.writing[0] = took.writing;
    columns.calls[0] = took.calls;
    columns.replyLength[0] = wordOr0(bytes, OutHeader.offset.len);
    columns.error[0] = Math.max(-0x8000, Math.min(0x7fff, wordOr0(bytes, OutHeader.offset.error) | 0));
    columns.flags[0] |= RowFlag.REPLIED;
  }

  path(index: number): string {
    if (index !== 1) return '';
    return typeof this.pathText === 'string' ? this.pathText : this.pathText();
  }

  requestBytes(): Uint8Array {
    return this.requestPart;
  }

  replyBytes(): Uint8Array {
    return this.replyPart;
  }

  request(): Request | undefined {
    return this.requestPart.length === 0 ? undefined : decodeRequest(this.requestPart, this.shape, this.machine);
  }

  reply(): Reply | undefined {
    return this.replyPart.length === 0 ? undefined : decodeReply(this.replyPart, this.request(), this.shape);
  }

  session(): SessionShape | undefined {
    return this.shape;
  }
}
