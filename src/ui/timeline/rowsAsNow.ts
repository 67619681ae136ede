/**
 * Pieces made of rows of a capture that may still grow: over as soon as row numbers mean other requests, which in a
 * live capture can be at any wait in between. Knows nothing of vscode.
 */
import { trouble } from '../../base/catalogue';
import type { CaptureSource } from './captureSource';

type Rows = Pick<CaptureSource, 'capture' | 'dropped'>;

/** Call it when the rows are chosen; what is returned throws `exportOvertaken` once they are others. */
export function rowsAsNow(source: Rows): () => void {
  const { capture, dropped } = source;
  return () => {
    if (source.capture !== capture || source.dropped !== dropped) throw trouble('exportOvertaken');
  };
}

/** The same pieces, each looked at before it is given on. */
export async function* checked<T>(
  pieces: Iterable<T> | AsyncIterable<T>,
  check: () => void,
): AsyncGenerator<T, void, void> {
  check();
  for await (const piece of pieces) {
    check();
    yield piece;
  }
}
