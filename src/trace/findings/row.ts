/**
 * The row that a pass is at, in one object that is filled again for each: what findings look at.
 *
 * Everything comes from the columns. Of READ and WRITE the arguments are read as well, once; other bytes only when a
 * finding asks for them.
 */
import { asOpenFlags } from '../../protocol/fuse/flags';
import { InHeader, ReadIn, WriteIn } from '../../protocol/fuse/structs';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { machineOfRow, RowFlag, type Capture, type RequestColumns } from '../capture';
import { u32At, u64At } from './bytes';

const READ_BYTES = InHeader.size + ReadIn.size;
const WRITE_BYTES = InHeader.size + WriteIn.size;

export class Row {
  index = 0;
  opcode = 0;
  error = 0;
  flags = 0;
  nodeid = 0;
  pid = 0;
  /** Nanoseconds after the capture's origin; `end` Infinity without a reply. */
  start = 0;
  end = 0;
  /** Of READ and WRITE: whether the arguments are there, and what they say. */
  io = false;
  fh = 0;
  offset = 0;
  size = 0;
  /** O_ flags of the handle, in the numbers of `OpenFlag`. */
  openFlags = 0;
  private columns: RequestColumns;

  constructor(readonly capture: Capture) {
    this.columns = capture.columns;
  }

  load(index: number): void {
    const { columns } = this;
    this.index = index;
    this.opcode = columns.opcode[index];
    this.error = columns.error[index];
    this.flags = columns.flags[index];
    this.nodeid = columns.nodeid[index];
    this.pid = columns.pid[index];
    this.start = columns.start[index];
    const latency = columns.latency[index];
    this.end = this.flags & RowFlag.REPLIED && latency >= 0 ? this.start + latency : Infinity;
    this.io = false;
    if (this.opcode === Opcode.READ) this.loadRead();
    else if (this.opcode === Opcode.WRITE) this.loadWrite();
  }

  get replied(): boolean {
    return (this.flags & RowFlag.REPLIED) !== 0;
  }

  /** There is a reply, and it is no error. */
  get succeeded(): boolean {
    return (this.flags & RowFlag.REPLIED) !== 0 && this.error === 0;
  }

  /** A fault or a debugger changed it: its reply says nothing of the share. */
  get changed(): boolean {
    return (this.flags & RowFlag.CHANGED) !== 0;
  }

  get latency(): number {
    return this.end - this.start;
  }

  /** Of the latency: a debugger or a fault held it. */
  get held(): number {
    return this.columns.held[this.index];
  }

  get queued(): number {
    return this.columns.queued[this.index];
  }

  get uid(): number {
    return this.columns.uid[this.index];
  }

  get gid(): number {
    return this.columns.gid[this.index];
  }

  get queue(): number {
    return this.columns.queue[this.index];
  }

  get path(): number {
    return this.columns.path[this.index];
  }

  /** The messages' bytes: valid until the next call of either. */
  request(): Uint8Array {
    return this.capture.requestBytes(this.index);
  }

  reply(): Uint8Array {
    return this.capture.replyBytes(this.index);
  }

  /** open(2) flags of its request in the numbers of `OpenFlag`. */
  asOpenFlags(flags: number): number {
    return asOpenFlags(flags, machineOfRow(this.flags));
  }

  private loadRead(): void {
    const bytes = this.request();
    if (bytes.length < READ_BYTES) return;
    this.io = true;
    this.fh = u64At(bytes, InHeader.size + ReadIn.offset.fh);
    this.offset = u64At(bytes, InHeader.size + ReadIn.offset.offset);
    this.size = u32At(bytes, InHeader.size + ReadIn.offset.size);
    this.openFlags = this.asOpenFlags(u32At(bytes, InHeader.size + ReadIn.offset.flags));
  }

  private loadWrite(): void {
    const bytes = this.request();
    if (bytes.length < WRITE_BYTES) return;
    this.io = true;
    this.fh = u64At(bytes, InHeader.size + WriteIn.offset.fh);
    this.offset = u64At(bytes, InHeader.size + WriteIn.offset.offset);
    this.size = u32At(bytes, InHeader.size + WriteIn.offset.size);
    this.openFlags = this.asOpenFlags(u32At(bytes, InHeader.size + WriteIn.offset.flags));
  }

  /** The key of the handle of a READ or WRITE; where the server opens nothing (fh 0) that of the inode. */
  get handle(): number {
    return this.fh === 0 ? -1 - this.nodeid : this.fh;
  }
}
