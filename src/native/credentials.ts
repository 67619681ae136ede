/**
 * Who the calling thread is, for the length of one system call.
 *
 * glibc's setresuid changes every thread of the process; the raw system calls change only the calling one, which is
 * what a queue worker needs. Knows no policy: `fs/` decides when to be whom.
 */
import { GROUPS_UNTOLD } from '../fs/fileSystem';
import { INT, LONG, declare, failure } from './libc';
import { pinnedArena } from './memory';

const syscall = declare('syscall', INT, [LONG, LONG, LONG, LONG]);

const NUMBERS = {
  x64: { setresuid: 117, setresgid: 119, setgroups: 116, capget: 125, capset: 126 },
  arm64: { setresuid: 147, setresgid: 149, setgroups: 159, capget: 90, capset: 91 },
} as const;

const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_DAC_OVERRIDE_BIT = 1 << 1;
const CAP_FSETID_BIT = 1 << 4;
const KEEP = -1;
/** The same as an unsigned number: no user and no group has it. */
const NO_ID = 0xffff_ffff;
const EINVAL = 22;

export class ThreadCredentials {
  private readonly numbers = NUMBERS[process.arch === 'arm64' ? 'arm64' : 'x64'];
  private readonly scratch = pinnedArena(64);
  private readonly header = this.scratch.address(0);
  private readonly capabilities = this.scratch.address(8);
  private readonly groups = this.scratch.address(40);
  private userChanged = false;
  private groupsChanged = false;
  private fsetidDropped = false;

  constructor() {
    this.scratch.setU32(0, CAPABILITY_VERSION_3);
  }

  /** Gives up the supplementary groups the process was started with. 0 or a negative errno. */
  dropGroups(): number {
    return this.call(this.numbers.setgroups, 0, this.groups, 0);
  }

  /**
   * Effective ids of this thread; undone by `resume`. A negative errno leaves everything as it was.
   *
   * A guest before Linux 6.3 cannot tell of the caller's further groups, of which one may be what lets the caller write
   * in the folder. Its kernel has checked that, so with GROUPS_UNTOLD it is not checked again here, without the groups:
   * of root's capabilities that one stays.
   */
  impersonate(uid: number, gid: number, supplementaryGid: number): number {
    if (uid === 0 && gid === 0 && supplementaryGid < 0) return 0;
    if (uid === NO_ID || gid === NO_ID) return -EINVAL;
    // Groups and gid first: after the uid has changed there is no capability left to change them.
    let result = 0;
    this.userChanged = true;
    if (supplementaryGid >= 0) {
      this.scratch.setU32(40, supplementaryGid);
      result = this.call(this.numbers.setgroups, 1, this.groups, 0);
      this.groupsChanged = result === 0;
    }
    if (result === 0 && gid !== 0) result = this.call(this.numbers.setresgid, KEEP, gid, KEEP);
    if (result === 0 && uid !== 0) result = this.call(this.numbers.setresuid, KEEP, uid, KEEP);
    if (result === 0 && uid !== 0 && supplementaryGid === GROUPS_UNTOLD) result = this.keepDacOverride();
    if (result < 0) this.resume();
    return result;
  }

  /** As far as the daemon has it: in a container it may not, and then the check is the host's. */
  private keepDacOverride(): number {
    const result = this.call(this.numbers.capget, this.header, this.capabilities, 0);
    const permitted = this.scratch.getU32(12);
    if (result < 0 || (permitted & CAP_DAC_OVERRIDE_BIT) === 0) return result;
    this.scratch.setU32(8, this.scratch.getU32(8) | CAP_DAC_OVERRIDE_BIT);
    return this.call(this.numbers.capset, this.header, this.capabilities, 0);
  }

  /** Clears CAP_FSETID from the effective set until `resume`. */
  dropFsetid(): number {
    let result = this.call(this.numbers.capget, this.header, this.capabilities, 0);
    if (result < 0 || (this.scratch.getU32(8) & CAP_FSETID_BIT) === 0) return result;
    this.scratch.setU32(8, this.scratch.getU32(8) & ~CAP_FSETID_BIT);
    result = this.call(this.numbers.capset, this.header, this.capabilities, 0);
    this.fsetidDropped = result === 0;
    return result;
  }

  resume(): void {
    if (this.userChanged) {
      this.call(this.numbers.setresuid, KEEP, 0, KEEP);
      this.call(this.numbers.setresgid, KEEP, 0, KEEP);
      if (this.groupsChanged) this.dropGroups();
      this.userChanged = this.groupsChanged = false;
    }
    if (this.fsetidDropped) {
      this.call(this.numbers.capget, this.header, this.capabilities, 0);
      this.scratch.setU32(8, this.scratch.getU32(8) | CAP_FSETID_BIT);
      this.call(this.numbers.capset, this.header, this.capabilities, 0);
      this.fsetidDropped = false;
    }
  }

  private call(number: number, first: number, second: number, third: number): number {
    return syscall(number, first, second, third) < 0 ? failure() : 0;
  }
}
