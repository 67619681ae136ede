/**
 * Answers the debugger on the queue worker: each request of `control/debug.ts`, already checked, as calls of the gate
 * and its parts; and what is held as facts.
 *
 * Runs between requests, or while one stands in the middle of its handler: so it looks at tables, never through the
 * areas that handlers share.
 */
import {
  type CallFacts,
  type DebugRequest,
  type Held,
  type HandleFacts,
  type InodeFacts,
  MOST_BYTES,
  MOST_HELD,
  type Params,
  type RequestFacts,
  type Result,
  type SessionFacts,
  type Verdict,
} from '../../control/debug';
import { type FaultRule, parseFault } from '../../control/rules/faultRule';
import { NEVER_HELD } from '../../control/rules/selector';
import type { Inspector, NodeFacts } from '../../fs/inspector';
import { MAX_WRITE, type Session } from '../../fuse/session';
import { opcodeByNumber, opcodes } from '../../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { SessionShape } from '../../protocol/message';
import type { Chain } from '../../virtio/chain';
import type { CallNote } from './callNotes';
import type { Gate } from './gate';
import type { GateRequest } from './gateRequest';
import type { Holding } from './holding';
import type { Matching } from './matching';
import type { Refused } from './messages';
import { readReply, type ReplyWriter } from './replyBytes';
import type { RequestBytes } from './requestBytes';
import { isRerunnable, RERUNNABLE } from './rerunnable';
import { handleAt } from './requestHandle';

export interface DeskParts {
  readonly gate: Gate;
  readonly matching: Matching;
  readonly holding: Holding;
  readonly takeBytes: (request: GateRequest) => RequestBytes;
  readonly pathOf: (request: GateRequest) => string;
  readonly inspector: Inspector;
  readonly writer: ReplyWriter;
  readonly session: Session;
  readonly shape: () => SessionShape | undefined;
  readonly cache: string;
  /** Guest memory, as far as there is some without a gap. */
  readonly readGuest: (address: number, count: number) => Uint8Array;
  readonly facts: {
    readonly version: string;
    readonly tag: string;
    readonly directory: string;
    readonly queues: number;
  };
}

type Answer<Name extends DebugRequest> = Result<Name> | Refused;
type Desk = { readonly [Name in DebugRequest]: (params: Params<Name>) => Answer<Name> };

const nothing = {};
const refused = (text: string): Refused => ({ refused: text });
const bytesRefused = (text: string): Refused => ({ refused: text, bytes: true });
const { nodeid, uid, gid, pid } = InHeader.offset;
const TYPES: Readonly<Record<number, string>> = {
  1: 'fifo',
  2: 'character device',
  4: 'folder',
  6: 'block device',
  8: 'file',
  10: 'link',
  12: 'socket',
};

export class DebugDesk {
  private readonly desk: Desk;

  constructor(private readonly parts: DeskParts) {
    this.desk = this.makeDesk();
  }

  /** Parameters have been checked by whoever took the message. */
  answer<Name extends DebugRequest>(name: Name, params: Params<Name>): Answer<Name> {
    return this.desk[name](params);
  }

  /** What is told of a held request. */
  held(request: GateRequest): Held {
    const { exchange, call } = request;
    return {
      request: request.id,
      opcode: request.opcode,
      name: opcodeByNumber(request.opcode)?.name ?? `opcode ${request.opcode}`,
      unique: wideAt(request, InHeader.offset.unique),
      nodeid: wideAt(request, nodeid),
      path: request.path ?? '',
      queue: exchange.queue,
      head: exchange.chain.head,
      uid: request.word(uid),
      gid: request.word(gid),
      pid: request.word(pid),
      phase: request.phase,
      inHandler: request.inHandler,
      why: request.why,
      ...(call ? { call: callFacts(call) } : {}),
      waited: Math.max(0, Date.now() - request.since),
      since: request.since,
      changed: request.changed,
    };
  }

  private makeDesk(): Desk {
    const { gate, matching, holding, takeBytes, inspector, facts } = this.parts;
    /** With the request that is meant, or what is wrong. */
    const of =
      <P extends { readonly request: number }, R>(then: (request: GateRequest, params: P) => R | Refused) =>
      (params: P): R | Refused => {
        const request = holding.request(params.request);
        return request ? then(request, params) : refused(`request ${params.request} is not held`);
      };
    const step = (next: 'in' | 'over' | 'out') =>
      of((request: GateRequest): Record<never, never> | Refused => {
        if (request.phase === 'waiting') return refused('it waits for a call that another thread makes, or for a lock');
        // From its entry one step over is its whole handler.
        gate.go(request, next === 'over' && request.phase === 'entry' ? 'out' : next);
        return nothing;
      });
    return {
      hello: ({ protocol }) => ({
        protocol,
        ...facts,
        pid: process.pid,
        neverHeld: opcodes.filter(({ number }) => NEVER_HELD.has(number)).map(({ name }) => name),
        rerunnable: opcodes.filter(({ number }) => RERUNNABLE.has(number)).map(({ name }) => name),
        mostHeld: MOST_HELD,
      }),
      setBreakpoints: ({ breakpoints }) => {
        const verdicts = matching.rules.setBreakpoints(breakpoints);
        gate.rearm();
        return { verdicts };
      },
      setExceptionFilters: ({ filters }) => {
        const verdicts = matching.rules.setExceptions(filters);
        gate.rearm();
        return { verdicts };
      },
      setOptions: ({ stopWorld }) => {
        holding.stopWorld(stopWorld);
        return nothing;
      },
      pause: ({ queue }) => {
        gate.pause(queue);
        return nothing;
      },
      continue: ({ request: id }) => {
        const released = id === undefined ? holding.all.map((one) => one.id) : [id];
        const requests = released.map((one) => holding.request(one));
        if (requests.includes(undefined)) return refused(`request ${id} is not held`);
        for (const request of requests) if (request && request.id !== 0) gate.go(request, 'run');
        return { released };
      },
      stepIn: step('in'),
      stepOver: step('over'),
      stepOut: step('out'),
      answer: of((request, { errno }) => {
        if (request.phase !== 'entry' && request.phase !== 'reply') {
          return refused('it is in the middle of its handler: step out first');
        }
        return gate.answer(request, errno) ? nothing : refused('there is no room for a reply in guest memory');
      }),
      rerun: of((request) => {
        if (request.phase !== 'reply') return refused('its handler has not ended');
        if (!isRerunnable(request.opcode)) return refused('its handler does something that cannot be done twice');
        gate.rerun(request);
        return nothing;
      }),
      readRequest: of((request, { offset, count }) => {
        const bytes = takeBytes(request);
        return { bytes: toBase64(bytes.read(offset, count)), total: bytes.length };
      }),
      writeRequest: of((request, params) => this.writeRequest(request, params)),
      readReply: of((request, { offset, count }) => {
        if (request.phase !== 'reply') return { bytes: '', total: 0 };
        const end = Math.min(request.used, offset + count);
        if (offset >= end) return { bytes: '', total: request.used };
        return {
          bytes: toBase64(readReply(request.exchange.chain, end).bytes(offset, end - offset)),
          total: request.used,
        };
      }),
      writeReply: of((request, params) => this.writeReply(request, params)),
      readMemory: ({ address, count }) => {
        const at = Number(address);
        const good = Number.isSafeInteger(at) && at >= 0;
        return { bytes: good ? toBase64(this.parts.readGuest(at, Math.min(count, MOST_BYTES))) : '' };
      },
      descriptors: of((request) => ({ descriptors: pieces(request.exchange.chain) })),
      held: () => ({ held: holding.all.map((request) => this.held(request)) }),
      request: of((request) => this.facts(request)),
      inode: ({ nodeid: id }) => {
        const found = this.inode(...halves(id));
        return found ? { inode: found } : {};
      },
      handle: ({ fh, nodeid: id }) => {
        const found = this.handle(...halves(fh), ...halves(id));
        return found ? { handle: found } : {};
      },
      session: () => this.session(inspector),
      setFaults: ({ rules }) => this.setFaults(rules),
      faults: () => ({ faults: matching.faults.list() }),
    };
  }

  private writeRequest(request: GateRequest, params: Params<'writeRequest'>): Answer<'writeRequest'> {
    if (request.phase !== 'entry') return refused('only a request that stands at its entry can be changed');
    const bytes = fromBase64(params.bytes);
    const taken = this.parts.takeBytes(request);
    const changed = taken.change(params.offset, bytes, params.replace ?? bytes.length, this.parts.shape());
    if (typeof changed === 'string') return bytesRefused(changed);
    request.changed = true;
    request.look(taken.bytes);
    request.path = this.parts.pathOf(request);
    return { total: taken.length, problems: changed.problems };
  }

  private writeReply(request: GateRequest, params: Params<'writeReply'>): Answer<'writeReply'> {
    if (request.phase !== 'reply') return refused('it has no reply yet');
    const bytes = fromBase64(params.bytes);
    const { offset, length = Math.max(request.used, offset + bytes.length) } = params;
    const { writer, shape } = this.parts;
    const { chain } = request.exchange;
    const changed = writer.change(chain, request.bytes, request.used, offset, bytes, length, shape());
    if (typeof changed === 'string') return bytesRefused(changed);
    request.changed = true;
    request.used = length;
    return { total: length, problems: changed.problems };
  }

  private setFaults(rules: readonly string[]): Result<'setFaults'> {
    const { gate, matching } = this.parts;
    const parsed = rules.map((text) => parseFault(text));
    const good = parsed.filter((one): one is FaultRule => !('problem' in one));
    const ids = matching.faults.replace(good);
    gate.rearm();
    const verdicts = parsed.map((one): Verdict => {
      if (!('problem' in one)) return { id: ids[good.indexOf(one)], verified: true };
      return { id: 0, verified: false, message: one.problem, part: 'rule', from: one.from, to: one.to };
    });
    return { verdicts };
  }

  private facts(request: GateRequest): RequestFacts {
    const { exchange, phase } = request;
    const taken = this.parts.takeBytes(request);
    const atReply = phase === 'reply';
    const inode = this.inode(request.word(nodeid), request.word(nodeid + 4));
    const fh = handleAt(request);
    const handle = fh && this.handle(fh[0], fh[1], request.word(nodeid), request.word(nodeid + 4));
    const { chain } = exchange;
    return {
      held: this.held(request),
      requestBytes: taken.length,
      replyBytes: atReply ? request.used : 0,
      replyRoom: chain.writable,
      ...(atReply && request.used >= OutHeader.size ? { error: -readReply(chain, OutHeader.size).getI32(4) } : {}),
      ...(request.refusal === undefined ? {} : { refusal: request.refusal }),
      ...(inode ? { inode } : {}),
      ...(handle ? { handle } : {}),
      session: this.session(this.parts.inspector),
      calls: request.calls.map(callFacts),
      can: whatItCan(request),
    };
  }

  private session(inspector: Inspector): SessionFacts {
    const { started, minor, flags, flags2 } = this.parts.session;
    return {
      started,
      minor,
      flags,
      flags2,
      maxWrite: MAX_WRITE,
      cache: this.parts.cache,
      inodes: inspector.nodes,
      handles: inspector.handles,
    };
  }

  private inode(low: number, high: number): InodeFacts | undefined {
    const { inspector } = this.parts;
    const node = inspector.nodeOf(low, high);
    return node === undefined ? undefined : inodeFacts(wide(low, high), inspector.node(node));
  }

  private handle(fhLow: number, fhHigh: number, idLow: number, idHigh: number): HandleFacts | undefined {
    const { inspector } = this.parts;
    const node = inspector.nodeOf(idLow, idHigh);
    const state = node === undefined ? undefined : inspector.handle(fhLow, fhHigh, node);
    return (
      state && {
        fh: wide(fhLow, fhHigh),
        nodeid: wide(idLow, idHigh),
        kind: state.isFolder ? 'folder' : 'file',
        flags: state.flags,
        generation: state.generation,
        descriptor: state.fd,
      }
    );
  }
}

function whatItCan({ phase, opcode }: GateRequest): RequestFacts['can'] {
  const can: RequestFacts['can'][number][] = ['continue'];
  if (phase === 'waiting') return can;
  can.push('stepIn', 'stepOver', 'stepOut');
  if (phase === 'entry') can.push('answer', 'writeRequest');
  if (phase === 'reply') can.push('answer', 'writeReply');
  if (phase === 'reply' && isRerunnable(opcode)) can.push('rerun');
  return can;
}

const wide = (low: number, high: number): string => String((BigInt(high) << 32n) | BigInt(low));
const wideAt = (request: GateRequest, at: number): string => wide(request.word(at), request.word(at + 4));

function halves(text: string): [low: number, high: number] {
  const value = BigInt.asUintN(64, BigInt(text));
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
}

const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

const callFacts = (note: CallNote): CallFacts => ({ ...note });

const pieces = (chain: Chain): Result<'descriptors'>['descriptors'] =>
  [...chain.pieces()].map(({ address, length, writable }) => ({ address: String(address), length, writable }));

const inodeFacts = (id: string, facts: NodeFacts): InodeFacts => ({
  nodeid: id,
  path: facts.path,
  type: TYPES[facts.type] ?? '?',
  lookups: facts.lookups,
  generation: facts.generation,
  ino: wide(facts.inoLow, facts.inoHigh),
  device: String(facts.device),
  mount: String(facts.mount),
  descriptor: facts.fd,
});
