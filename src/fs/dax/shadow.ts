/**
 * The part of a mapped range that the file cannot back: its last, partial page and everything behind it. QEMU maps no
 * page that is not whole in the file, and what is not mapped reads as zeros; so this part is a memory file of our own.
 *
 * Bytes go both ways between it and the file. What each byte was when both were last alike is remembered, so a byte
 * that differs in the memory file was written by the guest and one that differs in the file by somebody else; where
 * both have changed the guest's goes first and the file's stays what it wrote last. The file never grows by this: what
 * lies behind its end is not written, and is zeros again once the end comes closer. Costs nothing for what lies behind
 * the end. Calls return 0 or a negative errno.
 */
import type { Arena } from '../../base/arena';
import { Errno } from '../../protocol/errno';
import type { HostCalls } from '../hostCalls';

/** Where in the arena bytes are on their way. */
export interface ShadowAreas {
  /** One struct iovec. */
  readonly vector: number;
  readonly data: number;
  readonly dataSize: number;
}

const PAGE = 4096;

export class Shadow {
  /** By page: what both were when last alike; none: zeros. */
  private readonly alike = new Map<number, Page>();

  /** `memory`: an open memory file of `length` bytes, owned from now on. `start`: where in `file` it begins. */
  constructor(
    private readonly calls: HostCalls,
    private readonly arena: Arena,
    private readonly areas: ShadowAreas,
    readonly memory: number,
    private readonly file: number,
    readonly start: number,
    readonly length: number,
  ) {}

  get end(): number {
    return this.start + this.length;
  }

  close(): void {
    this.calls.close(this.memory);
  }

  /** What the guest has written goes into the file, which is `size` bytes long. */
  push(size: number): number {
    return this.each(this.start, Math.min(size, this.end), (from, length) => {
      const { arena, areas } = this;
      const got = this.transfer(this.memory, from - this.start, length, false);
      if (got < 0) return got;
      for (let at = 0; at < length;) {
        const begin = this.differsAt(from, at, length);
        if (begin < 0) break;
        const end = this.alikeAt(from, begin, length);
        const failed = this.write(this.file, from + begin, areas.data + begin, end - begin);
        if (failed < 0) return failed;
        this.remember(from + begin, arena.u8, areas.data + begin, end - begin);
        at = end;
      }
      return 0;
    });
  }

  /** What others have written into the file comes here. `before`: its size when that was done last. */
  pull(before: number, size: number): number {
    const common = Math.min(before, size);
    const failed = this.each(this.start, Math.min(common, this.end), (from, length) => this.merge(from, length));
    if (failed < 0) return failed;
    return size > before ? this.take(before, size, size) : this.clear(size, before);
  }

  /** [from, to) of the file has been written by a request of the guest: here it is as in the file, whatever it was. */
  take(from: number, to: number, size: number): number {
    const first = Math.max(from, this.start);
    return this.each(first, Math.min(to, size, this.end), (at, length) => {
      const got = this.transfer(this.file, at, length, true);
      if (got < 0) return got;
      const failed = this.write(this.memory, at - this.start, this.areas.data, length);
      if (failed === 0) this.remember(at, this.arena.u8, this.areas.data, length);
      return failed;
    });
  }

  /** The file ends at `size` now: there are only zeros behind it, up to where it ended before. */
  private clear(size: number, before: number): number {
    const first = Math.max(size, this.start);
    // The rest of the last page too: the guest can write there without making the file longer.
    const last = Math.min(Math.ceil(before / PAGE) * PAGE, this.end);
    return this.each(first, last, (at, length) => {
      this.arena.zero(this.areas.data, length);
      const failed = this.write(this.memory, at - this.start, this.areas.data, length);
      if (failed === 0) this.remember(at, this.arena.u8, this.areas.data, length);
      return failed;
    });
  }

  private merge(from: number, length: number): number {
    const { arena, areas } = this;
    const got = this.transfer(this.file, from, length, true);
    if (got < 0) return got;
    for (let at = 0; at < length;) {
      const begin = this.differsAt(from, at, length);
      if (begin < 0) break;
      const end = this.alikeAt(from, begin, length);
      const failed = this.write(this.memory, from + begin - this.start, areas.data + begin, end - begin);
      if (failed < 0) return failed;
      this.remember(from + begin, arena.u8, areas.data + begin, end - begin);
      at = end;
    }
    return 0;
  }

  /** Calls `step` for pieces of [from, to) that fit into the arena and begin at pages. */
  private each(from: number, to: number, step: (from: number, length: number) => number): number {
    for (let at = from; at < to;) {
      const length = Math.min(to - at, this.areas.dataSize - (at % PAGE));
      const failed = step(at, length);
      if (failed < 0) return failed;
      at += length;
    }
    return 0;
  }

  /**
   * First place from `at` on where the data in the arena, which belong at `from`, differ from what was alike; or -1.
   */
  private differsAt(from: number, at: number, length: number): number {
    const { u8, u32 } = this.arena;
    const { data } = this.areas;
    for (let i = at; i < length;) {
      const inPage = (from + i) % PAGE;
      const page = this.alike.get(Math.floor((from + i) / PAGE)) ?? NO_PAGE;
      const end = Math.min(length, i + PAGE - inPage);
      let k = i;
      // Four bytes at a time as far as they lie so: nearly always all of the page, and nearly always alike.
      if (((data + i) & 3) === 0 && (inPage & 3) === 0) {
        const { words } = page;
        let word = inPage >>> 2;
        for (let here = (data + i) >>> 2; k + 4 <= end && u32[here] === words[word]; k += 4) {
          here++;
          word++;
        }
      }
      for (; k < end; k++) if (u8[data + k] !== page.bytes[(from + k) % PAGE]) return k;
      i = end;
    }
    return -1;
  }

  /** First place from `at` on, at a page's end at the latest, where they are alike again; or `length`. */
  private alikeAt(from: number, at: number, length: number): number {
    const { u8 } = this.arena;
    const page = this.alike.get(Math.floor((from + at) / PAGE)) ?? NO_PAGE;
    const last = Math.min(length, at + PAGE - ((from + at) % PAGE));
    let i = at + 1;
    while (i < last && u8[this.areas.data + i] !== page.bytes[(from + i) % PAGE]) i++;
    return i;
  }

  private remember(place: number, bytes: Uint8Array, at: number, length: number): void {
    for (let done = 0; done < length;) {
      const number = Math.floor((place + done) / PAGE);
      const inPage = (place + done) % PAGE;
      const part = Math.min(length - done, PAGE - inPage);
      let page = this.alike.get(number);
      if (!page) this.alike.set(number, (page = freshPage()));
      page.bytes.set(bytes.subarray(at + done, at + done + part), inPage);
      done += part;
    }
  }

  /** Reads into the arena; with `zeros` what lies behind the file's end is zeros, else it is an error. */
  private transfer(fd: number, offset: number, length: number, zeros: boolean): number {
    const { arena, areas, calls } = this;
    let done = 0;
    while (done < length) {
      this.aim(areas.data + done, length - done);
      const got = calls.preadv2(fd, arena.address(areas.vector), 1, offset + done, 0);
      if (got < 0) return got;
      if (got === 0) {
        if (!zeros) return -Errno.EIO;
        arena.zero(areas.data + done, length - done);
        break;
      }
      done += got;
    }
    return 0;
  }

  private write(fd: number, offset: number, from: number, length: number): number {
    const { arena, areas, calls } = this;
    let done = 0;
    while (done < length) {
      this.aim(from + done, length - done);
      const put = calls.pwritev2(fd, arena.address(areas.vector), 1, offset + done, 0);
      if (put <= 0) return put < 0 ? put : -Errno.EIO;
      done += put;
    }
    return 0;
  }

  private aim(at: number, length: number): void {
    const { arena, areas } = this;
    arena.setU64(areas.vector, arena.address(at));
    arena.setU64(areas.vector + 8, length);
  }
}

interface Page {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

function freshPage(): Page {
  const bytes = new Uint8Array(PAGE);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

const NO_PAGE = freshPage();
