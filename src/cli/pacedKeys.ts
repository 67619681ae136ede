/**
 * Keys for a User Mode Linux guest. Its terminal hears nothing any more once its 4 KiB have been full of what no
 * program has read (see `vm/umlArguments.ts`), as after a paste. So no more than a part of that is sent before the
 * guest, which shows what it reads, has fallen silent.
 *
 * What ends a program does not wait behind what that program would have read. Does not know what a program reads: one
 * that reads nothing while more than 4 KiB are typed still ends it.
 */
import type { Writable } from 'node:stream';

const AT_ONCE = 512;
/** So long without a sign is silence. */
const SILENCE_MS = 30;
/** Output that never ends holds up what is typed after a part for no longer. */
const LONGEST_MS = 500;
/** Ctrl-C and Ctrl-\: a terminal drops what was typed before them. */
const ENDINGS = [0x03, 0x1c];

export class PacedKeys {
  private waiting: Buffer = Buffer.alloc(0);
  private sent = 0;
  private since = 0;
  private silence: NodeJS.Timeout | undefined;

  constructor(private readonly line: Writable) {}

  type(keys: Buffer): void {
    const ending = Math.max(...ENDINGS.map((key) => keys.lastIndexOf(key)));
    if (ending >= 0) {
      this.line.write(keys.subarray(ending, ending + 1));
      this.waiting = keys.subarray(ending + 1);
    } else {
      this.waiting = Buffer.concat([this.waiting, keys]);
    }
    this.send();
  }

  /** The guest has shown something. */
  heard(): void {
    if (Date.now() - this.since < LONGEST_MS) this.silence?.refresh();
  }

  /** Nothing more is sent. */
  end(): void {
    clearTimeout(this.silence);
    this.waiting = Buffer.alloc(0);
  }

  private send(): void {
    const piece = this.waiting.subarray(0, AT_ONCE - this.sent);
    if (piece.length === 0) return;
    this.waiting = this.waiting.subarray(piece.length);
    this.sent += piece.length;
    this.line.write(piece);
    if (this.silence !== undefined) {
      this.silence.refresh();
      return;
    }
    this.since = Date.now();
    this.silence = setTimeout(() => {
      this.silence = undefined;
      this.sent = 0;
      this.send();
    }, SILENCE_MS);
  }
}
