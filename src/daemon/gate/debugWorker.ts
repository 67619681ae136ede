/**
 * The queue worker's part of debugging, put together: the gate and its parts, standstill, desk, and the port by which
 * the main thread passes the debugger's messages.
 */
import { readlinkSync } from 'node:fs';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Arena } from '../../base/arena';
import { VERSION } from '../../base/version';
import type { DebugEvent, EventFacts } from '../../control/debug';
import { type FaultRule, parseFault } from '../../control/rules/faultRule';
import type { HostCalls } from '../../fs/hostCalls';
import type { PassthroughFileSystem } from '../../fs/passthrough';
import type { Session } from '../../fuse/session';
import { initFlags, initFlags2 } from '../../protocol/fuse/flags';
import type { SessionShape } from '../../protocol/message';
import type { DaemonOptions } from '../daemonOptions';
import type { ShareDevice } from '../device';
import type { RequestServer } from '../requestServer';
import type { Tracer } from '../trace/tracer';
import { CallNotes } from './callNotes';
import { DebugDesk } from './debugDesk';
import { Gate } from './gate';
import type { GateRequest } from './gateRequest';
import { Holding } from './holding';
import { Matching } from './matching';
import type { DebugCommand, DebugNews, Refused } from './messages';
import { ReplyWriter } from './replyBytes';
import { RequestBytes } from './requestBytes';
import { requestPath } from './requestPath';
import { Standstill } from './standstill';
import { Stepping } from './stepping';

export { REPLY_AREA } from './replyBytes';

export interface DebugWorkerParts {
  readonly options: DaemonOptions;
  readonly arena: Arena;
  /** REPLY_AREA bytes of the arena. */
  readonly replyAt: number;
  readonly server: RequestServer & { readonly session: Session };
  readonly fs: PassthroughFileSystem;
  readonly tracer: Tracer;
  readonly plainCalls: HostCalls;
  readonly callsOf: { calls: HostCalls };
  readonly commandFd: number;
  readonly quitFd: number;
  readonly port: MessagePort;
  readonly say: (news: DebugNews) => void;
  readonly warn: (text: string) => void;
}

export class DebugWorker {
  readonly gate: Gate;
  readonly stepping: Stepping;
  readonly standstill: Standstill;
  private readonly desk: DebugDesk;
  private device!: ShareDevice;

  constructor(private readonly parts: DebugWorkerParts) {
    const { options, arena, server, fs } = parts;
    const inspector = fs.inspector(linkOf);
    const writer = new ReplyWriter(arena, parts.replyAt);
    const shape = shapeOf(server.session);
    const { tracer, plainCalls, callsOf } = parts;
    const takeBytes = (request: GateRequest): RequestBytes =>
      (request.exchange.taken ??= new RequestBytes(arena, request.exchange.chain));
    const pathOf = (request: GateRequest): string => requestPath(request, inspector);
    const tell = <Name extends DebugEvent>(name: Name, facts: EventFacts<Name>): void =>
      parts.say({ kind: 'debugEvent', name, facts });
    this.standstill = new Standstill(parts.commandFd, parts.quitFd, () => this.commands());
    const holding = new Holding(
      { tracer, takeBytes, pathOf },
      {
        held: (request) => tell('held', this.desk.held(request)),
        stepped: (request) => tell('stepped', this.desk.held(request)),
        released: (request, why) => tell('released', { request, why }),
        log: parts.warn,
      },
    );
    const matching = new Matching({
      pathOf,
      shape,
      logpoint: (id, text, request) => {
        const unique = (BigInt(request.word(12)) << 32n) | BigInt(request.word(8));
        const { opcode, exchange } = request;
        tell('logpoint', { id, text, opcode, queue: exchange.queue, unique: String(unique) });
      },
    });
    this.stepping = new Stepping({
      holding,
      tracer,
      notes: new CallNotes(arena),
      standstill: this.standstill,
      plainCalls,
      callsOf,
    });
    this.gate = new Gate({ matching, holding, stepping: this.stepping, server, tracer, writer, takeBytes });
    matching.faults.addOptions(options.faults.map(parseFault).filter((one): one is FaultRule => !('problem' in one)));
    this.gate.rearm();
    this.desk = new DebugDesk({
      gate: this.gate,
      matching,
      holding,
      takeBytes,
      pathOf,
      inspector,
      writer,
      session: server.session,
      shape,
      cache: options.cache,
      readGuest: (address, count) => this.device.readGuest(address, count),
      facts: {
        version: VERSION,
        tag: options.name ?? options.tag ?? '',
        directory: options.sharedDir,
        queues: options.queues + 1,
      },
    });
  }

  attach(device: ShareDevice): void {
    this.device = device;
  }

  /** Whatever has come through the port. */
  commands(): void {
    for (let got = receiveMessageOnPort(this.parts.port); got; got = receiveMessageOnPort(this.parts.port)) {
      const command = got.message as DebugCommand;
      if (command.kind === 'detach') this.gate.detach();
      else this.answer(command);
      this.gate.work();
    }
  }

  private answer({ id, name, params }: Extract<DebugCommand, { kind: 'request' }>): void {
    const result: object | Refused = this.desk.answer(name, params as never);
    if ('refused' in result) this.parts.say({ kind: 'debugAnswer', id, result: undefined, ...result });
    else this.parts.say({ kind: 'debugAnswer', id, result });
  }

  close(): void {
    this.standstill.close();
  }
}

/** Where the kernel says that a descriptor's inode is. */
function linkOf(fd: number): Uint8Array | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
  } catch {
    return undefined;
  }
}

/** What INIT has negotiated, as decoders want it; one object, since the session is one. */
function shapeOf(session: Session): () => SessionShape | undefined {
  const shape: SessionShape = {
    get minor() {
      return session.minor;
    },
    hasFlag: (name) => {
      const low: Readonly<Record<string, number>> = initFlags.value;
      const high: Readonly<Record<string, number>> = initFlags2.value;
      return (session.flags & (low[name] ?? 0)) !== 0 || (session.flags2 & (high[name] ?? 0)) !== 0;
    },
  };
  return () => (session.started ? shape : undefined);
}
