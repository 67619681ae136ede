/**
 * One request and the room for its reply, as the FUSE server sees them.
 *
 * This is all that the server knows of a transport: no rings, no descriptors, no guest addresses. `daemon/` implements
 * it over virtqueues, tests over plain memory. Offsets called `skip` count from the start of the request or of the
 * reply, however the front-end has cut them into descriptors; offsets called `at` are places in the server's arena.
 */
import type { Payload } from '../fs/fileSystem';

export interface Exchange extends Payload {
  /** Bytes of the request (FUSE header included) that the front-end says are there. */
  readonly readable: number;

  /** Bytes of room for the reply, FUSE header included. */
  readonly writable: number;

  /** Which queue it came by: 0 is hiprio, 1 and up are request queues. */
  readonly queue: number;

  /** Copies request bytes into the arena. 0, or -EFAULT when they are not (all) in guest memory. */
  pull(skip: number, length: number, at: number): number;

  /** Copies arena bytes into the reply. 0, or -EFAULT. */
  push(skip: number, length: number, at: number): number;

  /**
   * Takes the exchange out of the current turn: it stays valid until `finish`, after the server has returned DEFERRED
   * for it. The transport reuses the object it called the server with, so this may return another one.
   */
  park(): Exchange;

  /** Not while its queue is stopped: no byte of guest memory is written then. */
  readonly answerable: boolean;

  /**
   * Only for a parked exchange: gives the request back with `used` bytes of reply written, exactly once. One that is
   * not answerable is dropped.
   */
  finish(used: number): void;
}
