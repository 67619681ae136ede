/**
 * The host's end of the line on which the launcher and a guest's init script talk; `guestInit.ts` is the other end.
 *
 * Two character devices in the guest (raw terminals or virtio ports), byte streams here; the second only brings errors.
 * The guest sends lines `TOKEN started`, `TOKEN failed WHAT` and `TOKEN ready RELEASE`, TOKEN being a random word of
 * this boot. The host sends `WORD STREAMS [FOLDER]` with a fresh random word, then a shell script in records
 * (`commandRecords.ts`); the guest runs it, its output comes as it is, then a line `WORD STATUS`. STREAMS is a list:
 * with `errors` standard error comes on the second stream instead of the first, with an end of its own; with `input`
 * records of input follow. `TOKEN more WORD` asks for each record but the first, `TOKEN lost WORD` says that the guest
 * could not take one: no more follow then, and a script does not run. `TOKEN gone WORD` says that the command has ended
 * with all of the guest's programs, those that would tell how among them; the guest then ends. The words cannot be
 * guessed, so no output can be taken for the end. One command runs at a time; further ones wait.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import { trouble } from '../base/catalogue';
import { printDuration } from '../trace/times';
import { CommandRecords } from './commandRecords';
import type { SendRecord } from './commandRecords';
import { MarkedStream } from './markedStream';
import type { TakeOutput } from './markedStream';

export interface CommandResult {
  /** Exit status, 128 + N when signal N ended it. */
  readonly status: number;
  /** Standard output, and standard error where nobody takes it apart, as they came. */
  readonly output: Buffer;
}

export interface CommandOptions {
  /** Where it runs instead of in the first share, which shows even a change of folder as requests of the guest. */
  readonly folder?: '/';
  /**
   * Rejects after this long; the command goes on in the guest and the ones behind it wait for it. Default: for ever.
   */
  readonly timeoutMs?: number;
  /** What it is called where it is given up. Default: its first line. */
  readonly title?: string;
  /**
   * Called with output as it comes; nothing more is taken from the guest until a promise that it returns has settled,
   * so that the command waits for a slow reader. `CommandResult.output` is then empty.
   */
  readonly onOutput?: TakeOutput;
  /**
   * The same for standard error, which then comes apart from the output: both are whole and in order, but not in order
   * with each other.
   */
  readonly onErrors?: TakeOutput;
  /** What the command reads, only as fast as it does; left paused when the command has ended. Default: nothing. */
  readonly input?: Readable;
}

interface Running {
  readonly token: string;
  readonly onOutput: TakeOutput;
  readonly onErrors: TakeOutput | undefined;
  readonly sent: CommandRecords;
  /** Streams that have not come to its end. */
  open: number;
  readonly resolve: (status: number) => void;
  readonly reject: (error: Error) => void;
}

export type GuestEvent = { kind: 'started' } | { kind: 'failed'; what: string } | { kind: 'ready'; release: string };

/** A word that nothing in the guest can know beforehand. */
export function freshToken(): string {
  return randomBytes(12).toString('hex');
}

export class CommandChannel {
  private readonly output: MarkedStream;
  private readonly errors: MarkedStream;
  private running: Running | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private closed: Error | undefined;
  private readonly whenIdle: (() => void)[] = [];

  /** Takes over both streams. `onEvent` is told what the init script reports. */
  constructor(
    private readonly stream: Duplex,
    errors: Readable,
    token: string,
    private readonly sendRecord: SendRecord,
    private readonly onEvent: (event: GuestEvent) => void,
  ) {
    this.output = new MarkedStream(stream, () => this.running?.onOutput);
    this.errors = new MarkedStream(errors, () => this.running?.onErrors);
    this.output.expect(token, (text) => this.report(text));
    for (const one of [stream, errors]) {
      one.on('error', (error) => this.close(error));
      one.on('close', () => this.close(trouble('guestEnded')));
    }
  }

  /** Runs a shell script in the guest. Rejects when the guest ends first or `timeoutMs` is over. */
  run(script: string, options: CommandOptions = {}): Promise<CommandResult> {
    const result = this.last.then(() => this.start(script, options));
    // A command that was given up still occupies the guest's loop, so the next one waits for its marker.
    this.last = result.then(
      () => this.idle(),
      () => this.idle(),
    );
    return result;
  }

  /** Every command, running or waiting, is rejected with `reason`. */
  close(reason: Error): void {
    this.closed ??= reason;
    this.giveUp(this.closed);
  }

  /** Whether the guest is at a command, and reads no other before that ends. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Has the guest run a script that never answers, because it ends the guest. What runs or waits is rejected. */
  sendLast(script: string): void {
    this.giveUp(trouble('guestEnded'));
    // Whatever its command still writes is nobody's, and keeps the guest from reading this.
    this.output.release();
    this.errors.release();
    this.send(freshToken(), script, { folder: '/' }, () => {});
  }

  private send(
    token: string,
    script: string,
    { folder, onErrors, input }: CommandOptions,
    failed: (error: Error) => void,
  ): CommandRecords {
    const streams = `output${onErrors === undefined ? '' : ',errors'}${input === undefined ? '' : ',input'}`;
    this.stream.write(`${token} ${streams} ${folder ?? ''}\n`);
    return new CommandRecords(script, input, this.stream, this.sendRecord, failed);
  }

  private giveUp(reason: Error): void {
    this.running?.sent.end();
    this.running?.reject(reason);
    this.leave();
  }

  /** The guest is at no command any more, or its command is nobody's. */
  private leave(): void {
    if (this.running !== undefined) {
      this.output.forget(this.running.token);
      this.errors.forget(this.running.token);
      this.running = undefined;
    }
    this.whenIdle.splice(0).forEach((wake) => wake());
  }

  private async idle(): Promise<void> {
    if (this.running !== undefined) {
      await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    }
  }

  private start(script: string, options: CommandOptions): Promise<CommandResult> {
    if (this.closed !== undefined) {
      return Promise.reject(this.closed);
    }
    const token = freshToken();
    const chunks: Buffer[] = [];
    const { onOutput = (chunk) => void chunks.push(chunk), onErrors } = options;
    const status = new Promise<number>((resolve, reject) => {
      const sent = this.send(token, script, options, reject);
      const open = onErrors === undefined ? 1 : 2;
      this.running = { token, onOutput, onErrors, sent, open, resolve, reject };
    });
    for (const stream of onErrors === undefined ? [this.output] : [this.output, this.errors]) {
      stream.expect(token, (text) => this.comeToEnd(Number(text)));
    }
    return within(status, options.timeoutMs, options.title ?? script.split('\n', 1)[0]).then((value) => ({
      status: value,
      output: Buffer.concat(chunks),
    }));
  }

  /** A stream has brought all that the running command wrote to it. */
  private comeToEnd(status: number): void {
    const running = this.running as Running;
    running.sent.end();
    running.open--;
    if (running.open === 0) {
      running.resolve(status);
      this.leave();
    }
  }

  private report(text: string): void {
    const [kind, ...rest] = text.split(' ');
    const words = rest.join(' ');
    if (kind === 'started') {
      this.onEvent({ kind });
    } else if (kind === 'failed') {
      this.onEvent({ kind, what: words });
    } else if (kind === 'ready') {
      this.onEvent({ kind, release: words });
    } else if (kind === 'more' && words === this.running?.token) {
      this.running.sent.more();
    } else if (kind === 'lost' && words === this.running?.token) {
      this.running.reject(trouble('recordLost'));
      this.running.sent.end();
    } else if (kind === 'gone' && words === this.running?.token) {
      this.close(trouble('guestProgramsGone'));
    }
  }
}

async function within<T>(work: Promise<T>, milliseconds: number | undefined, what: string): Promise<T> {
  if (milliseconds === undefined) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(trouble('guestSlow', printDuration(milliseconds * 1e6), what)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
