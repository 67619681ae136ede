/**
 * What is measured: one class per kind of operation, each a sequence of requests per slot, any number of slots at once.
 *
 * A workload lays its requests out once per row and patches them as replies come in. Knows FUSE layouts by number:
 * these are the bytes a Linux guest sends, written without any code that the daemon shares.
 */
import type { AttachedDevice } from '../driver/attachedDevice';
import type { FuseClient } from '../driver/fuseClient';
import { type Prepared, Pump } from './pump';
import { TREE } from './tree';

/** A measured daemon's session. */
export interface Session {
  readonly device: AttachedDevice;
  readonly client: FuseClient;
  /** Its front-end does not sleep: see Pump. */
  readonly watchful: boolean;
  /** nodeid of a path below the share, looked up once. */
  node(path: string): bigint;
  /** Opens (OPEN 14 or OPENDIR 27); the fh. */
  open(nodeid: bigint, flags: number, opcode: number): bigint;
  close(nodeid: bigint, fh: bigint, opcode: number): void;
}

export interface Workload {
  /** Runs `count` operations with the depth it was made for. */
  run(count: number): void;
  /** Milliseconds of the last `run` that are not to count. */
  readonly excluded?: number;
  /** Puts everything back. */
  release(): void;
  readonly kicks: number;
}

export interface Row {
  readonly name: string;
  make(session: Session, depth: number, scatter: boolean): Workload;
}

const GETATTR = 3;
const LOOKUP = 1;
const FORGET = 2;
const UNLINK = 10;
const OPEN = 14;
const READ = 15;
const WRITE = 16;
const RELEASE = 18;
const OPENDIR = 27;
const RELEASEDIR = 29;
const CREATE = 35;
const READDIRPLUS = 44;

const ENTRY = 128;
const O_RDWR = 2;

/** Slots that each do: first request, then whatever `next` says until it says -1. */
abstract class Sequence implements Workload {
  protected readonly pump: Pump;

  constructor(
    protected readonly session: Session,
    protected readonly depth: number,
    scatter: boolean,
  ) {
    this.pump = new Pump(session.device, 1, scatter, session.watchful);
  }

  get kicks(): number {
    return this.pump.kicks;
  }

  protected abstract first(slot: number): number;

  /** The reply of `head` has come. The next request's head, or -1: the operation is done. */
  protected next(_slot: number, _head: number): number {
    return -1;
  }

  run(count: number): void {
    const { pump, depth } = this;
    let started = 0;
    for (; started < depth && started < count; started++) pump.offer(this.first(started));
    for (let done = 0; done < count;) {
      const head = pump.take1();
      const slot = pump.slotOf[head];
      let then = this.next(slot, head);
      if (then < 0) {
        done++;
        if (started === count) continue;
        started++;
        then = this.first(slot);
      }
      pump.offer(then);
    }
  }

  release(): void {
    this.pump.release();
  }

  protected failOn(at: number, what: string): void {
    const error = this.pump.arena.getI32(at + 4);
    if (error !== 0) throw new Error(`${what}: errno ${-error}`);
  }

  protected each<T>(make: (slot: number) => T): T[] {
    return Array.from({ length: this.depth }, (_, slot) => make(slot));
  }

  protected name(at: number, text: string): void {
    this.pump.arena.u8.set(Buffer.from(`${text}\0`), at);
  }
}

class Getattr extends Sequence {
  private readonly requests = this.each((slot) => {
    const nodeid = this.session.node(`${TREE.files}/${TREE.fileName(slot)}`);
    return this.pump.prepare(slot, GETATTR, nodeid, [16], 104);
  });

  protected override first(slot: number): number {
    return this.requests[slot].head;
  }

  protected override next(slot: number): number {
    this.failOn(this.requests[slot].reply, 'GETATTR');
    return -1;
  }
}

class Lookup extends Sequence {
  private readonly requests: Prepared[];
  private readonly expected: number;

  constructor(session: Session, depth: number, scatter: boolean, hit: boolean) {
    super(session, depth, scatter);
    const parent = session.node(TREE.files);
    this.expected = hit ? 0 : -2;
    this.requests = this.each((slot) => {
      const text = hit ? TREE.fileName(slot) : `missing${slot}`;
      const request = this.pump.prepare(slot, LOOKUP, parent, [text.length + 1], ENTRY);
      this.name(request.body, text);
      return request;
    });
  }

  protected override first(slot: number): number {
    return this.requests[slot].head;
  }

  protected override next(slot: number): number {
    const error = this.pump.arena.getI32(this.requests[slot].reply + 4);
    // A daemon may answer a miss with a negative entry instead (error 0, nodeid 0).
    if (error !== this.expected && error !== 0) throw new Error(`LOOKUP: errno ${-error}`);
    return -1;
  }
}

class OpenRelease extends Sequence {
  private readonly opens: Prepared[];
  private readonly releases: Prepared[];

  constructor(session: Session, depth: number, scatter: boolean) {
    super(session, depth, scatter);
    const nodes = this.each((slot) => session.node(`${TREE.files}/${TREE.fileName(slot)}`));
    this.opens = nodes.map((node, slot) => this.pump.prepare(slot, OPEN, node, [8], 16));
    this.releases = nodes.map((node, slot) => this.pump.prepare(slot, RELEASE, node, [24], 0));
  }

  protected override first(slot: number): number {
    return this.opens[slot].head;
  }

  protected override next(slot: number, head: number): number {
    if (head !== this.opens[slot].head) return -1;
    this.failOn(this.opens[slot].reply, 'OPEN');
    this.pump.arena.copyU64(this.releases[slot].body, this.opens[slot].replyBody);
    return this.releases[slot].head;
  }
}

/** A guest's `: > x; rm x`: CREATE, RELEASE, UNLINK, and FORGET on the hiprio queue. */
class CreateUnlink extends Sequence {
  private readonly creates: Prepared[];
  private readonly releases: Prepared[];
  private readonly unlinks: Prepared[];
  private readonly forgets: Pump;
  private readonly forgetRequests: Prepared[];

  constructor(session: Session, depth: number, scatter: boolean) {
    super(session, depth, scatter);
    const parent = session.node(TREE.scratch);
    const { arena } = this.pump;
    this.creates = this.each((slot) => {
      const text = `new${slot}`;
      const request = this.pump.prepare(slot, CREATE, parent, [16, text.length + 1], ENTRY + 16);
      arena.setU32(request.body, O_RDWR | 0o100);
      arena.setU32(request.body + 4, 0o100644);
      this.name(request.body + 16, text);
      return request;
    });
    this.releases = this.each((slot) => this.pump.prepare(slot, RELEASE, 0n, [24], 0));
    this.unlinks = this.each((slot) => {
      const text = `new${slot}`;
      const request = this.pump.prepare(slot, UNLINK, parent, [text.length + 1], 0);
      this.name(request.body, text);
      return request;
    });
    this.forgets = new Pump(session.device, 0);
    this.forgetRequests = this.each((slot) => {
      const request = this.forgets.prepare(slot, FORGET, 0n, [8], -1);
      arena.setU64(request.body, 1);
      return request;
    });
  }

  override get kicks(): number {
    return this.pump.kicks + this.forgets.kicks;
  }

  protected override first(slot: number): number {
    return this.creates[slot].head;
  }

  protected override next(slot: number, head: number): number {
    const create = this.creates[slot];
    const release = this.releases[slot];
    const { arena } = this.pump;
    if (head === create.head) {
      this.failOn(create.reply, 'CREATE');
      arena.copyU64(release.nodeid, create.replyBody);
      arena.copyU64(release.body, create.replyBody + ENTRY);
      return release.head;
    }
    if (head === release.head) return this.unlinks[slot].head;
    this.failOn(this.unlinks[slot].reply, 'UNLINK');
    // The slot's FORGET of the round before has to be back; with a daemon that answers in order it long is.
    const forget = this.forgetRequests[slot];
    this.forgets.settleOne(forget.head);
    arena.copyU64(forget.nodeid, create.replyBody);
    this.forgets.offer(forget.head);
    return -1;
  }

  override run(count: number): void {
    super.run(count);
    this.forgets.settle();
  }

  override release(): void {
    this.forgets.release();
    this.pump.release();
  }
}

/** READ or WRITE of `size` bytes at offsets that go round a file, one handle per slot. */
class Transfer extends Sequence {
  private readonly requests: Prepared[];
  private readonly nodeid: bigint;
  private readonly handles: bigint[];
  private offset = 0;

  constructor(
    session: Session,
    depth: number,
    scatter: boolean,
    private readonly opcode: typeof READ | typeof WRITE,
    private readonly size: number,
  ) {
    super(session, depth, scatter);
    this.nodeid = session.node(opcode === READ ? TREE.readFile : TREE.writeFile);
    this.handles = this.each(() => session.open(this.nodeid, O_RDWR, OPEN));
    this.requests = this.handles.map((fh, slot) => {
      const parts = opcode === READ ? [40] : [40, size];
      const request = this.pump.prepare(slot, opcode, this.nodeid, parts, opcode === READ ? size : 8);
      const { arena } = this.pump;
      arena.setU32(request.body, Number(fh & 0xffff_ffffn));
      arena.setU32(request.body + 4, Number(fh >> 32n));
      arena.setU32(request.body + 16, size);
      arena.setU32(request.body + 32, O_RDWR);
      return request;
    });
  }

  protected override first(slot: number): number {
    const request = this.requests[slot];
    this.offset = this.offset + this.size >= TREE.fileBytes ? 0 : this.offset + this.size;
    this.pump.arena.setU32(request.body + 8, this.offset);
    return request.head;
  }

  protected override next(slot: number): number {
    const { reply, replyBody } = this.requests[slot];
    const { arena } = this.pump;
    this.failOn(reply, 'READ or WRITE');
    const moved = this.opcode === READ ? arena.getU32(reply) - 16 : arena.getU32(replyBody);
    if (moved !== this.size) throw new Error(`short transfer: ${moved} of ${this.size}`);
    return -1;
  }

  override release(): void {
    super.release();
    for (const fh of this.handles) this.session.close(this.nodeid, fh, RELEASE);
  }
}

const DIRECTORY_REPLY = 32768;

/** Reads a whole folder of 1,000 entries from its start, as glibc's readdir does on Linux 7 (32 KiB a time). */
class Readdirplus extends Sequence {
  private readonly requests: Prepared[];
  private readonly nodeid = this.session.node(TREE.files);
  private readonly handles = this.each(() => this.session.open(this.nodeid, 0, OPENDIR));
  private readonly seen = new Uint32Array(this.depth);

  constructor(session: Session, depth: number, scatter: boolean) {
    super(session, depth, scatter);
    this.requests = this.handles.map((fh, slot) => {
      const request = this.pump.prepare(slot, READDIRPLUS, this.nodeid, [40], DIRECTORY_REPLY);
      const { arena } = this.pump;
      arena.setU32(request.body, Number(fh & 0xffff_ffffn));
      arena.setU32(request.body + 4, Number(fh >> 32n));
      arena.setU32(request.body + 16, DIRECTORY_REPLY);
      return request;
    });
  }

  protected override first(slot: number): number {
    this.pump.arena.setU64(this.requests[slot].body + 8, 0);
    this.seen[slot] = 0;
    return this.requests[slot].head;
  }

  protected override next(slot: number): number {
    const { arena } = this.pump;
    const { reply, replyBody, body, head } = this.requests[slot];
    this.failOn(reply, 'READDIRPLUS');
    const end = reply + arena.getU32(reply);
    if (end === replyBody) {
      if (this.seen[slot] !== TREE.fileCount + 2) throw new Error(`READDIRPLUS: ${this.seen[slot]} entries`);
      return -1;
    }
    let last = replyBody;
    for (let at = replyBody; at < end; at += (ENTRY + 24 + arena.getU32(at + ENTRY + 16) + 7) & ~7) {
      last = at;
      this.seen[slot]++;
    }
    arena.copyU64(body + 8, last + ENTRY + 8);
    return head;
  }

  override release(): void {
    super.release();
    for (const fh of this.handles) this.session.close(this.nodeid, fh, RELEASEDIR);
  }
}

const transfer =
  (opcode: typeof READ | typeof WRITE, size: number): Row['make'] =>
  (s, depth, scatter) =>
    new Transfer(s, depth, scatter, opcode, size);

export const sequences: readonly Row[] = [
  { name: 'GETATTR', make: (s, d, scatter) => new Getattr(s, d, scatter) },
  { name: 'LOOKUP hit', make: (s, d, scatter) => new Lookup(s, d, scatter, true) },
  { name: 'LOOKUP miss', make: (s, d, scatter) => new Lookup(s, d, scatter, false) },
  { name: 'OPEN+RELEASE', make: (s, d, scatter) => new OpenRelease(s, d, scatter) },
  { name: 'CREATE+UNLINK', make: (s, d, scatter) => new CreateUnlink(s, d, scatter) },
  { name: 'READ 4 KiB', make: transfer(READ, 4096) },
  { name: 'READ 128 KiB', make: transfer(READ, 131072) },
  { name: 'READ 1 MiB', make: transfer(READ, 1048576) },
  { name: 'WRITE 4 KiB', make: transfer(WRITE, 4096) },
  { name: 'WRITE 128 KiB', make: transfer(WRITE, 131072) },
  { name: 'WRITE 1 MiB', make: transfer(WRITE, 1048576) },
  { name: 'READDIRPLUS 1,000', make: (s, d, scatter) => new Readdirplus(s, d, scatter) },
];
