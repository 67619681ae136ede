/**
 * Talks DAP to the adapter without VS Code and keeps a log of all that was said, which is held against a golden one in
 * test/debug/golden. A missing golden fails; `UPDATE_GOLDEN=1` writes what is there now.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { DebugAdapter } from '../../src/debug/adapter';
import type { Surroundings } from '../../src/debug/surroundings';

const folder = resolve(__dirname, '../../../test/debug/golden');
const WIDE = 120;

/** What goes wrong when it is not given. */
export const nowhere: Surroundings = {
  launch: () => Promise.reject(new Error('nothing is launched here')),
  findShare: (name) => {
    throw new Error(`no share ${name} runs here`);
  },
};

/** JSON, an item or member a line where it is long. */
function format(value: unknown, indent = ''): string {
  const short = JSON.stringify(value);
  if (short.length <= WIDE || typeof value !== 'object' || value === null) return short;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => format(item, deeper))
    : Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${format(member, deeper)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${parts.map((part) => deeper + part).join(',\n')}\n${indent}${close}`;
}

/** An adapter, here or in a process of its own. */
export interface AdapterEnd {
  onDidSendMessage(listener: (message: Dap.ProtocolMessage) => void): unknown;
  handleMessage(message: Dap.ProtocolMessage): void;
  dispose(): void;
}

function inline(surroundings: Partial<Surroundings>): AdapterEnd {
  const adapter = new DebugAdapter({ ...nowhere, ...surroundings });
  return {
    onDidSendMessage: (listener) => adapter.onDidSendMessage((message) => listener(message as Dap.ProtocolMessage)),
    handleMessage: (message) => adapter.handleMessage(message),
    dispose: () => adapter.dispose(),
  };
}

export class DapLog {
  readonly adapter: AdapterEnd;
  readonly lines: string[] = [];
  private readonly responses = new Map<number, (response: Dap.Response) => void>();
  private readonly events: Dap.Event[] = [];
  private waiting: { name: string; found: (event: Dap.Event) => void } | undefined;
  private seq = 0;

  /** `hidden`: texts that differ from run to run, and what the log has instead. */
  constructor(
    surroundings: Partial<Surroundings> | AdapterEnd = {},
    private readonly hidden: readonly (readonly [string, string])[] = [],
    private readonly whole = false,
  ) {
    this.adapter = 'handleMessage' in surroundings ? surroundings : inline(surroundings);
    this.adapter.onDidSendMessage((message) => this.take(message));
  }

  private take(message: Dap.ProtocolMessage): void {
    if (message.type === 'response') {
      const response = message as Dap.Response;
      this.log(
        response.success ? '←' : '← failed:',
        response.command,
        response.success ? response.body : response.body?.error,
      );
      this.responses.get(response.request_seq)?.(response);
      return;
    }
    const event = message as Dap.Event;
    this.log('◇', event.event, event.body);
    if (this.waiting?.name === event.event) {
      const { found } = this.waiting;
      this.waiting = undefined;
      found(event);
    } else this.events.push(event);
  }

  private log(mark: string, name: string, body: unknown): void {
    // What is announced is in one log, not in all.
    const shown = name === 'initialize' && mark === '←' && !this.whole ? undefined : body;
    let line = `${mark} ${name}${shown === undefined ? '' : ` ${format(shown)}`}`;
    for (const [text, instead] of this.hidden) line = line.replaceAll(text, instead);
    this.lines.push(line);
  }

  note(text: string): void {
    this.lines.push('', `# ${text}`);
  }

  /** Resolves to the response, whatever it says. */
  async ask(command: string, args?: object): Promise<Dap.Response> {
    const seq = ++this.seq;
    this.log('→', command, args);
    const response = new Promise<Dap.Response>((found) => this.responses.set(seq, found));
    this.adapter.handleMessage({ seq, type: 'request', command, arguments: args } as Dap.Request);
    return response;
  }

  /** The body of a response that has to be good. */
  async good<Body = Record<string, never>>(command: string, args?: object): Promise<Body> {
    const response = await this.ask(command, args);
    assert.ok(response.success, `${command}: ${JSON.stringify(response.body)}`);
    return response.body as Body;
  }

  /** The next event of that name since the last that was taken. */
  event<E extends Dap.Event>(name: E['event']): Promise<E> {
    const index = this.events.findIndex(({ event }) => event === name);
    if (index >= 0) return Promise.resolve(this.events.splice(index, 1)[0] as E);
    return new Promise((found) => (this.waiting = { name, found: found as (event: Dap.Event) => void }));
  }

  /** The next stop that a person would look at: not that of a queue which waits for it. */
  async stopped(): Promise<Dap.StoppedEvent['body']> {
    for (;;) {
      const { body } = await this.event<Dap.StoppedEvent>('stopped');
      if (body.preserveFocusHint !== true) return body;
    }
  }

  /** The beginning of every session; resolves when breakpoints may come. */
  async begin(request: 'launch' | 'attach', args: object, client: object = {}): Promise<void> {
    await this.good('initialize', { adapterID: 'virtiofs', ...client });
    await this.good(request, args);
    await this.event('initialized');
  }

  /** Holds the log against the golden one. */
  isGolden(name: string): void {
    const file = resolve(folder, `${name}.log`);
    const text = `${this.lines.join('\n')}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    assert.ok(existsSync(file), `there is no ${file}`);
    assert.equal(text, readFileSync(file, 'utf8'));
  }
}
