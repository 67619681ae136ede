/**
 * The inodes of the active capture for the view: the reducer, the order, what differs on the host. Knows nothing of
 * vscode.
 */
import { type Inode, type InodeOrder, Inodes } from '../../trace/inodes/inodes';
import type { Follows } from '../captures/follower';
import type { OpenCapture } from '../captures/openCapture';
import { type Differs, lookAtHost } from './hostLook';

/** So many inodes are shown, and looked up on the host. */
export const WINDOW = 200;
const LOOK_MS = 2000;

export class InodesModel implements Follows {
  capture: OpenCapture | undefined;
  inodes: Inodes | undefined;
  order: InodeOrder = 'recent';
  window = WINDOW;
  /** By nodeid: what is not as the guest was told. */
  differs: ReadonlyMap<number, Differs> = new Map();
  private looking = false;
  private lookedAt = -Infinity;

  constructor(private readonly shown: () => void) {}

  begin(capture: OpenCapture | undefined): void {
    this.capture = capture;
    this.inodes = capture && new Inodes(capture.reader);
    this.differs = new Map();
    this.lookedAt = -Infinity;
    this.window = WINDOW;
  }

  work(over: () => boolean): boolean {
    return !this.inodes || !this.capture || this.inodes.advance(this.capture.to, over);
  }

  drop(rows: number): void {
    this.inodes?.drop(rows);
  }

  show(): void {
    this.shown();
    void this.lookAtHost();
  }

  list(): Inode[] {
    return this.inodes?.list(this.order, this.window) ?? [];
  }

  /** Nanoseconds after the capture's origin: of a guest at work now, else the end of the capture. */
  get now(): number {
    const { capture } = this;
    if (!capture) return 0;
    const { reader } = capture;
    if (capture.phase === 'live') return Number(BigInt(Date.now()) * 1_000_000n - reader.origin);
    const last = reader.count - 1;
    return last < 0 ? 0 : reader.columns.start[last] + (reader.columns.latency[last] || 0);
  }

  /** The guest may still use its attributes, or its pages. */
  isCached(inode: Inode): boolean {
    return inode.attributesUntil > this.now || inode.keepCache;
  }

  private async lookAtHost(): Promise<void> {
    const { capture } = this;
    if (capture?.kind !== 'live' || capture.phase !== 'live' || this.looking) return;
    if (performance.now() - this.lookedAt < LOOK_MS) return;
    this.looking = true;
    try {
      const found = new Map<number, Differs>();
      const { reader, about } = capture;
      const candidates = this.list().filter((inode) => this.isCached(inode));
      await Promise.all(
        candidates.map(async (inode) => {
          const differs = await lookAtHost(about, reader, inode);
          // Meanwhile the guest may have looked again, or the time have run out.
          const now = this.inodes?.inodeOf(inode.nodeid);
          if (differs && now && now.looked === inode.looked && this.isCached(now)) found.set(inode.nodeid, differs);
        }),
      );
      const changed = found.size !== this.differs.size || [...found.keys()].some((nodeid) => !this.differs.has(nodeid));
      if (capture !== this.capture) return;
      this.differs = found;
      if (changed) this.shown();
    } finally {
      this.looking = false;
      this.lookedAt = performance.now();
    }
  }
}
