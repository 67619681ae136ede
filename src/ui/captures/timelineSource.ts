/**
 * An open capture as timelines take it: all of it, also what views do not show while they are paused or cleared; a
 * timeline has a pause of its own. Knows nothing of vscode.
 */
import type { CapturePackets } from '../../trace/packets';
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
    get capture(): CapturePackets {
      return open.reader;
    },
    get dropped(): number {
      return open.dropped;
    },
    state: () => ({
      title: open.title,
      phase: phases[open.phase],
      bytesRead: 0,
      bytes: 0,
      trouble: undefined,
      notes: open.reader.notes,
    }),
    onChange: (listener) => {
      const heard = open.listen(() => listener());
      return () => heard.dispose();
    },
  };
}
