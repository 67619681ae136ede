/**
 * mmap-refused: files opened for reading and writing whose reply says FOPEN_DIRECT_IO, in a session without
 * DIRECT_IO_ALLOW_MMAP. The refusal itself is in the guest and makes no request, so this says what cannot work; it is a
 * warning where a file has the name of one that programs map (a database's).
 */
import { FopenFlag, InitFlag2, O_ACCMODE, OpenFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { fopenFlagsOf, isLockedName, openFlagsOf } from './opens';
import type { Row } from './row';
import { placeOf, times } from './words';

export class MmapRefused implements Detector {
  readonly ownOnly = true;
  readonly opcodes = [Opcode.OPEN, Opcode.CREATE];
  private readonly proof: Proof;
  private first = -1;
  private named = 0;
  private firstNamed = -1;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    const { session, capture } = this.context;
    if (!session.known || session.has2(InitFlag2.DIRECT_IO_ALLOW_MMAP)) return;
    if ((openFlagsOf(row) & O_ACCMODE) !== OpenFlag.RDWR || (fopenFlagsOf(row) & FopenFlag.DIRECT_IO) === 0) return;
    this.proof.add(row.index);
    if (this.first < 0) this.first = row.index;
    if (!isLockedName(capture.path(row.path))) return;
    this.named++;
    if (this.firstNamed < 0) this.firstNamed = row.index;
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    if (total === 0) return [];
    const { capture } = this.context;
    const row = this.firstNamed >= 0 ? this.firstNamed : this.first;
    const path = capture.path(capture.columns.path[row]);
    const databases = this.named > 0 ? `, ${this.named} of them with the name of a database or its log` : '';
    const text =
      `${times(total, 'file')} opened O_RDWR with FOPEN_DIRECT_IO${databases}, such as ` +
      `${placeOf(capture, row)}; DIRECT_IO_ALLOW_MMAP is not among the flags of INIT.`;
    return [finding('mmap-refused', this.proof, text, { path, severity: this.named > 0 ? 'warning' : 'info' })];
  }
}
