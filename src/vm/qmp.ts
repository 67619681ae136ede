/**
 * A client of the QEMU Machine Protocol (QEMU: docs/interop/qmp-spec.rst): JSON lines over a Unix socket.
 *
 * Owns greeting, command ids and events. Knows nothing of what the commands mean.
 */
import type { Duplex } from 'node:stream';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type QmpObject = { [name: string]: Json };

interface Waiting {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

export class QmpClient {
  private readonly waiting = new Map<number, Waiting>();
  private readonly greeted: Promise<void>;
  private greet: () => void = () => {};
  private closed: Error | undefined;
  private text = '';
  private lastId = 0;

  /** Takes over `stream`. `onEvent` gets asynchronous messages such as SHUTDOWN. */
  constructor(
    private readonly stream: Duplex,
    private readonly onEvent: (name: string, data: QmpObject) => void = () => {},
  ) {
    this.greeted = new Promise((resolve) => (this.greet = resolve));
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.receive(chunk));
    stream.on('error', (error) => this.close(error));
    stream.on('close', () => this.close(new Error('QEMU has closed its QMP socket')));
  }

  /** Waits for the greeting and leaves the negotiation mode. To be called first. */
  async connect(): Promise<void> {
    await this.greeted;
    await this.execute('qmp_capabilities');
  }

  /** Sends a command; resolves with its `return`, rejects with QEMU's own description. */
  execute(command: string, words: QmpObject = {}): Promise<Json> {
    return new Promise((resolve, reject) => {
      if (this.closed !== undefined) {
        reject(this.closed);
        return;
      }
      const id = ++this.lastId;
      this.waiting.set(id, { resolve, reject });
      this.stream.write(`${JSON.stringify({ execute: command, arguments: words, id })}\n`);
    });
  }

  private receive(chunk: string): void {
    const lines = (this.text + chunk).split('\n');
    this.text = lines.pop() ?? '';
    for (const line of lines.filter((line) => line.trim() !== '')) {
      this.take(JSON.parse(line) as QmpObject);
    }
  }

  private take(message: QmpObject): void {
    if ('QMP' in message) {
      this.greet();
    } else if (typeof message['event'] === 'string') {
      this.onEvent(message['event'], (message['data'] ?? {}) as QmpObject);
    } else {
      const id = Number(message['id']);
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if ('error' in message) {
        const { desc } = message['error'] as QmpObject;
        waiting?.reject(new Error(`QEMU refused: ${String(desc)}`));
      } else {
        waiting?.resolve(message['return']);
      }
    }
  }

  private close(reason: Error): void {
    this.closed ??= reason;
    this.greet(); // Whoever waits in connect() meets the error in execute().
    for (const { reject } of this.waiting.values()) {
      reject(this.closed);
    }
    this.waiting.clear();
  }
}
