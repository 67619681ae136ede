/**
 * Text and bytes to standard output or a file, without more in memory than a buffer: who writes waits where the reader
 * is slow. A reader that has gone (`| head`) is `OutputClosed`, which main.ts takes for a good end; standard output
 * that cannot be written is a Trouble.
 */
import { chmodSync, createWriteStream, existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { trouble } from '../base/catalogue';
import { isReaderGone, outputTrouble } from '../base/outputFault';
import { systemReason } from '../base/systemReason';
import { quote } from '../protocol/text';

/** Nobody reads any more: not a failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** What is wrong with a file is told by who knows its name. */
function faultOf(stream: Writable, error: NodeJS.ErrnoException): Error {
  const { stdout } = process;
  if (isReaderGone(error, stream === stdout ? stdout : { isTTY: false })) return new OutputClosed(error.message);
  return stream === stdout ? outputTrouble(error) : error;
}

const BUFFERED = 128 << 10;

export class Output {
  private text = '';
  private blocks: Uint8Array[] = [];
  private blockBytes = 0;
  private fault: Error | undefined;
  /** Whoever waits for the stream: to be drained, or to fail. */
  private wake: () => void = () => undefined;
  /** Bytes or characters so far. */
  written = 0;

  constructor(private readonly stream: Writable) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.fault ??= faultOf(stream, error);
      this.wake();
    });
    stream.on('drain', () => this.wake());
    stream.on('close', () => this.wake());
  }

  /**
   * Text, or bytes, which must not change any more. Undefined when there is nothing to wait for:
   * `const wait = out.push(line); if (wait) await wait;`.
   */
  push(chunk: string | Uint8Array): Promise<void> | undefined {
    if (typeof chunk === 'string') this.add(chunk);
    else {
      this.blocks.push(chunk);
      this.blockBytes += chunk.length;
    }
    return this.text.length + this.blockBytes < BUFFERED ? undefined : this.flush();
  }

  /** For little: it goes with what is pushed next. */
  add(text: string): void {
    this.text += text;
  }

  /** Gives what is buffered away, and lets signals and errors be heard. */
  async flush(): Promise<void> {
    const { text, blocks } = this;
    this.text = '';
    this.blocks = [];
    this.blockBytes = 0;
    if (blocks.length > 0) await this.give(Buffer.concat(blocks));
    if (text.length > 0) await this.give(text);
    await setImmediate();
    this.check();
  }

  private check(): void {
    if (this.fault) throw this.fault;
  }

  private async give(chunk: string | Uint8Array): Promise<void> {
    this.check();
    this.written += chunk.length;
    if (this.stream.write(chunk)) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.check();
  }
}

/**
 * A file that appears under its name when it is whole. `-` stands for standard output. Nobody else may read a new file:
 * what it is made of may be as private. One that is replaced keeps its permissions, and a link goes on leading to it.
 */
export async function writeWhole(
  file: string,
  force: boolean,
  write: (output: Output) => Promise<void>,
): Promise<void> {
  if (file === '-') {
    const output = new Output(process.stdout);
    await write(output);
    await output.flush();
    return;
  }
  if (!force && existsSync(file)) throw trouble('outputThere', quote(file));
  const there = existsSync(file) ? statSync(file) : undefined;
  // A device, pipe or FIFO is written to, also through a link such as /dev/stdout; a file is replaced.
  const direct = there !== undefined && !there.isFile();
  const place = there?.isFile() === true ? realpathSync(file) : file;
  const fresh = direct ? file : `${place}.${process.pid}.part`;
  const stream = createWriteStream(fresh, { flags: direct ? 'w' : 'wx', mode: 0o600 });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const output = new Output(stream);
  const remove = (): void => {
    if (!direct) rmSync(fresh, { force: true });
  };
  const interrupted = (signal: 'SIGINT' | 'SIGTERM'): void => {
    remove();
    process.exit(128 + constants.signals[signal]);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await write(output);
    await output.flush();
    stream.end();
    await closed;
    await output.flush();
    if (direct) return;
    if (there !== undefined) chmodSync(fresh, there.mode & 0o777);
    renameSync(fresh, place);
  } catch (error) {
    stream.destroy();
    remove();
    const why = systemReason(error);
    throw why === undefined ? error : trouble('outputUnusable', quote(file), why);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
