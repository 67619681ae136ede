/**
 * Guest memory as the front-end has shared it: regions, and the translation of guest addresses to host addresses.
 *
 * Trusts nothing a guest writes: an address is used only through `translate`, which answers with an address whose whole
 * run is inside one region. Knows no rings and maps nothing itself. Over plain memory (tests) a "host address" is
 * simply an offset into one buffer.
 */

/** Access to bytes at host addresses; `native/` has the real one. */
export interface HostMemory {
  /** Copies from an address into the arena at `at`. */
  copyIn(at: number, address: number, length: number): void;
  /** Copies from the arena at `at` to an address. */
  copyOut(address: number, at: number, length: number): void;
  /** Copies between two addresses. */
  copy(to: number, from: number, length: number): void;
  /** The bytes at an address, for a ring. Dropped by the holder before the memory goes. */
  view(address: number, length: number): Uint8Array;
  /** Whether CPUs see each other's plain stores in the order in which they are made, and load in order (x86-64). */
  readonly keepsOrder: boolean;
}

export interface Region {
  /** Guest physical address of the first byte. */
  readonly guestBase: number;
  readonly size: number;
  /** The front-end's own virtual address of the first byte: ring addresses come in these. */
  readonly userBase: number;
  /** Where it is mapped here. */
  readonly hostBase: number;
  /**
   * A touch may fault, because others can take the memory away: files in the DAX window, which anybody may shorten.
   * Only system calls touch it, which then answer EFAULT.
   */
  readonly mayFault?: boolean;
}

/** Part of a region that is small enough for views (V8 refuses large ones), for copies of a few bytes. */
export interface Window {
  readonly guestBase: number;
  readonly size: number;
  readonly hostBase: number;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Longest window. */
export const WINDOW_SIZE = 2 ** 30;

/** Above this, doubles no longer hold every integer: an address there is refused, never rounded. */
const ADDRESS_LIMIT = 2 ** 53;

const NO_WORDS: Uint32Array = new Uint32Array(0);
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class GuestMemory {
  private regions: readonly Region[] = [];
  private faulting: readonly Region[] = [];
  private cuts: ReadonlyMap<Region, readonly Window[]> = new Map();
  private windows: readonly Window[] = [];
  // The window that served the last translation: nearly always the right one.
  private base = 0;
  private end = 0;
  private delta = 0;

  /** After a translation: bytes from the address on that lie in the same window, and the views of that window. */
  run = 0;
  words: Uint32Array = NO_WORDS;
  bytes: Uint8Array = NO_BYTES;

  constructor(readonly host: HostMemory) {}

  /**
   * Regions must not overlap in guest addresses, and `hostBase` must be a multiple of 4. Throws what `HostMemory.view`
   * throws, and then nothing has changed.
   */
  setRegions(regions: readonly Region[]): void {
    const lasting = regions.filter((region) => region.mayFault !== true);
    // Those that stay keep their windows: making views is slow, and a front-end may add hundreds one by one.
    this.cuts = new Map(lasting.map((region) => [region, this.cuts.get(region) ?? this.cut(region)]));
    this.regions = lasting;
    this.faulting = regions.filter((region) => region.mayFault === true);
    this.windows = [...this.cuts.values()].flat();
    this.base = this.end = this.delta = 0;
    this.words = NO_WORDS;
    this.bytes = NO_BYTES;
  }

  /** Host address of a guest address, with `run` and the views set; -1 when it is in no region. */
  translate(guest: number): number {
    if (guest >= this.base && guest < this.end) {
      this.run = this.end - guest;
      return guest + this.delta;
    }
    return this.search(guest);
  }

  /** The same for data that only system calls touch, which may also lie where a touch can fault. No views then. */
  translateData(guest: number): number {
    const address = this.translate(guest);
    if (address >= 0) return address;
    for (const region of this.faulting) {
      if (!(guest >= region.guestBase && guest < region.guestBase + region.size)) continue;
      this.run = region.guestBase + region.size - guest;
      return region.hostBase + guest - region.guestBase;
    }
    return -1;
  }

  /** Where a guest address just translated lies in the views, in bytes. */
  offset(guest: number): number {
    return guest - this.base;
  }

  private search(guest: number): number {
    for (const window of this.windows) {
      const end = window.guestBase + window.size;
      if (guest >= window.guestBase && guest < end) {
        this.base = window.guestBase;
        this.end = end;
        this.delta = window.hostBase - window.guestBase;
        this.words = window.words;
        this.bytes = window.bytes;
        this.run = end - guest;
        return guest + this.delta;
      }
    }
    this.run = 0;
    return -1;
  }

  private cut(region: Region): Window[] {
    const windows: Window[] = [];
    for (let at = 0; at < region.size; at += WINDOW_SIZE) {
      const size = Math.min(WINDOW_SIZE, region.size - at);
      const hostBase = region.hostBase + at;
      const bytes = this.host.view(hostBase, size);
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size >>> 2);
      windows.push({ guestBase: region.guestBase + at, size, hostBase, words, bytes });
    }
    return windows;
  }

  /** Host address of `length` bytes at a front-end virtual address, all in one region; -1 otherwise. */
  translateUser(user: number, length: number): number {
    if (!(user < ADDRESS_LIMIT)) return -1;
    for (const region of this.regions) {
      const offset = user - region.userBase;
      if (offset >= 0 && offset + length <= region.size) return region.hostBase + offset;
    }
    return -1;
  }
}
