/**
 * One direction of a line from a guest: output as it comes, and between it lines of ours, each a newline, a word that
 * nobody can guess, a space and a text.
 *
 * Owns the cutting apart, wherever the stream was cut, and that nothing is taken from the guest while the output before
 * is not yet taken by whoever wants it. Does not know what the words and texts mean.
 */
import type { Readable } from 'node:stream';

/** Nothing more comes until a promise that it returns has settled. */
export type TakeOutput = (chunk: Buffer) => void | Promise<void>;

interface Mark {
  readonly bytes: Buffer;
  readonly take: (text: string) => void;
}

const NEWLINE = 0x0a;

export class MarkedStream {
  private readonly marks = new Map<string, Mark>();
  private pending: Buffer = Buffer.alloc(0);
  /** Pieces of output that are not taken yet. */
  private waitedFor = 0;

  /** Takes over `stream`. `output` is asked for each piece who takes it: without anybody it is nobody's. */
  constructor(
    private readonly stream: Readable,
    private readonly output: () => TakeOutput | undefined,
  ) {
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
  }

  /** From now on lines with this word are ours. */
  expect(word: string, take: (text: string) => void): void {
    this.marks.set(word, { bytes: Buffer.from(`\n${word} `), take });
  }

  /** Lines with this word are output like any other. */
  forget(word: string): void {
    this.marks.delete(word);
  }

  /** No longer waits for whoever takes output. */
  release(): void {
    this.stream.resume();
  }

  private receive(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    while (this.takeLine()) {
      // Each turn takes one line of ours, with the output before it.
    }
  }

  /** Finds the first whole line of ours in what has come; passes on what is surely output. */
  private takeLine(): boolean {
    const marks = [...this.marks.values()];
    const found = marks.map((mark) => ({ mark, at: this.pending.indexOf(mark.bytes) })).filter(({ at }) => at >= 0);
    if (found.length === 0) {
      this.passOutput(this.pending.length - heldBack(this.pending, marks));
      return false;
    }
    const { mark, at } = found.reduce((first, next) => (next.at < first.at ? next : first));
    this.passOutput(at);
    const end = this.pending.indexOf(NEWLINE, mark.bytes.length);
    if (end < 0) {
      return false;
    }
    const text = this.pending.toString('utf8', mark.bytes.length, end);
    this.pending = this.pending.subarray(end + 1);
    mark.take(text);
    return true;
  }

  private passOutput(length: number): void {
    if (length > 0) {
      const taken = this.output()?.(this.pending.subarray(0, length));
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
}

/** How many of the last bytes could be the start of a mark whose rest has not come yet. */
function heldBack(bytes: Buffer, marks: readonly Mark[]): number {
  const longest = Math.max(0, ...marks.map((mark) => mark.bytes.length - 1));
  for (let length = Math.min(longest, bytes.length); length > 0; length--) {
    const tail = bytes.subarray(bytes.length - length);
    if (marks.some((mark) => mark.bytes.subarray(0, length).equals(tail))) {
      return length;
    }
  }
  return 0;
}
