/**
 * Takes the kernel proper out of a compressed x86 kernel image (bzImage), so that a guest without KVM need not
 * decompress it under emulation, which costs it most of a second at each boot. QEMU starts the result through its PVH
 * entry point.
 *
 * Source of the layout: the kernel's Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 */
import { execFileSync } from 'node:child_process';

const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
const ZSTD_MAGIC = 0xfd2fb528;
const ELF_MAGIC = 0x464c457f;

/**
 * The ELF kernel in `image`, or undefined when it is not one that is compressed with zstd. `zstd` has the
 * words that start the program to decompress with; throws when that fails.
 */
export function elfKernel(image: Buffer, zstd: readonly string[]): Buffer | undefined {
  if (image.length < 0x1000 || image.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) !== 'HdrS') {
    return undefined;
  }
  const start = (1 + (image[SETUP_SECTORS] || 4)) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  // The last four bytes of the payload are the kernel's own note of the decompressed size.
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH) - 4);
  if (payload.length < 4 || payload.readUInt32LE(0) !== ZSTD_MAGIC) {
    return undefined;
  }
  const kernel = execFileSync(zstd[0], [...zstd.slice(1), '-dcq'], { input: payload, maxBuffer: 512 << 20 });
  return kernel.readUInt32LE(0) === ELF_MAGIC ? kernel : undefined;
}
