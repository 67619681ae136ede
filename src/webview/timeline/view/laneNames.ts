/** What lanes are called. */
import type { Side } from '../../../control/timeline';
import { opcodeName } from '../model/families';
import { type Grouping, type Lane, REST } from '../model/lanes';
import type { PathTexts } from './pathTexts';

export interface LaneName {
  readonly text: string;
  /** What it is called where there is no room for that. */
  readonly short?: string;
  /** The whole name, where it is cut from the left. */
  readonly path?: boolean;
}

export function laneName(lane: Lane, grouping: Grouping, side: Side, paths: PathTexts): LaneName {
  if (lane.key === REST) return { text: 'everything else' };
  switch (grouping) {
    case 'queue':
      return lane.key === 0 ? { text: 'queue 0 · hiprio', short: 'hiprio' } : { text: `queue ${lane.key}` };
    case 'process':
      return { text: lane.key === 0 ? 'kernel' : `pid ${lane.key}` };
    case 'opcode':
      return { text: opcodeName(lane.key) };
    case 'file':
      return lane.key === 0 ? { text: '(unknown)' } : { text: paths.get(side, lane.key) ?? '…', path: true };
  }
}

/**
 * What lanes of two captures are paired by. A number means the same in both but for a file, which is numbered by each
 * capture for itself; undefined: its path is not known so far.
 */
export function pairingName(lane: Lane, grouping: Grouping, side: Side, paths: PathTexts): string | number | undefined {
  return grouping === 'file' && lane.key !== REST ? paths.get(side, lane.key) : lane.key;
}
