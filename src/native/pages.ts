/** mmap(2), and what it is asked for: for who makes mappings, and for who puts other pages in the place of some. */
import { INT, LONG, checked, declare } from './libc';

export const mmap = declare('mmap', LONG, [LONG, LONG, INT, INT, INT, LONG]);

export const PROT_NONE = 0;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
const MAP_FIXED = 0x10;

/** Whatever is mapped there gives way to fresh pages, which are zero and nobody else's. Throws NativeError. */
export function replacePages(address: number, length: number, protection: number): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  checked('mmap', mmap(address, length, protection, flags, -1, 0));
}
