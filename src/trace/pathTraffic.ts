/**
 * Tells the path model what requests and replies say, and answers which path a request is about.
 *
 * Reads the few fields that names come from straight out of the message, wherever that lies; believes no length. Where
 * they are is `namedOpcodes.ts`. What a request asks is remembered by the place of its chain (`slot`) until its reply
 * says that it was done. Only replies without an error change the model.
 *
 * Of a file with several names, a request with a handle is about the name that it was opened by.
 */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { RenameFlag } from '../protocol/fuse/flags';
import {
  Attr,
  BatchForgetIn,
  Dirent,
  Direntplus,
  EntryOut,
  ForgetIn,
  ForgetOne,
  InHeader,
  LinkIn,
  OutHeader,
  recordAlign,
  Rename2In,
  RenameIn,
} from '../protocol/fuse/structs';
import type { SessionShape } from '../protocol/message';
import { roomFor } from './columnArray';
import { HANDLE_AT, NAMELESS, NO_HANDLE, OPCODES, placesOfNames, TELLING } from './namedOpcodes';
import { NAME_RECORD, NamesAt, NamesFlag } from './packet';
import { PairMap } from './pairMap';
import type { FoundNode, PathModel } from './pathModel';
import { NO_PATH, type NameTable } from './pathTable';

const BODY = InHeader.size;
const REPLY_BODY = OutHeader.size;
const ATTR = EntryOut.offset.attr;
const TYPE_MASK = 0o170000;
const FOLDER = 0o040000;

export class PathTraffic {
  /** Whether the path given last rests on something learned before packets were lost. */
  unsure = false;
  /** The second path of the request last taken: where RENAME puts it, what LINK gives the name. */
  other = NO_PATH;
  /** Of the request in each slot: its name or names, nodeid and a second one, and RENAME2's flags. */
  private name = new Uint32Array(64);
  private secondName = new Uint32Array(64);
  private high = new Uint32Array(64);
  private low = new Uint32Array(64);
  private otherHigh = new Uint32Array(64);
  private otherLow = new Uint32Array(64);
  private flags = new Uint32Array(64);
  private nameAt = placesOfNames(undefined);
  private entrySize: number = EntryOut.size;
  /** `.` and `..`, which a guest that serves NFS looks up: no names of anything. */
  private readonly dot: number;
  private readonly dotDot: number;
  /** Open handles, and by which name (of the model) each was opened. */
  private handles = new PairMap();
  /** Its serial then: the number may be another name's by now. */
  private serials = new PairMap();
  private readonly entry: FoundNode = { high: 0, low: 0, generation: 0, nlink: 0, folder: false };

  constructor(
    private readonly model: PathModel,
    private readonly names: NameTable,
  ) {
    this.dot = names.intern(Uint8Array.of(DOT), 0, 1);
    this.dotDot = names.intern(Uint8Array.of(DOT, DOT), 0, 2);
  }

  /** One that has heard the same and tells another model from now on. */
  copy(model: PathModel): PathTraffic {
    const copy = new PathTraffic(model, this.names);
    copy.name = this.name.slice();
    copy.secondName = this.secondName.slice();
    copy.high = this.high.slice();
    copy.low = this.low.slice();
    copy.otherHigh = this.otherHigh.slice();
    copy.otherLow = this.otherLow.slice();
    copy.flags = this.flags.slice();
    copy.nameAt = this.nameAt;
    copy.entrySize = this.entrySize;
    copy.handles = this.handles.copy();
    copy.serials = this.serials.copy();
    return copy;
  }

  /** Bytes that a copy takes, about. */
  get size(): number {
    return 7 * this.name.byteLength + this.handles.bytes + this.serials.bytes;
  }

  /** A session has begun: sizes of structures, and all nodeids anew. */
  begin(session: SessionShape | undefined): void {
    this.reset();
    this.nameAt = placesOfNames(session);
    this.entrySize = session && session.minor < 9 ? ENTRY_SIZE_BEFORE_9 : EntryOut.size;
  }

  /** Nothing is known any more. */
  reset(): void {
    this.model.reset();
    this.handles.clear();
    this.serials.clear();
  }

  /** A request at [at, end) with a whole header: the path it is about. */
  request(opcode: number, bytes: Uint8Array, view: DataView, at: number, end: number, slot: number): number {
    const low = view.getUint32(at + InHeader.offset.nodeid, true);
    const high = view.getUint32(at + InHeader.offset.nodeid + 4, true);
    this.unsure = false;
    this.other = NO_PATH;
    switch (opcode) {
      case Opcode.FORGET:
        return this.forget(view, at, end, high, low);
      case Opcode.BATCH_FORGET:
        return this.batchForget(view, at, end);
    }
    const skipped = opcode < OPCODES ? this.nameAt[opcode] : NAMELESS;
    this.room(slot);
    this.high[slot] = high;
    this.low[slot] = low;
    this.name[slot] = 0;
    if (skipped === NAMELESS) return this.nameless(opcode, view, at + BODY, end, high, low);
    const from = at + BODY + skipped;
    const nul = endOfName(bytes, from, end);
    if (nul < 0) return NO_PATH;
    const name = this.names.intern(bytes, from, nul);
    this.name[slot] = name;
    if (opcode === Opcode.RENAME || opcode === Opcode.RENAME2) this.rename(opcode, bytes, view, at, nul + 1, end, slot);
    else if (opcode === Opcode.LINK) this.other = this.linked(view, at + BODY);
    const path = this.model.pathIn(high, low, name);
    this.unsure = this.model.unsure;
    return path;
  }

  private nameless(opcode: number, view: DataView, body: number, end: number, high: number, low: number): number {
    const path = this.pathOf(high, low);
    const place = opcode < OPCODES ? HANDLE_AT[opcode] : NO_HANDLE;
    if (place === NO_HANDLE || (!this.model.several && opcode !== Opcode.RELEASE) || body + place + 8 > end)
      return path;
    const handleLow = view.getUint32(body + place, true);
    const handleHigh = view.getUint32(body + place + 4, true);
    const name = this.handles.get(handleHigh, handleLow);
    const serial = this.serials.get(handleHigh, handleLow);
    if (opcode === Opcode.RELEASE) {
      this.handles.delete(handleHigh, handleLow);
      this.serials.delete(handleHigh, handleLow);
    }
    if (name <= 0 || !this.model.several) return path;
    return this.model.pathByName(high, low, name, serial) || path;
  }

  /** A handle that was opened by the name the node goes by now; `at` is where the reply has it. */
  private opened(view: DataView, at: number, end: number, high: number, low: number): void {
    if (at + 8 > end) return;
    const name = this.model.nameOf(high, low);
    if (name <= 0) return;
    const handleLow = view.getUint32(at, true);
    const handleHigh = view.getUint32(at + 4, true);
    this.handles.set(handleHigh, handleLow, name);
    this.serials.set(handleHigh, handleLow, this.model.serialOf(name));
  }

  private pathOf(high: number, low: number): number {
    const path = this.model.pathOf(high, low);
    this.unsure = this.model.unsure;
    return path;
  }

  private rename(
    opcode: number,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    second: number,
    end: number,
    slot: number,
  ): void {
    const newdir = at + BODY + RenameIn.offset.newdir;
    this.otherLow[slot] = view.getUint32(newdir, true);
    this.otherHigh[slot] = view.getUint32(newdir + 4, true);
    this.flags[slot] = opcode === Opcode.RENAME2 ? view.getUint32(at + BODY + Rename2In.offset.flags, true) : 0;
    const nul = endOfName(bytes, second, end);
    if (nul < 0) this.name[slot] = 0;
    else {
      this.secondName[slot] = this.names.intern(bytes, second, nul);
      this.other = this.model.pathIn(this.otherHigh[slot], this.otherLow[slot], this.secondName[slot]);
    }
  }

  private linked(view: DataView, body: number): number {
    const old = body + LinkIn.offset.oldnodeid;
    return this.model.pathOf(view.getUint32(old + 4, true), view.getUint32(old, true));
  }

  private forget(view: DataView, at: number, end: number, high: number, low: number): number {
    const path = this.pathOf(high, low);
    const from = at + BODY + ForgetIn.offset.nlookup;
    if (from + 8 <= end) this.model.forgotten(high, low, wide(view, from));
    return path;
  }

  private batchForget(view: DataView, at: number, end: number): number {
    const first = at + BODY + BatchForgetIn.size;
    if (first > end) return NO_PATH;
    const count = view.getUint32(at + BODY + BatchForgetIn.offset.count, true);
    for (let i = 0, one = first; i < count && one + ForgetOne.size <= end; i++, one += ForgetOne.size) {
      const low = view.getUint32(one, true);
      const high = view.getUint32(one + 4, true);
      this.model.forgotten(high, low, wide(view, one + ForgetOne.offset.nlookup));
    }
    return NO_PATH;
  }

  /** The reply, without an error, at [at, end) to the request in `slot`. */
  reply(opcode: number, bytes: Uint8Array, view: DataView, at: number, end: number, slot: number): void {
    if (opcode >= OPCODES || TELLING[opcode] === 0) return;
    const high = this.high[slot];
    const low = this.low[slot];
    const name = this.name[slot];
    const body = at + REPLY_BODY;
    switch (opcode) {
      case Opcode.LOOKUP:
        if (!this.takeEntry(view, body, end)) return;
        if (this.entry.high === 0 && this.entry.low === 0) this.model.removed(high, low, name);
        else this.model.found(high, low, name === this.dot || name === this.dotDot ? 0 : name, this.entry, 1);
        return;
      case Opcode.MKNOD:
      case Opcode.MKDIR:
      case Opcode.SYMLINK:
        if (this.takeNode(view, body, end)) this.model.found(high, low, name, this.entry, 1);
        return;
      case Opcode.CREATE:
        if (!this.takeNode(view, body, end)) return;
        this.model.found(high, low, name, this.entry, 1);
        this.opened(view, body + this.entrySize, end, this.entry.high, this.entry.low);
        return;
      case Opcode.OPEN:
        this.opened(view, body, end, high, low);
        return;
      case Opcode.LINK:
        if (!this.takeNode(view, body, end)) return;
        // Whatever its count of links says, it has two names now.
        this.entry.nlink = 2;
        this.model.found(high, low, name, this.entry, 1);
        return;
      case Opcode.TMPFILE:
        if (this.takeNode(view, body, end)) this.model.foundNameless(high, low, name, this.entry, 1);
        return;
      case Opcode.UNLINK:
      case Opcode.RMDIR:
        if (name !== 0) this.model.removed(high, low, name);
        return;
      case Opcode.RENAME:
      case Opcode.RENAME2: {
        if (name === 0) return;
        const exchange = (this.flags[slot] & RenameFlag.EXCHANGE) !== 0;
        const second = this.secondName[slot];
        this.model.renamed(high, low, name, this.otherHigh[slot], this.otherLow[slot], second, exchange);
        return;
      }
      case Opcode.READDIRPLUS:
        this.listing(bytes, view, body, end, high, low);
        return;
      case Opcode.DESTROY:
        this.reset();
        return;
    }
  }

  private listing(bytes: Uint8Array, view: DataView, from: number, end: number, high: number, low: number): void {
    for (let at = from; at + Direntplus.size <= end;) {
      const namelen = view.getUint32(at + Direntplus.offset.dirent + Dirent.offset.namelen, true);
      const nameAt = at + Direntplus.size;
      if (namelen === 0 || namelen > end - nameAt || namelen > LONGEST_NAME) return;
      const dots = bytes[nameAt] === DOT && (namelen === 1 || (namelen === 2 && bytes[nameAt + 1] === DOT));
      if (!dots && this.takeNode(view, at, end)) {
        this.model.found(high, low, this.names.intern(bytes, nameAt, nameAt + namelen), this.entry, 1, true);
      }
      at += recordAlign(Direntplus.size + namelen);
    }
  }

  /** Names known before the capture: a packet at [at, end). How many of its records made sense. */
  before(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const count = view.getUint16(at + NamesAt.count, true);
    const flags = view.getUint32(at + NamesAt.flags, true);
    let done = 0;
    for (let from = at + NamesAt.records; done < count && from + NAME_RECORD <= end; done++) {
      const length = view.getUint16(from + 24, true);
      const nameAt = from + NAME_RECORD;
      if (nameAt + length > end || length > LONGEST_NAME) break;
      const { entry } = this;
      entry.low = view.getUint32(from, true);
      entry.high = view.getUint32(from + 4, true);
      entry.generation = 0;
      const only = (flags & NamesFlag.ONLY) !== 0;
      entry.nlink = only ? 1 : 0;
      entry.folder = false;
      const name = length === 0 ? 0 : this.names.intern(bytes, nameAt, nameAt + length);
      const parentHigh = view.getUint32(from + 12, true);
      this.model.found(parentHigh, view.getUint32(from + 8, true), name, entry, wide(view, from + 16));
      if (name === 0 && only) this.model.nameless(entry.high, entry.low);
      if ((flags & NamesFlag.UNSURE) !== 0) this.model.doubt(entry.high, entry.low);
      from += recordAlign(NAME_RECORD + length);
    }
    return done;
  }

  /** The fuse_entry_out at `at`, if it is there as far as it is needed. */
  private takeEntry(view: DataView, at: number, end: number): boolean {
    if (at + ATTR + Attr.offset.nlink + 4 > end) return false;
    const { entry } = this;
    entry.low = view.getUint32(at + EntryOut.offset.nodeid, true);
    entry.high = view.getUint32(at + EntryOut.offset.nodeid + 4, true);
    entry.generation = view.getUint32(at + EntryOut.offset.generation, true);
    entry.nlink = view.getUint32(at + ATTR + Attr.offset.nlink, true);
    entry.folder = (view.getUint32(at + ATTR + Attr.offset.mode, true) & TYPE_MASK) === FOLDER;
    return true;
  }

  private takeNode(view: DataView, at: number, end: number): boolean {
    return this.takeEntry(view, at, end) && (this.entry.high !== 0 || this.entry.low !== 0);
  }

  private room(slot: number): void {
    if (slot < this.name.length) return;
    this.name = roomFor(this.name, slot + 1);
    this.secondName = roomFor(this.secondName, slot + 1);
    this.high = roomFor(this.high, slot + 1);
    this.low = roomFor(this.low, slot + 1);
    this.otherHigh = roomFor(this.otherHigh, slot + 1);
    this.otherLow = roomFor(this.otherLow, slot + 1);
    this.flags = roomFor(this.flags, slot + 1);
  }
}

const DOT = 0x2e;
/** As the `compat` of the opcodes' rows has it. */
const ENTRY_SIZE_BEFORE_9 = 120;
/** FUSE_NAME_MAX of the kernel is less. */
const LONGEST_NAME = 4096;

/** Where the NUL is; -1: there is none, or no name before it. */
function endOfName(bytes: Uint8Array, from: number, end: number): number {
  const last = Math.min(end, from + LONGEST_NAME + 1);
  for (let at = from; at < last; at++) if (bytes[at] === 0) return at === from ? -1 : at;
  return -1;
}

const wide = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
