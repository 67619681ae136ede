/** What the back-end asks of the device it speaks for: whatever is mapped, polled or closed happens there. */
import type { Region } from '../virtio/guestMemory';

/** A region of guest memory, wherever it is mapped. */
export type SharedRegion = Omit<Region, 'hostBase'>;

/** Addresses as the front-end gives them (its own virtual ones). */
export interface RingAddresses {
  readonly descriptors: number;
  readonly used: number;
  readonly avail: number;
}

/** One ring as negotiated so far. Descriptors belong to the back-end until it hands them to `closeDescriptor`. */
export interface Ring {
  readonly index: number;
  size: number;
  addresses: RingAddresses | undefined;
  base: number;
  kick: number;
  call: number;
  enabled: boolean;
  started: boolean;
}

/** Refusals are strings: the reason, for the log. */
export interface Device {
  /** Adds a region; the descriptor is closed by the caller afterwards. */
  addRegion(region: SharedRegion, fd: number, offset: number): string | undefined;
  /** Removes a region that `addRegion` took. */
  removeRegion(guestBase: number): void;
  /** Starts to serve a ring; its addresses, size, base and kick are set. */
  startRing(ring: Ring, acked: { eventIndex: boolean }): string | undefined;
  /** Stops it when it runs, with nothing of it in progress any more; the index of the next request it would take. */
  stopRing(ring: Ring): number;
  /** The call descriptor has been replaced. */
  callChanged(ring: Ring): void;
  closeDescriptor(fd: number): void;
  /** For the log. */
  warn(text: string): void;
}
