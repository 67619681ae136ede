/**
 * What a reader of a capture that is being written knows of names by now, and what it has to be told before a request,
 * so that its paths are those of the original.
 *
 * Takes in what is written as that reader will, and compares. Requests that are left out, or no longer kept, have told
 * names which the reader then lacks: it is told by packets of kind 4 (docs/capture-format.md), with the path as the
 * name below the root, since the nodeids of folders above it are not known any more. What they have taken back the
 * reader still has: it is told that the node has no name.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { InHeader, LinkIn, OutHeader, recordAlign, RenameIn } from '../../protocol/fuse/structs';
import { encodeText } from '../../protocol/text';
import { type Capture, RowFlag } from '../capture';
import { FuseAt, NAME_RECORD, NamesAt, NamesFlag, PACKET_VERSION, PacketKind } from '../packet';
import { namedOpcodes } from '../namedOpcodes';
import { PathModel } from '../pathModel';
import { NameTable, PathTable } from '../pathTable';
import { PathTraffic } from '../pathTraffic';
import { sessionOf } from '../sessions';

interface Name {
  readonly nodeid: bigint;
  readonly parent: bigint;
  /** Empty: it has none. */
  readonly text: Uint8Array;
}

const ROOT = 1n;
const MESSAGE: number = FuseAt.message;
const BODY = MESSAGE + InHeader.size;
/** Longer ones readers do not believe. */
const LONGEST_NAME = 4096;

export class NamesSoFar {
  private readonly names = new NameTable();
  private readonly paths = new PathTable(this.names);
  private readonly model = new PathModel(this.paths);
  private readonly traffic = new PathTraffic(this.model, this.names);
  /** By path of the original: the one here that was found to be the same. */
  private readonly same: Uint32Array;

  constructor(private readonly original: Capture) {
    this.same = new Uint32Array(original.paths);
  }

  /** A section begins: readers know nothing. */
  reset(): void {
    this.traffic.reset();
  }

  lost(): void {
    this.model.lost();
  }

  /** A packet of names is written. */
  told(packet: Uint8Array): void {
    this.traffic.before(packet, viewOf(packet), 0, packet.length);
  }

  /** The request of this row is written next; `slot`: a place for it until its reply. What has to be told before it. */
  request(row: number, packet: Uint8Array, slot: number): Uint8Array | undefined {
    if (packet.length < BODY) return undefined;
    const view = viewOf(packet);
    // A second FORGET of the same would count: it is taken in only when its name has been told.
    const isForget = this.original.columns.opcode[row] === (Opcode.FORGET as number);
    const agrees = isForget ? this.agreesOn(row, view) : this.agrees(row, packet, view, slot);
    const missing = agrees ? [] : this.missing(row, view);
    if (missing.length === 0) {
      if (isForget) this.agrees(row, packet, view, slot);
      return undefined;
    }
    const unsure = (this.original.columns.flags[row] & RowFlag.PATH_UNSURE) !== 0;
    // Else a handle could stand for another one of the names.
    const told = namesPacket(missing, NamesFlag.ONLY | (unsure ? NamesFlag.UNSURE : 0));
    this.told(told);
    this.agrees(row, packet, view, slot);
    return told;
  }

  /** A reply without an error is written, to the request in `slot`. */
  reply(opcode: number, packet: Uint8Array, slot: number): void {
    const view = viewOf(packet);
    if (packet.length < MESSAGE + OutHeader.size) return;
    if (opcode === Opcode.INIT) this.traffic.begin(sessionOf(view, MESSAGE, packet.length));
    else this.traffic.reply(opcode, packet, view, MESSAGE, packet.length, slot);
  }

  /** Whether the node of a request without names is called what it is in the original. */
  private agreesOn(row: number, view: DataView): boolean {
    const { columns } = this.original;
    const at = MESSAGE + InHeader.offset.nodeid;
    const path = this.model.pathOf(view.getUint32(at + 4, true), view.getUint32(at, true));
    const unsure = (columns.flags[row] & RowFlag.PATH_UNSURE) !== 0;
    return this.isSame(columns.path[row], path) && this.model.unsure === unsure;
  }

  /** Takes the request in; whether its paths are the original's. */
  private agrees(row: number, packet: Uint8Array, view: DataView, slot: number): boolean {
    const { columns } = this.original;
    const opcode = view.getUint32(MESSAGE + InHeader.offset.opcode, true);
    const path = this.traffic.request(opcode, packet, view, MESSAGE, packet.length, slot);
    const unsure = (columns.flags[row] & RowFlag.PATH_UNSURE) !== 0;
    return (
      this.isSame(columns.path[row], path) &&
      this.isSame(columns.otherPath[row], this.traffic.other) &&
      this.traffic.unsure === unsure
    );
  }

  private isSame(original: number, path: number): boolean {
    if (original === 0 || path === 0) return original === path;
    if (this.same[original] === path) return true;
    if (this.original.path(original) !== this.paths.text(path)) return false;
    this.same[original] = path;
    return true;
  }

  /** What is to be said of the nodes that the request is about. */
  private missing(row: number, view: DataView): Name[] {
    const { columns } = this.original;
    const opcode = view.getUint32(MESSAGE + InHeader.offset.opcode, true);
    const path = this.original.path(columns.path[row]);
    const other = this.original.path(columns.otherPath[row]);
    const nodeid = (at: number): bigint => (at + 8 <= view.byteLength ? view.getBigUint64(at, true) : ROOT);
    const about = nodeid(MESSAGE + InHeader.offset.nodeid);
    const names = this.namesOf(about, namedOpcodes.has(opcode) ? folderOf(path) : path);
    if (opcode === Opcode.LINK) names.push(...this.namesOf(nodeid(BODY + LinkIn.offset.oldnodeid), other));
    else if (other !== '') names.push(...this.namesOf(nodeid(BODY + RenameIn.offset.newdir), folderOf(other)));
    return names;
  }

  /** The node by its path in the share, or in a folder of which only the nodeid is known; or that it has no name. */
  private namesOf(nodeid: bigint, path: string): Name[] {
    const [, folder, name] = /^(?:\?(\d+))?\/(.+)$/s.exec(path) ?? [];
    if (name === undefined) return this.nameless(nodeid);
    const text = encodeText(name);
    if (nodeid === ROOT || text.length > LONGEST_NAME) return [];
    if (!folder) return [{ nodeid, parent: ROOT, text }];
    const parent = BigInt(folder);
    return [...this.nameless(parent), { nodeid, parent, text }];
  }

  /** That the node has no name, if it has one here. */
  private nameless(nodeid: bigint): Name[] {
    const name = this.model.nameOf(Number(nodeid >> 32n), Number(nodeid & 0xffff_ffffn));
    return name > 0 ? [{ nodeid, parent: ROOT, text: new Uint8Array(0) }] : [];
  }
}

const viewOf = (packet: Uint8Array): DataView => new DataView(packet.buffer, packet.byteOffset, packet.length);
const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

function namesPacket(names: readonly Name[], flags: number): Uint8Array {
  const size = names.reduce<number>((sum, { text }) => sum + recordAlign(NAME_RECORD + text.length), NamesAt.records);
  const packet = new Uint8Array(size);
  const view = viewOf(packet);
  packet[0] = PACKET_VERSION;
  packet[1] = PacketKind.Names;
  view.setUint16(NamesAt.count, names.length, true);
  view.setUint32(NamesAt.flags, flags, true);
  let at: number = NamesAt.records;
  for (const { nodeid, parent, text } of names) {
    view.setBigUint64(at, nodeid, true);
    view.setBigUint64(at + 8, parent, true);
    view.setUint16(at + 24, text.length, true);
    packet.set(text, at + NAME_RECORD);
    at += recordAlign(NAME_RECORD + text.length);
  }
  return packet;
}
