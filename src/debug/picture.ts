/**
 * One stopped request as the debugger shows it, whether a daemon holds it or a capture has it: what both targets make,
 * and frames, scopes, texts and expressions are made from.
 *
 * Owns the shape and the decoding. Knows neither DAP nor where the bytes come from.
 */
import { errnoName } from '../protocol/errno';
import { initFlags, initFlags2 } from '../protocol/fuse/flags';
import type { Machine } from '../protocol/machine';
import { decodeReply, decodeRequest, type Reply, type Request, type SessionShape } from '../protocol/message';
import { visible } from '../protocol/text';
import type { HostCallRecord } from '../trace/capture';

/** A named fact with its sentence; `inside` where it has parts. */
export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly doc?: string;
  readonly inside?: readonly Fact[];
  /** For `readMemory`. */
  readonly memory?: string;
}

/** `result` missing: it is about to be made, or under way. */
export type PictureCall = Omit<HostCallRecord, 'result' | 'start'> & { readonly result: number | undefined };

/** Where it stands: as the daemon says it (control/debug.ts). A recorded request is at `entry`, `called` or `reply`. */
export type Phase = 'entry' | 'call' | 'called' | 'waiting' | 'reply';

export type Ability = 'answer' | 'rerun' | 'writeRequest' | 'writeReply';

export interface Descriptor {
  readonly address: bigint;
  readonly length: number;
  /** Written by the device: room for the reply. */
  readonly writable: boolean;
}

export interface PictureFacts {
  readonly thread: number;
  readonly name: string;
  readonly opcode: number;
  readonly unique: string;
  /** Of a capture: its number there, as views, timelines, findings and exports have it. */
  readonly number?: number;
  readonly nodeid: string;
  readonly path: string;
  readonly queue: number;
  /** A capture's rows do not tell it. */
  readonly head: number | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly phase: Phase;
  readonly requestBytes: Uint8Array;
  /** Undefined while there is none. */
  readonly replyBytes: Uint8Array | undefined;
  readonly session: SessionShape | undefined;
  /** Whose open(2) flags it has. */
  readonly machine: Machine;
  /** Host calls so far; `current` is the one it stands at. */
  readonly calls: readonly PictureCall[];
  readonly current: number | undefined;
  /** Undefined where nobody knows them (a capture). */
  readonly descriptors: readonly Descriptor[] | undefined;
  readonly inode: readonly Fact[] | undefined;
  readonly handle: readonly Fact[] | undefined;
  readonly sessionFacts: readonly Fact[];
  /** Of a capture: the guest's view of the share at that moment. */
  readonly model?: readonly Fact[];
  readonly can: ReadonlySet<Ability>;
  /** Nanoseconds; of a reply. */
  readonly latency?: number;
  readonly start?: number;
  /** Why the server refuses it, or what else there is to know. */
  readonly notes: readonly string[];
}

export class Picture {
  private decodedRequest: Request | undefined;
  private decodedReply: Reply | undefined;

  constructor(readonly facts: PictureFacts) {}

  get title(): string {
    return titleOf(this.facts);
  }

  get request(): Request {
    return (this.decodedRequest ??= decodeRequest(this.facts.requestBytes, this.facts.session, this.facts.machine));
  }

  get reply(): Reply | undefined {
    const { replyBytes, session } = this.facts;
    if (replyBytes === undefined || replyBytes.length === 0) return undefined;
    return (this.decodedReply ??= decodeReply(replyBytes, this.request, session));
  }

  /** `ENOENT`, where the reply is an error. */
  get error(): string | undefined {
    const reply = this.reply;
    return reply !== undefined && reply.kind === 'reply' && reply.error < 0 ? errnoName(reply.error) : undefined;
  }
}

type Named = Pick<PictureFacts, 'name' | 'unique' | 'number' | 'path'>;

/** `READ #37`; of a share that runs, where nobody has numbered it, `READ unique=812`, which is also a filter's word. */
export const numbered = ({ name, unique, number }: Named): string =>
  `${name} ${number === undefined ? `unique=${unique}` : `#${number}`}`;

/** The same with its path. */
export const titleOf = (named: Named): string =>
  `${numbered(named)}${named.path === '' ? '' : ` ${visible(named.path)}`}`;

/** What INIT has agreed on, from its flag words. */
export function sessionShape(minor: number, flags: number, flags2: number): SessionShape {
  const word = (table: typeof initFlags | typeof initFlags2, name: string): number =>
    table.bits.find((bit) => bit.name === name)?.value ?? 0;
  return {
    minor,
    hasFlag: (name) => (flags & word(initFlags, name)) !== 0 || (flags2 & word(initFlags2, name)) !== 0,
  };
}
