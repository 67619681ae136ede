/** Arguments of system calls for tests: texts and structures in memory whose address never changes. */
import { pinnedArena } from '../../src/native/memory';

export class NativeArena {
  readonly arena = pinnedArena(256 * 1024);
  private next = 128 * 1024;

  /** Address of a text with its NUL, good until `NativeArena` has handed out much more. */
  text(value: string): number {
    const bytes = new TextEncoder().encode(`${value}\0`);
    const at = this.next;
    this.next = at + ((bytes.length + 15) & ~15);
    if (this.next > 240 * 1024) this.next = 128 * 1024;
    this.arena.u8.set(bytes, at);
    return this.arena.address(at);
  }

  /** Address of an offset in the first half, which is the test's own. */
  at(offset: number): number {
    return this.arena.address(offset);
  }

  /** One struct iovec at `at` for `length` bytes at `data` (offsets); its address. */
  vector(at: number, data: number, length: number): number {
    this.arena.setU64(at, this.arena.address(data));
    this.arena.setU64(at + 8, length);
    return this.arena.address(at);
  }

  put(offset: number, bytes: Uint8Array | string): void {
    this.arena.u8.set(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, offset);
  }

  get(offset: number, length: number): string {
    return Buffer.from(this.arena.bytes(offset, length)).toString('latin1');
  }
}
