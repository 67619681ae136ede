/**
 * A file while parts of it are in the DAX window: its descriptor, its ranges, its size as the guest's side was last
 * made to fit, and the copies of its end that go with it.
 */
import type { Arena } from '../../base/arena';
import type { Node } from '../fileSystem';
import type { HostCalls } from '../hostCalls';
import * as linux from '../linux';
import type { DaxAreas } from './areas';
import type { Range } from './ranges';
import type { Shadow } from './shadow';

/** A range of the window that shows a part of a file: pages of the file, then the copy. */
export interface FileRange extends Range {
  readonly file: MappedFile;
  readonly fileOffset: number;
  /** Bytes of it that are the file itself. */
  readonly filePart: number;
  readonly shadow: Shadow | undefined;
  /** The front-end may have dropped it: a ring was stopped since. */
  doubted: boolean;
  /** Given up while the front-end's answer was waited for. */
  gone: boolean;
}

export class MappedFile {
  readonly ranges = new Set<FileRange>();
  size = 0;
  /** Of `FileChanges`, or negative. */
  watch = -1;
  /** The change that will be told of next is our own. */
  ours = false;
  /** A person has been told that the host changes it. */
  warned = false;
  private modifiedAt = '';

  constructor(
    private readonly calls: HostCalls,
    private readonly arena: Arena,
    private readonly areas: DaxAreas,
    /** ROOT never is one, so 0 stands for one that the guest has forgotten. */
    public node: Node,
    readonly nodeid: readonly [low: number, high: number],
    readonly path: string,
    /** Open for reading and writing, and owned. */
    readonly fd: number,
    private readonly emptyPath: number,
  ) {}

  /** Its size on the host now, or a negative errno. */
  currentSize(): number {
    const { arena, areas, calls } = this;
    const at = areas.attributes;
    const failed = calls.statx(this.fd, this.emptyPath, linux.AT_EMPTY_PATH, linux.STATX_WANTED, arena.address(at));
    return failed < 0 ? failed : arena.getU64(at + linux.Statx.size);
  }

  /** Whether it was changed since this was asked last; `currentSize` has just been called. */
  modified(): boolean {
    const at = this.areas.attributes + linux.Statx.mtime;
    const time = `${this.arena.getU64(at)}.${this.arena.getU32(at + 8)}`;
    const before = this.modifiedAt;
    this.modifiedAt = time;
    return time !== before;
  }

  get shadows(): Shadow[] {
    return [...this.ranges].flatMap(({ shadow }) => shadow ?? []);
  }

  /** Some of the file's bytes are in a copy. */
  get hasCopy(): boolean {
    for (const { shadow } of this.ranges) if (shadow && shadow.start < this.size) return true;
    return false;
  }

  /** Where the last page ends that the front-end has of the file itself. */
  get mappedEnd(): number {
    return [...this.ranges].reduce(
      (end, one) => Math.max(end, one.filePart > 0 ? one.fileOffset + one.filePart : 0),
      0,
    );
  }

  /** Writes back what the guest has stored into copies. */
  push(): number {
    return this.hasCopy ? this.pushTo(this.currentSize()) : 0;
  }

  /** Makes the copies fit the file as it is on the host now. */
  refresh(size: number): number {
    const before = this.size;
    let failed = this.pushTo(size);
    for (const shadow of this.shadows) {
      const result = shadow.pull(before, size);
      if (result < 0) failed = result;
    }
    this.size = size;
    return failed;
  }

  /** A request of the guest has written [from, to), or something that ends there. */
  wrote(from: number, to: number): number {
    const size = this.currentSize();
    if (size < 0) return size;
    this.ours = true;
    let failed = this.refreshSize(size);
    for (const shadow of this.shadows) {
      const result = shadow.take(from, to, size);
      if (result < 0) failed = result;
    }
    return failed;
  }

  /** As `refresh`, where only the size can have changed. */
  private refreshSize(size: number): number {
    return size === this.size ? 0 : this.refresh(size);
  }

  private pushTo(size: number): number {
    if (size < 0) return size;
    let failed = 0;
    for (const shadow of this.shadows) {
      const result = shadow.push(Math.min(size, this.size));
      if (result < 0) failed = result;
    }
    return failed;
  }
}
