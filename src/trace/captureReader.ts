/**
 * Fills a `Capture` from a stream of bytes, a file or live: each packet goes to what it is for.
 *
 * Requests, replies and host calls become rows (`requestRows.ts`), names go to the paths, the rest to the side log;
 * what is looked at is in `captureContent.ts`. Nothing of the messages is kept but the columns and where the bytes are
 * (`captureBytes.ts`). Memory grows with the number of rows, nodes and names, never with what a packet claims.
 */
import { FileBytes, LiveBytes, type ReadAt } from './captureBytes';
import { CaptureContent } from './captureContent';
import type { Journal } from './journal';
import { wideText } from './nodeNumbers';
import { FuseAt, HostCallAt, NamesAt, PACKET_VERSION, PacketKind, VhostUserAt, WindowAt } from './packet';
import type { InitPackets } from './packets';
import { PathTraffic } from './pathTraffic';
import { type PcapngFault, type PcapngHandler, PcapngReader } from './pcapngReader';
import { type RowEvents, RequestRows } from './requestRows';
import { sessionOf } from './sessions';

/** How much of a live stream is kept. */
const LIVE_LIMIT = 256 << 20;
/** An INIT of any kernel so far is 64 bytes long, and its reply 80. */
const LONGEST_INIT = 512;
const SEVERAL_SHARES =
  'several shares are mixed in one section: requests and paths of one may be taken for those of another';

export interface CaptureReaderOptions {
  /** Reads the file again that `push` is given; without it the stream is kept in memory, up to `liveLimit`. */
  readonly read?: ReadAt;
  readonly liveLimit?: number;
  /** Room for so many rows is there from the beginning, so that no growth takes its time later. */
  readonly rows?: number;
  /** A row is complete: its reply has come, it wants none, or it is a reply without a request. */
  readonly completed?: (row: number) => void;
  readonly journal?: Journal;
}

export class CaptureReader extends CaptureContent implements PcapngHandler {
  private readonly blocks = new PcapngReader(this);
  private readonly traffic = new PathTraffic(this.model, this.names);
  private readonly rows: RequestRows;
  private readonly journal: Journal | undefined;
  /** Packets that were not understood. */
  private strange = 0;

  constructor({ read, liveLimit = LIVE_LIMIT, rows, completed, journal }: CaptureReaderOptions = {}) {
    super(read ? new FileBytes(read) : new LiveBytes(liveLimit), rows);
    this.journal = journal;
    const { table, calls, times, traffic } = this;
    const init: RowEvents['init'] = (...at) => this.sessionBegins(...at);
    this.rows = new RequestRows(table, calls, times, traffic, { completed, journal, init });
  }

  /** Takes the next bytes of the stream, cut anywhere. They may be reused afterwards. */
  push(chunk: Uint8Array): void {
    if (this.blocks.fault) return;
    this.stream.push(chunk);
    this.blocks.push(chunk);
  }

  /** The stream broke off and is taken up again by another one, which begins with a section of its own. */
  goOn(): void {
    this.blocks.goOn();
  }

  /** About so many rows are to come in all: there is room for them at once, and no growth takes its time later. */
  expect(rows: number): void {
    this.table.grow(rows);
  }

  /** The stream has ended. */
  end(): void {
    this.blocks.end();
    if (this.stream instanceof FileBytes) this.stream.ended = true;
  }

  /**
   * Drops the oldest rows, as many as asked for and there are; answers how many. The numbers of the others are less by
   * that. What they have told of names and sessions stays.
   */
  drop(rows: number): number {
    const dropped = Math.min(rows, this.count);
    if (dropped === 0) return 0;
    this.rows.pairing.drop(dropped);
    this.dropRows(dropped);
    return dropped;
  }

  /** Why nothing more is read; `foreign`: it never was a capture. */
  get fault(): PcapngFault | undefined {
    return this.blocks.fault;
  }

  section(comments: readonly string[], position: number): void {
    if (!this.shareSections.begin(comments)) return;
    this.traffic.reset();
    this.sessions.section(this.count, position);
    this.rows.pairing.clear();
    this.journal?.section();
  }

  interface(name: string): void {
    this.shareSections.interface(name);
  }

  lost(packets: number): void {
    this.model.lost();
    this.journal?.lost();
    this.lostHere.add(this.count, packets);
  }

  packet(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    high: number,
    low: number,
  ): void {
    if (captured < 8 || bytes[at] !== PACKET_VERSION) {
      this.strange++;
      return;
    }
    const kind: PacketKind = bytes[at + 1];
    if (kind === PacketKind.Request && captured >= FuseAt.message) {
      this.rows.request(bytes, view, at, captured, position, high, low);
    } else if (kind === PacketKind.Reply && captured >= FuseAt.message) {
      this.rows.reply(bytes, view, at, captured, position, high, low);
    } else if (kind === PacketKind.HostCall && captured >= HostCallAt.arguments) {
      this.rows.hostCall(view, at, captured, position, high, low);
    } else if (kind === PacketKind.Dropped && captured >= FuseAt.message) {
      this.rows.dropped(view, at, position);
    } else this.aside(kind, bytes, view, at, captured, position, high, low);
  }

  /** What is not about one request; of its own, so that the way of all others makes no closures. */
  private aside(
    kind: PacketKind,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    high: number,
    low: number,
  ): void {
    const start = (): number => this.times.after(high, low);
    if (kind === PacketKind.VhostUser && captured >= VhostUserAt.message) {
      this.side.vhostUser(bytes, view, at, captured, position, start);
    } else if (kind === PacketKind.Names && captured >= NamesAt.records) {
      this.side.namesAt(position, captured);
      this.journal?.names(position, captured);
      if (this.traffic.before(bytes, view, at, at + captured) < view.getUint16(at + NamesAt.count, true))
        this.strange++;
    } else if (kind === PacketKind.Window && captured >= WindowAt.text) {
      this.side.windowNote(bytes, view, at, captured, position, start);
    } else this.strange++;
  }

  /** INIT, which is `row`, is answered: what comes is read by what the reply says. */
  private sessionBegins(row: number, bytes: Uint8Array, view: DataView, message: number, end: number): void {
    const session = sessionOf(view, message, end);
    this.sessions.begin(this.count, session, this.initAsIs(row, bytes, message, end));
    this.traffic.begin(session);
  }

  private initAsIs(row: number, bytes: Uint8Array, message: number, end: number): InitPackets | undefined {
    if (!(this.stream instanceof LiveBytes) || end - message > LONGEST_INIT) return undefined;
    const request = this.requestPacket(row).slice();
    if (request.length === 0 || request.length > FuseAt.message + LONGEST_INIT) return undefined;
    const { start, latency } = this.table;
    return { request, reply: bytes.slice(message - FuseAt.message, end), start: start[row], latency: latency[row] };
  }

  /** How often a node came whose number is 2^53 or more: by a request about it, or when it became known. */
  get wideNodes(): number {
    return this.rows.wide + this.model.wide;
  }

  get notes(): readonly string[] {
    const { otherLink, unusable } = this.blocks.passedOver;
    const some = (count: number, text: string): string[] =>
      count === 0 ? [] : [`${count} ${count === 1 ? text : text.replace(/^(packet|system call|message|note)/, '$1s')}`];
    const { earlier } = this.share;
    return [
      ...(this.fault ? [this.fault.text] : []),
      ...(typeof earlier === 'number' && earlier > 0
        ? [`${earlier} earlier requests were not kept, and are not in it`]
        : []),
      ...(this.shareSections.mixed ? [SEVERAL_SHARES] : []),
      ...some(this.lostHere.packets, 'packet lost: the capture could not be written as fast as requests came'),
      ...(this.wideNodes > 0 ? [wideText(this.wideNodes)] : []),
      ...some(otherLink, 'packet of other link types passed over'),
      ...some(unusable, 'packet without a time or an interface passed over'),
      ...some(this.strange, 'packet not understood'),
      ...some(this.rows.strayCalls, 'system call of the host whose requests are not in the capture'),
      ...some(this.side.controlLeftOut, 'message of vhost-user left out, after the first ones'),
      ...some(this.side.windowLeftOut, 'note on the DAX window left out, after the first ones'),
    ];
  }
}
