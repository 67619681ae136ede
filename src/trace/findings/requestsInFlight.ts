/**
 * requests-in-flight: requests without a reply that were taken long before the capture ended, in its last session.
 *
 * SETLKW and POLL wait for others by purpose. Where packets were lost, so may be the reply: then it is information
 * only.
 */
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { RowFlag } from '../capture';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import type { Row } from './row';
import { inFlight, NAMED } from './thresholds';
import { duration, list, placeOf, times } from './words';

export class RequestsInFlight implements Detector {
  /** The oldest ones: those that are taken later are younger but for the order of queues. */
  private waiting: { row: number; start: number }[] = [];
  private readonly most: number;
  private now = 0;

  constructor(private readonly context: DetectorContext) {
    this.most = Math.max(context.rows, NAMED);
  }

  take(row: Row): void {
    const latest = row.replied ? row.end : row.start;
    if (latest > this.now) this.now = latest;
    // Changed and without a reply: a fault has dropped it.
    if (row.changed || (row.flags & (RowFlag.REPLIED | RowFlag.SILENT)) !== 0) return;
    if (row.opcode === Opcode.SETLKW || row.opcode === Opcode.POLL) return;
    if (this.waiting.length < this.most) this.waiting.push({ row: row.index, start: row.start });
  }

  /** A guest that starts anew waits for nothing. */
  restart(): void {
    this.waiting = [];
  }

  end(): readonly Finding[] {
    const old = this.waiting.filter((each) => this.now - each.start >= inFlight.age);
    if (old.length === 0) return [];
    old.sort((a, b) => a.start - b.start);
    const { capture } = this.context;
    const { columns } = capture;
    const proof = new Proof(this.context.rows);
    for (const { row } of old) proof.add(row);
    const named = old.slice(0, NAMED).map(({ row, start }) => {
      const name = opcodeByNumber(columns.opcode[row])?.name ?? `opcode ${columns.opcode[row]}`;
      const where = placeOf(capture, row);
      return `${name} ${where} (#${row}, pid ${columns.pid[row]}) for ${duration(this.now - start)}`;
    });
    const lost = capture.gaps.length > 0 ? ' Packets were lost, perhaps the replies among them.' : '';
    const least = old.length >= this.most ? 'At least ' : '';
    const text = `${least}${times(old.length, 'request')} without a reply: ${list(named, old.length - named.length)}.${lost}`;
    const path = capture.path(columns.path[old[0].row]);
    return [finding('requests-in-flight', proof, text, { path, severity: lost === '' ? 'error' : 'info' })];
  }
}
