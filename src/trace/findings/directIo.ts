/**
 * direct-io-refused: an OPEN with O_DIRECT that the host refuses (EINVAL, EOPNOTSUPP), one whose flag does not reach
 * the host (host system calls show that), and READs and WRITEs of such a handle that fail with EINVAL.
 */
import { Errno } from '../../protocol/errno';
import { asOpenFlags, OpenFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { hostCallNumber } from '../../protocol/hostCalls';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { openFlagsOf } from './opens';
import type { Row } from './row';
import { placeOf, times } from './words';

/** Place of `flags` among the arguments of openat. */
const OPENAT_FLAGS = 2;

export class DirectIoRefused implements Detector {
  readonly ownOnly = true;
  readonly opcodes = [Opcode.OPEN, Opcode.CREATE, Opcode.READ, Opcode.WRITE];
  private readonly proof: Proof;
  private first = -1;
  private refused = 0;
  private dropped = 0;
  private misaligned = 0;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    if (!row.replied) return;
    if (row.opcode === Opcode.READ || row.opcode === Opcode.WRITE) {
      if (row.error !== -Errno.EINVAL || (row.openFlags & OpenFlag.DIRECT) === 0) return;
      this.misaligned++;
      return this.add(row);
    }
    if ((openFlagsOf(row) & OpenFlag.DIRECT) === 0) return;
    if (row.error === -Errno.EINVAL || row.error === -Errno.EOPNOTSUPP) {
      this.refused++;
      this.add(row);
    } else if (row.error === 0 && this.isDropped(row.index)) {
      this.dropped++;
      this.add(row);
    }
  }

  private add(row: Row): void {
    if (this.first < 0) this.first = row.index;
    this.proof.add(row.index);
  }

  /** The file was opened on the host, and no time with the flag. */
  private isDropped(row: number): boolean {
    const opened = this.context.capture.hostCalls(row).filter((each) => each.call === hostCallNumber.openat);
    const flags = opened.map((each) => asOpenFlags(Number(each.arguments[OPENAT_FLAGS] ?? 0n), each.machine));
    const files = flags.filter((each) => (each & OpenFlag.PATH) === 0);
    return files.length > 0 && files.every((each) => (each & OpenFlag.DIRECT) === 0);
  }

  end(): readonly Finding[] {
    if (this.first < 0) return [];
    const { capture } = this.context;
    const path = capture.path(capture.columns.path[this.first]);
    const { refused, dropped, misaligned } = this;
    const parts: string[] = [];
    if (refused > 0) parts.push(`${times(refused, 'file')} could not be opened with O_DIRECT`);
    if (dropped > 0)
      parts.push(`${times(dropped, 'file')} opened with O_DIRECT in the guest and without it on the host`);
    if (misaligned > 0)
      parts.push(
        `${times(misaligned, 'READ or WRITE', 'READs and WRITEs')} of O_DIRECT files failed with EINVAL (not aligned)`,
      );
    const text = `${parts.join('; ')}; the first: ${placeOf(capture, this.first)}.`;
    // A dropped flag costs nothing but the program's expectation.
    const severity = refused + misaligned > 0 ? 'warning' : 'info';
    return [finding('direct-io-refused', this.proof, text, { path, severity })];
  }
}
