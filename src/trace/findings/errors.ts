/**
 * Findings that are an errno: estale, descriptors-exhausted, enosys-repeated. One row of the errno proves the first
 * two; ENOSYS counts by opcode and session, since the guest asks once and then mostly stops.
 */
import { Errno } from '../../protocol/errno';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
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

export class Estale implements Detector {
  readonly ownOnly = true;
  private readonly proof: Proof;
  private readonly groups = new Groups();

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    if (row.error !== -Errno.ESTALE) return;
    this.proof.add(row.index);
    this.groups.add(row.path, row.index);
  }

  end(): readonly Finding[] {
    if (this.proof.total === 0) return [];
    const text = `${times(this.proof.total, 'reply', 'replies')} with ESTALE: ${paths(this.groups, this.context)}.`;
    const path = this.context.capture.path(this.groups.largest(1)[0][0]);
    return [finding('estale', this.proof, text, { path })];
  }
}

export class DescriptorsExhausted implements Detector {
  readonly ownOnly = true;
  private readonly proof: Proof;
  private readonly groups = new Groups();
  private system = 0;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    if (row.error !== -Errno.EMFILE && row.error !== -Errno.ENFILE) return;
    if (row.error === -Errno.ENFILE) this.system++;
    this.proof.add(row.index);
    this.groups.add(row.path, row.index);
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    if (total === 0) return [];
    const first = percent(this.proof.rows()[0], this.context.capture.count);
    const text =
      `${times(total - this.system, 'reply', 'replies')} with EMFILE (the daemon's limit), ${this.system} with ENFILE ` +
      `(the host's), the first after ${first} of the requests: ${paths(this.groups, this.context)}.`;
    return [finding('descriptors-exhausted', this.proof, text)];
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
