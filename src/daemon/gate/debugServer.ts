/**
 * The debugger's way in: a socket `PID.debug` in the user's own folder, on the main thread.
 *
 * Checks every message, passes it to the queue worker and its answer back. One debugger at a time; when its connection
 * ends, however, the queue worker is told at once, and lets everything go. Knows no request of the guest.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import { ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import {
  DEBUG_PROTOCOL,
  type DebugEvent,
  type DebugRequest,
  debugRequests,
  type EventFacts,
  type Params,
} from '../../control/debug';
import { overSocket } from '../../control/debugConnection';
import { checked, type Shape } from '../../control/shapes';
import { debugSocketOf, openSharesFolder } from '../../control/runningShares';
import type { DebugCommand, DebugNews } from './messages';

interface Client {
  readonly connection: MessageConnection;
  /** It has said hello. */
  greeted: boolean;
}

/** Milliseconds that the last words may take. */
const FAREWELL = 1000;

type Waiting = {
  readonly client: Client;
  readonly settle: (news: Extract<DebugNews, { kind: 'debugAnswer' }>) => void;
};

const names = Object.keys(debugRequests) as DebugRequest[];

export class DebugServer {
  private server: Server | undefined;
  private debugger: Client | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  /** `wake` tells the queue worker that there is something in `port`. */
  constructor(
    private readonly port: MessagePort,
    private readonly wake: () => void,
  ) {}

  /** Listens. `failed` is told why nobody can connect; the share goes on without. */
  listen(failed: (why: string) => void): void {
    try {
      const server = createServer((socket) => this.serve(socket));
      this.server = server;
      server.on('error', (error) => failed(error.message));
      server.listen(debugSocketOf(process.pid, openSharesFolder()));
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** News of the queue worker. */
  news(news: DebugNews): void {
    if (news.kind === 'debugEvent') {
      this.tell(news.name, news.facts as EventFacts<DebugEvent>);
      return;
    }
    const waiting = this.waiting.get(news.id);
    this.waiting.delete(news.id);
    waiting?.settle(news);
  }

  log(level: string, text: string): void {
    if (level === 'error' || level === 'warn' || level === 'info') this.tell('log', { level, text });
  }

  /** The share is over. A debugger that does not read is not waited for. */
  async close(text: string): Promise<void> {
    this.server?.close();
    const said = this.debugger?.greeted
      ? this.debugger.connection.sendNotification('ended', { text } satisfies EventFacts<'ended'>)
      : Promise.resolve();
    const ended = said.then(
      () => Promise.all([...this.sockets].map((socket) => new Promise<void>((resolve) => socket.end(resolve)))),
      () => undefined,
    );
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, FAREWELL).unref())]);
  }

  private tell<Name extends DebugEvent>(name: Name, facts: EventFacts<Name>): void {
    const client = this.debugger;
    if (client?.greeted) client.connection.sendNotification(name, facts).catch(() => undefined);
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    let client: Client | undefined = undefined;
    const connection = overSocket(socket, () => {
      this.sockets.delete(socket);
      connection.dispose();
      if (client && this.debugger === client) this.detach();
    });
    client = { connection, greeted: false };
    const own = client;
    for (const name of names) {
      connection.onRequest(name, (params: unknown) => this.request(own, name, params));
    }
    connection.listen();
  }

  private detach(): void {
    this.debugger = undefined;
    this.send({ kind: 'detach' });
  }

  private request(client: Client, name: DebugRequest, params: unknown): Promise<unknown> | ResponseError<void> {
    const shape: Shape<unknown> = debugRequests[name].params;
    const result = checked(shape, params ?? {});
    if (!result.ok) return new ResponseError(ErrorCodes.InvalidParams, `${name}: ${result.problems.join('; ')}`);
    if (name === 'hello') {
      const refusal = this.greet(client, result.value as Params<'hello'>);
      if (refusal !== undefined) return refusal;
    } else if (!client.greeted) return new ResponseError(ErrorCodes.InvalidRequest, 'say hello first');
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      const settle: Waiting['settle'] = (news) => {
        if (news.refused === undefined) resolve(news.result);
        else reject(new ResponseError(news.bytes ? ErrorCodes.InvalidParams : ErrorCodes.InvalidRequest, news.refused));
      };
      this.waiting.set(id, { client, settle });
      this.send({ kind: 'request', id, name, params: result.value });
    });
  }

  private greet(client: Client, { protocol }: Params<'hello'>): ResponseError<void> | undefined {
    if (protocol !== DEBUG_PROTOCOL) {
      const spoken = `this daemon speaks version ${DEBUG_PROTOCOL} of the debug protocol`;
      return new ResponseError(ErrorCodes.InvalidParams, spoken);
    }
    if (this.debugger && this.debugger !== client) {
      return new ResponseError(ErrorCodes.InvalidRequest, 'another debugger is connected to this share');
    }
    this.debugger = client;
    client.greeted = true;
    return undefined;
  }

  private send(command: DebugCommand): void {
    this.port.postMessage(command);
    this.wake();
  }
}
