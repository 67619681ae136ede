/** A capture that a timeline shows, whoever fills it: a file while it is read, a guest at work. Knows nothing of vscode. */
import type { CaptureState } from '../../control/timeline';
import type { Capture } from '../../trace/capture';

export type SourceState = Pick<CaptureState, 'title' | 'phase' | 'bytesRead' | 'bytes' | 'trouble'>;

export interface CaptureSource {
  readonly capture: Capture;
  /** How many rows were dropped so far: when that grows, row numbers mean other requests. */
  readonly dropped: number;
  /** Of a file on this machine, for what reads it once more. */
  readonly path?: string | undefined;
  state(): SourceState;
  /** The listener is called when rows or the state have changed; what is returned ends that. */
  onChange(listener: () => void): () => void;
}
