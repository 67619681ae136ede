/**
 * Reads a capture file into a `Capture` bit by bit, so that the event loop is never held for long, and keeps it open
 * for the bytes that are asked for later. Knows nothing of vscode.
 */
import { basename } from 'node:path';
import { Trouble, trouble } from '../../base/catalogue';
import type { CaptureFiles } from '../../control/captureFiles';
import type { CaptureTrouble } from '../../control/timeline';
import { CaptureReader } from '../../trace/captureReader';
import { sizeText } from '../../trace/sizeText';
import type { CaptureSource, SourceState } from './captureSource';
import { remedyHere } from '../remedyHere';
import { breathe } from './breathe';

const CHUNK = 256 << 10;
/**
 * So long at most is read without a pause, milliseconds. Short, because what goes to a browser is compressed in pieces,
 * and each piece waits for a turn.
 */
const SLICE = 4;
/** After so many bytes it is guessed how many rows the whole file has. */
const GUESS_AFTER = 4 << 20;
/** Room for so many at most is made at once: a file may be said to have any size, and mostly be a hole. */
const MOST_GUESSED = 2 << 20;

/** The bytes of a capture, which are all there: once from the beginning, and by their place where they were read. */
export type Bytes = Pick<CaptureFiles, 'size' | 'notes' | 'next' | 'readAt' | 'close'>;

export function bytesInMemory(all: Uint8Array): Bytes {
  let at = 0;
  return {
    size: all.length,
    notes: [],
    next: (most = CHUNK) => all.subarray(at, (at = Math.min(all.length, at + most))),
    readAt: (from, length) => all.subarray(from, from + length),
    close: () => undefined,
  };
}

/** What there is of `vscode.workspace.fs` to read a file with. */
interface FilesElsewhere<Uri> {
  stat(uri: Uri): PromiseLike<{ readonly size: number }>;
  readFile(uri: Uri): PromiseLike<Uint8Array>;
}

/** A file that is not on this machine is taken into memory as a whole, up to this. */
export const MOST_ELSEWHERE = 512 << 20;

/** Throws a Trouble for one that is too large for that, of which nothing is read. */
export async function bytesElsewhere<Uri>(files: FilesElsewhere<Uri>, uri: Uri): Promise<Bytes> {
  const { size } = await files.stat(uri);
  if (size > MOST_ELSEWHERE) throw trouble('captureTooLarge', sizeText(size), sizeText(MOST_ELSEWHERE));
  return bytesInMemory(await files.readFile(uri));
}

export class FileCapture implements CaptureSource {
  readonly capture: CaptureReader;
  readonly dropped = 0;
  private readonly listeners = new Set<() => void>();
  private phase: SourceState['phase'] = 'reading';
  private trouble: CaptureTrouble | undefined;
  private bytesRead = 0;
  private closed = false;
  private readonly size: number;
  readonly title: string;
  readonly done: Promise<void>;

  constructor(
    name: string,
    private readonly bytes: Bytes,
    readonly path?: string,
  ) {
    this.title = basename(name);
    this.size = bytes.size;
    this.capture = new CaptureReader({
      read: (at, length, room) => (this.closed ? room.subarray(0, 0) : bytes.readAt(at, length, room)),
    });
    this.done = this.readAll();
  }

  private async readAll(): Promise<void> {
    try {
      for (let more = true; more && !this.closed;) {
        const until = performance.now() + SLICE;
        while (more && performance.now() < until) more = this.readChunk();
        this.changed();
        await breathe();
      }
      if (this.closed) return;
      this.capture.end();
      const { fault } = this.capture;
      if (fault) this.trouble = { kind: fault.kind, at: fault.at, text: fault.text, remedy: remedyHere(fault.remedy) };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const remedy = error instanceof Trouble ? remedyHere(error.remedy) : 'Check that the file can be read.';
      this.trouble = { kind: 'unreadable', at: this.bytesRead, text, remedy };
    }
    this.phase = 'complete';
    this.changed();
  }

  private readChunk(): boolean {
    const chunk = this.bytes.next(CHUNK);
    if (chunk.length === 0 || this.capture.fault) return false;
    this.capture.push(chunk);
    const before = this.bytesRead;
    this.bytesRead += chunk.length;
    if (before < GUESS_AFTER && this.bytesRead >= GUESS_AFTER) {
      const rows = Math.ceil((this.capture.count * this.size * 1.05) / this.bytesRead);
      this.capture.expect(Math.min(rows, MOST_GUESSED));
    }
    return true;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  state(): SourceState {
    const { title, phase, bytesRead, trouble } = this;
    // Of a file that has grown since it was opened there is more than was told.
    const bytes = Math.max(this.size, bytesRead);
    return { title, phase, bytesRead, bytes, trouble, notes: [...this.bytes.notes, ...this.capture.notes] };
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
