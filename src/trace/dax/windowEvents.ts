/**
 * What a capture says of the DAX window, as events in the order of time: ranges mapped, removed, all of them gone.
 *
 * In columns: a guest that thrashes makes millions. A mapping counts from its reply, a removal as well. Lost packets
 * and hostile captures make events that contradict each other; who applies them (`windowState.ts`) has to bear that.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import { InHeader, RemovemappingIn, RemovemappingOne, SetupmappingIn } from '../../protocol/fuse/structs';
import { Request } from '../../protocol/vhostUser/requests';
import { Header, HeaderFlag, ShmemConfig } from '../../protocol/vhostUser/structs';
import { type Capture, RowFlag } from '../capture';
import { roomFor } from '../columnArray';
import { highOf, lowOf, type NodeNumber, nodeNumber, nodeNumberOf } from '../nodeNumbers';
import { WindowWhat } from '../packet';

export const enum WindowEvent {
  /** A range shows a part of a file from now on. */
  Map = 0,
  /** Whatever lies in a range is gone. */
  Unmap = 1,
  /** Everything is gone: INIT, DESTROY. */
  Reset = 2,
  /** A mapping was asked for and refused. */
  Refused = 3,
}

/** Flag bits of a mapping, as the guest asks for it. */
export const MAP_FOR_WRITING = 1;

/** No file or window is longer, whatever a capture says. */
const LONGEST = 2 ** 52;

/** More are sorted as a whole. */
const MOST_SWAPS = 20_000;

export class WindowEvents {
  count = 0;
  kind = new Uint8Array(64);
  /** Nanoseconds after the capture's origin, ascending. */
  time = new Float64Array(64);
  windowOffset = new Float64Array(64);
  length = new Float64Array(64);
  fileOffset = new Float64Array(64);
  private nodeHigh = new Uint32Array(64);
  private nodeLow = new Uint32Array(64);
  path = new Uint32Array(64);
  flags = new Uint8Array(64);
  /** The row that it comes from; -1: none. */
  row = new Int32Array(64);
  /** The process that asked; 0: unknown. */
  pid = new Uint32Array(64);

  add(
    kind: WindowEvent,
    time: number,
    windowOffset: number,
    length: number,
    fileOffset: number,
    nodeid: NodeNumber,
    path: number,
    flags: number,
    row: number,
    pid = 0,
  ): void {
    const at = this.count++;
    this.kind = roomFor(this.kind, this.count);
    this.time = roomFor(this.time, this.count);
    this.windowOffset = roomFor(this.windowOffset, this.count);
    this.length = roomFor(this.length, this.count);
    this.fileOffset = roomFor(this.fileOffset, this.count);
    this.nodeHigh = roomFor(this.nodeHigh, this.count);
    this.nodeLow = roomFor(this.nodeLow, this.count);
    this.path = roomFor(this.path, this.count);
    this.flags = roomFor(this.flags, this.count);
    this.row = roomFor(this.row, this.count);
    this.pid = roomFor(this.pid, this.count);
    this.kind[at] = kind;
    this.time[at] = time;
    this.windowOffset[at] = windowOffset;
    this.length[at] = length;
    this.fileOffset[at] = fileOffset;
    this.nodeHigh[at] = highOf(nodeid);
    this.nodeLow[at] = lowOf(nodeid);
    this.path[at] = path;
    this.flags[at] = flags;
    this.row[at] = row;
    this.pid[at] = pid;
  }

  nodeid(at: number): NodeNumber {
    return nodeNumber(this.nodeHigh[at], this.nodeLow[at]);
  }

  /** How many events are not later than `time`. */
  upTo(time: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first `count` are gone. */
  shift(count: number): void {
    for (const column of this.columns) column.copyWithin(0, count, this.count);
    this.count -= count;
  }

  /** Brings what was added from `from` on into the order of time; the first place that is another one now. */
  settle(from: number): number {
    let lowest = from;
    let budget = MOST_SWAPS;
    for (let at = Math.max(1, from); at < this.count; at++) {
      for (let place = at; place > 0 && this.time[place - 1] > this.time[place]; place--) {
        if (budget-- === 0) {
          this.sort();
          return 0;
        }
        for (const column of this.columns) [column[place - 1], column[place]] = [column[place], column[place - 1]];
        lowest = Math.min(lowest, place - 1);
      }
    }
    return lowest;
  }

  private get columns(): readonly (Uint8Array | Uint32Array | Int32Array | Float64Array)[] {
    const { kind, time, windowOffset, length, fileOffset, nodeHigh, nodeLow, path, flags, row, pid } = this;
    return [kind, time, windowOffset, length, fileOffset, nodeHigh, nodeLow, path, flags, row, pid];
  }

  /** By time; those of one time keep their order. */
  sort(): void {
    const order = Array.from({ length: this.count }, (_, index) => index);
    if (order.every((_, index) => index === 0 || this.time[index - 1] <= this.time[index])) return;
    order.sort((a, b) => this.time[a] - this.time[b] || a - b);
    const by = <T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(column: T): T => {
      const sorted = column.slice() as T;
      order.forEach((from, to) => (sorted[to] = column[from]));
      return sorted;
    };
    this.kind = by(this.kind);
    this.time = by(this.time);
    this.windowOffset = by(this.windowOffset);
    this.length = by(this.length);
    this.fileOffset = by(this.fileOffset);
    this.nodeHigh = by(this.nodeHigh);
    this.nodeLow = by(this.nodeLow);
    this.path = by(this.path);
    this.flags = by(this.flags);
    this.row = by(this.row);
    this.pid = by(this.pid);
  }
}

/** All events of a capture. */
export function windowEvents(capture: Capture): WindowEvents {
  const events = new WindowEvents();
  addNotes(capture, events, 0);
  for (let row = 0; row < capture.count; row++) if (isAboutWindow(capture, row)) addRow(capture, events, row);
  events.sort();
  return events;
}

/** What was mapped before the capture began, as the writer has noted it, from the note `from` on. */
export function addNotes({ windowNotes = [] }: Capture, events: WindowEvents, from: number): void {
  for (let at = from; at < windowNotes.length; at++) {
    const { what, start, windowOffset, length, fileOffset, nodeid } = windowNotes[at];
    if (what !== WindowWhat.MAPPED || !isRange(windowOffset, length)) continue;
    events.add(WindowEvent.Map, start, windowOffset, length, fileOffset, nodeid, 0, MAP_FOR_WRITING, -1);
  }
}

/** Whether a request can change the window. */
export function isAboutWindow({ columns }: Capture, row: number): boolean {
  const code = columns.opcode[row];
  const about =
    code === Opcode.SETUPMAPPING || code === Opcode.REMOVEMAPPING || code === Opcode.INIT || code === Opcode.DESTROY;
  return about && (columns.flags[row] & RowFlag.ORPHAN) === 0;
}

/** What an answered request did to the window. */
export function addRow(capture: Capture, events: WindowEvents, row: number): void {
  const { columns } = capture;
  const code = columns.opcode[row];
  if (code === Opcode.SETUPMAPPING) setup(capture, events, row);
  else if (code === Opcode.REMOVEMAPPING) remove(capture, events, row);
  else if (answered(capture, row) && columns.error[row] === 0) {
    events.add(WindowEvent.Reset, columns.start[row] + columns.latency[row], 0, 0, 0, 0, 0, 0, row);
  }
}

/** Bytes of the window: as the front-end was told, or else as far as it was used. */
export function windowSize({ control }: Capture, events: WindowEvents): number {
  return Math.max(toldSize(control, 0) ?? 0, usedSize(events, 0));
}

/** What the messages from `from` on say of the window's size, in bytes; undefined: nothing. */
export function toldSize(control: Capture['control'], from: number): number | undefined {
  let size: number | undefined;
  for (let at = from; at < control.length; at++) {
    const { bytes } = control[at];
    if (bytes.length < Header.size + ShmemConfig.offset.memory_sizes + 8) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isAnswer = (view.getUint32(Header.offset.flags, true) & HeaderFlag.REPLY) !== 0;
    if (!isAnswer || view.getUint32(Header.offset.request, true) !== Request.GET_SHMEM_CONFIG) continue;
    const told = Number(view.getBigUint64(Header.size + ShmemConfig.offset.memory_sizes, true));
    if (told <= LONGEST) size = told;
  }
  return size;
}

/** How far events from `from` on reach. */
export function usedSize(events: WindowEvents, from: number): number {
  let size = 0;
  for (let at = from; at < events.count; at++) {
    if (events.kind[at] === WindowEvent.Map) size = Math.max(size, events.windowOffset[at] + events.length[at]);
  }
  return size;
}

function answered({ columns }: Capture, row: number): boolean {
  return (columns.flags[row] & (RowFlag.REPLIED | RowFlag.ORPHAN)) === RowFlag.REPLIED;
}

function isRange(offset: number, length: number): boolean {
  return length > 0 && length <= LONGEST && offset >= 0 && offset <= LONGEST;
}

function setup(capture: Capture, events: WindowEvents, row: number): void {
  const { columns } = capture;
  const bytes = capture.requestBytes(row);
  if (!answered(capture, row) || bytes.length < InHeader.size + SetupmappingIn.size) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset + InHeader.size, SetupmappingIn.size);
  const wide = (at: number): number => Number(view.getBigUint64(at, true));
  const { offset } = SetupmappingIn;
  const [place, length, from] = [wide(offset.moffset), wide(offset.len), wide(offset.foffset)];
  if (!isRange(place, length) || from > LONGEST) return;
  const kind = columns.error[row] === 0 ? WindowEvent.Map : WindowEvent.Refused;
  const flags = view.getUint32(offset.flags, true) & MAP_FOR_WRITING;
  const time = columns.start[row] + columns.latency[row];
  const nodeid = nodeNumberOf(capture, row);
  events.add(kind, time, place, length, from, nodeid, columns.path[row], flags, row, columns.pid[row]);
}

function remove(capture: Capture, events: WindowEvents, row: number): void {
  const { columns } = capture;
  if (!answered(capture, row) || columns.error[row] !== 0) return;
  const bytes = capture.requestBytes(row);
  const first = InHeader.size + RemovemappingIn.size;
  if (bytes.length < first) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const claimed = view.getUint32(InHeader.size, true);
  const nodeid = nodeNumberOf(capture, row);
  const there = Math.floor((bytes.length - first) / RemovemappingOne.size);
  const time = columns.start[row] + columns.latency[row];
  for (let index = 0; index < Math.min(claimed, there); index++) {
    const at = first + index * RemovemappingOne.size;
    const place = Number(view.getBigUint64(at + RemovemappingOne.offset.moffset, true));
    const length = Number(view.getBigUint64(at + RemovemappingOne.offset.len, true));
    if (!isRange(place, length)) continue;
    events.add(WindowEvent.Unmap, time, place, length, 0, nodeid, columns.path[row], 0, row, columns.pid[row]);
  }
}
