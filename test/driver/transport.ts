/**
 * What a FUSE client needs of the machine below it: memory that the device sees, rings, and a way to wait.
 *
 * Two implementations: `AttachedDevice` (another process over vhost-user) and `JoinedDevice` (our server in this
 * process over plain memory).
 */
import type { Arena } from '../../src/base/arena';
import type { RingWriter } from './ringWriter';

/** A piece of guest memory: `guestBase` is the guest address of the arena's offset 0. */
export interface GuestMemory {
  readonly arena: Arena;
  readonly guestBase: number;
  /** Offset of the first byte that nobody has taken. */
  free: number;
  readonly end: number;
}

export interface Transport {
  readonly memory: readonly GuestMemory[];
  /** Queue 0 is hiprio, 1 and up are request queues. */
  ring(queue: number): RingWriter;
  kick(queue: number): void;
  /** Waits for a call of this queue; false when none came in time. Check the ring in any case. */
  wait(queue: number, milliseconds: number): boolean;
  close(): void;
}
