/**
 * The protocol's tables as the dissector needs them: plain values that become Lua tables.
 *
 * Owns what of the tables goes over, and under which names; says nothing of the wire itself. Structures, flag words and
 * enumerations are each written once and referred to by name or number.
 */
import { errnos } from '../../protocol/errno';
import type { EnumTable, FlagTable } from '../../protocol/flagTable';
import { ExtType, initFlags, notifyCodes } from '../../protocol/fuse/flags';
import { opcodeNames } from '../../protocol/fuse/opcodeNumbers';
import {
  notifications,
  Opcode,
  opcodes,
  type CompatSize,
  type OpcodeRow,
  type PayloadShape,
} from '../../protocol/fuse/opcodes';
import * as s from '../../protocol/fuse/structs';
import { hostCalls } from '../../protocol/hostCalls';
import { scalarSize, type Field, type StructTable } from '../../protocol/struct';
import { backendRequests, protocolFeatureBits, requests, type RequestRow } from '../../protocol/vhostUser/requests';
import * as v from '../../protocol/vhostUser/structs';
import { featureBits, type FeatureBit } from '../../protocol/virtio/fs';
import {
  FuseAt,
  HostCallAt,
  HostCallFlag,
  MAX_ARGUMENTS,
  MessageFlag,
  NAME_RECORD,
  NamesAt,
  NamesFlag,
  NO_QUEUE,
  PACKET_VERSION,
  PacketKind,
  VhostUserAt,
  WindowAt,
} from '../packet';
import { WINDOW_WORDS } from '../dax/windowWords';
import type { LuaValue } from './luaText';

type LuaTable = Record<string, LuaValue>;

/** Collects structures, flag words and enumerations as they are met. */
class Collected {
  readonly structs: LuaTable = {};
  readonly flags: LuaValue[] = [];
  readonly enums: LuaValue[] = [];
  private readonly flagNumbers = new Map<FlagTable, number>();
  private readonly enumNumbers = new Map<EnumTable, number>();

  /** The name under which the structure is found. */
  struct(table: StructTable): string {
    if (!(table.name in this.structs)) {
      const fields = table.fields.map((field) => this.field(table, field));
      this.structs[table.name] = { name: table.name, size: table.size, doc: table.doc, fields };
    }
    return table.name;
  }

  private field(table: StructTable, field: Field): LuaValue {
    const [flag, mask] = field.validIf ?? [];
    const by = table.fields.find((each) => each.name === flag);
    const one = typeof field.type === 'string' ? field.type : undefined;
    return {
      name: field.name,
      at: field.at,
      size: field.size,
      type: one,
      struct: typeof field.type === 'string' ? undefined : this.struct(field.type),
      count: field.length,
      show: field.show,
      detail: field.detail,
      flags: field.flags && this.flag(field.flags),
      enum: field.enum && this.enumeration(field.enum),
      valid: by && typeof by.type === 'string' ? { at: by.at, size: scalarSize[by.type], mask, name: flag } : undefined,
      doc: field.doc,
    };
  }

  flag(table: FlagTable): number {
    let number = this.flagNumbers.get(table);
    if (number === undefined) {
      number = this.flags.push({
        named_zero: table.bits.some((bit) => bit.value === 0) || undefined,
        bits: flagRows(table),
        arm64: table.arm64 && flagRows(table.arm64),
      });
      this.flagNumbers.set(table, number);
    }
    return number;
  }

  enumeration(table: EnumTable): number {
    let number = this.enumNumbers.get(table);
    if (number === undefined) {
      // Opcodes without FUSE_: the filter is fuse.opcode == "READ".
      const prefix = table === (opcodeNames as EnumTable) ? '' : table.prefix;
      number = this.enums.push(Object.fromEntries(table.rows.map((row) => [row.value >>> 0, prefix + row.name])));
      this.enumNumbers.set(table, number);
    }
    return number;
  }
}

function flagRows({ prefix, bits }: FlagTable): LuaValue {
  return bits.map(({ name, value, mask, doc }): LuaValue => {
    return { name: prefix + name, key: name.toLowerCase(), value: value >>> 0, mask: mask >>> 0, doc };
  });
}

function payload(all: Collected, shape: PayloadShape | undefined): LuaValue {
  if (!shape) return undefined;
  return {
    kind: shape.kind,
    size: shape.kind === 'data' ? shape.size : undefined,
    count: shape.kind === 'records' ? shape.count : undefined,
    record: 'record' in shape ? all.struct(shape.record) : undefined,
    doc: shape.doc,
  };
}

function compat({ of, index, size, below, without }: CompatSize): LuaValue {
  const flag = without === undefined ? undefined : initFlags.bits.find((bit) => bit.name === without);
  return { of, index, size, below, without: flag && flag.value >>> 0 };
}

/** What a request does to the names that are known, for the dissector's own paths. */
const naming: Readonly<Partial<Record<OpcodeRow['name'], string>>> = {
  LOOKUP: 'entry',
  MKNOD: 'entry',
  MKDIR: 'entry',
  SYMLINK: 'entry',
  LINK: 'entry',
  CREATE: 'entry',
  TMPFILE: 'nameless',
  RENAME: 'rename',
  RENAME2: 'rename',
  UNLINK: 'remove',
  RMDIR: 'remove',
};

function opcode(all: Collected, row: OpcodeRow): LuaValue {
  return {
    name: row.name,
    key: row.name.toLowerCase(),
    number: row.number,
    takes: row.in.map((table) => all.struct(table)),
    names: row.names,
    payload: payload(all, row.inPayload),
    extensions: row.extensions,
    silent: row.reply ? undefined : true,
    gives: row.out.map((table) => all.struct(table)),
    reply_payload: payload(all, row.outPayload),
    gives_size: row.outIfSizeZero?.map((table) => all.struct(table)),
    compat: row.compat?.map(compat),
    naming: naming[row.name],
    doc: row.doc,
  };
}

function vhostRequest(all: Collected, row: RequestRow): LuaValue {
  const struct = (table: StructTable | null): LuaValue => (table ? all.struct(table) : undefined);
  return {
    name: row.name,
    key: row.name.toLowerCase(),
    takes: struct(row.payload),
    gives: struct(row.reply),
    doc: row.doc,
  };
}

const bits = (list: readonly FeatureBit[]): LuaValue => list.map(({ name, bit, doc }) => ({ name, bit, doc }));

/** Everything, by the names that the Lua code uses. */
export function dissectorTables(): LuaValue {
  const all = new Collected();
  const fuse: LuaTable = {
    in_header: all.struct(s.InHeader),
    out_header: all.struct(s.OutHeader),
    ext_header: all.struct(s.ExtHeader),
    secctx_header: all.struct(s.SecctxHeader),
    secctx: all.struct(s.Secctx),
    supp_groups: all.struct(s.SuppGroups),
    dirent: all.struct(s.Dirent),
    direntplus: all.struct(s.Direntplus),
    init: Opcode.INIT,
    ext_groups: ExtType.EXT_GROUPS,
    max_contexts: ExtType.MAX_NR_SECCTX,
    opcodes: Object.fromEntries(opcodes.map((row) => [row.number, opcode(all, row)])),
    notifications: Object.fromEntries(
      notifications.map((row) => {
        const name = notifyCodes.byValue.get(row.code)?.name ?? String(row.code);
        const gives = row.out.map((table) => all.struct(table));
        return [row.code, { name, key: name.toLowerCase(), gives, reply_payload: payload(all, row.outPayload) }];
      }),
    ),
  };
  const vhostUser: LuaTable = {
    header: all.struct(v.Header),
    number: all.struct(v.U64),
    region: all.struct(v.MemoryRegion),
    memory: all.struct(v.Memory),
    config: all.struct(v.Config),
    max_regions: v.MAX_TABLE_REGIONS,
    reply: v.HeaderFlag.REPLY,
    requests: Object.fromEntries(requests.map((row) => [row.id, vhostRequest(all, row)])),
    backend_requests: Object.fromEntries(backendRequests.map((row) => [row.id, vhostRequest(all, row)])),
    features: bits(featureBits),
    protocol_features: bits(protocolFeatureBits),
  };
  const host = hostCalls.map(({ name, arguments: list }): LuaValue => {
    const args = list.map((each): LuaValue => {
      const { name: of, kind, show } = each;
      return {
        name: of,
        kind,
        show,
        flags: each.flags && all.flag(each.flags),
        enum: each.enum && all.enumeration(each.enum),
      };
    });
    return { name, args };
  });
  return {
    structs: all.structs,
    flags: all.flags,
    enums: all.enums,
    errnos: Object.fromEntries(errnos.rows.map((row) => [row.value, row.name])),
    errno_docs: Object.fromEntries(errnos.rows.map((row) => [row.value, row.doc])),
    fuse,
    vhost_user: vhostUser,
    host_calls: host,
    packet: {
      version: PACKET_VERSION,
      request: PacketKind.Request,
      reply: PacketKind.Reply,
      vhost_user: PacketKind.VhostUser,
      host_call: PacketKind.HostCall,
      names: PacketKind.Names,
      window_note: PacketKind.Window,
      dropped: PacketKind.Dropped,
      fuse: FuseAt,
      vhost: VhostUserAt,
      host: HostCallAt,
      known: NamesAt,
      window: WindowAt,
      window_words: Object.fromEntries(Object.entries(WINDOW_WORDS)),
      name_record: NAME_RECORD,
      only_name: NamesFlag.ONLY,
      cut: MessageFlag.CUT,
      later: MessageFlag.LATER,
      held: MessageFlag.HELD,
      changed: MessageFlag.CHANGED,
      arm64: MessageFlag.ARM64,
      other_thread: HostCallFlag.OTHER_THREAD,
      arm64_call: HostCallFlag.ARM64,
      no_queue: NO_QUEUE,
      max_arguments: MAX_ARGUMENTS,
    },
  };
}
