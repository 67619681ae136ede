/**
 * How full the window was, over time, as few steps as are worth drawing: of many events those between two points are
 * told by the most that was mapped. In pieces, since a guest that thrashes makes millions.
 */
import type { WindowHistory } from './windowHistory';

export interface Occupancy {
  /** Bytes of the window. */
  readonly size: number;
  /** Nanoseconds after the capture's origin, ascending; each point holds until the next. */
  readonly times: Float64Array;
  /** Bytes mapped after a point's last event, and at most since the point before. */
  readonly mapped: Float64Array;
  readonly most: Float64Array;
}

const MOST_POINTS = 8192;
/** Events that are looked at before `over` is asked again. */
const STEP = 512;

export class OccupancyWalk {
  private readonly state;
  private readonly count: number;
  private readonly each: number;
  private readonly points: Float64Array[];
  private most = 0;
  private at = 0;

  constructor(
    private readonly history: WindowHistory,
    mostPoints = MOST_POINTS,
  ) {
    this.state = history.after(0);
    this.count = history.events.count;
    this.each = Math.max(1, Math.ceil(this.count / mostPoints));
    const length = Math.ceil(this.count / this.each);
    this.points = [0, 1, 2].map(() => new Float64Array(length));
  }

  /** Goes on until `over`. True at the end. */
  advance(over: () => boolean): boolean {
    const { state, history, each, count } = this;
    const [times, mapped, most] = this.points;
    while (this.at < count) {
      state.apply(history.events, this.at);
      this.most = Math.max(this.most, state.mappedBytes);
      const point = Math.floor(this.at / each);
      if (this.at % each === 0) times[point] = history.events.time[this.at];
      this.at++;
      if (this.at % each === 0 || this.at === count) {
        mapped[point] = state.mappedBytes;
        most[point] = this.most;
        this.most = state.mappedBytes;
      }
      if (this.at % STEP === 0 && over()) break;
    }
    return this.at >= count;
  }

  get result(): Occupancy {
    const [times, mapped, most] = this.points;
    return { size: this.history.size, times, mapped, most };
  }
}
