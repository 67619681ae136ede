/** What each file had of a window, and what of it came back at once (thrash). Knows no time slices. */
import { Opcode } from '../../protocol/fuse/opcodes';
import { type Capture, RowFlag } from '../capture';
import { type NodeNumber, nodeNumberOf } from '../nodeNumbers';
import type { WindowEvents } from './windowEvents';
import { fileNames } from './windowNames';
import type { WindowRange } from './windowState';

export interface FileFigures {
  readonly nodeid: NodeNumber;
  readonly path: string;
  /** Mapped at most at a time, bytes; and for how long, summed over its ranges, in nanoseconds. */
  mostBytes: number;
  rangeTime: number;
  maps: number;
  /** Of these, how many were of a part that had been given up less than `thrashNs` before. */
  again: number;
  /** What still went through requests. */
  reads: number;
  writes: number;
  bytes: number;
}

const MOST_FILES = 100_000;
const PAGE = 4096;
const NOTHING = { mostBytes: 0, rangeTime: 0, maps: 0, again: 0, reads: 0, writes: 0, bytes: 0 };

export class WindowFiles {
  /** Of all files together, also those beyond the most that are followed. */
  again = 0;
  private readonly files = new Map<NodeNumber, FileFigures>();
  /** Bytes that are mapped now. */
  private readonly mapped = new Map<NodeNumber, number>();
  /** When a page of a file was the first of a range that was given up. */
  private readonly givenUp = new Map<NodeNumber, Map<number, number>>();
  private readonly names: ReturnType<typeof fileNames>;

  constructor(
    private readonly capture: Capture,
    private readonly thrashNs: number,
  ) {
    this.names = fileNames(capture);
  }

  /** The one whose ranges were there longest first. */
  get all(): readonly FileFigures[] {
    return [...this.files.values()].sort((a, b) => b.rangeTime - a.rangeTime || (a.nodeid < b.nodeid ? -1 : 1));
  }

  /** An event has mapped a range. */
  came(events: WindowEvents, at: number): void {
    const nodeid = events.nodeid(at);
    const bytes = (this.mapped.get(nodeid) ?? 0) + events.length[at];
    this.mapped.set(nodeid, bytes);
    const last = this.givenUp.get(nodeid)?.get(events.fileOffset[at] / PAGE);
    const isAgain = last !== undefined && events.time[at] - last <= this.thrashNs;
    if (isAgain) this.again++;
    const file = this.file(nodeid, events.path[at]);
    if (!file) return;
    file.maps++;
    file.mostBytes = Math.max(file.mostBytes, bytes);
    if (isAgain) file.again++;
  }

  went(range: WindowRange, time: number): void {
    const { nodeid, length, fileOffset } = range;
    this.lasted(range, time);
    this.mapped.set(nodeid, (this.mapped.get(nodeid) ?? 0) - length);
    let parts = this.givenUp.get(nodeid);
    if (!parts) this.givenUp.set(nodeid, (parts = new Map<number, number>()));
    parts.set(fileOffset / PAGE, time);
  }

  /** A range was there until then. */
  lasted({ nodeid, path, since }: WindowRange, time: number): void {
    const file = this.file(nodeid, path);
    if (file) file.rangeTime += Math.max(0, time - since);
  }

  /** READ and WRITE of files that have been in the window. */
  countRequests(): void {
    if (this.files.size === 0) return;
    const { capture } = this;
    const { opcode, flags, payload } = capture.columns;
    for (let row = 0; row < capture.count; row++) {
      const code = opcode[row];
      if ((code !== Opcode.READ && code !== Opcode.WRITE) || (flags[row] & RowFlag.ORPHAN) !== 0) continue;
      const file = this.files.get(nodeNumberOf(capture, row));
      if (!file) continue;
      if (code === Opcode.READ) file.reads++;
      else file.writes++;
      file.bytes += payload[row];
    }
  }

  private file(nodeid: NodeNumber, path: number): FileFigures | undefined {
    const known = this.files.get(nodeid);
    if (known || this.files.size >= MOST_FILES) return known;
    const fresh = { nodeid, path: this.names(nodeid, path), ...NOTHING };
    this.files.set(nodeid, fresh);
    return fresh;
  }
}
