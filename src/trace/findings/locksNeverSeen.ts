/**
 * locks-never-seen: files with names that programs lock were opened for writing, in a session in which the guest keeps
 * locks to itself: POSIX_LOCKS and FLOCK_LOCKS are not both in INIT, or a lock request was answered ENOSYS.
 *
 * FLUSH is no evidence: the guest names a lock_owner at every close. A file made with O_EXCL is a lock by being there,
 * which works; it does not count.
 */
import { Errno } from '../../protocol/errno';
import { InitFlag, O_ACCMODE, OpenFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import { isLockedName, openFlagsOf } from './opens';
import type { Row } from './row';
import { locks, NAMED } from './thresholds';
import { list, placeOf, times } from './words';

const both = InitFlag.POSIX_LOCKS | InitFlag.FLOCK_LOCKS;

export class LocksNeverSeen implements Detector {
  readonly ownOnly = true;
  readonly opcodes = [Opcode.OPEN, Opcode.CREATE, Opcode.SETLK, Opcode.SETLKW, Opcode.GETLK];
  private readonly proof: Proof;
  private readonly files = new Groups();
  private missing = 0;
  private refused = 0;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    if (row.opcode !== Opcode.OPEN && row.opcode !== Opcode.CREATE) {
      if (row.error !== -Errno.ENOSYS) return;
      this.refused++;
      return this.proof.add(row.index);
    }
    const { session, capture } = this.context;
    if (!session.known || (session.flags & both) === both || !row.succeeded) return;
    const flags = openFlagsOf(row);
    if ((flags & O_ACCMODE) === OpenFlag.RDONLY || (flags & OpenFlag.EXCL) !== 0) return;
    if (!isLockedName(capture.path(row.path))) return;
    this.missing |= both & ~session.flags;
    this.files.add(row.path, row.index);
    this.proof.add(row.index);
  }

  end(): readonly Finding[] {
    if (this.proof.total < locks.opens) return [];
    const { capture } = this.context;
    const largest = this.files.largest(NAMED);
    const parts: string[] = [];
    if (this.missing !== 0) {
      const names: string[] = [];
      if (this.missing & InitFlag.POSIX_LOCKS) names.push('POSIX_LOCKS');
      if (this.missing & InitFlag.FLOCK_LOCKS) names.push('FLOCK_LOCKS');
      const files = largest.map(([, { row }]) => placeOf(capture, row));
      parts.push(
        `INIT did not agree on ${list(names)}, and files that programs lock were opened for writing: ` +
          list(files, this.files.size - largest.length),
      );
    }
    if (this.refused > 0) parts.push(`${times(this.refused, 'lock request')} answered ENOSYS`);
    const path = largest.length > 0 ? capture.path(largest[0][0]) : undefined;
    return [finding('locks-never-seen', this.proof, `${parts.join('; ')}.`, { path })];
  }
}
