/**
 * Whether the active capture has a DAX window: looked for while it grows, with next to no work, so that the view can
 * stay away, and unloaded, where there is none. Knows nothing of vscode.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Captures } from '../captures/captures';
import type { OpenCapture } from '../captures/openCapture';

export class DaxPresence {
  private readonly heard: { dispose(): void };
  private listening: { dispose(): void } | undefined;
  private seen = 0;
  private there: boolean | undefined;

  /** `tell` is called when the answer is another one. */
  constructor(
    captures: Captures,
    private readonly tell: (there: boolean) => void,
  ) {
    this.heard = captures.listen((event) => {
      if (event.kind === 'active') this.attach(event.capture);
    });
    this.attach(captures.active);
  }

  dispose(): void {
    this.heard.dispose();
    this.listening?.dispose();
  }

  private attach(capture: OpenCapture | undefined): void {
    this.listening?.dispose();
    this.seen = 0;
    this.listening = capture?.listen((event) => {
      if (event.kind === 'dropped') this.seen = Math.max(0, this.seen - event.rows);
      else if (event.kind === 'grown' && this.there !== true) this.turn(this.look(capture));
    });
    this.turn(capture !== undefined && this.look(capture));
  }

  private look({ reader }: OpenCapture): boolean {
    const from = this.seen;
    this.seen = reader.count;
    if (reader.windowNotes.length > 0) return true;
    const at = reader.columns.opcode.indexOf(Opcode.SETUPMAPPING, from);
    return at >= 0 && at < reader.count;
  }

  private turn(there: boolean): void {
    if (there === this.there) return;
    this.there = there;
    this.tell(there);
  }
}
