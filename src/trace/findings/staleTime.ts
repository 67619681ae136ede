/** When something was stale: from the two looks that differ, the host's clock in ctime, and the time that was given. */
import type { Row } from './row';
import { staleCache } from './thresholds';

/**
 * For how long the guest could use what the first look had told, after the host had changed it; 0 when that time had
 * run out before. `ctime`: when it was changed, if its clock is that of the capture.
 */
export function staleFor(start: number, end: number, until: number, second: Row, ctime: number): number {
  const { tick, otherClock } = staleCache;
  const sameClock = ctime >= start - tick && ctime <= second.end + otherClock;
  const moment = sameClock ? Math.max(ctime, end) : second.start;
  if (moment >= until) return 0;
  return sameClock ? Math.max(Math.min(until, second.start) - moment, 1) : Math.max(second.start - end, 1);
}
