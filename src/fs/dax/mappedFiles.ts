/**
 * The DAX window of a share: what SETUPMAPPING and REMOVEMAPPING do, and what has to be done around other requests so
 * that a mapped file is the same seen through the window, through requests, and on the host.
 *
 * A range shows whole pages of the file as the front-end maps them, and behind those a copy (`shadow.ts`), so that
 * every page of a range is backed however the file grows afterwards. Everything is mapped for reading and writing at
 * once: there is no moment in which a range that the guest uses is not mapped. No more pieces than QEMU survives.
 *
 * What ends a mapping early leaves none behind: the books below are never behind the front-end's, except after a ring
 * was stopped (`doubt`), since a reset drops the front-end's without a word.
 */
import { Errno } from '../../protocol/errno';
import {
  DEFERRED,
  type Caller,
  type Deferred,
  type FileWindow,
  type Node,
  type WindowSlice,
  finishedBy,
} from '../fileSystem';
import type { Alarm } from '../hostCalls';
import type { HostFolder } from '../hostFolder';
import * as linux from '../linux';
import type { Opening } from '../opening';
import type { DaxAreas } from './areas';
import { FileNotes } from './fileNotes';
import { DaxNote, type FileChanges, type NoteFacts, type WindowFrontEnd } from './frontEnd';
import { MappedFile, type FileRange } from './mappedFile';
import type { DaxPolicy } from './policy';
import { RangeState, WindowRanges } from './ranges';
import { Shadow } from './shadow';
import { Verdicts } from './verdicts';

/** What the window works with besides the shared folder. */
export interface DaxHost {
  readonly frontEnd: WindowFrontEnd;
  readonly changes: FileChanges;
  readonly policy: DaxPolicy;
  readonly areas: DaxAreas;
  readonly alarm: Alarm;
  /** Told of each note as it is made. */
  readonly noted: (note: NoteFacts) => void;
  /** Milliseconds, from whenever. */
  readonly now: () => number;
}

const PAGE = 4096;
/** QEMU aborts beyond 512 memory regions in a VM; the guest's memory and other devices have theirs. */
export const MOST_PIECES = 400;
/** How often copies and files are compared, in milliseconds; longer where that takes long. */
const COPY_INTERVAL = 200;
const COPY_SHARE = 20;

export class MappedFiles implements FileWindow {
  readonly notes: FileNotes;
  private readonly ranges = new WindowRanges<FileRange>();
  private readonly byNode = new Map<Node, MappedFile>();
  /** Also those that the guest has forgotten while they are mapped. */
  private readonly files = new Set<MappedFile>();
  /** Whether the guest maps a file: it keeps to what it was told first, when it came to know the inode; and last. */
  private readonly shown = new Map<Node, { maps: boolean; last: boolean }>();
  private readonly verdicts: Verdicts;
  private ticking = false;

  constructor(
    private readonly folder: HostFolder,
    private readonly opening: Opening,
    private readonly host: DaxHost,
  ) {
    this.verdicts = new Verdicts(folder, host.areas, host.policy);
    this.notes = new FileNotes(host.noted);
  }

  get size(): number {
    return this.host.frontEnd.size;
  }

  // FileWindow: what the server asks

  told(node: Node, perInode: boolean): boolean {
    const { arena, areas, nodes } = this.folder;
    if (nodes.type[node] !== linux.FileType.REGULAR) return false;
    const file = this.byNode.get(node);
    if (file) {
      const size = arena.getU64(areas.attributes + linux.Statx.size);
      if (size !== file.size) this.sizeChanged(file, size);
    }
    if (!perInode) return false;
    const fault = this.verdicts.fault(node);
    if (fault === undefined) this.notes.accepted(node);
    else this.notes.refused(node, fault, () => this.place(node));
    const maps = fault === undefined;
    const before = this.shown.get(node);
    if (before) before.last = maps;
    else this.shown.set(node, { maps, last: maps });
    return maps;
  }

  shows(node: Node, perInode: boolean): boolean {
    return !perInode || this.shown.get(node)?.maps === true;
  }

  setup(node: Node, fileOffset: number, length: number, windowOffset: number, caller: Caller): number {
    const result = this.setupNow(node, fileOffset, length, windowOffset, () => caller.defer());
    return result === -Errno.EAGAIN ? this.setupLater(node, fileOffset, length, windowOffset, caller) : result;
  }

  /** -EAGAIN, with nothing done, where a program of the host has a lease on the file. */
  private setupNow(node: Node, fileOffset: number, length: number, windowOffset: number, park: () => Deferred): number {
    const { frontEnd } = this.host;
    if (!frontEnd.ready) return -Errno.ENODEV;
    if (!isPages(fileOffset) || !isPages(windowOffset) || !isPages(length) || length === 0) return -Errno.EINVAL;
    if (windowOffset > frontEnd.size - length) return -Errno.EINVAL;
    if (!Number.isSafeInteger(fileOffset + length)) return -Errno.EINVAL;
    if (this.folder.nodes.type[node] !== linux.FileType.REGULAR) return -Errno.EINVAL;
    const touching = this.ranges.touching(windowOffset, length);
    if (touching.some((range) => range.state !== RangeState.Mapped)) return -Errno.EBUSY;
    const [first] = touching;
    const same =
      touching.length === 1 &&
      first.windowOffset === windowOffset &&
      first.length === length &&
      first.fileOffset === fileOffset &&
      first.file === this.byNode.get(node);
    if (same) return first.doubted ? this.reassure(first, park()) : 0;
    if (touching.some((range) => !isInside(range, windowOffset, length))) return -Errno.EINVAL;
    const pieces = touching.reduce((left, range) => left - range.pieces, this.ranges.pieces);
    if (pieces + 2 > MOST_PIECES) return -Errno.ENOSPC;

    const range = this.prepare(node, fileOffset, length, windowOffset);
    if (typeof range === 'number') return range;
    // First: it may be that the file is kept by these alone, and the front-end may answer at once.
    range.file.ranges.add(range);
    // The front-end takes its orders one after the other, so the place is free by then.
    for (const old of touching) this.retire(old);
    this.ranges.add(range);
    const parked = park();
    this.mapPieces(range, (result) => parked.finish(result));
    return DEFERRED;
  }

  /** What else is mapped may have changed when the file is open at last: all is looked at again. */
  private setupLater(
    node: Node,
    fileOffset: number,
    length: number,
    windowOffset: number,
    caller: Caller,
  ): typeof DEFERRED {
    const parked = caller.defer();
    const attempt = (): number => {
      const file = this.opened(node);
      return typeof file === 'number' ? file : 0;
    };
    const finish = (opened: number): void => {
      const result = opened < 0 ? opened : this.setupNow(node, fileOffset, length, windowOffset, () => parked);
      const file = this.byNode.get(node);
      if (file) this.endUnused(file);
      if (result !== DEFERRED) parked.finish(result);
    };
    return this.opening.wait(node, caller, attempt, finishedBy(parked, finish));
  }

  remove(slices: readonly WindowSlice[], caller: Caller): number {
    const going = new Set<FileRange>();
    for (const { windowOffset, length } of slices) {
      if (!isPages(windowOffset) || !isPages(length) || length === 0) return -Errno.EINVAL;
      if (windowOffset > this.size - length) return -Errno.EINVAL;
      for (const range of this.ranges.touching(windowOffset, length)) {
        if (range.state !== RangeState.Mapped) return -Errno.EBUSY;
        if (!isInside(range, windowOffset, length)) return -Errno.EINVAL;
        going.add(range);
      }
    }
    if (going.size === 0) return 0;
    const parked = caller.defer();
    let left = going.size;
    let failed = 0;
    for (const range of going) {
      this.retire(range, (result) => {
        if (result < 0) failed = result;
        if (--left === 0) parked.finish(failed);
      });
    }
    return DEFERRED;
  }

  // What the file system says

  /** Whether parts of it are mapped: the calls below have something to do. */
  has(node: Node): boolean {
    return this.byNode.has(node);
  }

  /** A request is about to read the file, or to change it: what the guest has stored through the window counts. */
  before(node: Node): number {
    return this.byNode.get(node)?.push() ?? 0;
  }

  /** A request has changed the file between `from` and `to`, or its size. */
  after(node: Node, from = 0, to = 0): void {
    const file = this.byNode.get(node);
    if (!file) return;
    const failed = file.wrote(from, to);
    if (failed < 0) this.note(DaxNote.Failed, file, `its copy could not be made to fit (errno ${-failed})`);
    this.keepTicking();
  }

  pushAll(): void {
    for (const file of this.files) this.checked(file, file.push());
  }

  /**
   * The guest has forgotten some of its lookups of an inode. Where it knows it still, Linux has dropped it, and looked
   * it up anew before it came to say so: it keeps to what it was told then.
   */
  forgotten(node: Node): void {
    const shown = this.shown.get(node);
    if (shown === undefined) return;
    shown.maps = shown.last;
    this.verdicts.forget(node);
  }

  /** The guest knows the inode no more. What is mapped of it stays so until it is removed. */
  nodeEnds(node: Node): void {
    const file = this.byNode.get(node);
    if (file) file.node = 0;
    this.byNode.delete(node);
    this.shown.delete(node);
    this.verdicts.forget(node);
    this.notes.accepted(node);
  }

  /** A session ends or begins: nothing is mapped any more. Its nodes end by themselves. */
  reset(): void {
    for (const range of this.ranges.all()) this.retire(range);
  }

  /** A ring was stopped: if that was part of a reset, the front-end has dropped everything. */
  doubt(): void {
    for (const range of this.ranges.all()) range.doubted = true;
  }

  /** `FileChanges` tells: the file that `watch` is of was changed. */
  changed(watch: number): void {
    for (const file of [...this.files]) {
      // -1: nobody knows which, so each may be; of how long it is, each can be asked.
      if (watch >= 0 && file.watch !== watch) continue;
      const { ours } = file;
      file.ours = false;
      const size = file.currentSize();
      if (size < 0) continue;
      if (size !== file.size) {
        this.sizeChanged(file, size);
        continue;
      }
      this.checked(file, file.refresh(size));
      if (watch < 0 || ours || file.warned) continue;
      file.warned = true;
      this.note(DaxNote.Changed, file, 'the host changes it while it is mapped');
    }
  }

  /** What is mapped, for a trace that begins now. */
  state(): NoteFacts[] {
    return this.ranges.all().map(({ file, fileOffset, length, windowOffset }) => ({
      what: DaxNote.Mapped,
      nodeid: file.nodeid,
      fileOffset,
      length,
      windowOffset,
      path: file.path,
      text: '',
    }));
  }

  // Mapping

  /** Everything that a range needs but the mapping itself; or a negative errno. */
  private prepare(node: Node, fileOffset: number, length: number, windowOffset: number): FileRange | number {
    const file = this.opened(node);
    if (typeof file === 'number') return file;
    const size = file.currentSize();
    if (size < 0) return this.given(file, size);
    this.checked(file, file.refresh(size));
    const whole = Math.floor(size / PAGE) * PAGE;
    // An empty file has no whole page: QEMU would make it as long as the mapping.
    const filePart = Math.max(0, Math.min(whole - fileOffset, length));
    const shadow = filePart < length ? this.shadowOf(file, fileOffset + filePart, length - filePart) : undefined;
    if (typeof shadow === 'number') return this.given(file, shadow);
    const pieces = (filePart > 0 ? 1 : 0) + (shadow ? 1 : 0);
    const state = RangeState.Coming;
    return { windowOffset, length, state, pieces, file, fileOffset, filePart, shadow, doubted: false, gone: false };
  }

  private opened(node: Node): MappedFile | number {
    return this.byNode.get(node) ?? this.open(node);
  }

  private open(node: Node): MappedFile | number {
    const { folder, host } = this;
    if (!folder.budget.hasRoom) return -Errno.EMFILE;
    const path = this.verdicts.path(node);
    const fd = folder.reopen(node, linux.O_RDWR);
    if (fd === -Errno.EAGAIN) return fd;
    if (fd < 0) {
      const text = `it cannot be opened for reading and writing (errno ${-fd})`;
      this.verdicts.refuse(node, text);
      this.notes.add({ ...this.place(node), what: DaxNote.Failed, text });
      return fd;
    }
    folder.budget.take();
    const { calls, arena, areas, nodes } = folder;
    const id = [node, nodes.generation[node]] as const;
    const file = new MappedFile(calls, arena, host.areas, node, id, path, fd, arena.address(areas.empty));
    file.size = Math.max(0, file.currentSize());
    file.modified();
    file.watch = host.changes.watch(folder.pathOf(fd));
    this.byNode.set(node, file);
    this.files.add(file);
    return file;
  }

  private shadowOf(file: MappedFile, start: number, length: number): Shadow | number {
    const { calls, arena, budget } = this.folder;
    if (!budget.hasRoom) return -Errno.EMFILE;
    const memory = calls.memoryFile(length);
    if (memory < 0) return memory;
    const { areas } = this.host;
    const copy = { vector: areas.vector, data: areas.data, dataSize: areas.dataSize };
    const shadow = new Shadow(calls, arena, copy, memory, file.fd, start, length);
    const failed = shadow.take(start, file.size, file.size);
    if (failed < 0) {
      shadow.close();
      return failed;
    }
    budget.take();
    return shadow;
  }

  private mapPieces(range: FileRange, done: (result: number) => void): void {
    const { frontEnd } = this.host;
    const { file, shadow, fileOffset, filePart, windowOffset, length } = range;
    let left = range.pieces;
    let failed = 0;
    const made: [windowOffset: number, length: number][] = [];
    const one = (at: number, bytes: number) => (result: number) => {
      if (result < 0) failed = result;
      else made.push([at, bytes]);
      if (--left > 0) return;
      if (failed === 0) range.state = RangeState.Mapped;
      else {
        for (const [offset, size] of made) frontEnd.unmap(offset, size, () => undefined);
        if (!range.gone) this.end(range);
        if (failed !== -Errno.EAGAIN && file.node !== 0) {
          const text = `the front-end did not map it (errno ${-failed})`;
          this.verdicts.refuse(file.node, text);
          this.note(DaxNote.Failed, file, text);
        }
      }
      this.keepTicking();
      done(failed);
    };
    const tail = windowOffset + filePart;
    const shadowDone = one(tail, length - filePart);
    if (filePart > 0) frontEnd.map(file.fd, fileOffset, windowOffset, filePart, one(windowOffset, filePart));
    if (shadow) frontEnd.map(shadow.memory, 0, tail, shadow.length, shadowDone);
  }

  /** Asks for a mapping again that may still be there: then it is refused, since nothing may overlap. */
  private reassure(range: FileRange, parked: Deferred): typeof DEFERRED {
    const { file, shadow, fileOffset, filePart, windowOffset } = range;
    let left = range.pieces;
    let lost = false;
    const one = (result: number): void => {
      if (result === -Errno.EAGAIN || result === -Errno.ENODEV) lost = true;
      if (--left > 0) return;
      range.doubted = lost;
      parked.finish(lost ? -Errno.EAGAIN : 0);
    };
    const { frontEnd } = this.host;
    if (filePart > 0) frontEnd.map(file.fd, fileOffset, windowOffset, filePart, one);
    if (shadow) frontEnd.map(shadow.memory, 0, windowOffset + filePart, shadow.length, one);
    return DEFERRED;
  }

  /** Takes a range out of the books at once and out of the window as soon as the front-end does. */
  private retire(range: FileRange, done: (result: number) => void = () => undefined): void {
    const { frontEnd } = this.host;
    const { shadow, filePart, windowOffset } = range;
    range.gone = true;
    this.ranges.remove(range);
    let left = range.pieces;
    const one = (): void => {
      if (--left > 0) return;
      // The guest can store nothing more into the copy.
      const failed = this.checked(range.file, range.file.push());
      this.end(range);
      done(failed);
    };
    if (filePart > 0) frontEnd.unmap(windowOffset, filePart, one);
    if (shadow) frontEnd.unmap(windowOffset + filePart, shadow.length, one);
  }

  /** Gives back what a range holds. */
  private end(range: FileRange): void {
    const { file, shadow } = range;
    this.ranges.remove(range);
    if (shadow) {
      shadow.close();
      this.folder.budget.give();
    }
    file.ranges.delete(range);
    this.endUnused(file);
  }

  private endUnused(file: MappedFile): void {
    if (file.ranges.size > 0 || !this.files.delete(file)) return;
    this.byNode.delete(file.node);
    if (file.watch >= 0) this.host.changes.end(file.watch);
    this.folder.calls.close(file.fd);
    this.folder.budget.give();
  }

  private given(file: MappedFile, failed: number): number {
    this.endUnused(file);
    return failed;
  }

  // Copies and the host's changes

  private sizeChanged(file: MappedFile, size: number): void {
    const before = file.size;
    this.checked(file, file.refresh(size));
    this.keepTicking();
    if (size < before && size < file.mappedEnd) {
      const text = `the host has shortened it from ${before} to ${size} bytes while it is mapped: QEMU dies (SIGBUS) if the guest touches what is gone`;
      this.note(DaxNote.Shortened, file, text);
    } else if (!file.warned) {
      file.warned = true;
      this.note(DaxNote.Changed, file, 'the host changes its size while it is mapped');
    }
  }

  private keepTicking(): void {
    if (this.ticking) return;
    for (const file of this.files) {
      if (!file.hasCopy) continue;
      this.ticking = true;
      this.host.alarm.wake(COPY_INTERVAL, () => this.tick());
      return;
    }
  }

  private tick(): void {
    const began = this.host.now();
    for (const file of this.files) {
      if (!file.hasCopy) continue;
      this.checked(file, file.push());
      const size = file.currentSize();
      // Stores into a mapping on the host are told by nobody, but by the time of change.
      if (size >= 0 && file.modified()) this.checked(file, file.refresh(size));
    }
    this.ticking = false;
    const taken = this.host.now() - began;
    if (taken * COPY_SHARE < COPY_INTERVAL) return this.keepTicking();
    this.ticking = true;
    this.host.alarm.wake(taken * COPY_SHARE, () => this.tick());
  }

  private checked(file: MappedFile, result: number): number {
    if (result < 0) this.note(DaxNote.Failed, file, `its end could not be copied (errno ${-result})`);
    return result;
  }

  private note(what: DaxNote, file: MappedFile, text: string): void {
    this.notes.add({ what, nodeid: file.nodeid, fileOffset: 0, length: 0, windowOffset: 0, path: file.path, text });
  }

  private place(node: Node): Omit<NoteFacts, 'what' | 'text'> {
    const nodeid = [node, this.folder.nodes.generation[node]] as const;
    return { nodeid, fileOffset: 0, length: 0, windowOffset: 0, path: this.verdicts.path(node) };
  }
}

function isPages(bytes: number): boolean {
  return bytes >= 0 && bytes % PAGE === 0;
}

function isInside(range: FileRange, windowOffset: number, length: number): boolean {
  return range.windowOffset >= windowOffset && range.windowOffset + range.length <= windowOffset + length;
}
