/**
 * The memory table: the regions of guest memory that the front-end shares, as a whole (SET_MEM_TABLE) or one by one
 * (ADD_MEM_REG, REM_MEM_REG).
 *
 * A table is refused before anything is done, or else the old one goes: where the new one cannot be mapped then, there
 * is no memory. Knows no rings; whether one runs in a region is asked.
 */
import { MAX_TABLE_REGIONS } from '../protocol/vhostUser/structs';
import type { Device, SharedRegion } from './device';
import { type Refused, safeU64 } from './payload';
import type { SharedWindow } from './windowChannel';

/** A region as the front-end describes it. */
export type NewRegion = SharedRegion & { readonly offset: number };

/** Memory slots offered: as many as KVM's oldest limit and QEMU's own allow together. */
export const MAX_SLOTS = 509;

/** After `{ u32 count, u32 padding }`, or `{ u64 padding }`. */
const FIRST_REGION = 8;
const REGION_SIZE = 32;

export class MemoryTable {
  private regions: SharedRegion[] = [];

  constructor(
    private readonly device: Pick<Device, 'addRegion' | 'removeRegion'>,
    private readonly window: Pick<SharedWindow, 'regionAdded'> | undefined,
  ) {}

  /** Puts the regions of a table in place of all that are there. */
  replace(regions: readonly NewRegion[], descriptors: readonly number[]): Refused | undefined {
    this.drop();
    for (const [index, region] of regions.entries()) {
      const refused = this.take(region, descriptors[index]);
      if (refused !== undefined) {
        this.drop();
        return { refused };
      }
    }
    return undefined;
  }

  add(payload: DataView, fd: number | undefined): Refused | undefined {
    const region = readRegion(payload, FIRST_REGION);
    if (fd === undefined) return { refused: 'no descriptor came along' };
    if (!region) return { refused: 'a region of bad bounds' };
    if (this.regions.length >= MAX_SLOTS) return { refused: 'too many regions' };
    if (this.regions.some((other) => overlap(region, other))) return { refused: 'regions that overlap' };
    const refused = this.take(region, fd);
    if (refused !== undefined) return { refused };
    this.window?.regionAdded(region.size);
    return undefined;
  }

  remove(payload: DataView, isUsed: (region: SharedRegion) => boolean): Refused | undefined {
    const guestBase = safeU64(payload, FIRST_REGION);
    const size = safeU64(payload, FIRST_REGION + 8);
    const index = this.regions.findIndex((region) => region.guestBase === guestBase && region.size === size);
    if (index < 0) return { refused: 'there is no such region' };
    if (isUsed(this.regions[index])) return { refused: 'a running ring lies in it' };
    this.regions.splice(index, 1);
    this.device.removeRegion(guestBase);
    return undefined;
  }

  drop(): void {
    for (const region of this.regions) this.device.removeRegion(region.guestBase);
    this.regions = [];
  }

  private take({ guestBase, size, userBase, offset }: NewRegion, fd: number): string | undefined {
    const region = { guestBase, size, userBase };
    const refused = this.device.addRegion(region, fd, offset);
    if (refused === undefined) this.regions.push(region);
    return refused;
  }
}

/** The regions of a table that came with so many descriptors, one for each. */
export function readTable(payload: DataView, descriptors: number): readonly NewRegion[] | Refused {
  const count = payload.getUint32(0, true);
  if (count > MAX_TABLE_REGIONS || payload.byteLength < FIRST_REGION + count * REGION_SIZE)
    return { refused: `a table of ${count} regions` };
  if (descriptors < count) return { refused: `${count} regions but ${descriptors} descriptors` };
  const regions: NewRegion[] = [];
  for (let index = 0; index < count; index++) {
    const region = readRegion(payload, FIRST_REGION + index * REGION_SIZE);
    if (!region) return { refused: 'a region of bad bounds' };
    if (regions.some((other) => overlap(region, other))) return { refused: 'regions that overlap' };
    regions.push(region);
  }
  return regions;
}

/** A region of `{ u64 guest address, u64 size, u64 front-end address, u64 offset in the file }` at `at`. */
function readRegion(payload: DataView, at: number): NewRegion | undefined {
  const guestBase = safeU64(payload, at);
  const size = safeU64(payload, at + 8);
  const userBase = safeU64(payload, at + 16);
  const offset = safeU64(payload, at + 24);
  if (guestBase < 0 || size <= 0 || userBase < 0 || offset < 0) return undefined;
  const ends = [guestBase + size, userBase + size, offset + size];
  return ends.every(Number.isSafeInteger) ? { guestBase, size, userBase, offset } : undefined;
}

function overlap(one: SharedRegion, other: SharedRegion): boolean {
  return one.guestBase < other.guestBase + other.size && other.guestBase < one.guestBase + one.size;
}
