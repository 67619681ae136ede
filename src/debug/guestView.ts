/**
 * The guest's view of the share at one moment of a capture: nodes and their paths, open handles, the DAX window, what
 * is under way. It is told one thing after the other (`history.ts`), and can be copied.
 */
import { find, numberAt } from '../protocol/decode';
import { asOpenFlags } from '../protocol/fuse/flags';
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { InHeader } from '../protocol/fuse/structs';
import { machineOfRow, RowFlag } from '../trace/capture';
import type { CaptureContent } from '../trace/captureContent';
import { changesPaths } from '../trace/namedOpcodes';
import type { PathModel } from '../trace/pathModel';
import { sessionOf } from '../trace/sessions';
import type { PathTraffic } from '../trace/pathTraffic';
import type { Listener } from './history';

export interface OpenHandle {
  readonly fh: bigint;
  readonly nodeid: bigint;
  readonly folder: boolean;
  readonly flags: number;
  /** The row that opened it. */
  readonly row: number;
}

export interface Mapping {
  readonly nodeid: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly flags: number;
}

/** An entry of a map or a set, about. */
const BYTES_AN_ENTRY = 64;

/** Opcodes whose replies say something of handles or the window. */
const TELLING: ReadonlySet<number> = new Set([
  Opcode.OPEN,
  Opcode.OPENDIR,
  Opcode.CREATE,
  Opcode.TMPFILE,
  Opcode.RELEASE,
  Opcode.RELEASEDIR,
  Opcode.SETUPMAPPING,
  Opcode.REMOVEMAPPING,
]);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export class GuestView implements Listener {
  private constructor(
    private readonly capture: CaptureContent,
    readonly nodes: PathModel,
    private readonly traffic: PathTraffic,
    readonly handles: Map<string, OpenHandle>,
    readonly window: Map<bigint, Mapping>,
    /** Rows whose reply is still to come. */
    readonly inFlight: Set<number>,
  ) {}

  static ofNothing(capture: CaptureContent): GuestView {
    const { model, traffic } = capture.unheard();
    return new GuestView(capture, model, traffic, new Map(), new Map(), new Set());
  }

  copy(): GuestView {
    const nodes = this.nodes.copy();
    const { handles, window, inFlight } = this;
    return new GuestView(
      this.capture,
      nodes,
      this.traffic.copy(nodes),
      new Map(handles),
      new Map(window),
      new Set(inFlight),
    );
  }

  /** Bytes that a copy takes, about. */
  get size(): number {
    const entries = this.handles.size + this.window.size + this.inFlight.size;
    return this.nodes.size + this.traffic.size + entries * BYTES_AN_ENTRY;
  }

  taken(row: number, slot: number): void {
    const { flags, opcode } = this.capture.columns;
    if ((flags[row] & (RowFlag.SILENT | RowFlag.ORPHAN)) === 0) this.inFlight.add(row);
    if (slot < 0 || !changesPaths(opcode[row])) return;
    const bytes = this.capture.requestBytes(row);
    // A file that was cut off after it was read has less.
    if (bytes.length < InHeader.size) return;
    this.traffic.request(opcode[row], bytes, viewOf(bytes), 0, bytes.length, slot);
  }

  answered(row: number, slot: number): void {
    this.inFlight.delete(row);
    const { opcode: opcodes, error } = this.capture.columns;
    const opcode = opcodes[row];
    if (error[row] !== 0) return;
    if (opcode === Opcode.INIT || opcode === Opcode.DESTROY) {
      this.handles.clear();
      this.window.clear();
    }
    const bytes = this.capture.replyBytes(row);
    if (opcode === Opcode.INIT) this.traffic.begin(sessionOf(viewOf(bytes), 0, bytes.length));
    else if (changesPaths(opcode)) this.traffic.reply(opcode, bytes, viewOf(bytes), 0, bytes.length, slot);
    if (TELLING.has(opcode)) this.take(row, opcode);
  }

  section(): void {
    this.traffic.reset();
    this.handles.clear();
    this.window.clear();
    // Nobody answers them any more.
    this.inFlight.clear();
  }

  lost(): void {
    this.nodes.lost();
  }

  names(place: number, captured: number): void {
    const bytes = this.capture.packetAt(place, captured);
    if (bytes.length === captured) this.traffic.before(bytes, viewOf(bytes), 0, captured);
  }

  /** What a reply without an error says of handles and the window. */
  private take(row: number, opcode: number): void {
    const request = this.capture.request(row);
    if (request === undefined) return;
    const [args] = request.structs;
    switch (opcode) {
      case Opcode.OPEN:
      case Opcode.OPENDIR:
      case Opcode.CREATE:
      case Opcode.TMPFILE: {
        const structs = this.capture.reply(row)?.structs ?? [];
        const fh = find(structs.at(-1), 'fh')?.value;
        const made = structs.length > 1 ? find(structs[0], 'nodeid')?.value : request.nodeid;
        if (typeof fh !== 'bigint' || typeof made !== 'bigint') return;
        const folder = opcode === Opcode.OPENDIR;
        const machine = machineOfRow(this.capture.columns.flags[row]);
        const flags = asOpenFlags(numberAt(args, 'flags') ?? 0, machine);
        this.handles.set(`${made}/${fh}`, { fh, nodeid: made, folder, flags, row });
        return;
      }
      case Opcode.RELEASE:
      case Opcode.RELEASEDIR: {
        const fh = find(args, 'fh')?.value;
        if (typeof fh === 'bigint') this.handles.delete(`${request.nodeid}/${fh}`);
        return;
      }
      case Opcode.SETUPMAPPING: {
        const at = find(args, 'moffset')?.value;
        const offset = find(args, 'foffset')?.value;
        const length = find(args, 'len')?.value;
        if (typeof at !== 'bigint' || typeof offset !== 'bigint' || typeof length !== 'bigint') return;
        this.window.set(at, { nodeid: request.nodeid, offset, length, flags: numberAt(args, 'flags') ?? 0 });
        return;
      }
      case Opcode.REMOVEMAPPING:
        for (const one of request.payload?.children ?? []) {
          const at = find(one, 'moffset')?.value;
          if (typeof at === 'bigint') this.window.delete(at);
        }
    }
  }
}
