/**
 * Which states along a history are kept, so that going back anywhere replays only a little: many near to where one
 * stands, few far away, and never more of them than there is room for.
 *
 * Knows neither what a state is nor how it is made.
 */

/** All states together take about as much. */
const MOST_BYTES = 192 << 20;
const MOST_KEPT = 32;
const FEWEST_KEPT = 4;
/** Not nearer to each other than so many moments; or than a copy's time is worth. */
const NEAREST = 1024;
const BYTES_A_MOMENT = 2048;

interface Snapshot<State> {
  readonly at: number;
  readonly state: State;
}

export class Snapshots<State> {
  /** In order. */
  private kept: Snapshot<State>[] = [];

  /** Moments between two thoughts about keeping a state. */
  readonly grain: number;

  /** `all`: how long the history is. */
  constructor(
    private readonly all: number,
    private readonly nearest = NEAREST,
  ) {
    this.grain = Math.max(1, nearest >> 4);
  }

  get count(): number {
    return this.kept.length;
  }

  /** The latest that is not after the moment. */
  before(moment: number): Snapshot<State> | undefined {
    return this.kept.findLast(({ at }) => at <= moment);
  }

  /** On the way to `target`: whether the state at `moment`, of so many bytes, is worth keeping. */
  isWanted(moment: number, target: number, bytes: number): boolean {
    const last = this.before(moment)?.at ?? 0;
    const regular = Math.ceil((2 * this.all) / room(bytes));
    return moment - last >= Math.max(this.nearest, bytes / BYTES_A_MOMENT, Math.min(target - moment, regular));
  }

  /** Keeps it; where there is no room, the one goes that is missed least by who stands at `target`. */
  keep(at: number, state: State, target: number, bytes: number): void {
    this.kept.push({ at, state });
    this.kept.sort((a, b) => a.at - b.at);
    while (this.kept.length > room(bytes)) this.kept.splice(this.leastMissed(target), 1);
  }

  /** Without it, who goes back to behind it begins at the one before: what that costs, by how far away it is. */
  private leastMissed(target: number): number {
    let least = 0;
    let cost = Infinity;
    for (const [index, { at }] of this.kept.entries()) {
      const gap = (this.kept[index + 1]?.at ?? this.all) - (this.kept[index - 1]?.at ?? 0);
      const missed = gap / (Math.abs(target - at) + this.nearest);
      if (missed >= cost) continue;
      least = index;
      cost = missed;
    }
    return least;
  }
}

const room = (bytes: number): number =>
  Math.max(FEWEST_KEPT, Math.min(MOST_KEPT, Math.floor(MOST_BYTES / Math.max(1, bytes))));
