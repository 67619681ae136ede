/** A capture file as an `OpenCapture`: read once in slices, its bytes again by their place. Knows nothing of vscode. */
import { basename } from 'node:path';
import type { CaptureReader } from '../../trace/captureReader';
import { CaptureFiles } from '../../control/captureFiles';
import { FileCapture } from '../timeline/fileCapture';
import { type CaptureListener, type CapturePhase, Listeners, type OpenCapture } from './openCapture';

const TELL_MS = 100;
let files = 0;

export class OpenFile implements OpenCapture {
  readonly id = `file${++files}`;
  readonly kind = 'file';
  readonly title: string;
  readonly dropped = 0;
  from = 0;
  paused = false;
  phase: CapturePhase = 'reading';
  private pausedAt = 0;
  private readonly file: FileCapture;
  private readonly listeners = new Listeners();
  private timer: NodeJS.Timeout | undefined;
  private readonly stop: () => void;

  /** Throws a Trouble. */
  constructor(readonly about: string) {
    this.title = basename(about);
    this.file = new FileCapture(about, new CaptureFiles(about), about);
    this.stop = this.file.onChange(() => this.changed());
  }

  get reader(): CaptureReader {
    return this.file.capture;
  }

  get to(): number {
    return this.paused ? this.pausedAt : this.reader.count;
  }

  get notes(): readonly string[] {
    const { trouble, notes } = this.file.state();
    return trouble === undefined || notes.includes(trouble.text) ? notes : [trouble.text, ...notes];
  }

  /** Resolves when the file is read. */
  get done(): Promise<void> {
    return this.file.done;
  }

  private changed(): void {
    const { phase, trouble } = this.file.state();
    if (phase === 'complete') {
      this.phase = trouble?.kind === 'foreign' || trouble?.kind === 'unreadable' ? 'broken' : 'ended';
      this.listeners.tell({ kind: 'state' });
      this.tell();
    } else this.timer ??= setTimeout(() => this.tell(), TELL_MS);
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listeners.tell({ kind: 'grown' });
  }

  listen(listener: CaptureListener): { dispose(): void } {
    return this.listeners.add(listener);
  }

  pause(paused: boolean): void {
    this.pausedAt = this.reader.count;
    this.paused = paused;
    this.listeners.tell({ kind: 'state' });
    if (!paused) this.listeners.tell({ kind: 'grown' });
  }

  clear(): void {
    this.from = this.pausedAt = this.reader.count;
    this.listeners.tell({ kind: 'begun' });
  }

  /** A file that is cleared is shown again. */
  reconnect(): void {
    this.from = 0;
    this.listeners.tell({ kind: 'begun' });
  }

  close(): void {
    this.stop();
    clearTimeout(this.timer);
    this.file.close();
    this.listeners.clear();
  }
}
