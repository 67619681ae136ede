/**
 * Names for a capture that leaves requests out: which of them a reader of the shorter one has to be told before a
 * request, so that its path is the same.
 *
 * What is told is a packet of kind 4 (docs/capture-format.md). A name is told again when it has changed.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import { EntryOut, InHeader, OutHeader, recordAlign, Rename2In, RenameIn } from '../../protocol/fuse/structs';
import { encodeText } from '../../protocol/text';
import type { CaptureReader } from '../captureReader';
import { FuseAt, NAME_RECORD, NamesAt, PACKET_VERSION, PacketKind } from '../packet';
import { DEEPEST_PATH } from '../pathTable';

interface Name {
  readonly nodeid: bigint;
  readonly parent: bigint;
  readonly name: string;
}

const ROOT = 1n;

export class ToldNames {
  private readonly told = new Map<bigint, string>();

  /** `all` has read the original up to where names are asked for. */
  constructor(private readonly all: Pick<CaptureReader, 'node' | 'path'>) {}

  /** A session begins: readers know nothing. */
  clear(): void {
    this.told.clear();
  }

  /** A reply that readers are given has told them a name: that of the node in its fuse_entry_out. */
  entry(packet: Uint8Array): void {
    const at = FuseAt.message + OutHeader.size + EntryOut.offset.nodeid;
    if (at + 8 > packet.length) return;
    const nodeid = new DataView(packet.buffer, packet.byteOffset, packet.length).getBigUint64(at, true);
    const name = this.nameOf(nodeid);
    if (name) this.told.set(nodeid, keyOf(name));
  }

  /** What has to be told before this request's packet, which `all` has not read yet; undefined: nothing. */
  before(packet: Uint8Array): Uint8Array | undefined {
    const at = FuseAt.message;
    if (packet.length < at + InHeader.size) return undefined;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
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
      const name = this.nameOf(at);
      if (!name) return;
      if (this.told.get(at) !== keyOf(name)) {
        this.told.set(at, keyOf(name));
        into.push(name);
      }
      at = name.parent;
    }
  }

  private nameOf(nodeid: bigint): Name | undefined {
    const facts = this.all.node(nodeid);
    if (facts?.parent === undefined || facts.paths.length === 0) return undefined;
    const path = this.all.path(facts.paths[0]);
    return { nodeid, parent: facts.parent, name: path.slice(path.lastIndexOf('/') + 1) };
  }
}

const keyOf = ({ parent, name }: Name): string => `${parent}/${name}`;

/** Two chains of folders at most, so that the number of records fits its 16 bits. */
function namesPacket(names: readonly Name[]): Uint8Array {
  const texts = names.map(({ name }) => encodeText(name));
  const size = texts.reduce<number>((sum, text) => sum + recordAlign(NAME_RECORD + text.length), NamesAt.records);
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
