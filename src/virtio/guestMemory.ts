/**
 * Guest memory as the front-end has shared it: regions, and the translation of guest addresses to host addresses.
 *
 * Trusts nothing a guest writes: an address is used only through `translate`, which answers with an address whose whole
 * run is inside one region. Knows no rings and maps nothing itself. Over plain memory (tests) a "host address" is simply
 * an offset into one buffer.
 */

/** Access to bytes at host addresses; `native/` has the real one. */
export interface HostMemory {
  /** Copies from an address into the arena at `at`. */
  copyIn(at: number, address: number, length: number): void;
  /** Copies from the arena at `at` to an address. */
  copyOut(address: number, at: number, length: number): void;
  /** The bytes at an address, for a ring. Dropped by the holder before the memory goes. */
  view(address: number, length: number): Uint8Array;
}

export interface Region {
  /** Guest physical address of the first byte. */
  readonly guestBase: number;
  readonly size: number;
  /** The front-end's own virtual address of the first byte: ring addresses come in these. */
  readonly userBase: number;
  /** Where it is mapped here. */
  readonly hostBase: number;
}

/** Above this, doubles no longer hold every integer: an address there is refused, never rounded. */
const ADDRESS_LIMIT = 2 ** 53;

export class GuestMemory {
  private regions: readonly Region[] = [];
  // The region that served the last translation: nearly always the right one.
  private base = 0;
  private end = 0;
  private delta = 0;

  /** After a translation: bytes from the address on that lie in the same region. */
  run = 0;

  constructor(readonly host: HostMemory) {}

  get table(): readonly Region[] {
    return this.regions;
  }

  /** Regions must not overlap in guest addresses: `overlaps` tells. */
  setRegions(regions: readonly Region[]): void {
    this.regions = regions;
    this.base = this.end = this.delta = 0;
  }

  overlaps(guestBase: number, size: number): boolean {
    return this.regions.some(
      (region) => guestBase < region.guestBase + region.size && region.guestBase < guestBase + size,
    );
  }

  /** Host address of a guest address, with `run` set; -1 when it is in no region. */
  translate(guest: number): number {
    if (guest >= this.base && guest < this.end) {
      this.run = this.end - guest;
      return guest + this.delta;
    }
    return this.search(guest);
  }

  private search(guest: number): number {
    for (const region of this.regions) {
      const end = region.guestBase + region.size;
      if (guest >= region.guestBase && guest < end) {
        this.base = region.guestBase;
        this.end = end;
        this.delta = region.hostBase - region.guestBase;
        this.run = end - guest;
        return guest + this.delta;
      }
    }
    this.run = 0;
    return -1;
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
