/**
 * Memory whose bytes are not there until `provide`: a system call that touches it waits, for as long as a test wants
 * (userfaultfd(2), which is how live migration waits for pages). The one slow device that every Linux machine has.
 */
import { close } from '../../src/native/descriptors';
import { INT, LONG, checked, declare, failure } from '../../src/native/libc';
import { mapAnonymous, pinnedArena, release } from '../../src/native/memory';

const syscall = declare('syscall', INT, [LONG, LONG]);
const ioctl = declare('ioctl', INT, [INT, LONG, LONG]);

const SYS_USERFAULTFD = process.arch === 'arm64' ? 282 : 323;
const O_CLOEXEC = 0o2000000;
const UFFD_API = 0xaa;
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_ZEROPAGE = 0xc020aa04;
const MODE_MISSING = 1;

const PAGE = 4096;

export class MissingMemory {
  readonly address: number;
  readonly size = PAGE;
  private readonly scratch = pinnedArena(64);

  private constructor(private readonly fd: number) {
    const { scratch } = this;
    scratch.setU64(0, UFFD_API);
    checked('UFFDIO_API', ioctl(fd, UFFDIO_API, scratch.address(0)));
    this.address = mapAnonymous(PAGE);
    scratch.zero(0, 32);
    scratch.setU64(0, this.address);
    scratch.setU64(8, PAGE);
    scratch.setU64(16, MODE_MISSING);
    checked('UFFDIO_REGISTER', ioctl(fd, UFFDIO_REGISTER, scratch.address(0)));
  }

  /** One page of it; or the errno for which this machine has no userfaultfd for us. */
  static make(): MissingMemory | number {
    const fd = syscall(SYS_USERFAULTFD, O_CLOEXEC);
    return fd < 0 ? -failure() : new MissingMemory(fd);
  }

  /** The page is there now, all zero: whoever waits goes on. */
  provide(): void {
    this.scratch.zero(0, 32);
    this.scratch.setU64(0, this.address);
    this.scratch.setU64(8, PAGE);
    checked('UFFDIO_ZEROPAGE', ioctl(this.fd, UFFDIO_ZEROPAGE, this.scratch.address(0)));
  }

  /** Nobody may use it any more. */
  close(): void {
    close(this.fd);
    release(this.address, PAGE);
  }
}
