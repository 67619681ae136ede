/**
 * Memory with a fixed address: pinned arenas, views over mappings, mappings of guest memory.
 *
 * A view cannot be taken back from JavaScript, so a mapping that is given up is first replaced by one that faults
 * system calls (PROT_NONE): a late preadv into it gets EFAULT instead of somebody else's memory. The addresses are
 * handed back by `release` once nobody can use them any more.
 */
import koffi from 'koffi';
import { Arena } from '../base/arena';
import { DoubledViews, ownMemoryOnly } from './doubledViews';
import { INT, LONG, checked, declare } from './libc';
import {
  MAP_ANONYMOUS,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ_WRITE,
  mmap,
  replacePages,
} from './pages';

const munmapCall = declare('munmap', INT, [LONG, LONG]);
const memcpyCall = declare('memcpy', 'void', [LONG, LONG, LONG]);

/** Whether CPUs see each other's plain stores in the order in which they are made, and load in the program's order. */
export const keepsOrder = process.arch === 'x64';

/** Largest view that V8 takes: more aborts the process. */
const VIEW_LIMIT = 2 ** 32 - 1;

/** An arena of `size` bytes whose address never changes. An explicit ArrayBuffer: small typed arrays may move. */
export function pinnedArena(size: number): Arena {
  const buffer = new ArrayBuffer(size);
  return new Arena(buffer, Number(koffi.address(new Uint8Array(buffer))));
}

/** Of this thread, where V8 makes no other views. */
const doubled = ownMemoryOnly ? new DoubledViews() : undefined;

/**
 * The bytes at an address of a mapping made here. Whoever keeps them must drop them before the memory goes. Throws
 * NativeError where there can be no view of that memory.
 */
export function viewOf(address: number, length: number): Uint8Array {
  if (!(length > 0 && length <= VIEW_LIMIT)) throw new RangeError(`a view of ${length} bytes`);
  return doubled ? doubled.view(address, length) : new Uint8Array(koffi.view(BigInt(address), length));
}

/** No view that this thread has is used any more: to be called before it ends, and V8 frees what they lie in. */
export function dropViews(): void {
  doubled?.giveBack(0, Infinity);
}

/** Copies `length` bytes between two addresses that both must be mapped. */
export const copyBytes: (to: number, from: number, length: number) => void = memcpyCall;

/** Maps `length` bytes of a file, shared and writable; the address. Throws NativeError. */
export function mapShared(fd: number, offset: number, length: number): number {
  return checked('mmap', mmap(0, length, PROT_READ_WRITE, MAP_SHARED, fd, offset));
}

/** Fresh memory that belongs to no isolate, for rings between threads: never given back. Throws NativeError. */
export function mapAnonymous(length: number): number {
  // Only what is shared can be mapped twice.
  const sharing = doubled ? MAP_SHARED : MAP_PRIVATE;
  return checked('mmap', mmap(0, length, PROT_READ_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

/** Makes every later access to a mapping fault, keeping its addresses taken. Views of it show nothing any more. */
export function seal(address: number, length: number): void {
  doubled?.giveBack(address, length);
  replacePages(address, length, PROT_NONE);
}

/** Hands the addresses of a sealed mapping back. */
export function release(address: number, length: number): void {
  checked('munmap', munmapCall(address, length));
}
