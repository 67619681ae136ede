/**
 * What a command in the guest reads, sent over the line on which the command itself went: records of a line with the
 * length and as many bytes, `0` for the end. `feed` of `guestInit.ts` takes them apart and asks for each further one.
 *
 * Owns that one record at a time is on its way, and none while the command does not read; and that every input ends
 * exactly once, also one that the command has not read: only then does the guest read its next command.
 */
import type { Readable, Writable } from 'node:stream';

export class CommandInput {
  private waiting: Buffer = Buffer.alloc(0);
  private onItsWay = false;
  private complete = false;
  private over = false;

  /** `failed` is told why `input` could not be read. */
  constructor(
    private readonly input: Readable,
    private readonly line: Writable,
    private readonly recordBytes: number,
    failed: (error: Error) => void,
  ) {
    // Stays: an error that comes when nobody reads any more concerns nobody.
    input.on('error', (error) => {
      if (!this.over) failed(error);
      this.end();
    });
    input.on('data', this.take).on('end', this.finish);
  }

  /** The guest has room for one more record. */
  more(): void {
    this.onItsWay = false;
    this.send();
  }

  /** Nothing more of it is sent. May be called again. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.input.off('data', this.take).off('end', this.finish);
    this.input.pause();
    if (this.line.writable) this.line.write('0\n');
  }

  private readonly take = (chunk: Buffer): void => {
    this.waiting = Buffer.concat([this.waiting, chunk]);
    this.input.pause();
    this.send();
  };

  private readonly finish = (): void => {
    this.complete = true;
    this.send();
  };

  private send(): void {
    if (this.over || this.onItsWay) return;
    if (this.waiting.length > 0) {
      const record = this.waiting.subarray(0, this.recordBytes);
      this.waiting = this.waiting.subarray(record.length);
      this.onItsWay = true;
      this.line.write(Buffer.concat([Buffer.from(`${record.length}\n`), record]));
    } else if (this.complete) {
      this.end();
    } else {
      this.input.resume();
    }
  }
}
