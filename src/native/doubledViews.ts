/**
 * Views over mappings where V8 takes no memory but its own: in Electron its sandbox refuses an ArrayBuffer that lies
 * anywhere else. So the mapping is mapped a second time, over the pages of an ArrayBuffer that V8 has made for it; both
 * are then the same memory, and a view costs no more than elsewhere.
 *
 * V8 must not use such pages for something else while they are a guest's: the buffer is held, and its pages are made
 * ordinary again, before V8 may have them back. So whoever makes one of these keeps it until all is given back. Knows
 * nothing of what is viewed. Not for memory of huge pages.
 */
import koffi from 'koffi';
import { INT, LONG, NativeError, declare, failure } from './libc';
import { PROT_READ_WRITE, replacePages } from './pages';

const mremap = declare('mremap', LONG, [LONG, LONG, LONG, INT, LONG]);
const pageSize = declare('getpagesize', INT, []);

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;

/** Whether this V8 refuses memory that is not its own. To try it would end the process. */
export const ownMemoryOnly = (process.config.variables as Record<string, unknown>)['v8_enable_sandbox'] === 1;

interface Double {
  /** What is doubled: whole pages. */
  readonly address: number;
  readonly length: number;
  readonly buffer: ArrayBuffer;
  /** Where in the buffer. */
  readonly at: number;
  readonly bufferAddress: number;
}

export class DoubledViews {
  private doubles: Double[] = [];
  private readonly page = pageSize();

  /** How many mappings are doubled. */
  get count(): number {
    return this.doubles.length;
  }

  /**
   * The bytes at an address of a shared mapping (MAP_SHARED), good until `giveBack`. What is in an earlier view is not
   * doubled again. Throws NativeError for memory that the kernel does not map twice, RangeError where V8 has no room.
   */
  view(address: number, length: number): Uint8Array {
    const from = address - (address % this.page);
    const whole = Math.ceil((address + length - from) / this.page) * this.page;
    const double =
      this.doubles.find((one) => one.address <= from && from + whole <= one.address + one.length) ??
      this.double(from, whole);
    return new Uint8Array(double.buffer, double.at + address - double.address, length);
  }

  /** Views of what lies in a mapping show zeros from now on: to be called before the mapping itself goes. */
  giveBack(address: number, length: number): void {
    const isGone = (one: Double): boolean => one.address >= address && one.address < address + length;
    const gone = this.doubles.filter(isGone);
    this.doubles = this.doubles.filter((one) => !isGone(one));
    for (const { bufferAddress, length: size } of gone) makeOrdinary(bufferAddress, size);
  }

  private double(address: number, length: number): Double {
    const buffer = new ArrayBuffer(length + this.page);
    const start = Number(koffi.address(new Uint8Array(buffer)));
    const bufferAddress = Math.ceil(start / this.page) * this.page;
    // An old size of nothing: the pages stay where they are as well (mremap(2)).
    const mapped = mremap(address, 0, length, MREMAP_MAYMOVE | MREMAP_FIXED, bufferAddress);
    if (mapped === -1) {
      const errno = -failure();
      // The kernel has unmapped what was there before it looked at the rest.
      makeOrdinary(bufferAddress, length);
      throw new NativeError('mremap', errno);
    }
    const double = { address, length, buffer, at: bufferAddress - start, bufferAddress };
    this.doubles.push(double);
    return double;
  }
}

/** Pages of a buffer are V8's own again, and zero. */
function makeOrdinary(address: number, length: number): void {
  replacePages(address, length, PROT_READ_WRITE);
}
