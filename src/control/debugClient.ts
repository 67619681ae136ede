/**
 * A debugger's end of the debug protocol: asks a daemon and hears from it, with everything it says checked.
 *
 * Owns the connection. Knows the messages through `debug.ts` only, and nothing of what they are asked for.
 */
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { type Trouble, trouble } from '../base/catalogue';
import {
  DEBUG_PROTOCOL,
  type DebugEvent,
  type DebugRequest,
  type EventFacts,
  type Params,
  type Result,
  debugEvents,
  debugRequests,
} from './debug';
import { overSocket } from './debugConnection';
import { checked, type Shape } from './shapes';

/** Errors of this end, although they look like an answer: the connection has ended. */
const NO_ANSWER: readonly number[] = [
  ErrorCodes.MessageWriteError,
  ErrorCodes.MessageReadError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];

type Listener<Name extends DebugEvent> = (facts: EventFacts<Name>) => void;

export class DebugClient {
  private readonly emitter = new EventEmitter();
  private readonly connection: MessageConnection;
  /** The daemon has said that its share ends, which is before the connection does. */
  private shareEnded = false;
  /** Settles when the connection is over: '' where nothing was wrong. */
  readonly over: Promise<string>;

  private constructor(socket: ReturnType<typeof connect>) {
    let end: (why: string) => void = () => undefined;
    this.over = new Promise((resolve) => (end = resolve));
    this.connection = overSocket(socket, (why) => {
      this.connection.dispose();
      end(why ?? '');
    });
    for (const [name, shape] of Object.entries(debugEvents)) {
      this.connection.onNotification(name, (params: unknown) => {
        const facts = checked(shape as Shape<unknown>, params);
        if (!facts.ok) return;
        if (name === 'ended') this.shareEnded = true;
        this.emitter.emit(name, facts.value);
      });
    }
    this.connection.listen();
  }

  /** Connects to a daemon's `PID.debug` and says hello. Rejects when there is nobody, or another debugger is first. */
  static async connect(path: string, client: string): Promise<{ client: DebugClient; daemon: Result<'hello'> }> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const made = new DebugClient(socket);
    try {
      return { client: made, daemon: await made.ask('hello', { protocol: DEBUG_PROTOCOL, client }) };
    } catch (error) {
      made.close();
      throw error;
    }
  }

  /** Rejects with a Trouble: in the daemon's own words, or when it goes. */
  async ask<Name extends DebugRequest>(name: Name, params: Params<Name>): Promise<Result<Name>> {
    let answer: unknown;
    try {
      // Throws at once where the connection has ended.
      answer = await this.connection.sendRequest(name, params);
    } catch (error) {
      throw this.refusal(name, error);
    }
    const result = checked(debugRequests[name].result as Shape<Result<Name>>, answer);
    if (!result.ok) throw trouble('debugAnswerOdd', name, result.problems.join(', '));
    return result.value;
  }

  private refusal(name: DebugRequest, error: unknown): Trouble {
    if (!(error instanceof ResponseError) || NO_ANSWER.includes(error.code)) return this.gone();
    if (error.code === ErrorCodes.InvalidRequest) return trouble('debugRefused', error.message);
    // In a hello there is but the version.
    if (error.code === ErrorCodes.InvalidParams && name !== 'hello') return trouble('debugValueRefused', error.message);
    return trouble('debugAnswerOdd', name, error.message);
  }

  /** What is wrong where nothing can be asked any more. */
  gone(): Trouble {
    return trouble(this.shareEnded ? 'debugShareOver' : 'debugConnectionOver');
  }

  on<Name extends DebugEvent>(name: Name, listener: Listener<Name>): () => void {
    this.emitter.on(name, listener);
    return () => this.emitter.off(name, listener);
  }

  close(): void {
    this.connection.end();
    this.connection.dispose();
  }
}
