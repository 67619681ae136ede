/**
 * descriptor-growth: inodes (LOOKUP and other entries less FORGET) or open files (OPEN less RELEASE) that grow from one
 * eighth of the capture to the next to the end, of which few are given back.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import {
  BatchForgetIn,
  EntryOut,
  ForgetOne,
  InHeader,
  OpenOut,
  OutHeader,
  ReleaseIn,
} from '../../protocol/fuse/structs';
import { quote } from '../../protocol/text';
import { u32At, u64At } from './bytes';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import { grown, NodeIndex } from './nodeIndex';
import type { Observed } from './observed';
import type { Row } from './row';
import { growth, MOST_HANDLES, MOST_NODES, NAMED } from './thresholds';
import { list, percent, times } from './words';

/** What is held of one kind: ids with the row that brought each, and the curve. */
class Held {
  readonly index: NodeIndex;
  taken = 0;
  returned = 0;
  readonly curve: number[] = [];
  private rows = new Float64Array(64);

  constructor(most: number) {
    this.index = new NodeIndex(most);
  }

  add(id: number, row: number): void {
    if (this.index.find(id) >= 0) return;
    // Whether one that wide is another one cannot be told.
    if (!Number.isSafeInteger(id)) return void (this.index.wide = true);
    this.taken++;
    const slot = this.index.add(id);
    if (slot < 0) return;
    if (slot >= this.rows.length) this.rows = grown(this.rows, slot + 1);
    this.rows[slot] = row;
  }

  remove(id: number): void {
    if (this.index.remove(id) >= 0) this.returned++;
  }

  restart(): void {
    this.index.clear();
    this.taken = this.returned = 0;
    this.curve.length = 0;
  }

  /** It grew to the end: in the last half each part adds something. */
  get grows(): boolean {
    const { curve } = this;
    const half = curve.slice(-growth.parts / 2);
    return half.length === growth.parts / 2 && half.every((value, i) => i === 0 || value > half[i - 1]);
  }

  /** The rows that brought what is still held, earliest first. */
  heldRows(): Float64Array {
    const rows = new Float64Array(this.index.count);
    let at = 0;
    this.index.forEach((slot) => (rows[at++] = this.rows[slot]));
    return rows.sort();
  }
}

export class DescriptorGrowth implements Detector {
  readonly opcodes = [
    Opcode.FORGET,
    Opcode.BATCH_FORGET,
    Opcode.OPEN,
    Opcode.OPENDIR,
    Opcode.CREATE,
    Opcode.TMPFILE,
    Opcode.RELEASE,
    Opcode.RELEASEDIR,
  ];
  private readonly nodes = new Held(MOST_NODES);
  private readonly handles = new Held(MOST_HANDLES);
  private part = 1;

  constructor(private readonly context: DetectorContext) {}

  take(row: Row): void {
    this.markUpTo(row.index);
    switch (row.opcode) {
      case Opcode.FORGET:
        return this.nodes.remove(row.nodeid);
      case Opcode.BATCH_FORGET:
        return this.forgotten(row.request());
      case Opcode.RELEASE:
      case Opcode.RELEASEDIR:
        return this.handles.remove(u64At(row.request(), InHeader.size + ReleaseIn.offset.fh));
      case Opcode.CREATE:
      case Opcode.TMPFILE:
        return this.opened(row, OutHeader.size + EntryOut.size);
      default:
        return this.opened(row, OutHeader.size);
    }
  }

  private forgotten(request: Uint8Array): void {
    const count = u32At(request, InHeader.size + BatchForgetIn.offset.count);
    let at = InHeader.size + BatchForgetIn.size;
    for (let i = 0; i < count && at + ForgetOne.size <= request.length; i++, at += ForgetOne.size) {
      this.nodes.remove(u64At(request, at + ForgetOne.offset.nodeid));
    }
  }

  private opened(row: Row, at: number): void {
    // What is given back counts all the same.
    if (row.changed || !row.succeeded) return;
    const fh = u64At(row.reply(), at + OpenOut.offset.fh);
    if (fh !== 0) this.handles.add(fh, row.index);
  }

  observe(row: Row, inode: Observed): void {
    this.markUpTo(row.index);
    if (inode.entryValid >= 0) this.nodes.add(inode.nodeid, row.index);
  }

  restart(): void {
    this.nodes.restart();
    this.handles.restart();
  }

  /** Looks at what is held, at the end of each part of the capture before this row. */
  private markUpTo(row: number): void {
    const { count } = this.context.capture;
    for (; this.part <= growth.parts && row >= Math.floor((count * this.part) / growth.parts); this.part++) {
      this.nodes.curve.push(this.nodes.index.count);
      this.handles.curve.push(this.handles.index.count);
    }
  }

  end(): readonly Finding[] {
    this.markUpTo(this.context.capture.count);
    const found: Finding[] = [];
    this.judge(found, this.handles, 'open file', growth.handles, growth.returnedHandles, 'RELEASE');
    this.judge(found, this.nodes, 'inode', growth.nodes, growth.returned, 'FORGET');
    return found;
  }

  private judge(into: Finding[], held: Held, what: string, most: number, returned: number, by: string): void {
    const { count, full, wide } = held.index;
    if (count < most || held.returned > returned * held.taken || !(held.grows || full)) return;
    const rows = held.heldRows();
    const proof = new Proof(this.context.rows);
    const folders = new Groups<string>();
    for (const row of rows) {
      proof.add(row);
      folders.add(this.folder(row), row);
    }
    const largest = folders.largest(NAMED);
    const named = largest.map(([folder, group]) => `${quote(folder)} ${group.count}`);
    const text =
      `The guest holds ${full || wide ? 'at least ' : ''}${times(count, what)} at the end and gave ${percent(held.returned, held.taken)} of ` +
      `${held.taken} back (${by}). By eighths of the capture: ${held.curve.join(', ')}. Folders with most of them: ` +
      `${list(named, folders.size - largest.length)}.`;
    into.push(finding('descriptor-growth', proof, text, { path: largest[0][0] }));
  }

  private folder(row: number): string {
    const { capture } = this.context;
    const { opcode, path } = capture.columns;
    const name = capture.path(path[row]);
    if (opcode[row] === Opcode.READDIRPLUS || name === '') return name;
    const slash = name.lastIndexOf('/');
    return slash > 0 ? name.slice(0, slash) : '/';
  }
}
