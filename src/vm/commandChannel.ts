/**
 * The host's end of the line on which the launcher and a guest's init script talk; `guestInit.ts` is the other end.
 *
 * A character device in the guest (a raw terminal or a virtio port), a byte stream here. The guest sends lines
 * `TOKEN started`, `TOKEN failed WHAT` and `TOKEN ready RELEASE`, TOKEN being a random word of this boot. The host sends
 * `TOKEN BASE64 [FOLDER]` with a fresh random word and a shell script; the guest runs it, its output comes as it is,
 * then a line `TOKEN STATUS`. The words cannot be guessed, so no output can be taken for the end. One command runs at a
 * time; further ones wait.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';

export interface CommandResult {
  /** Exit status, 128 + N when signal N ended it. */
  readonly status: number;
  /** Standard output and standard error together, as they came. */
  readonly output: Buffer;
}

export interface CommandOptions {
  /** Where it runs instead of in the first share, which shows even a change of folder as requests of the guest. */
  readonly folder?: '/';
  /**
   * Rejects after this long; the command goes on in the guest and the ones behind it wait for it. Default: for ever.
   */
  readonly timeoutMs?: number;
  /**
   * Called with output as it comes; nothing more is taken from the guest until a promise that it returns has settled,
   * so that the command waits for a slow reader. `CommandResult.output` is then empty.
   */
  readonly onOutput?: TakeOutput;
}

type TakeOutput = (chunk: Buffer) => void | Promise<void>;

interface Running {
  readonly marker: Buffer;
  readonly onOutput: TakeOutput;
  readonly resolve: (status: number) => void;
  readonly reject: (error: Error) => void;
}

export type GuestEvent = { kind: 'started' } | { kind: 'failed'; what: string } | { kind: 'ready'; release: string };

const NEWLINE = 0x0a;

/** A word that nothing in the guest can know beforehand. */
export function freshToken(): string {
  return randomBytes(12).toString('hex');
}

export class CommandChannel {
  private pending: Buffer = Buffer.alloc(0);
  private running: Running | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private closed: Error | undefined;
  /** Pieces of output that are not taken yet. */
  private waitedFor = 0;
  private readonly whenIdle: (() => void)[] = [];
  private readonly bootMarker: Buffer;

  /** Takes over `stream`; `onEvent` is told what the init script reports. */
  constructor(
    private readonly stream: Duplex,
    token: string,
    private readonly onEvent: (event: GuestEvent) => void,
  ) {
    this.bootMarker = Buffer.from(`\n${token} `);
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('error', (error) => this.close(error));
    stream.on('close', () => this.close(new Error('the guest has ended')));
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
    this.running?.reject(this.closed);
    this.running = undefined;
    this.whenIdle.splice(0).forEach((wake) => wake());
  }

  /** Whether the guest is at a command, and reads no other before that ends. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Has the guest run a script that never answers, because it ends the guest. What runs or waits is rejected. */
  sendLast(script: string): void {
    this.running?.reject(new Error('the guest is powered off or rebooted'));
    this.running = undefined;
    this.whenIdle.splice(0).forEach((wake) => wake());
    // Whatever its command still writes is nobody's, and keeps the guest from reading this.
    this.stream.resume();
    this.write(freshToken(), script, '/');
  }

  private write(token: string, script: string, folder = ''): void {
    this.stream.write(`${token} ${Buffer.from(script).toString('base64')} ${folder}\n`);
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
    const status = new Promise<number>((resolve, reject) => {
      this.running = {
        marker: Buffer.from(`\n${token} `),
        onOutput: options.onOutput ?? ((chunk) => void chunks.push(chunk)),
        resolve,
        reject,
      };
    });
    this.write(token, script, options.folder);
    return within(status, options.timeoutMs, script).then((value) => ({
      status: value,
      output: Buffer.concat(chunks),
    }));
  }

  private receive(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    while (this.takeLine()) {
      // Each turn takes one line of ours, with the output before it.
    }
  }

  /** Finds the first whole line of ours in what has come; gives what is surely output to the running command. */
  private takeLine(): boolean {
    const markers = [this.bootMarker, ...(this.running === undefined ? [] : [this.running.marker])];
    const found = markers.map((marker) => ({ marker, at: this.pending.indexOf(marker) })).filter(({ at }) => at >= 0);
    if (found.length === 0) {
      this.passOutput(this.pending.length - heldBack(this.pending, markers));
      return false;
    }
    const { marker, at } = found.reduce((first, next) => (next.at < first.at ? next : first));
    this.passOutput(at);
    const end = this.pending.indexOf(NEWLINE, marker.length);
    if (end < 0) {
      return false;
    }
    const text = this.pending.toString('utf8', marker.length, end);
    this.pending = this.pending.subarray(end + 1);
    if (marker === this.bootMarker) {
      this.report(text);
    } else {
      const { resolve } = this.running as Running;
      this.running = undefined;
      resolve(Number(text));
      this.whenIdle.splice(0).forEach((wake) => wake());
    }
    return true;
  }

  /** The first `length` waiting bytes are output; without a command they are nobody's. */
  private passOutput(length: number): void {
    if (length > 0) {
      const taken = this.running?.onOutput(this.pending.subarray(0, length));
      this.pending = this.pending.subarray(length);
      if (taken !== undefined) this.pauseUntil(taken);
    }
  }

  private pauseUntil(taken: Promise<void>): void {
    const go = (): void => {
      this.waitedFor--;
      if (this.waitedFor === 0) this.stream.resume();
    };
    this.waitedFor++;
    this.stream.pause();
    taken.then(go, go);
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
    }
  }
}

/** How many of the last bytes could be the start of a marker whose rest has not come yet. */
function heldBack(bytes: Buffer, markers: readonly Buffer[]): number {
  const longest = Math.max(...markers.map((marker) => marker.length)) - 1;
  for (let length = Math.min(longest, bytes.length); length > 0; length--) {
    const tail = bytes.subarray(bytes.length - length);
    if (markers.some((marker) => marker.subarray(0, length).equals(tail))) {
      return length;
    }
  }
  return 0;
}

async function within<T>(work: Promise<T>, milliseconds: number | undefined, what: string): Promise<T> {
  if (milliseconds === undefined) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done in ${milliseconds} ms in the guest: ${what}`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
