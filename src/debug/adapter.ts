/**
 * The debug adapter: DAP messages in and out, over a stream or inline. Finds the handler in `requests.ts`, answers
 * every request, one that nobody knows or that is given something wrong with an error, and keeps the order that clients
 * rely on: a request's answer comes before the events that it causes.
 */
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol';
import { Event, Response } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { capital } from '../base/capital';
import { Trouble, trouble } from '../base/catalogue';
import { given } from './arguments';
import { Debugging } from './debugging';
import { isRequest, requests, type RequestRow } from './requests';
import { requestText } from './requestText';
import type { Surroundings } from './surroundings';

export class DebugAdapter extends ProtocolServer {
  private readonly debugging: Debugging;
  /** Requests under way whose answer has to come before the events that they cause. */
  private moving = 0;
  private readonly waiting: Event[] = [];
  private disposed = false;

  constructor(surroundings: Surroundings) {
    super();
    this.debugging = new Debugging(surroundings, (name, body, now) => this.tell(name, body, now));
    // The end of the client's stream, where there is one.
    this.on('close', () => this.dispose());
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    void this.answer(request);
  }

  private async answer(request: DebugProtocol.Request): Promise<void> {
    const { command } = request;
    const row: RequestRow<unknown> | undefined = isRequest(command) ? requests[command] : undefined;
    const response = new Response(request) as DebugProtocol.Response;
    const moves = row?.moves === true;
    if (moves) this.moving++;
    try {
      if (!isRequest(command) || row === undefined) throw trouble('debugRequestUnknown', command);
      const body = await row.handle(this.debugging, given(command, request.arguments));
      if (body !== undefined) response.body = body;
      if (!this.disposed) this.sendResponse(response);
      row.then?.(this.debugging);
    } catch (error) {
      if (!this.disposed) this.sendResponse(failed(response, error, row?.quiet !== true && !this.debugging.over));
    } finally {
      if (moves) this.moving--;
      this.flush();
    }
  }

  private tell(name: string, body: object | undefined, now: boolean): void {
    if (this.disposed) return;
    const event = new Event(name, body);
    if (this.moving > 0 && !now) this.waiting.push(event);
    else this.sendEvent(event);
  }

  private flush(): void {
    while (this.moving === 0 && !this.disposed) {
      const event = this.waiting.shift();
      if (event === undefined) return;
      this.sendEvent(event);
    }
  }

  /** The text of a stopped request, for clients that have documents of their own; undefined when it has gone on. */
  async requestText(thread: number): Promise<string | undefined> {
    return this.debugging.started && this.debugging.target.isStopped(thread)
      ? requestText(await this.debugging.target.picture(thread)).text
      : undefined;
  }

  /** The client has gone: everything held is released. */
  override dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.debugging.end();
  }

  override stop(): void {
    this.dispose();
  }
}

/** `wanted`: the client tells the person, but not of what was cancelled; else whoever asked shows it in its place. */
function failed(response: DebugProtocol.Response, error: unknown, wanted: boolean): DebugProtocol.Response {
  response.success = false;
  // The protocol's word for it, which clients do not show.
  const cancelled = error instanceof Trouble && error.code === 'debugCancelled';
  const shown = wanted && !cancelled;
  const said = error instanceof Error ? error.message : String(error);
  // What stands by itself is a sentence.
  const text = shown ? capital(said) : said;
  const remedy = error instanceof Trouble ? `${/[.?!]$/.test(text) ? '' : '.'} ${error.remedy}` : '';
  response.message = cancelled ? 'cancelled' : error instanceof Trouble ? error.code : 'error';
  // Given as a variable: braces in it mean nothing.
  response.body = { error: { id: 1, format: '{text}', variables: { text: `${text}${remedy}` }, showUser: shown } };
  return response;
}
