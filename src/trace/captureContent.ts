/**
 * What has been read of a capture, for whoever looks at it: columns as they are, messages and host calls decoded when
 * they are asked for, packets as they are for those that write them anew.
 *
 * Only answers. `captureReader.ts` fills what is here; nothing here knows how.
 */
import { decodeReply, decodeRequest, type Reply, type Request, type SessionShape } from '../protocol/message';
import {
  type ControlMessage,
  type Gap,
  type HostCallRecord,
  machineOfRow,
  RowFlag,
  type RequestColumns,
  type ShareFacts,
  type WindowNote,
} from './capture';
import type { CaptureBytes } from './captureBytes';
import { Columns } from './columns';
import { Gaps } from './gaps';
import { HostCallList } from './hostCallList';
import { FuseAt } from './packet';
import type { CapturePackets, InitPackets, SidePacket } from './packets';
import { PacketTimes } from './packetTimes';
import { type NodeFacts, PathModel } from './pathModel';
import { PathTraffic } from './pathTraffic';
import { NameTable, PathTable } from './pathTable';
import { Sessions } from './sessions';
import { ShareSections } from './shareSections';
import { SideLog } from './sideLog';

const NOTHING = new Uint8Array(0);

export abstract class CaptureContent implements CapturePackets {
  droppedRows = 0;
  protected readonly table: Columns;
  protected readonly names = new NameTable();
  protected readonly pathTable = new PathTable(this.names);
  protected readonly model = new PathModel(this.pathTable);
  protected readonly times = new PacketTimes();
  protected readonly sessions = new Sessions();
  protected readonly shareSections = new ShareSections();
  protected readonly calls = new HostCallList();
  protected readonly side = new SideLog();
  protected readonly lostHere = new Gaps();
  private requestKept: { readonly row: number; readonly request: Request } | undefined;
  private replyKept: { readonly row: number; readonly at: number; readonly reply: Reply } | undefined;

  /** `rows`: for so many there is room from the beginning. */
  protected constructor(
    protected readonly stream: CaptureBytes,
    rows: number | undefined,
  ) {
    this.table = new Columns(rows);
  }

  abstract get notes(): readonly string[];

  /** The first `dropped` rows go. */
  protected dropRows(dropped: number): void {
    this.table.drop(dropped);
    this.calls.drop(dropped);
    this.sessions.drop(dropped);
    this.lostHere.drop(dropped);
    this.requestKept = this.replyKept = undefined;
    this.droppedRows += dropped;
  }

  get count(): number {
    return this.table.count;
  }

  get columns(): RequestColumns {
    return this.table;
  }

  get origin(): bigint {
    return this.times.origin;
  }

  get share(): ShareFacts {
    return this.shareSections.facts;
  }

  get gaps(): readonly Gap[] {
    return this.lostHere.list;
  }

  get control(): readonly ControlMessage[] {
    return this.side.control;
  }

  get windowNotes(): readonly WindowNote[] {
    return this.side.windowNotes;
  }

  get paths(): number {
    return this.pathTable.count;
  }

  path(index: number): string {
    return this.pathTable.text(index);
  }

  session(row: number): SessionShape | undefined {
    return this.sessions.at(row);
  }

  requestBytes(row: number): Uint8Array {
    return this.stream.bytes(this.table.requestAt[row], this.table.requestCaptured[row]);
  }

  replyBytes(row: number): Uint8Array {
    return this.stream.bytes(this.table.replyAt[row], this.table.replyCaptured[row]);
  }

  request(row: number): Request | undefined {
    if (row >= this.count || (this.table.flags[row] & RowFlag.ORPHAN) !== 0) return undefined;
    if (this.requestKept?.row !== row) {
      const machine = machineOfRow(this.table.flags[row]);
      this.requestKept = { row, request: decodeRequest(this.requestBytes(row), this.session(row), machine) };
    }
    return this.requestKept.request;
  }

  reply(row: number): Reply | undefined {
    if (row >= this.count || (this.table.flags[row] & RowFlag.REPLIED) === 0) return undefined;
    const at = this.table.replyAt[row];
    if (this.replyKept?.row !== row || this.replyKept.at !== at) {
      const request = this.request(row);
      this.replyKept = { row, at, reply: decodeReply(this.replyBytes(row), request, this.session(row)) };
    }
    return this.replyKept.reply;
  }

  hostCalls(row: number): readonly HostCallRecord[] {
    return this.calls.of(row, (at, length) => this.stream.bytes(at, length));
  }

  /** Index of the first descriptor of the row's chain; undefined where its bytes are gone. */
  head(row: number): number | undefined {
    const bytes = this.stream.bytes(this.place(row) + FuseAt.head, 4);
    return bytes.length < 4 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  // What the guest knows

  /** What the guest knows of a nodeid by now; undefined: nothing. */
  node(nodeid: bigint): NodeFacts | undefined {
    return this.model.facts(nodeid);
  }

  /** How many nodeids the guest knows by now, the root included. */
  get nodesKnown(): number {
    return this.model.known;
  }

  /** Calls `visit` with each of them (as a double) and its lookup count. */
  forEachNode(visit: (nodeid: number, lookups: number) => void): void {
    this.model.forEach(visit);
  }

  /** What has heard nothing of this yet, to be told it once more; paths have the same numbers. */
  unheard(): { readonly model: PathModel; readonly traffic: PathTraffic } {
    const model = new PathModel(this.pathTable);
    return { model, traffic: new PathTraffic(model, this.names) };
  }

  // The packets themselves

  place(row: number): number {
    const { flags, requestAt, replyAt } = this.table;
    return ((flags[row] & RowFlag.ORPHAN) === 0 ? requestAt[row] : replyAt[row]) - FuseAt.message;
  }

  replyPlace(row: number): number {
    return this.table.replyAt[row] - FuseAt.message;
  }

  requestPacket(row: number): Uint8Array {
    const { requestAt, requestCaptured } = this.table;
    return this.packetAt(requestAt[row] - FuseAt.message, FuseAt.message + requestCaptured[row]);
  }

  replyPacket(row: number): Uint8Array {
    return this.packetAt(this.replyPlace(row), FuseAt.message + this.table.replyCaptured[row]);
  }

  packetAt(place: number, length: number): Uint8Array {
    const bytes = this.stream.bytes(place, length);
    return bytes.length < length ? NOTHING : bytes;
  }

  forEachHostCall(row: number, visit: (place: number, captured: number, start: number) => void): void {
    this.calls.forEach(row, visit);
  }

  get sidePackets(): readonly SidePacket[] {
    return this.side.packets;
  }

  get sectionPlaces(): readonly number[] {
    return this.sessions.sectionPlaces;
  }

  initPackets(row: number): InitPackets | undefined {
    return this.sessions.initPackets(row);
  }
}
