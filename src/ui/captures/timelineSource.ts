/** An open capture as timelines take it. Knows nothing of vscode. */
import type { Capture } from '../../trace/capture';
import type { CaptureSource, SourceState } from '../timeline/captureSource';
import type { CapturePhase, OpenCapture } from './openCapture';

const phases: Readonly<Record<CapturePhase, SourceState['phase']>> = {
  connecting: 'live',
  live: 'live',
  reading: 'reading',
  ended: 'complete',
  broken: 'complete',
};

export function timelineSource(open: OpenCapture): CaptureSource {
  return {
    get capture(): Capture {
      return open.reader;
    },
    state: () => ({
      title: open.title,
      phase: open.paused && open.phase === 'live' ? 'paused' : phases[open.phase],
      bytesRead: 0,
      bytes: 0,
      trouble: undefined,
    }),
    onChange: (listener) => {
      const heard = open.listen(() => listener());
      return () => heard.dispose();
    },
  };
}
