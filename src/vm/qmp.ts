/**
 * A client of the QEMU Machine Protocol (QEMU: docs/interop/qmp-spec.rst): JSON lines over a Unix socket.
 *
 * Owns greeting, command ids and events. What QEMU says is checked and bounded: of one that makes no sense no more is
 * read, and whoever waits is told why. Knows nothing of what the commands mean.
 */
import type { Duplex } from 'node:stream';
import { trouble, type Trouble } from '../base/catalogue';
import { reasonOf } from '../protocol/errno';
import { quote } from '../protocol/text';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type QmpObject = { [name: string]: Json };

interface Waiting {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

/** In characters. The longest answer that QEMU has, its whole schema, is a quarter of it. */
const LONGEST_LINE = 1 << 20;
/** Of what is not understood, enough to know it by. */
const SHOWN = 60;

export class QmpClient {
  /** Resolves when nothing more can be asked, with the reason. */
  readonly over: Promise<Trouble>;
  private readonly waiting = new Map<number, Waiting>();
  private readonly greeted: Promise<void>;
  private greet: () => void = () => {};
  private tellOver: (why: Trouble) => void = () => {};
  private closed: Trouble | undefined;
  /** The line that has not come to its end. */
  private text = '';
  private lastId = 0;

  /** Takes over `stream`. `onEvent` gets asynchronous messages such as SHUTDOWN. */
  constructor(
    private readonly stream: Duplex,
    private readonly onEvent: (name: string, data: QmpObject) => void = () => {},
  ) {
    this.greeted = new Promise((resolve) => (this.greet = resolve));
    this.over = new Promise((resolve) => (this.tellOver = resolve));
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.receive(chunk));
    stream.on('error', (error) => this.close(trouble('qmpOver', reasonOf(error))));
    stream.on('close', () => {
      this.close(trouble('qmpOver', this.text === '' ? 'QEMU closed it' : 'QEMU closed it within a message'));
    });
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
    if (this.closed !== undefined) return; // A stream that is destroyed may still give what it has read.
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      const line = this.text + chunk.slice(start, end);
      this.text = '';
      start = end + 1;
      const wrong = this.take(line.trim());
      if (wrong !== undefined) {
        this.giveUp(wrong);
        return;
      }
    }
    this.text += chunk.slice(start);
    if (this.text.length > LONGEST_LINE) this.giveUp('a message without an end');
  }

  /** Says what is wrong with the line, if anything is. */
  private take(line: string): string | undefined {
    if (line === '') return undefined;
    const message = parseObject(line);
    if (message === undefined) return `no JSON object: ${shown(line)}`;
    const { event, data = {}, error, id } = message;
    if ('QMP' in message) {
      this.greet();
      return undefined;
    }
    if (event !== undefined) {
      if (typeof event !== 'string' || !isObject(data)) return `an odd event: ${shown(line)}`;
      this.onEvent(event, data);
      return undefined;
    }
    const waiting = typeof id === 'number' ? this.waiting.get(id) : undefined;
    if (typeof id !== 'number' || waiting === undefined) return `an answer to nothing that was asked: ${shown(line)}`;
    if (isObject(error) && typeof error['desc'] === 'string') {
      waiting.reject(new Error(`QEMU refused: ${error['desc']}`));
    } else if (error === undefined && message['return'] !== undefined) {
      waiting.resolve(message['return']);
    } else {
      return `an answer without a result: ${shown(line)}`; // Whoever asked hears it with the others.
    }
    this.waiting.delete(id);
    return undefined;
  }

  private giveUp(wrong: string): void {
    this.text = '';
    this.close(trouble('qmpOdd', wrong));
    this.stream.destroy();
  }

  private close(why: Trouble): void {
    if (this.closed !== undefined) return;
    this.closed = why;
    this.tellOver(why);
    this.greet(); // Whoever waits in connect() meets the error in execute().
    for (const { reject } of this.waiting.values()) {
      reject(why);
    }
    this.waiting.clear();
  }
}

function isObject(value: Json | undefined): value is QmpObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(line: string): QmpObject | undefined {
  try {
    const value = JSON.parse(line) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // No JSON at all is no object either.
  }
}

function shown(line: string): string {
  return quote(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line);
}
