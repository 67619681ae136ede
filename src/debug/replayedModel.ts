/**
 * The guest's view of the share at any moment of a capture: paths, inodes, open handles, the DAX window.
 *
 * A second reader is given the capture block by block and stopped right after a request or its reply; what the reader
 * knows then is what the guest knew. Going back begins anew. Asked for lazily: only who looks pays.
 */
import type { CaptureFiles } from '../control/captureFiles';
import { find, numberAt } from '../protocol/decode';
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { openFlags } from '../protocol/fuse/flags';
import { printFlags, printHex, printId, printSize } from '../protocol/print';
import { CaptureReader } from '../trace/captureReader';
import { roomFor } from '../trace/columnArray';
import { isInFlight } from '../trace/line';
import { blocksOf } from './captureBlocks';
import type { Fact } from './picture';

interface OpenHandle {
  readonly fh: bigint;
  readonly nodeid: bigint;
  readonly folder: boolean;
  readonly flags: number;
  /** The row that opened it. */
  readonly row: number;
}

interface Mapping {
  readonly nodeid: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly flags: number;
}

/** Lines of a list. */
const MOST_LISTED = 200;

export class ReplayedModel {
  private reader = new CaptureReader();
  private rest: Iterator<Uint8Array> = [][Symbol.iterator]();
  private block = 0;
  private handles = new Map<string, OpenHandle>();
  private window = new Map<bigint, Mapping>();
  /** After which block each row was taken, and answered; 0: not seen yet. */
  private takenAt = new Uint32Array(64);
  private answeredAt = new Uint32Array(64);

  constructor(private readonly source: CaptureFiles) {
    this.restart();
  }

  /** Right after the row's request, or its reply, was read. */
  goTo(row: number, replied: boolean): void {
    const known = (replied ? this.answeredAt : this.takenAt)[row] ?? 0;
    if (known > 0 && known < this.block) this.restart();
    const there = (): boolean =>
      known > 0
        ? this.block >= known
        : replied
          ? row < this.reader.count && !isInFlight(this.reader, row)
          : row < this.reader.count;
    while (!there() && this.advance());
  }

  private restart(): void {
    this.handles = new Map();
    this.window = new Map();
    this.block = 0;
    this.rest = blocksOf(this.source);
    const reader = new CaptureReader({ read: this.source.readAt, completed: (row) => this.completed(reader, row) });
    this.reader = reader;
  }

  private advance(): boolean {
    const next = this.rest.next();
    if (next.done === true) return false;
    const before = this.reader.count;
    this.block++;
    this.reader.push(next.value);
    this.takenAt = roomFor(this.takenAt, this.reader.count + 1);
    for (let row = before; row < this.reader.count; row++) this.takenAt[row] = this.block;
    return true;
  }

  private completed(reader: CaptureReader, row: number): void {
    this.answeredAt = roomFor(this.answeredAt, row + 1);
    this.answeredAt[row] = this.block;
    const { opcode, error } = reader.columns;
    if (opcode[row] === Opcode.INIT || opcode[row] === Opcode.DESTROY) {
      this.handles.clear();
      this.window.clear();
    }
    if (error[row] !== 0) return;
    const request = reader.request(row);
    if (request === undefined) return;
    const [args] = request.structs;
    switch (opcode[row]) {
      case Opcode.OPEN:
      case Opcode.OPENDIR:
      case Opcode.CREATE:
      case Opcode.TMPFILE: {
        const structs = reader.reply(row)?.structs ?? [];
        const fh = find(structs.at(-1), 'fh')?.value;
        const made = structs.length > 1 ? find(structs[0], 'nodeid')?.value : request.nodeid;
        if (typeof fh !== 'bigint' || typeof made !== 'bigint') return;
        const folder = opcode[row] === Opcode.OPENDIR;
        this.handles.set(`${made}/${fh}`, { fh, nodeid: made, folder, flags: numberAt(args, 'flags') ?? 0, row });
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

  // What it says

  inode(nodeid: bigint): Fact[] | undefined {
    const facts = this.reader.node(nodeid);
    if (facts === undefined) return undefined;
    const paths = facts.paths.map((path) => this.reader.path(path));
    return [
      { name: 'nodeid', value: printId(nodeid) },
      { name: 'path', value: paths[0] ?? '', doc: 'As the guest knew it at that moment.' },
      ...(paths.length > 1
        ? [
            {
              name: 'names',
              value: `${paths.length}`,
              inside: paths.map((path, i) => ({ name: `[${i}]`, value: path })),
            },
          ]
        : []),
      { name: 'lookups', value: String(facts.lookups), doc: 'As far as the capture has shown.' },
      ...(facts.parent === undefined ? [] : [{ name: 'parent', value: printId(facts.parent) }]),
      { name: 'handles', value: String([...this.handles.values()].filter((one) => one.nodeid === nodeid).length) },
    ];
  }

  handle(fh: bigint, nodeid: bigint): Fact[] | undefined {
    const found = this.handles.get(`${nodeid}/${fh}`);
    return found && this.handleFacts(found);
  }

  private handleFacts({ fh, nodeid, folder, flags, row }: OpenHandle): Fact[] {
    return [
      { name: 'fh', value: printId(fh) },
      { name: 'nodeid', value: printId(nodeid) },
      { name: 'path', value: this.pathOf(nodeid) },
      { name: 'kind', value: folder ? 'folder' : 'file' },
      { name: 'flags', value: printFlags(openFlags, flags), doc: 'It was opened with these.' },
      { name: 'opened by', value: `row ${row}` },
    ];
  }

  private pathOf(nodeid: bigint): string {
    const [path] = this.reader.node(nodeid)?.paths ?? [];
    return path === undefined ? `?${nodeid}` : this.reader.path(path);
  }

  /** All there is, for a scope. */
  facts(row: number): Fact[] {
    const inFlight: Fact[] = [];
    let waiting = 0;
    for (let each = 0; each < this.reader.count; each++) {
      if (each === row || !isInFlight(this.reader, each)) continue;
      if (++waiting <= MOST_LISTED) inFlight.push({ name: `row ${each}`, value: this.rowText(each) });
    }
    const handles = [...this.handles.values()];
    const window = [...this.window].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      {
        name: 'inodes',
        value: String(this.reader.nodeidsKnown(Math.max(0, this.reader.count - 1))),
        doc: 'Known to the guest, or up to 255 requests before.',
      },
      {
        name: 'open handles',
        value: String(handles.length),
        inside: handles.slice(0, MOST_LISTED).map((one) => ({
          name: `${this.pathOf(one.nodeid)} fh ${printId(one.fh)}`,
          value: printFlags(openFlags, one.flags),
          inside: this.handleFacts(one),
        })),
      },
      {
        name: 'DAX window',
        value: `${window.length} mapped`,
        inside: window.slice(0, MOST_LISTED).map(([at, { nodeid, offset, length }]) => ({
          name: printHex(at),
          value: `${this.pathOf(nodeid)} at ${printHex(offset)}, ${printSize(length)}`,
        })),
      },
      { name: 'other requests in flight', value: String(waiting), inside: inFlight },
    ];
  }

  private rowText(row: number): string {
    const { reader } = this;
    const { opcode, nodeid, path } = reader.columns;
    const name = reader.request(row)?.opcode?.name ?? `opcode ${opcode[row]}`;
    return `${name} ${reader.path(path[row]) || `nodeid ${nodeid[row]}`}`;
  }
}
