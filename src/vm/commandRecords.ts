/**
 * What the guest gets for one command: its script, then what it reads, in records. Each but the first is asked for by
 * the guest; on the line each begins with a word that says where its bytes are. `0` ends the script and the input, `-`
 * calls a script off. `feed` of `guestInit.ts` is the other end.
 *
 * Owns that one record at a time is on its way, and none while the command does not read; and that each script and each
 * input ends exactly once, also one that nobody has read: only then does the guest read its next command.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Workplace } from './workplace';

/** The most that a record has. */
const RECORD_BYTES = 65_536;

/** Sees to the bytes of a record, the one before being done with; returns what goes on the line. May throw. */
export type SendRecord = (record: Buffer) => Buffer | string;

/** Its word is their number, and they follow. */
export const onTheLine: SendRecord = (record) => Buffer.concat([Buffer.from(`${record.length}\n`), record]);

/** Below the workplace, for a guest that reads files of the host. */
export const RECORDS_FOLDER = 'records';
/** Short ones need no room on a disk: there is none left, it may be, when the guest is told to power off. */
const SHORT_BYTES = 1024;

/**
 * Its word is a file that has them, where they are many. Each has a new name, since the guest keeps what it knows of a
 * file.
 */
export function inFiles(workplace: Workplace): SendRecord {
  const folder = workplace.makeRoom(RECORDS_FOLDER);
  let files = 0;
  return (record) => {
    if (record.length <= SHORT_BYTES) return onTheLine(record);
    rmSync(join(folder, `file${files}`), { force: true });
    files++;
    workplace.write(join(RECORDS_FOLDER, `file${files}`), record);
    return `file${files}\n`;
  };
}

export class CommandRecords {
  private phase: 'script' | 'input' | 'over' = 'script';
  private waiting: Buffer;
  private onItsWay = false;
  private complete = false;

  /** `failed` is told why the script could not be sent, or `input` not be read or sent. */
  constructor(
    script: string,
    private readonly input: Readable | undefined,
    private readonly line: Writable,
    private readonly sendRecord: SendRecord,
    private readonly failed: (error: Error) => void,
  ) {
    this.waiting = Buffer.from(script);
    // Stays: an error that comes when nobody reads any more concerns nobody.
    input?.on('error', this.fail);
    this.send();
  }

  /** The guest has room for one more record. */
  more(): void {
    this.onItsWay = false;
    this.send();
  }

  /** Nothing more of it is sent. May be called again. */
  end(): void {
    const { phase, input } = this;
    if (phase === 'over') return;
    this.phase = 'over';
    if (phase === 'input') {
      input?.off('data', this.take).off('end', this.finish).pause();
    }
    if (this.line.writable) this.line.write(phase === 'script' ? '-\n' : '0\n');
  }

  private readonly take = (chunk: Buffer): void => {
    this.waiting = Buffer.concat([this.waiting, chunk]);
    this.input?.pause();
    this.send();
  };

  private readonly finish = (): void => {
    this.complete = true;
    this.send();
  };

  private readonly fail = (error: Error): void => {
    if (this.phase !== 'over') this.failed(error);
    this.end();
  };

  private send(): void {
    if (this.phase === 'over' || this.onItsWay) return;
    if (this.waiting.length > 0) {
      this.sendOne();
    } else if (this.phase === 'script') {
      this.scriptIsSent();
    } else if (this.complete) {
      this.end();
    } else {
      this.input?.resume();
    }
  }

  private sendOne(): void {
    const record = this.waiting.subarray(0, RECORD_BYTES);
    this.waiting = this.waiting.subarray(record.length);
    try {
      this.line.write(this.sendRecord(record));
      this.onItsWay = true;
    } catch (error) {
      this.fail(error as Error);
    }
    // With its last record, not only when the guest has asked: most scripts then take no turn more.
    if (this.phase === 'script' && this.waiting.length === 0) this.scriptIsSent();
  }

  private scriptIsSent(): void {
    this.line.write('0\n');
    this.phase = this.input === undefined ? 'over' : 'input';
    this.input?.on('data', this.take).on('end', this.finish);
  }
}
