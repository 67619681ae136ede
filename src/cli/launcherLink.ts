/**
 * The launcher's end of the control channel to an editor (`share --control PATH`): tells states, facts and problems,
 * takes requests. Without an editor everything here does nothing. Knows nothing of guests; the messages are
 * `control/launcher.ts`.
 */
import { once } from 'node:events';
import { type Socket, createConnection } from 'node:net';
import {
  ErrorCodes,
  type MessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
  createMessageConnection,
} from 'vscode-jsonrpc/node';
import { Trouble, trouble } from '../base/catalogue';
import {
  type LauncherFacts,
  type LauncherState,
  type RunResult,
  type ShareFact,
  type ShareProblem,
  checkedRestart,
  checkedScript,
  daemonsReady,
  factsKnown,
  goodbye,
  restartGuest,
  runInGuest,
  shareTroubled,
  stateChanged,
  stopGuest,
} from '../control/launcher';
import { reasonOf } from '../protocol/errno';

/** How long an editor may take to hear the last word. */
const PATIENCE_MS = 1000;

/** What an editor may ask for. Each may throw a Trouble. */
export interface Requested {
  stop(): void;
  restart(words: readonly string[] | undefined): void;
  run(script: string): Promise<RunResult>;
}

export class LauncherLink {
  private connection: MessageConnection | undefined;

  private constructor(private readonly socket?: Socket) {}

  /** Connects where `path` is given. Throws a Trouble when nobody listens there. */
  static async open(path: string | undefined, requested: Requested): Promise<LauncherLink> {
    if (path === undefined) return new LauncherLink();
    const socket = createConnection(path);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw trouble('controlUnusable', path, reasonOf(error as NodeJS.ErrnoException));
    }
    const link = new LauncherLink(socket);
    link.attach(socket, requested);
    return link;
  }

  state(state: LauncherState): void {
    this.tell(() => this.connection?.sendNotification(stateChanged, state));
  }

  facts(facts: LauncherFacts): void {
    this.tell(() => this.connection?.sendNotification(factsKnown, facts));
  }

  /**
   * Resolves when the guest may start: an editor may have breakpoints to set before its first request. It may also go
   * meanwhile, or the guest be given up (`signal`).
   */
  async mayStart(shares: readonly ShareFact[], signal: AbortSignal): Promise<void> {
    const { connection, socket } = this;
    if (connection === undefined || socket === undefined || signal.aborted) return;
    const over = new Promise<void>((resolve) => {
      socket.once('close', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([connection.sendRequest(daemonsReady, { shares }).catch(() => {}), over]);
  }

  problem(problem: ShareProblem): void {
    this.tell(() => this.connection?.sendNotification(shareTroubled, problem));
  }

  /** Says no more. What was said is heard first, unless nobody reads. */
  async close(): Promise<void> {
    const { socket } = this;
    if (socket === undefined || socket.destroyed) return;
    const heard = this.connection?.sendRequest(goodbye).catch(() => {});
    await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    this.connection?.dispose();
    this.connection = undefined;
    socket.destroy();
  }

  private attach(socket: Socket, requested: Requested): void {
    const reader = new SocketMessageReader(socket);
    // Otherwise half a message at the end leaves a timer that starts itself again for ever.
    reader.partialMessageTimeout = 0;
    const connection = createMessageConnection(reader, new SocketMessageWriter(socket));
    this.connection = connection;
    const gone = (): void => {
      this.connection = undefined;
    };
    socket.on('error', gone);
    connection.onError(gone);
    connection.onClose(gone);
    connection.onRequest(stopGuest, () => {
      requested.stop();
      return null;
    });
    connection.onRequest(restartGuest, (params: unknown) => {
      const checked = checkedRestart(params);
      if (checked === undefined) return new ResponseError(ErrorCodes.InvalidParams, 'no words of "share"');
      try {
        requested.restart(checked.words);
      } catch (error) {
        return refusal(error);
      }
      return null;
    });
    connection.onRequest(runInGuest, async (params: unknown) => {
      const script = checkedScript(params);
      if (script === undefined) return new ResponseError<void>(ErrorCodes.InvalidParams, 'no script');
      return requested.run(script).catch(refusal);
    });
    connection.listen();
    // An editor that goes away must not keep a launcher whose guest has ended.
    socket.unref();
  }

  /** Whoever listens may go at any time: nothing is lost but what it would have been told. */
  private tell(send: () => Promise<void> | undefined): void {
    send()?.catch(() => {
      this.connection = undefined;
    });
  }
}

function refusal(error: unknown): ResponseError<void> {
  const text = error instanceof Trouble ? `${error.message}. ${error.remedy}` : String(error);
  return new ResponseError(ErrorCodes.InvalidRequest, text);
}
