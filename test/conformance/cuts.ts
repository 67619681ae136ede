/**
 * Ways to cut a request into descriptors that no guest uses.
 */
import type { Cut } from '../driver/fuseClient';

/** Descriptors of lengths that no structure border agrees with. */
export const crooked: Cut = (lengths) => {
  const cuts: number[] = [];
  let left = lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; left > 0 && cuts.length < 60; i++) {
    const length = Math.min(left, [1, 7, 40, 3, 129, 4097][i % 6]);
    cuts.push(length);
    left -= length;
  }
  return left > 0 ? [...cuts, left] : cuts;
};

/** Everything in one descriptor. */
export const whole: Cut = (lengths) => [lengths.reduce((sum, length) => sum + length, 0)];
