/**
 * A daemon that does what a test says, at the other end of the real debug client: over a real socket, with every
 * message checked by the shapes of the protocol. It knows the phases of a held request and nothing of file systems.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import {
  DEBUG_PROTOCOL,
  debugEvents,
  debugRequests,
  type CallFacts,
  type DebugEvent,
  type DebugRequest,
  type EventFacts,
  type Held,
  type HeldPhase,
  type Params,
  type RequestFacts,
  type Result,
} from '../../src/control/debug';
import { overSocket } from '../../src/control/debugConnection';
import { checked, type Shape } from '../../src/control/shapes';
import { encodeReply } from '../../src/protocol/encode';
import { InHeader } from '../../src/protocol/fuse/structs';
import { opcodeByNumber } from '../../src/protocol/fuse/opcodes';

export interface Scripted {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  readonly calls?: readonly CallFacts[];
  readonly path?: string;
  readonly queue?: number;
  readonly inode?: RequestFacts['inode'];
  readonly handle?: RequestFacts['handle'];
}

interface Standing {
  readonly script: Scripted;
  held: Held;
  request: Uint8Array;
  reply: Uint8Array;
  /** Host calls made. */
  made: number;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const u32 = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const u64 = (bytes: Uint8Array, at: number): string =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true).toString();

export const session: Result<'session'> = {
  started: true,
  minor: 45,
  flags: 0x40000029,
  flags2: 0,
  maxWrite: 1 << 20,
  cache: 'auto',
  inodes: 3,
  handles: 1,
};

export class ScriptedDaemon {
  readonly path: string;
  /** What was asked, by name, in order. */
  readonly asked: string[] = [];
  breakpoints: Params<'setBreakpoints'>['breakpoints'] = [];
  /** Resolves when the debugger has gone. */
  readonly left: Promise<void>;
  private readonly folder = mkdtempSync(join(tmpdir(), 'virtiofs-scripted-'));
  private readonly server: Server;
  private readonly refusals = new Map<DebugRequest, ResponseError<void>>();
  private readonly standing = new Map<number, Standing>();
  private connection: MessageConnection | undefined;
  private socket: Socket | undefined;
  private nextId = 1;
  private faults: readonly string[] = [];
  private leave: () => void = () => undefined;

  constructor() {
    this.path = join(this.folder, 'debug');
    this.left = new Promise((resolve) => (this.leave = resolve));
    this.server = createServer((socket) => {
      this.socket = socket;
      const connection = overSocket(socket, () => {
        this.standing.clear();
        this.leave();
      });
      this.connection = connection;
      for (const name of Object.keys(debugRequests) as DebugRequest[]) {
        connection.onRequest(name, (params: unknown) => this.handle(name, params));
      }
      connection.listen();
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(this.path, resolve));
    return this;
  }

  close(): void {
    this.socket?.destroy();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** From now on it answers this to `name`. */
  refuses(name: DebugRequest, code: number, why: string): void {
    this.refusals.set(name, new ResponseError(code, why));
  }

  /** The connection ends without a word. */
  hangUp(): void {
    this.socket?.destroy();
  }

  /** How many requests are held. */
  get holding(): number {
    return this.standing.size;
  }

  heldNow(): readonly Held[] {
    return [...this.standing.values()].map(({ held }) => held);
  }

  tell<Name extends DebugEvent>(name: Name, facts: EventFacts<Name>): void {
    const good = checked(debugEvents[name] as Shape<unknown>, facts);
    if (!good.ok) throw new Error(`${name}: ${good.problems.join(', ')}`);
    void this.connection?.sendNotification(name, facts);
  }

  /** A request comes and is held. */
  hold(script: Scripted, why: Partial<Held['why']> = {}, phase: HeldPhase = 'entry'): number {
    const request = this.nextId++;
    const { offset } = InHeader;
    const opcode = u32(script.request, offset.opcode);
    const held: Held = {
      request,
      opcode,
      name: opcodeByNumber(opcode)?.name ?? `opcode ${opcode}`,
      unique: u64(script.request, offset.unique),
      nodeid: u64(script.request, offset.nodeid),
      path: script.path ?? '',
      queue: script.queue ?? 1,
      head: 4 * request,
      uid: u32(script.request, offset.uid),
      gid: u32(script.request, offset.gid),
      pid: u32(script.request, offset.pid),
      phase,
      inHandler: false,
      why: { kind: 'breakpoint', ids: [], text: '', ...why },
      waited: 1500,
      since: 1_700_000_000_000,
      changed: false,
    };
    this.standing.set(request, {
      script,
      held,
      request: script.request,
      reply: script.reply,
      made: phase === 'reply' ? (script.calls?.length ?? 0) : 0,
    });
    this.tell('held', held);
    return request;
  }

  private handle(name: DebugRequest, params: unknown): unknown {
    this.asked.push(name);
    const good = checked(debugRequests[name].params as Shape<never>, params);
    if (!good.ok) return new ResponseError(ErrorCodes.InvalidParams, good.problems.join(', '));
    const refusal = this.refusals.get(name);
    if (refusal) return refusal;
    try {
      return this.handlers[name](good.value);
    } catch (error) {
      return new ResponseError(ErrorCodes.InvalidRequest, (error as Error).message);
    }
  }

  private of(request: number): Standing {
    const standing = this.standing.get(request);
    if (standing === undefined) throw new Error(`no request ${request} is held`);
    return standing;
  }

  private move(standing: Standing, phase: HeldPhase, why: Held['why']['kind'] = 'step'): Record<string, never> {
    const call = standing.script.calls?.[phase === 'called' ? standing.made - 1 : standing.made];
    const { call: _before, ...rest } = standing.held;
    const { result: _result, milliseconds: _took, ...begun } = call ?? ({} as CallFacts);
    const at = phase === 'call' ? { call: begun as CallFacts } : phase === 'called' && call ? { call } : {};
    standing.held = {
      ...rest,
      phase,
      inHandler: phase === 'call' || phase === 'called',
      why: { kind: why, ids: [], text: '' },
      ...at,
    };
    this.tell('stepped', standing.held);
    return {};
  }

  /** It goes on: the debugger learns of it when the message arrives. */
  release(request: number, why: EventFacts<'released'>['why']): Record<string, never> {
    this.standing.delete(request);
    this.tell('released', { request, why });
    return {};
  }

  private toReply(standing: Standing): Record<string, never> {
    standing.made = standing.script.calls?.length ?? 0;
    return this.move(standing, 'reply');
  }

  private stepIn({ request }: { request: number }): Record<string, never> {
    const standing = this.of(request);
    const { phase } = standing.held;
    if (phase === 'reply') return this.release(request, 'stepped');
    if (phase === 'call') {
      standing.made++;
      return this.move(standing, 'called');
    }
    return standing.made < (standing.script.calls?.length ?? 0) ? this.move(standing, 'call') : this.toReply(standing);
  }

  private facts(standing: Standing): RequestFacts {
    const { held, script, made } = standing;
    const { inode, handle, calls = [] } = script;
    const can: RequestFacts['can'][number][] = ['continue', 'stepIn', 'stepOver', 'stepOut'];
    if (held.phase === 'entry') can.push('answer', 'writeRequest');
    if (held.phase === 'reply') can.push('answer', 'writeReply', 'rerun');
    return {
      held,
      requestBytes: standing.request.length,
      replyBytes: held.phase === 'reply' ? standing.reply.length : 0,
      replyRoom: 4096,
      ...(inode ? { inode } : {}),
      ...(handle ? { handle } : {}),
      session,
      calls: calls.slice(0, made),
      can,
    };
  }

  private readonly handlers: { [Name in DebugRequest]: (params: never) => Result<Name> } = {
    hello: () => ({
      protocol: DEBUG_PROTOCOL,
      version: '0',
      pid: 1,
      tag: 'work',
      directory: '/srv/work',
      queues: 2,
      neverHeld: ['FORGET'],
      rerunnable: ['READ'],
      mostHeld: 512,
    }),
    setBreakpoints: ({ breakpoints }: Params<'setBreakpoints'>) => {
      this.breakpoints = breakpoints;
      return { verdicts: breakpoints.map(({ id }) => ({ id, verified: true })) };
    },
    setExceptionFilters: ({ filters }: Params<'setExceptionFilters'>) => ({
      verdicts: filters.map(({ id }) => ({ id, verified: true })),
    }),
    setOptions: () => ({}),
    pause: () => ({}),
    continue: ({ request }: Params<'continue'>) => {
      const released = request === undefined ? [...this.standing.keys()] : [request];
      for (const one of released) {
        this.of(one);
        this.release(one, 'continued');
      }
      return { released };
    },
    stepIn: (params: Params<'stepIn'>) => this.stepIn(params),
    stepOver: ({ request }: Params<'stepOver'>) => {
      const standing = this.of(request);
      return standing.held.phase === 'entry' ? this.toReply(standing) : this.stepIn({ request });
    },
    stepOut: ({ request }: Params<'stepOut'>) => {
      const standing = this.of(request);
      return standing.held.phase === 'reply' ? this.release(request, 'stepped') : this.toReply(standing);
    },
    answer: ({ request, errno }: Params<'answer'>) => {
      const standing = this.of(request);
      standing.reply = encodeReply(BigInt(standing.held.unique), -errno);
      standing.held = { ...standing.held, changed: true };
      return this.move(standing, 'reply', 'answer');
    },
    rerun: ({ request }: Params<'rerun'>) => {
      const standing = this.of(request);
      standing.made = 0;
      return this.move(standing, 'entry', 'rerun');
    },
    readRequest: ({ request, offset, count }: Params<'readRequest'>) => {
      const bytes = this.of(request).request;
      return { bytes: base64(bytes.subarray(offset, offset + count)), total: bytes.length };
    },
    writeRequest: ({ request, offset, bytes, replace }: Params<'writeRequest'>) => {
      const standing = this.of(request);
      const fresh = Buffer.from(bytes, 'base64');
      const before = standing.request;
      const after = Buffer.concat([
        before.subarray(0, offset),
        fresh,
        before.subarray(offset + (replace ?? fresh.length)),
      ]);
      after.writeUInt32LE(after.length, 0);
      standing.request = after;
      standing.held = { ...standing.held, changed: true };
      return { total: after.length, problems: [] };
    },
    readReply: ({ request, offset, count }: Params<'readReply'>) => {
      const bytes = this.of(request).reply;
      return { bytes: base64(bytes.subarray(offset, offset + count)), total: bytes.length };
    },
    writeReply: ({ request, offset, bytes }: Params<'writeReply'>) => {
      const standing = this.of(request);
      const after = Buffer.from(standing.reply);
      Buffer.from(bytes, 'base64').copy(after, offset);
      standing.reply = after;
      return { total: after.length, problems: [] };
    },
    readMemory: ({ address, count }: Params<'readMemory'>) => ({
      // Guest memory ends at 0x2000; each byte is the low one of its address.
      bytes: base64(
        Uint8Array.from(
          { length: Math.max(0, Math.min(count, 0x2000 - Number(address))) },
          (_, i) => (Number(address) + i) & 0xff,
        ),
      ),
    }),
    descriptors: ({ request }: Params<'descriptors'>) => ({
      descriptors: [
        { address: '4096', length: this.of(request).script.request.length, writable: false },
        { address: '6144', length: 1024, writable: true },
      ],
    }),
    held: () => ({ held: [...this.standing.values()].map(({ held }) => held) }),
    request: ({ request }: Params<'request'>) => this.facts(this.of(request)),
    inode: ({ nodeid }: Params<'inode'>) => {
      const found = [...this.standing.values()].find(({ script }) => script.inode?.nodeid === nodeid)?.script.inode;
      return found ? { inode: found } : {};
    },
    handle: ({ fh }: Params<'handle'>) => {
      const found = [...this.standing.values()].find(({ script }) => script.handle?.fh === fh)?.script.handle;
      return found ? { handle: found } : {};
    },
    session: () => session,
    setFaults: ({ rules }: Params<'setFaults'>) => {
      const bad = rules.findIndex((rule) => rule.includes('nonsense'));
      if (bad < 0) this.faults = rules;
      return {
        verdicts: rules.map((rule, id) =>
          id === bad ? { id, verified: false, message: `"${rule}" is no fault rule` } : { id, verified: true },
        ),
      };
    },
    faults: () => ({ faults: this.faults.map((rule, id) => ({ id, rule, seen: 0, done: 0, fromOptions: false })) }),
  };
}
