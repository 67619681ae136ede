/**
 * Reads a capture file into a `Capture` bit by bit, so that the event loop is never held for long, and keeps it open for
 * the bytes that are asked for later. Knows nothing of vscode.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { CaptureTrouble } from '../../control/timeline';
import { CaptureReader } from '../../trace/captureReader';
import type { CaptureSource, SourceState } from './captureSource';
import { breathe } from './breathe';

const CHUNK = 256 << 10;
/**
 * So long at most is read without a pause, milliseconds. Short, because what goes to a browser is compressed in pieces, and
 * each piece waits for a turn.
 */
const SLICE = 4;
/** After so many bytes it is guessed how many rows the whole file has. */
const GUESS_AFTER = 4 << 20;

/** Bytes with a random access. */
export interface Bytes {
  readonly size: number;
  /** Up to `into.length` bytes at `at`; 0 at the end. */
  read(into: Uint8Array, at: number): number;
  close(): void;
}

export function bytesOfFile(path: string): Bytes {
  const fd = openSync(path, 'r');
  return {
    size: fstatSync(fd).size,
    read: (into, at) => readSync(fd, into, 0, into.length, at),
    close: () => closeSync(fd),
  };
}

export function bytesInMemory(all: Uint8Array): Bytes {
  return {
    size: all.length,
    read: (into, at) => {
      const part = all.subarray(at, at + into.length);
      into.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

export class FileCapture implements CaptureSource {
  readonly capture: CaptureReader;
  readonly dropped = 0;
  private readonly listeners = new Set<() => void>();
  private phase: SourceState['phase'] = 'reading';
  private trouble: CaptureTrouble | undefined;
  private bytesRead = 0;
  private closed = false;
  readonly title: string;
  readonly done: Promise<void>;

  constructor(
    name: string,
    private readonly bytes: Bytes,
    readonly path?: string,
  ) {
    this.title = basename(name);
    this.capture = new CaptureReader({
      read: (at, _length, room) => room.subarray(0, this.closed ? 0 : bytes.read(room, at)),
    });
    this.done = this.readAll();
  }

  private async readAll(): Promise<void> {
    const chunk = new Uint8Array(CHUNK);
    try {
      for (let more = true; more && !this.closed;) {
        const until = performance.now() + SLICE;
        while (more && performance.now() < until) more = this.readChunk(chunk);
        this.changed();
        await breathe();
      }
      if (this.closed) return;
      this.capture.end();
      const { fault } = this.capture;
      if (fault) this.trouble = { kind: fault.kind, at: fault.at, text: fault.text, remedy: fault.remedy };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.trouble = { kind: 'unreadable', at: this.bytesRead, text, remedy: 'Check that the file can be read.' };
    }
    this.phase = 'complete';
    this.changed();
  }

  private readChunk(chunk: Uint8Array): boolean {
    const count = this.bytes.read(chunk, this.bytesRead);
    if (count === 0 || this.capture.fault) return false;
    this.capture.push(chunk.subarray(0, count));
    const before = this.bytesRead;
    this.bytesRead += count;
    if (before < GUESS_AFTER && this.bytesRead >= GUESS_AFTER) {
      this.capture.expect(Math.ceil((this.capture.count * this.bytes.size * 1.05) / this.bytesRead));
    }
    return true;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  state(): SourceState {
    const { title, phase, bytesRead, trouble } = this;
    return { title, phase, bytesRead, bytes: this.bytes.size, trouble };
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.bytes.close();
  }
}
