/**
 * Findings that are an errno: estale, descriptors-exhausted, no-space, enosys-repeated. One row of the errno proves
 * any but the last; ENOSYS counts by opcode and session, since the guest asks once and then mostly stops.
 */
import { Errno } from '../../protocol/errno';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import type { Row } from './row';
import { enosys, NAMED } from './thresholds';
import { list, percent, placeOf, times } from './words';

/** The paths of the largest groups, whose keys are indexes of paths. */
function paths(groups: Groups, { capture }: DetectorContext): string {
  const largest = groups.largest(NAMED);
  const named = largest.map(([, { row, count }]) => {
    const name = placeOf(capture, row);
    return count > 1 ? `${name} ${count} times` : name;
  });
  return list(named, groups.size - largest.length);
}

/** Replies with one of some errnos: a single one is a finding. */
abstract class ErrnoReplies implements Detector {
  readonly ownOnly = true;
  protected readonly proof: Proof;
  protected readonly groups = new Groups();
  private readonly counts: Map<number, number>;

  constructor(
    protected readonly context: DetectorContext,
    errnos: readonly number[],
  ) {
    this.proof = new Proof(context.rows);
    this.counts = new Map(errnos.map((errno) => [errno, 0]));
  }

  take(row: Row): void {
    const count = this.counts.get(-row.error);
    if (count === undefined || !this.isMeant(row)) return;
    this.counts.set(-row.error, count + 1);
    this.proof.add(row.index);
    this.groups.add(row.path, row.index);
  }

  end(): readonly Finding[] {
    return this.proof.total === 0 ? [] : [this.finding()];
  }

  /** The errno of such a request says what the finding says. */
  protected isMeant(_row: Row): boolean {
    return true;
  }

  protected abstract finding(): Finding;

  protected count(errno: number): number {
    return this.counts.get(errno) ?? 0;
  }

  protected get paths(): string {
    return paths(this.groups, this.context);
  }

  /** How far into the capture it began. */
  protected get begins(): string {
    return `the first after ${percent(this.proof.rows()[0], this.context.capture.count)} of the requests`;
  }
}

export class Estale extends ErrnoReplies {
  constructor(context: DetectorContext) {
    super(context, [Errno.ESTALE]);
  }

  protected finding(): Finding {
    const text = `${times(this.proof.total, 'reply', 'replies')} with ESTALE: ${this.paths}.`;
    const path = this.context.capture.path(this.groups.largest(1)[0][0]);
    return finding('estale', this.proof, text, { path });
  }
}

export class DescriptorsExhausted extends ErrnoReplies {
  constructor(context: DetectorContext) {
    super(context, [Errno.EMFILE, Errno.ENFILE]);
  }

  protected finding(): Finding {
    const text =
      `${times(this.count(Errno.EMFILE), 'reply', 'replies')} with EMFILE (the daemon's limit), ` +
      `${this.count(Errno.ENFILE)} with ENFILE (the host's), ${this.begins}: ${this.paths}.`;
    return finding('descriptors-exhausted', this.proof, text);
  }
}

export class NoSpace extends ErrnoReplies {
  constructor(context: DetectorContext) {
    super(context, [Errno.ENOSPC, Errno.EDQUOT]);
  }

  /** Of an attribute it may be the room in its inode that is used up. */
  protected override isMeant({ opcode }: Row): boolean {
    return opcode !== Opcode.SETXATTR;
  }

  protected finding(): Finding {
    const text =
      `${times(this.count(Errno.ENOSPC), 'reply', 'replies')} with ENOSPC (the file system is full), ` +
      `${this.count(Errno.EDQUOT)} with EDQUOT (a quota is), ${this.begins}: ${this.paths}.`;
    return finding('no-space', this.proof, text);
  }
}

export class EnosysRepeated implements Detector {
  readonly ownOnly = true;
  private readonly proofs = new Map<number, Proof>();
  /** Of the present session. */
  private readonly counts = new Map<number, number>();

  constructor(private readonly context: DetectorContext) {}

  take(row: Row): void {
    if (row.error !== -Errno.ENOSYS || !opcodeByNumber(row.opcode)) return;
    const count = (this.counts.get(row.opcode) ?? 0) + 1;
    this.counts.set(row.opcode, count);
    // The first of a session is how the guest learns of it.
    if (count === 1) return;
    let proof = this.proofs.get(row.opcode);
    if (!proof) this.proofs.set(row.opcode, (proof = new Proof(this.context.rows)));
    proof.add(row.index);
  }

  restart(): void {
    this.counts.clear();
  }

  end(): readonly Finding[] {
    const found: Finding[] = [];
    for (const [opcode, proof] of this.proofs) {
      if (proof.total < enosys.requests) continue;
      const name = opcodeByNumber(opcode)?.name ?? `opcode ${opcode}`;
      found.push(
        finding('enosys-repeated', proof, `${name} was answered ENOSYS ${proof.total} times more after the first.`),
      );
    }
    return found;
  }
}
