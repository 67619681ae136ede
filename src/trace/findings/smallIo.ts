/**
 * small-io: READs or WRITEs of one handle, each small and each beginning where the one before ended.
 *
 * Counts only runs, since small pieces here and there (a database) could not be larger. Names what makes requests small
 * where it is in the traffic: O_DIRECT and O_SYNC of the handle, FOPEN_DIRECT_IO in the reply to OPEN.
 */
import { FopenFlag, InitFlag, OpenFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { EntryOut, InHeader, OpenOut, OutHeader, ReleaseIn } from '../../protocol/fuse/structs';
import { u32At, u64At } from './bytes';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import { grown, NodeIndex } from './nodeIndex';
import type { Row } from './row';
import { MOST_HANDLES, NAMED, smallIo } from './thresholds';
import { list, percent, placeOf, times } from './words';

/** Upper bounds of the histogram, in KiB. */
const bounds = [4, 16, 64, 256, 1024] as const;

class Sizes {
  readonly counts = new Float64Array(bounds.length + 1);
  count = 0;

  add(size: number): void {
    let at = 0;
    while (at < bounds.length && size > bounds[at] * 1024) at++;
    this.counts[at]++;
    this.count++;
  }

  text(): string {
    const parts: string[] = [];
    this.counts.forEach((count, at) => {
      if (count === 0) return;
      parts.push(`${at < bounds.length ? `to ${bounds[at]}K` : 'more'}: ${count}`);
    });
    return parts.join(', ');
  }
}

export class SmallIo implements Detector {
  readonly opcodes = [Opcode.READ, Opcode.WRITE, Opcode.OPEN, Opcode.CREATE, Opcode.RELEASE];
  private readonly handles = new NodeIndex(MOST_HANDLES);
  /** Where the next request of a run begins, of which opcode, how long the run is, where it began. */
  private next = new Float64Array(64);
  private opcode = new Float64Array(64);
  private run = new Float64Array(64);
  private first = new Float64Array(64);
  /** FOPEN_ flags. */
  private fopen = new Float64Array(64);
  private readonly reads = new Sizes();
  private readonly writes = new Sizes();
  private readonly proof: Proof;
  private readonly paths = new Groups();
  private runs = 0;
  private direct = 0;
  private sync = 0;
  private uncached = 0;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    // A handle is given back all the same.
    if (row.changed && row.opcode !== Opcode.RELEASE) return;
    switch (row.opcode) {
      case Opcode.OPEN:
        return this.opened(row, OutHeader.size);
      case Opcode.CREATE:
        return this.opened(row, OutHeader.size + EntryOut.size);
      case Opcode.RELEASE:
        return void this.handles.remove(u64At(row.request(), InHeader.size + ReleaseIn.offset.fh));
      default:
        return this.moved(row);
    }
  }

  restart(): void {
    this.handles.clear();
  }

  private opened(row: Row, at: number): void {
    if (!row.succeeded) return;
    const bytes = row.reply();
    if (bytes.length < at + OpenOut.size) return;
    const fh = u64At(bytes, at + OpenOut.offset.fh);
    const slot = fh === 0 ? -1 : this.slot(fh);
    if (slot >= 0) this.fopen[slot] = u32At(bytes, at + OpenOut.offset.open_flags);
  }

  private moved(row: Row): void {
    if (!row.io || (row.replied && row.error !== 0)) return;
    const { size } = row;
    (row.opcode === Opcode.READ ? this.reads : this.writes).add(size);
    const slot = this.slot(row.handle);
    if (slot < 0) return;
    const goesOn = this.opcode[slot] === row.opcode && this.next[slot] === row.offset;
    const length = size === 0 || size > smallIo.size ? 0 : goesOn ? this.run[slot] + 1 : 1;
    this.opcode[slot] = row.opcode;
    this.next[slot] = row.offset + size;
    this.run[slot] = length;
    if (length === 1) this.first[slot] = row.index;
    if (length < smallIo.run) return;
    if (length === smallIo.run) {
      this.runs++;
      this.proof.add(this.first[slot], false);
      this.proof.total += smallIo.run - 1;
      this.paths.add(row.path, row.index);
    }
    this.proof.add(row.index);
    const added = length === smallIo.run ? smallIo.run : 1;
    if (row.openFlags & OpenFlag.DIRECT) this.direct += added;
    else if (this.fopen[slot] & FopenFlag.DIRECT_IO) this.uncached += added;
    if (row.openFlags & (OpenFlag.DSYNC | OpenFlag.SYNC)) this.sync += added;
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    const { capture } = this.context;
    if (total < smallIo.requests || total < smallIo.share * capture.count) return [];
    const largest = this.paths.largest(NAMED);
    const names = largest.map(([, { row }]) => placeOf(capture, row));
    const text =
      `${total} READs and WRITEs of at most 16K, in ${times(this.runs, 'run')} from front to back, are ` +
      `${percent(total, capture.count)} of all requests: ${list(names, this.paths.size - largest.length)}. Sizes of ` +
      `READ: ${this.reads.text() || 'none'}; of WRITE: ${this.writes.text() || 'none'}.${this.causes(total)}`;
    const severity = this.proof.total > capture.count / 2 ? 'warning' : 'info';
    return [finding('small-io', this.proof, text, { severity, path: capture.path(largest[0][0]) })];
  }

  private causes(total: number): string {
    const causes: string[] = [];
    const { direct, uncached, sync } = this;
    if (direct > 0) causes.push(`${percent(direct, total)} are of files opened with O_DIRECT`);
    if (uncached > 0)
      causes.push(`${percent(uncached, total)} of files that the daemon opened with FOPEN_DIRECT_IO (--cache=never)`);
    if (sync > 0) causes.push(`${percent(sync, total)} of files opened with O_SYNC or O_DSYNC`);
    const { session } = this.context;
    if (this.writes.count > 0 && session.known && !session.has(InitFlag.WRITEBACK_CACHE)) {
      causes.push('each write goes to the host at once, since WRITEBACK_CACHE was not agreed on');
    }
    return causes.length === 0 ? '' : ` ${causes.join('; ')}.`;
  }

  private slot(key: number): number {
    const known = this.handles.find(key);
    if (known >= 0) return known;
    const slot = this.handles.add(key);
    if (slot < 0) return -1;
    if (slot >= this.next.length) {
      this.next = grown(this.next, slot + 1);
      this.opcode = grown(this.opcode, slot + 1);
      this.run = grown(this.run, slot + 1);
      this.first = grown(this.first, slot + 1);
      this.fopen = grown(this.fopen, slot + 1);
    }
    this.next[slot] = this.opcode[slot] = this.run[slot] = this.fopen[slot] = 0;
    return slot;
  }
}
