/** Durations as people read them. */
import { printDuration } from '../../../trace/times';

/** `12.3 µs`; a dash for none. */
export const durationText = (nanoseconds: number): string =>
  printDuration(nanoseconds).replace(/(\d)([a-zµ]+)$/, '$1 $2');
