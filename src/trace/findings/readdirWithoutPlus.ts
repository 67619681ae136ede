/**
 * readdir-without-plus: LOOKUPs in a folder right after its READDIR by the same process, where READDIRPLUS is not in
 * the session (or, when INIT is not in the capture, never seen). With READDIRPLUS agreed on, the guest chooses itself.
 */
import { InitFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { grown, NodeIndex } from './nodeIndex';
import type { Row } from './row';
import { MOST_HANDLES, readdirPlus } from './thresholds';
import { placeOf, times } from './words';

export class ReaddirWithoutPlus implements Detector {
  readonly opcodes = [Opcode.READDIR, Opcode.READDIRPLUS, Opcode.LOOKUP];
  private readonly folders = new NodeIndex(MOST_HANDLES);
  private row = new Float64Array(64);
  private until = new Float64Array(64);
  private pid = new Float64Array(64);
  private lookups = new Float64Array(64);
  private readonly proof: Proof;
  private listings = 0;
  private worst = 0;
  private worstRow = 0;
  private plus = false;

  constructor(private readonly context: DetectorContext) {
    this.proof = new Proof(context.rows);
  }

  take(row: Row): void {
    const { session } = this.context;
    if (row.opcode === Opcode.READDIRPLUS) this.plus = true;
    if (session.known ? session.has(InitFlag.DO_READDIRPLUS) : this.plus) return;
    if (row.changed) return;
    if (row.opcode === Opcode.READDIR) return this.listed(row);
    if (!row.succeeded) return;
    const slot = this.folders.find(row.nodeid);
    if (slot < 0 || this.pid[slot] !== row.pid || row.start > this.until[slot]) return;
    const lookups = ++this.lookups[slot];
    if (lookups < readdirPlus.folder) return;
    if (lookups === readdirPlus.folder) {
      this.listings++;
      this.proof.add(this.row[slot], false);
      this.proof.total += lookups - 1;
    }
    this.proof.add(row.index);
    if (lookups > this.worst) {
      this.worst = lookups;
      this.worstRow = this.row[slot];
    }
  }

  private listed(row: Row): void {
    const slot = this.folders.add(row.nodeid);
    if (slot < 0) return;
    if (slot >= this.row.length) {
      this.row = grown(this.row, slot + 1);
      this.until = grown(this.until, slot + 1);
      this.pid = grown(this.pid, slot + 1);
      this.lookups = grown(this.lookups, slot + 1);
    }
    // A listing takes several READDIRs, with lookups between them.
    const goesOn = this.pid[slot] === row.pid && row.start <= this.until[slot];
    if (!goesOn) {
      this.row[slot] = row.index;
      this.lookups[slot] = 0;
    }
    this.pid[slot] = row.pid;
    this.until[slot] = (row.replied ? row.end : row.start) + readdirPlus.within;
  }

  restart(): void {
    this.folders.clear();
    this.until.fill(0);
    this.lookups.fill(0);
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    const { capture, session } = this.context;
    if (total < readdirPlus.lookups || (!session.known && this.plus)) return [];
    const path = capture.path(capture.columns.path[this.worstRow]);
    const why = session.known ? 'DO_READDIRPLUS was not agreed on' : 'no READDIRPLUS is in the capture';
    const text =
      `${times(total, 'LOOKUP')} followed ${times(this.listings, 'listing')} by the same process, ${this.worst} of them in ` +
      `${placeOf(capture, this.worstRow)}; ${why}.`;
    return [finding('readdir-without-plus', this.proof, text, { path })];
  }
}
