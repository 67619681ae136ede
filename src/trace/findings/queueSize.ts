/**
 * queue-size-caps: READs or WRITEs of exactly the largest size there can be, each beginning where the one before ended.
 *
 * The cap is the least of the ring's size less 4 (SET_VRING_NUM, where the capture has it), max_pages and max_write
 * (INIT). Without the ring's size a run of requests of 2^n - 4 pages tells it, since nothing else makes sizes like
 * that. READs up to 128 KiB are what readahead asks for, so there only direct ones count.
 */
import { FopenFlag, OpenFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { InHeader, OpenOut, OutHeader, ReleaseIn } from '../../protocol/fuse/structs';
import { printSize } from '../../protocol/print';
import { Request } from '../../protocol/vhostUser/requests';
import { Header, VringState } from '../../protocol/vhostUser/structs';
import type { ControlMessage } from '../capture';
import { u32At, u64At } from './bytes';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { grown, NodeIndex } from './nodeIndex';
import type { Row } from './row';
import { MOST_HANDLES, requestSize } from './thresholds';
import { times } from './words';

const { page, overhead, defaultPages, enoughPages } = requestSize;

/** Rings that devices are given and whose caps (240K, 496K, 1008K) are no size that programs choose, as 48K may be. */
const rings = [64, 128, 256] as const;

interface Cap {
  /** Bytes. */
  readonly size: number;
  /** What makes it. */
  readonly why: string;
  readonly byRing: boolean;
}

export class QueueSizeCaps implements Detector {
  readonly opcodes = [Opcode.READ, Opcode.WRITE, Opcode.OPEN, Opcode.RELEASE];
  private readonly handles = new NodeIndex(MOST_HANDLES);
  /** Where and with what size the latest request of a handle ended; FOPEN_ flags. */
  private next = new Float64Array(64);
  private last = new Float64Array(64);
  private lastRow = new Float64Array(64);
  private fopen = new Float64Array(64);
  /** By size. Sizes are few: those of caps. */
  private readonly proofs = new Map<number, { cap: Cap; proof: Proof; row: number }>();
  private readonly ring: number;
  private caps: readonly Cap[] = [];
  private capsOf = -1;

  constructor(private readonly context: DetectorContext) {
    this.ring = ringSize(context.capture.control);
  }

  take(row: Row): void {
    if (row.opcode === Opcode.RELEASE) {
      return void this.handles.remove(u64At(row.request(), InHeader.size + ReleaseIn.offset.fh));
    }
    if (row.changed) return;
    if (row.opcode === Opcode.OPEN) return this.opened(row);
    if (!row.io || row.size < page) return;
    const slot = this.slot(row.handle);
    if (slot < 0) return;
    const goesOn = this.last[slot] === row.size && this.next[slot] === row.offset;
    if (goesOn) this.count(row, slot);
    this.next[slot] = row.offset + row.size;
    this.last[slot] = row.size;
    this.lastRow[slot] = row.index;
  }

  private count(row: Row, slot: number): void {
    for (const cap of this.present()) {
      if (cap.size !== row.size) continue;
      const direct = (row.openFlags & OpenFlag.DIRECT) !== 0 || (this.fopen[slot] & FopenFlag.DIRECT_IO) !== 0;
      if (row.opcode === Opcode.READ && cap.size <= defaultPages * page && !direct) return;
      let found = this.proofs.get(cap.size);
      if (!found) {
        if (this.proofs.size >= requestSize.caps) return;
        this.proofs.set(cap.size, (found = { cap, proof: new Proof(this.context.rows), row: row.index }));
        found.proof.add(this.lastRow[slot]);
      }
      found.proof.add(row.index);
      return;
    }
  }

  /** The caps that hold in this session, or may. */
  private present(): readonly Cap[] {
    const { session } = this.context;
    const of = session.known ? session.row : -2;
    if (this.capsOf === of) return this.caps;
    this.capsOf = of;
    this.caps = caps(session.known ? session.maxPages || defaultPages : 0, session.maxWrite, this.ring);
    return this.caps;
  }

  private opened(row: Row): void {
    if (!row.succeeded) return;
    const bytes = row.reply();
    const fh = u64At(bytes, OutHeader.size + OpenOut.offset.fh);
    const slot = fh === 0 ? -1 : this.slot(fh);
    if (slot >= 0) this.fopen[slot] = u32At(bytes, OutHeader.size + OpenOut.offset.open_flags);
  }

  restart(): void {
    this.handles.clear();
  }

  end(): readonly Finding[] {
    const found: Finding[] = [];
    const { capture } = this.context;
    for (const { cap, proof, row } of this.proofs.values()) {
      if (proof.total < requestSize.requests) continue;
      const text =
        `${times(proof.total, 'request')} of exactly ${printSize(cap.size)} (${cap.size / page} pages), one after the ` +
        `other: ${cap.why}.`;
      const remedy = cap.byRing
        ? undefined
        : 'Here the daemon sets the limit: it has to agree on MAX_PAGES and a larger max_write.';
      const path = capture.path(capture.columns.path[row]);
      found.push(finding('queue-size-caps', proof, text, { path, ...(remedy === undefined ? {} : { remedy }) }));
    }
    return found;
  }

  private slot(key: number): number {
    const known = this.handles.find(key);
    if (known >= 0) return known;
    const slot = this.handles.add(key);
    if (slot < 0) return -1;
    if (slot >= this.next.length) {
      this.next = grown(this.next, slot + 1);
      this.last = grown(this.last, slot + 1);
      this.lastRow = grown(this.lastRow, slot + 1);
      this.fopen = grown(this.fopen, slot + 1);
    }
    this.next[slot] = this.last[slot] = this.fopen[slot] = 0;
    return slot;
  }
}

/** `maxPages` 0: INIT is not in the capture; `ring` 0: its size is not. */
function caps(maxPages: number, maxWrite: number, ring: number): Cap[] {
  const found: Cap[] = [];
  const byRing = (size: number, why: string): Cap => ({ size: (size - overhead) * page, why, byRing: true });
  const limit = Math.min(maxPages || enoughPages, enoughPages);
  if (ring > 0) {
    if (ring - overhead < limit)
      return [byRing(ring, `the queue has ${ring} descriptors (SET_VRING_NUM), 4 of which are not data`)];
  } else {
    for (const each of rings) {
      if (each - overhead >= limit) break;
      found.push(byRing(each, `that is the cap of a queue of ${each} descriptors, 4 of which are not data`));
    }
  }
  if (maxPages === 0) return found;
  const least = Math.min(maxPages * page, maxWrite || Infinity);
  if (least < enoughPages * page && least % page === 0) {
    const why = least < maxPages * page ? `max_write is ${printSize(maxWrite)}` : `max_pages is ${maxPages}`;
    found.push({ size: least, why: `${why} (INIT)`, byRing: false });
  }
  return found;
}

/** The size of the smallest request queue, from SET_VRING_NUM; 0 where the capture has none. Queue 0 is hiprio. */
export function ringSize(control: readonly ControlMessage[]): number {
  const at = Header.size;
  const sizes = new Map<number, number>();
  for (const { fromFrontEnd, bytes } of control) {
    if (!fromFrontEnd || bytes.length < at + VringState.size) continue;
    if (u32At(bytes, Header.offset.request) !== Request.SET_VRING_NUM) continue;
    const index = u32At(bytes, at + VringState.offset.index);
    if (index > 0 && index <= 0xff) sizes.set(index, u32At(bytes, at + VringState.offset.num));
  }
  return sizes.size === 0 ? 0 : Math.min(...sizes.values());
}
