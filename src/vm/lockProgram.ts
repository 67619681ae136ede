/**
 * Programs of some 270 bytes for guests that take a lock, which no applet of Debian's busybox does.
 *
 * `PROGRAM FILE` opens the file, takes an exclusive lock on all of it without waiting, writes `locked` and holds the
 * lock until its standard input ends. Exit status: 0, or the errno of what failed (EAGAIN 11: somebody has the lock).
 * Written out as machine code, so that no compiler is needed where guests run.
 */
import type { MachineName } from './machine';

const LOAD_ADDRESS = 0x400000;
const HEADERS = 64 + 56;

/** Assembles bytes, with forward references to labels in them. */
class Assembler {
  private readonly bytes: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly holes: { at: number; label: string; fill: (code: Buffer, at: number, to: number) => void }[] = [];

  emit(...bytes: number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  /** Instructions of arm64. */
  words(...words: number[]): this {
    for (const word of words) this.emit(...[0, 8, 16, 24].map((bits) => (word >>> bits) & 0xff));
    return this;
  }

  /** On x86-64 a jump's or an address's distance to `label`, counted from the byte after it. */
  distance(label: string, size: 1 | 4): this {
    return this.hole(label, size, (code, at, to) => code.writeIntLE(to - (at + size), at, size));
  }

  /** On arm64 the instruction that `encode` makes of the distance to `label`, counted in bytes from itself. */
  wordTo(label: string, encode: (bytes: number) => number): this {
    return this.hole(label, 4, (code, at, to) => code.writeUInt32LE(encode(to - at), at));
  }

  label(name: string): this {
    this.labels.set(name, this.bytes.length);
    return this;
  }

  assemble(): Buffer {
    const code = Buffer.from(this.bytes);
    for (const { at, label, fill } of this.holes) fill(code, at, this.labels.get(label) ?? 0);
    return code;
  }

  private hole(label: string, size: number, fill: (code: Buffer, at: number, to: number) => void): this {
    this.holes.push({ at: this.bytes.length, label, fill });
    return this.emit(...Array<number>(size).fill(0));
  }
}

const TEXT = 'locked\n';
const F_SETLK = 6;
const F_WRLCK = 1;
const LOCK_EX_NB = 6;
const O_RDWR = 2;
/** struct flock: type, whence, 4 unused, start, length (0: to the end), pid, 4 unused. */
const LOCK = [F_WRLCK, 0, ...Array<number>(30).fill(0)];

/** A POSIX lock by fcntl(F_SETLK), or one by flock(2). */
export type LockKind = 'posix' | 'flock';

/** The program as an ELF file. */
export function lockProgram(kind: LockKind, machine: MachineName): Buffer {
  const code = machine === 'x64' ? codeForX64(kind) : codeForArm64(kind);
  return Buffer.concat([elfHeaders(code.length, machine), code]);
}

function codeForX64(kind: LockKind): Buffer {
  const SYS = { read: 0, write: 1, open: 2, exit: 60, fcntl: 72, flock: 73 };
  const SYSCALL = [0x0f, 0x05];
  const TEST_RESULT = [0x85, 0xc0]; // test eax, eax
  const JUMP_IF_NEGATIVE = 0x78;
  const JUMP = 0xeb;
  /** mov REGISTER, immediate */
  const eax = (value: number): number[] => [0xb8, value, 0, 0, 0];
  const esi = (value: number): number[] => [0xbe, value, 0, 0, 0];
  const edi = (value: number): number[] => [0xbf, value, 0, 0, 0];
  const edx = (value: number): number[] => [0xba, value, 0, 0, 0];
  const [call, argument] = kind === 'posix' ? [SYS.fcntl, F_SETLK] : [SYS.flock, LOCK_EX_NB];
  return new Assembler()
    .emit(0x48, 0x8b, 0x7c, 0x24, 0x10) // mov rdi, [rsp+16]: argv[1]
    .emit(...esi(O_RDWR), ...eax(SYS.open), ...SYSCALL)
    .emit(...TEST_RESULT, JUMP_IF_NEGATIVE)
    .distance('failed', 1)
    .emit(0x89, 0xc7) // mov edi, eax: the descriptor
    .emit(...esi(argument), 0x48, 0x8d, 0x15) // lea rdx, [rip + lock]: only fcntl looks
    .distance('lock', 4)
    .emit(...eax(call), ...SYSCALL)
    .emit(...TEST_RESULT, JUMP_IF_NEGATIVE)
    .distance('failed', 1)
    .emit(...edi(1), 0x48, 0x8d, 0x35) // lea rsi, [rip + text]
    .distance('text', 4)
    .emit(...edx(TEXT.length), ...eax(SYS.write), ...SYSCALL)
    .emit(...edi(0), 0x48, 0x8d, 0x74, 0x24, 0xf8) // lea rsi, [rsp-8]
    .emit(...edx(1), ...eax(SYS.read), ...SYSCALL)
    .emit(0x31, 0xc0) // xor eax, eax: well
    .emit(JUMP)
    .distance('exit', 1)
    .label('failed')
    .emit(0xf7, 0xd8) // neg eax: the errno
    .label('exit')
    .emit(0x89, 0xc7) // mov edi, eax
    .emit(...eax(SYS.exit), ...SYSCALL)
    .label('lock')
    .emit(...LOCK)
    .label('text')
    .emit(...Buffer.from(TEXT))
    .assemble();
}

function codeForArm64(kind: LockKind): Buffer {
  const SYS = { fcntl: 25, flock: 32, openat: 56, read: 63, write: 64, exit: 93 };
  const AT_FDCWD = -100;
  const [call, argument] = kind === 'posix' ? [SYS.fcntl, F_SETLK] : [SYS.flock, LOCK_EX_NB];
  const mov = (register: number, value: number): number =>
    value < 0 ? 0x92800000 + ~value * 32 + register : 0xd2800000 + value * 32 + register;
  const system = (number: number): number[] => [mov(8, number), 0xd4000001]; // svc #0
  const ifNegative = (bytes: number): number => 0xb7f80000 + (bytes / 4) * 32; // tbnz x0, #63, …
  const jump = (bytes: number): number => 0x14000000 + bytes / 4; // b …
  const addressIn =
    (register: number) =>
    (bytes: number): number =>
      0x10000000 + (bytes / 4) * 32 + register; // adr
  return new Assembler()
    .words(0xf9400be1) // ldr x1, [sp, #16]: argv[1]
    .words(mov(0, AT_FDCWD), mov(2, O_RDWR), mov(3, 0), ...system(SYS.openat))
    .wordTo('failed', ifNegative)
    .words(mov(1, argument))
    .wordTo('lock', addressIn(2)) // only fcntl looks
    .words(...system(call))
    .wordTo('failed', ifNegative)
    .words(mov(0, 1))
    .wordTo('text', addressIn(1))
    .words(mov(2, TEXT.length), ...system(SYS.write))
    .words(mov(0, 0), 0xd10043e1, mov(2, 1), ...system(SYS.read)) // sub x1, sp, #16
    .words(mov(0, 0)) // well
    .wordTo('exit', jump)
    .label('failed')
    .words(0xcb0003e0) // neg x0, x0: the errno
    .label('exit')
    .words(...system(SYS.exit))
    .label('lock')
    .emit(...LOCK)
    .label('text')
    .emit(...Buffer.from(TEXT))
    .assemble();
}

/** An ELF header and one program header: the whole file is loaded, readable and executable. */
function elfHeaders(codeLength: number, machine: MachineName): Buffer {
  const headers = Buffer.alloc(HEADERS);
  headers.write('\x7fELF\x02\x01\x01', 'latin1'); // 64 bit, little-endian, version 1
  headers.writeUInt16LE(2, 16); // ET_EXEC
  headers.writeUInt16LE(machine === 'x64' ? 62 : 183, 18); // EM_X86_64, EM_AARCH64
  headers.writeUInt32LE(1, 20); // version
  headers.writeBigUInt64LE(BigInt(LOAD_ADDRESS + HEADERS), 24); // entry
  headers.writeBigUInt64LE(64n, 32); // offset of the program headers
  headers.writeUInt16LE(64, 52); // size of this header
  headers.writeUInt16LE(56, 54); // size of a program header
  headers.writeUInt16LE(1, 56); // how many
  const program = headers.subarray(64);
  program.writeUInt32LE(1, 0); // PT_LOAD
  program.writeUInt32LE(5, 4); // readable, executable
  program.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16); // virtual address
  program.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24); // physical address
  program.writeBigUInt64LE(BigInt(HEADERS + codeLength), 32); // size in the file
  program.writeBigUInt64LE(BigInt(HEADERS + codeLength), 40); // size in memory
  program.writeBigUInt64LE(0x1000n, 48); // alignment
  return headers;
}
