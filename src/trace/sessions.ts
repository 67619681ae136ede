/** What INIT has negotiated, from which row on. */
import { initFlags, initFlags2 } from '../protocol/fuse/flags';
import { InitOut, OutHeader } from '../protocol/fuse/structs';
import type { SessionShape } from '../protocol/message';
import type { InitPackets } from './packets';

const INIT_EXT = initFlags.value.INIT_EXT;
const BODY = OutHeader.size;

/** So many INITs are kept as they are: those of the last sessions. */
const MOST_INITS = 64;

interface Session {
  readonly row: number;
  readonly shape: SessionShape | undefined;
  /** Of the section that it begins with. */
  readonly place?: number;
  init?: InitPackets | undefined;
}

export class Sessions {
  private from: Session[] = [];

  /** From this row on; undefined: nothing is known. */
  begin(row: number, shape: SessionShape | undefined, init?: InitPackets): void {
    this.from.push({ row, shape, init });
    const old = this.from.at(-1 - MOST_INITS);
    if (old) old.init = undefined;
  }

  /** A section that knows nothing of the one before begins at this row, and at this place of the stream. */
  section(row: number, place: number): void {
    this.from.push({ row, shape: undefined, place });
  }

  get sectionPlaces(): readonly number[] {
    return this.from.flatMap(({ place }) => (place === undefined ? [] : [place]));
  }

  /** The first `dropped` rows go. */
  drop(dropped: number): void {
    const last = this.from.findLastIndex(({ row }) => row <= dropped);
    this.from = this.from
      .slice(Math.max(0, last))
      .map((session) => ({ ...session, row: Math.max(0, session.row - dropped) }));
  }

  /** Of the latest INIT before the row. */
  at(row: number): SessionShape | undefined {
    return this.of(row)?.shape;
  }

  initPackets(row: number): InitPackets | undefined {
    return this.of(row)?.init;
  }

  private of(row: number): Session | undefined {
    let low = 0;
    let high = this.from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.from[middle].row <= row) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.from[low - 1];
  }
}

/** What the reply to INIT at [at, end) says; undefined where it is too short to say anything. */
export function sessionOf(view: DataView, at: number, end: number): SessionShape | undefined {
  const word = (offset: number): number => {
    const place = at + BODY + offset;
    return place + 4 <= end ? view.getUint32(place, true) : 0;
  };
  if (at + BODY + InitOut.offset.minor + 4 > end) return undefined;
  const flags = word(InitOut.offset.flags);
  const flags2 = (flags & INIT_EXT) !== 0 ? word(InitOut.offset.flags2) : 0;
  return {
    minor: word(InitOut.offset.minor),
    hasFlag: (name) =>
      (flags & (initFlags.bits.find((bit) => bit.name === name)?.value ?? 0)) !== 0 ||
      (flags2 & (initFlags2.bits.find((bit) => bit.name === name)?.value ?? 0)) !== 0,
  };
}
