/**
 * Names for a capture that leaves requests out: follows all of the original's traffic, and says which names a reader of
 * the shorter one has to be told before a request, so that its path is the same.
 *
 * What is told is a packet of kind 4 (docs/capture-format.md). A name is told again when it has changed.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import { InHeader, OutHeader, recordAlign, Rename2In, RenameIn } from '../../protocol/fuse/structs';
import { encodeText } from '../../protocol/text';
import { FuseAt, NAME_RECORD, NamesAt, PACKET_VERSION, PacketKind } from '../packet';
import { PathModel } from '../pathModel';
import { DEEPEST_PATH, NameTable, PathTable } from '../pathTable';
import { PathTraffic } from '../pathTraffic';

interface Name {
  readonly nodeid: bigint;
  readonly parent: bigint;
  readonly name: string;
}

const ROOT = 1n;

export class ToldNames {
  private readonly names = new NameTable();
  private readonly paths = new PathTable(this.names);
  private readonly model = new PathModel(this.paths);
  private readonly traffic = new PathTraffic(this.model, this.names);
  /** Slots of requests under way, and their opcodes. */
  private readonly slots = new Map<number, number>();
  private readonly opcodes: number[] = [];
  private readonly told = new Map<bigint, string>();

  /** A section begins: readers know nothing. */
  clear(): void {
    this.model.reset();
    this.told.clear();
    this.opcodes.fill(0);
  }

  /** A packet of names, which readers are given. */
  known(packet: Uint8Array, view: DataView): void {
    this.traffic.before(packet, view, 0, packet.length);
  }

  /** A request's packet. `place` says which chain it is in. */
  request(place: number, packet: Uint8Array, view: DataView): void {
    if (packet.length < FuseAt.message + InHeader.size) return;
    let slot = this.slots.get(place);
    if (slot === undefined) this.slots.set(place, (slot = this.slots.size));
    const opcode = view.getUint32(FuseAt.message + InHeader.offset.opcode, true);
    this.opcodes[slot] = opcode;
    if (opcode === Opcode.INIT) {
      this.traffic.begin(undefined);
      this.told.clear();
    } else this.traffic.request(opcode, packet, view, FuseAt.message, packet.length, slot);
  }

  reply(place: number, packet: Uint8Array, view: DataView): void {
    const slot = this.slots.get(place);
    if (slot === undefined || packet.length < FuseAt.message + OutHeader.size) return;
    if (view.getInt32(FuseAt.message + OutHeader.offset.error, true) !== 0) return;
    this.traffic.reply(this.opcodes[slot], packet, view, FuseAt.message, packet.length, slot);
    this.opcodes[slot] = 0;
  }

  /** What has to be told before this request's packet; undefined: nothing. Comes before `request` of the same packet. */
  before(packet: Uint8Array, view: DataView): Uint8Array | undefined {
    const at = FuseAt.message;
    if (packet.length < at + InHeader.size) return undefined;
    const missing: Name[] = [];
    this.gather(view.getBigUint64(at + InHeader.offset.nodeid, true), missing);
    const opcode = view.getUint32(at + InHeader.offset.opcode, true);
    const renames = opcode === Opcode.RENAME || opcode === Opcode.RENAME2;
    const newdir = at + InHeader.size + (opcode === Opcode.RENAME ? RenameIn : Rename2In).offset.newdir;
    if (renames && newdir + 8 <= packet.length) this.gather(view.getBigUint64(newdir, true), missing);
    return missing.length === 0 ? undefined : namesPacket(missing);
  }

  /** The node's name and those of the folders above it, as far as they were not told. */
  private gather(nodeid: bigint, into: Name[]): void {
    let at = nodeid;
    for (let depth = 0; depth < DEEPEST_PATH && at !== ROOT; depth++) {
      const facts = this.model.facts(at);
      if (facts?.parent === undefined || facts.paths.length === 0) return;
      const path = this.paths.text(facts.paths[0]);
      const name = path.slice(path.lastIndexOf('/') + 1);
      const known = `${facts.parent}/${name}`;
      if (this.told.get(at) !== known) {
        this.told.set(at, known);
        into.push({ nodeid: at, parent: facts.parent, name });
      }
      at = facts.parent;
    }
  }
}

/** Two chains of folders at most, so that the number of records fits its 16 bits. */
function namesPacket(names: readonly Name[]): Uint8Array {
  const texts = names.map(({ name }) => encodeText(name));
  const size = texts.reduce((sum, text) => sum + recordAlign(NAME_RECORD + text.length), NamesAt.records);
  const packet = new Uint8Array(size);
  const view = new DataView(packet.buffer);
  packet[0] = PACKET_VERSION;
  packet[1] = PacketKind.Names;
  view.setUint16(NamesAt.count, names.length, true);
  let at: number = NamesAt.records;
  names.forEach(({ nodeid, parent }, index) => {
    const text = texts[index];
    view.setBigUint64(at, nodeid, true);
    view.setBigUint64(at + 8, parent, true);
    view.setUint16(at + 24, text.length, true);
    packet.set(text, at + NAME_RECORD);
    at += recordAlign(NAME_RECORD + text.length);
  });
  return packet;
}
