/** Which of a queue's threads a slice goes to, so that slices of one thread do not overlap. */

/** Most threads of a queue: what a virtqueue of the usual largest size holds. */
export const LANES = 1024;

export class Lanes {
  /** When each thread of each queue is free again. */
  private readonly free = new Map<number, number[]>();

  /** The first thread that is free at `begin`; it is taken until `end`. Undefined when there are too many. */
  take(queue: number, begin: number, end: number): number | undefined {
    let ends = this.free.get(queue);
    if (!ends) this.free.set(queue, (ends = []));
    if (end === -Infinity) {
      if (ends.length === 0) ends.push(end);
      return 0;
    }
    for (let lane = 0; lane < ends.length; lane++) {
      if (ends[lane] > begin) continue;
      ends[lane] = end;
      return lane;
    }
    return ends.length === LANES ? undefined : ends.push(end) - 1;
  }

  *used(): Generator<{ queue: number; lane: number }> {
    for (const [queue, ends] of this.free) for (let lane = 0; lane < ends.length; lane++) yield { queue, lane };
  }
}
