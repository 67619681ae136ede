/**
 * What a capture says, as everything that looks at captures sees it: one row a request, in the order in which requests
 * were taken, in columns; the messages' bytes and what they mean on demand.
 *
 * The interface only: `captureReader.ts` fills it from a stream of bytes, a file or live. Readers (filter, statistics,
 * findings, exports, views) know nothing of pcapng, pairing or where bytes are kept. While a capture grows, rows are
 * added at the end and the columns of the last rows change (their replies come): read `columns` anew after each growth,
 * since the arrays are replaced by larger ones.
 */
import type { Machine } from '../protocol/machine';
import type { Reply, Request, SessionShape } from '../protocol/message';

/** Bits of the column `flags`. */
export const RowFlag = {
  /** There is a reply. */
  REPLIED: 1,
  /** The opcode wants no reply. */
  SILENT: 2,
  /** The request's bytes are not all in the capture. */
  REQUEST_CUT: 4,
  REPLY_CUT: 8,
  /** A reply (or notification) without a request: the request's columns are 0. */
  ORPHAN: 16,
  /** Answered later, by another thread or after a wait. */
  LATER: 32,
  /** The path rests on names learned before packets were lost: it may have changed unseen. */
  PATH_UNSURE: 64,
  /** A debugger or a fault changed the request or the reply. */
  CHANGED: 128,
  /** The open(2) flags in it have the numbers of arm64. */
  ARM64: 256,
  /** There is no reply since a fault dropped it: the guest waits for ever. Also CHANGED. */
  DROPPED: 512,
} as const;

/** A row with DROPPED, in words. */
export const DROPPED = 'dropped by a fault';

/** Whose open(2) flags a row with these flags has. */
export const machineOfRow = (flags: number): Machine => ((flags & RowFlag.ARM64) === 0 ? 'x86-64' : 'arm64');

/** Each array has at least `count` elements; what is beyond means nothing. */
export interface RequestColumns {
  /**
   * When the request was taken, nanoseconds after `Capture.origin`. Not sorted across queues, so it can be below 0 by
   * what lies between two queues.
   */
  readonly start: Float64Array;
  /** From taking the request to giving the reply, nanoseconds; NaN without a reply. */
  readonly latency: Float64Array;
  /** Phases, nanoseconds: waiting in the queue, in host system calls, writing the reply (0 without a reply). */
  readonly queued: Float32Array;
  readonly host: Float32Array;
  readonly writing: Float32Array;
  /** Of the latency: held by a debugger or a fault. */
  readonly held: Float32Array;
  readonly opcode: Uint16Array;
  readonly queue: Uint16Array;
  /** 0 or a negative errno; of a notification its (positive) code. */
  readonly error: Int16Array;
  /** As a double: from 2^53 on not exact, see `nodeNumbers.ts`. */
  readonly nodeid: Float64Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly pid: Uint32Array;
  /** Full lengths of the messages; 0 for one that is not there. */
  readonly requestLength: Uint32Array;
  readonly replyLength: Uint32Array;
  /**
   * Data moved, bytes: written, or read; 0 after an error; what was asked while there is no reply. Only of READ, WRITE,
   * the xattr calls, listings and copies.
   */
  readonly payload: Uint32Array;
  /** Index into `Capture.path`: what the request is about; of one with a name, that name in its folder. 0: unknown. */
  readonly path: Uint32Array;
  /** The same for a second path: what RENAME makes of it, what LINK gives a name. 0: none, or unknown. */
  readonly otherPath: Uint32Array;
  /** Host system calls made for it. */
  readonly calls: Uint16Array;
  readonly flags: Uint16Array;
}

/** One host system call of a request. */
export interface HostCallRecord {
  /** Nanoseconds after `Capture.origin`. */
  readonly start: number;
  readonly duration: number;
  /** Row of `protocol/hostCalls.ts`. */
  readonly call: number;
  /** Not negative, or a negative errno. */
  readonly result: number;
  readonly arguments: readonly bigint[];
  /** The paths and names among the arguments, in order. */
  readonly texts: readonly string[];
  readonly otherThread: boolean;
  /** Whose open(2) flags it has. */
  readonly machine: Machine;
}

/** A vhost-user message. */
export interface ControlMessage {
  readonly start: number;
  readonly fromFrontEnd: boolean;
  readonly descriptors: number;
  readonly bytes: Uint8Array;
  /** On the back-end's own channel, where it asks and the front-end answers. */
  readonly backEndChannel?: boolean;
}

/** What the writer says of a file and the DAX window. */
export interface WindowNote {
  readonly start: number;
  /** `WindowWhat` of packet.ts. */
  readonly what: number;
  /** All 64 bits: a double where that is exact, see `nodeNumbers.ts`. */
  readonly nodeid: number | bigint;
  /** Of a range that was mapped before the capture began; else 0. */
  readonly fileOffset: number;
  readonly length: number;
  readonly windowOffset: number;
  /** Path below the share, without a slash at its start; '' where it is not known. */
  readonly path: string;
  readonly text: string;
}

/** Packets were lost: between this row and the one before it, as far as is known. */
export interface Gap {
  readonly row: number;
  readonly packets: number;
}

/** What the writer says of the share (the section header's comment); nothing of it can be relied on. */
export type ShareFacts = Readonly<Record<string, unknown>>;

export interface Capture {
  /** How many rows there are. */
  readonly count: number;
  readonly columns: RequestColumns;
  /** Nanoseconds since the epoch of the first packet. */
  readonly origin: bigint;
  /**
   * Names of what the rows are about, by the column `path`: relative to the share, `/` is its root; '' for index 0.
   * What has lost its last known name keeps it, marked: `/a.db (deleted)`. A folder of which only the nodeid is known
   * is `?N`: `?70/a.db`. Bytes that are no UTF-8 are as `decodeText` has them.
   */
  path(index: number): string;
  /** How many paths there are: indexes are below it. */
  readonly paths: number;
  /** The message's bytes as far as they were captured (empty when there is none). Valid until the next call. */
  requestBytes(row: number): Uint8Array;
  replyBytes(row: number): Uint8Array;
  /** Decoded; undefined for an orphan. */
  request(row: number): Request | undefined;
  /** Decoded; undefined without a reply. */
  reply(row: number): Reply | undefined;
  /** What INIT had negotiated when the row was taken. */
  session(row: number): SessionShape | undefined;
  /** In the order in which they were made; empty where the capture has none. */
  hostCalls(row: number): readonly HostCallRecord[];
  readonly control: readonly ControlMessage[];
  /** In the order in which they were made. */
  readonly windowNotes?: readonly WindowNote[];
  readonly gaps: readonly Gap[];
  readonly share: ShareFacts;
  /** What a person should know of the capture as a whole: cut off, packets not understood, … */
  readonly notes: readonly string[];
}
