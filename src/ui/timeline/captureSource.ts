/**
 * A capture that a timeline shows, whoever fills it: a file while it is read, a guest at work. Knows nothing of vscode.
 */
import type { CaptureState } from '../../control/timeline';
import type { CapturePackets } from '../../trace/packets';

export type SourceState = Pick<CaptureState, 'title' | 'phase' | 'bytesRead' | 'bytes' | 'trouble' | 'notes'>;

export interface CaptureSource {
  readonly capture: CapturePackets;
  /** How many rows were dropped so far: when that grows, row numbers mean other requests. */
  readonly dropped: number;
  /** Of a file on this machine, for a thread of its own that reads it once more. */
  readonly path?: string | undefined;
  state(): SourceState;
  /** The listener is called when rows or the state have changed; what is returned ends that. */
  onChange(listener: () => void): () => void;
}
