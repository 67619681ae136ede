/**
 * A cold walk: reads a tree of folders that the daemon has no inode of, `depth` folders at a time.
 *
 * Each walker takes a folder: OPENDIR, READDIRPLUS until empty, RELEASEDIR; the folders it meets are for whoever is
 * free next. Between two walks everything is forgotten, which is not measured (`run` excludes it from `milliseconds`).
 */
import { type Prepared, Pump } from './pump';
import { TREE, walkEntries } from './tree';
import type { Row, Session, Workload } from './workloads';

const FORGET = 2;
const OPENDIR = 27;
const RELEASEDIR = 29;
const READDIRPLUS = 44;
const ENTRY = 128;
const REPLY = 32768;
const DT_DIR = 4;
const FORGETS_AT_ONCE = 64;

class Walk implements Workload {
  /** Time spent between walks since the last `run` began. */
  excluded = 0;
  private readonly pump: Pump;
  private readonly forgets: Pump;
  private readonly opens: Prepared[];
  private readonly reads: Prepared[];
  private readonly releases: Prepared[];
  private readonly forgetRequests: Prepared[];
  private readonly top: Uint32Array;
  /** Folders to do, and all nodes met, as pairs of 32 bits. */
  private readonly folders = new Uint32Array(2 * walkEntries() + 2);
  private readonly nodes = new Uint32Array(2 * walkEntries());
  private folderCount = 0;
  private folderNext = 0;
  private nodeCount = 0;

  constructor(session: Session, depth: number, scatter: boolean) {
    this.pump = new Pump(session.device, 1, scatter);
    const slots = Array.from({ length: depth }, (_, slot) => slot);
    const nodeid = session.node(TREE.walk);
    this.top = new Uint32Array([Number(nodeid & 0xffff_ffffn), Number(nodeid >> 32n)]);
    this.opens = slots.map((slot) => this.pump.prepare(slot, OPENDIR, 0n, [8], 16));
    this.reads = slots.map((slot) => this.pump.prepare(slot, READDIRPLUS, 0n, [40], REPLY));
    this.releases = slots.map((slot) => this.pump.prepare(slot, RELEASEDIR, 0n, [24], 0));
    this.forgets = new Pump(session.device, 0);
    this.forgetRequests = Array.from({ length: FORGETS_AT_ONCE }, (_, slot) => {
      const request = this.forgets.prepare(slot, FORGET, 0n, [8], -1);
      this.forgets.arena.setU64(request.body, 1);
      return request;
    });
  }

  get kicks(): number {
    return this.pump.kicks;
  }

  run(count: number): void {
    this.excluded = 0;
    for (let i = 0; i < count; i++) {
      this.walk();
      const begin = performance.now();
      this.forget();
      this.excluded += performance.now() - begin;
    }
  }

  release(): void {
    this.forgets.release();
    this.pump.release();
  }

  private walk(): void {
    const { pump } = this;
    this.folders.set(this.top);
    this.folderCount = 1;
    this.folderNext = 0;
    this.nodeCount = 0;
    const idle = this.opens.map((_, slot) => slot);
    let busy = 0;
    for (;;) {
      while (this.folderNext < this.folderCount && idle.length > 0) {
        this.enter(idle.pop() ?? 0);
        busy++;
      }
      if (busy === 0) break;
      const head = pump.take1();
      const slot = pump.slotOf[head];
      const then = this.next(slot, head);
      if (then >= 0) pump.offer(then);
      else {
        idle.push(slot);
        busy--;
      }
    }
    if (this.nodeCount !== walkEntries()) throw new Error(`walk met ${this.nodeCount} of ${walkEntries()} entries`);
  }

  private enter(slot: number): void {
    const { u32 } = this.pump.arena;
    const low = this.folders[2 * this.folderNext];
    const high = this.folders[2 * this.folderNext + 1];
    this.folderNext++;
    for (const { nodeid } of [this.opens[slot], this.reads[slot], this.releases[slot]]) {
      u32[nodeid >>> 2] = low;
      u32[(nodeid + 4) >>> 2] = high;
    }
    this.pump.offer(this.opens[slot].head);
  }

  private next(slot: number, head: number): number {
    const { arena } = this.pump;
    const open = this.opens[slot];
    const read = this.reads[slot];
    const release = this.releases[slot];
    if (head === release.head) return -1;
    if (head === open.head) {
      if (arena.getI32(open.reply + 4) !== 0) throw new Error('OPENDIR failed');
      arena.copyU64(read.body, open.replyBody);
      arena.setU64(read.body + 8, 0);
      arena.setU32(read.body + 16, REPLY);
      arena.copyU64(release.body, open.replyBody);
      return read.head;
    }
    if (arena.getI32(read.reply + 4) !== 0) throw new Error('READDIRPLUS failed');
    return this.entries(read) ? read.head : release.head;
  }

  /** Takes the entries of one reply in; false when there were none. */
  private entries(read: Prepared): boolean {
    const { arena } = this.pump;
    const end = read.reply + arena.getU32(read.reply);
    if (end === read.replyBody) return false;
    let last = read.replyBody;
    for (let at = read.replyBody; at < end;) {
      last = at;
      const length = arena.getU32(at + ENTRY + 16);
      const name = at + ENTRY + 24;
      const dot = arena.u8[name] === 0x2e && (length === 1 || (length === 2 && arena.u8[name + 1] === 0x2e));
      if (!dot) {
        this.nodes[2 * this.nodeCount] = arena.getU32(at);
        this.nodes[2 * this.nodeCount + 1] = arena.getU32(at + 4);
        this.nodeCount++;
        if (arena.getU32(at + ENTRY + 20) === DT_DIR) {
          this.folders[2 * this.folderCount] = arena.getU32(at);
          this.folders[2 * this.folderCount + 1] = arena.getU32(at + 4);
          this.folderCount++;
        }
      }
      at += (ENTRY + 24 + length + 7) & ~7;
    }
    arena.copyU64(read.body + 8, last + ENTRY + 8);
    return true;
  }

  private forget(): void {
    const { arena } = this.forgets;
    for (let i = 0; i < this.nodeCount; i++) {
      const request = this.forgetRequests[i % FORGETS_AT_ONCE];
      this.forgets.settleOne(request.head);
      arena.setU32(request.nodeid, this.nodes[2 * i]);
      arena.setU32(request.nodeid + 4, this.nodes[2 * i + 1]);
      this.forgets.offer(request.head);
    }
    this.forgets.settle();
  }
}

export const walkRow: Row = {
  name: 'cold walk',
  make: (session, depth, scatter) => new Walk(session, depth, scatter),
};
