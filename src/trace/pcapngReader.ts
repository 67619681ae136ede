/**
 * Takes a pcapng stream apart as it comes, in chunks cut anywhere: section headers, interfaces, enhanced packets, how
 * many packets were lost.
 *
 * Reads what Wireshark's tools make of a capture as well: either byte order, other resolutions of time, further
 * options, blocks and interfaces; what it does not know it passes over and counts. Holds one block at most. Knows
 * nothing of what a packet holds.
 */
import { BlockType, BYTE_ORDER_MAGIC, LINK_TYPE_USER0, OptionCode } from './pcapngWriter';

/** Longest block that is believed: a message of 1 MiB with room to spare. */
export const LONGEST_BLOCK = 4 << 20;
/** So many interfaces are believed in one section: one for each of a device's 65536 queues, and two. */
const MOST_INTERFACES = 65538;

/** So many bytes of a file tell whether it is pcapng. */
export const TELLING_BYTES = 12;

/** Whether a file is pcapng, by its first bytes. */
export function isPcapng(start: Uint8Array): boolean {
  if (start.length < TELLING_BYTES) return false;
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const order = view.getUint32(8, true);
  const ordered = order === BYTE_ORDER_MAGIC || order === swapped(BYTE_ORDER_MAGIC);
  return ordered && view.getUint32(0, true) === BlockType.SECTION_HEADER;
}

/** Takes what is in the stream. */
export interface PcapngHandler {
  /** A section begins at `position` in the stream; its comments. */
  section(comments: readonly string[], position: number): void;
  /** An interface of this format's link type, by its name. */
  interface(name: string): void;
  /**
   * A packet: `captured` bytes at `at` of `bytes` (of which `view` is the view), which are at `position` in the stream;
   * valid during the call. The time is nanoseconds since the epoch, in two u32.
   */
  packet(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    timeHigh: number,
    timeLow: number,
  ): void;
  /** So many packets more were lost. */
  lost(packets: number): void;
}

/** What is wrong with a stream: `foreign` is no capture at all; of the others everything before `at` is good. */
export interface PcapngFault {
  readonly kind: 'foreign' | 'damaged' | 'cut';
  /** In bytes from the start of the stream. */
  readonly at: number;
  readonly text: string;
  /** What to do. */
  readonly remedy: string;
}

/** Packets that were passed over. */
export interface PassedOver {
  /** Of another link type. */
  otherLink: number;
  /** Without a time (simple packet blocks), or in a block that makes no sense. */
  unusable: number;
}

interface Interface {
  readonly ours: boolean;
  /** Times are nanoseconds since the epoch as they are. */
  readonly plainTimes: boolean;
  readonly ticksPerSecond: bigint;
  /** Nanoseconds. */
  readonly offset: bigint;
  dropped: number;
}

export class PcapngReader {
  /** Set once, and nothing is read any more. */
  fault: PcapngFault | undefined;
  readonly passedOver: PassedOver = { otherLink: 0, unusable: 0 };
  private interfaces: Interface[] = [];
  private little = true;
  /** Bytes of the stream before the block that comes next. */
  private position = 0;
  /** The beginning of a block that was not whole. */
  private kept = new Uint8Array(0);
  private keptView = new DataView(this.kept.buffer);
  private keptLength = 0;

  constructor(private readonly handler: PcapngHandler) {}

  push(chunk: Uint8Array): void {
    let at = 0;
    while (this.keptLength > 0 && at < chunk.length && !this.fault) {
      const needed = this.blockLength(this.keptView, 0, this.keptLength);
      const take = Math.min(chunk.length - at, (needed < 0 ? HEADER : needed) - this.keptLength);
      this.keep(chunk, at, take);
      at += take;
      const length = this.blockLength(this.keptView, 0, this.keptLength);
      if (length < 0 || length > this.keptLength || this.fault) continue;
      this.keptLength = 0;
      this.block(this.kept, this.keptView, 0, length);
    }
    if (this.fault || at >= chunk.length) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    while (at < chunk.length) {
      const length = this.blockLength(view, at, chunk.length - at);
      if (this.fault) return;
      if (length < 0 || length > chunk.length - at) break;
      this.block(chunk, view, at, length);
      if (this.fault) return;
      at += length;
    }
    if (at < chunk.length) this.keep(chunk, at, chunk.length - at);
  }

  /** The stream has ended: if that was inside of a block, this is a fault. */
  end(): void {
    if (this.fault) return;
    if (this.position === 0) {
      if (this.keptLength === 0) this.foreign('it is empty', 'Name a file that "--capture" has made.');
      else if (this.keptLength < 4 || !this.begins()) this.foreign(NO_PCAPNG, NAME_ANOTHER);
    }
    if (this.keptLength > 0) this.fail('cut', 'cut off', '');
  }

  /** The stream broke off, maybe inside of a block, and another one is put behind it: a new section comes. */
  goOn(): void {
    this.position += this.keptLength;
    this.keptLength = 0;
  }

  /** Whether what is kept starts as a section header. */
  private begins(): boolean {
    return this.keptView.getUint32(0, true) === BlockType.SECTION_HEADER;
  }

  private keep(chunk: Uint8Array, at: number, length: number): void {
    const needed = this.keptLength + length;
    if (needed > this.kept.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.kept.length, 4096));
      larger.set(this.kept.subarray(0, this.keptLength));
      this.kept = larger;
      this.keptView = new DataView(larger.buffer);
    }
    this.kept.set(chunk.subarray(at, at + length), this.keptLength);
    this.keptLength = needed;
  }

  /** Length of the block at `at`, of which `there` bytes are there; -1 when that cannot be said yet. Or the fault. */
  private blockLength(view: DataView, at: number, there: number): number {
    if (there < 4) return -1;
    const type = view.getUint32(at, true);
    if (this.position === 0 && type !== BlockType.SECTION_HEADER) {
      this.notPcapng(type);
      return -1;
    }
    if (there < HEADER) return -1;
    if (type === BlockType.SECTION_HEADER && !this.byteOrder(view.getUint32(at + 8, true))) return -1;
    const length = view.getUint32(at + 4, this.little);
    if (length < HEADER || length % 4 !== 0 || length > LONGEST_BLOCK) {
      this.damaged(`a block of ${length} bytes`);
      return -1;
    }
    return length;
  }

  private byteOrder(magic: number): boolean {
    if (magic === BYTE_ORDER_MAGIC) this.little = true;
    else if (magic === swapped(BYTE_ORDER_MAGIC)) this.little = false;
    else {
      this.damaged('no byte order');
      return false;
    }
    return true;
  }

  private block(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    const { little } = this;
    if (view.getUint32(at + length - 4, little) !== length) {
      this.damaged('the two lengths of a block differ');
      return;
    }
    const type = view.getUint32(at, little);
    if (type === BlockType.ENHANCED_PACKET) this.enhancedPacket(bytes, view, at, length);
    else if (type === BlockType.SECTION_HEADER) this.section(bytes, view, at, length);
    else if (type === BlockType.INTERFACE) this.description(bytes, view, at, length);
    else if (type === BlockType.STATISTICS) this.statistics(view, at, length);
    else if (type === BlockType.SIMPLE_PACKET || type === OBSOLETE_PACKET) this.passedOver.unusable++;
    this.position += length;
  }

  private enhancedPacket(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    const { little } = this;
    if (length < 32) {
      this.passedOver.unusable++;
      return;
    }
    const of = this.interfaces[view.getUint32(at + 8, little)] as Interface | undefined;
    const captured = view.getUint32(at + 20, little);
    if (of === undefined || captured > length - 32) this.passedOver.unusable++;
    else if (!of.ours) this.passedOver.otherLink++;
    else {
      let high = view.getUint32(at + 12, little);
      let low = view.getUint32(at + 16, little);
      if (!of.plainTimes) {
        const time = nanoseconds(high, low, of);
        high = Number(time >> 32n);
        low = Number(time & 0xffff_ffffn);
      }
      this.handler.packet(bytes, view, at + 28, captured, this.position + 28, high, low);
    }
  }

  private section(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    if (length < 28) {
      this.damaged('a section header that is too short');
      return;
    }
    const major = view.getUint16(at + 12, this.little);
    if (major !== 1) {
      this.damaged(`pcapng of version ${major}`);
      return;
    }
    this.interfaces = [];
    const comments: string[] = [];
    this.options(view, at + 24, at + length - 4, (code, from, size) => {
      if (code === OptionCode.COMMENT) comments.push(new TextDecoder().decode(bytes.subarray(from, from + size)));
    });
    this.handler.section(comments, this.position);
  }

  private description(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    if (this.interfaces.length >= MOST_INTERFACES) return;
    const ours = length >= 20 && view.getUint16(at + 8, this.little) === LINK_TYPE_USER0;
    let resolution = 6;
    let offset = 0n;
    let name = '';
    this.options(view, at + 16, at + length - 4, (code, from, size) => {
      if (code === OptionCode.IF_NAME) name = new TextDecoder().decode(bytes.subarray(from, from + size));
      if (code === OptionCode.IF_TSRESOL && size === 1) resolution = view.getUint8(from);
      if (code === OptionCode.IF_TSOFFSET && size === 8) offset = view.getBigInt64(from, this.little) * BILLION;
    });
    const exponent = BigInt(resolution & 0x7f);
    const ticksPerSecond = (resolution & 0x80) !== 0 ? 2n ** exponent : 10n ** exponent;
    const plainTimes = ticksPerSecond === BILLION && offset === 0n;
    this.interfaces.push({ ours, plainTimes, ticksPerSecond, offset, dropped: 0 });
    if (ours) this.handler.interface(name);
  }

  private statistics(view: DataView, at: number, length: number): void {
    if (length < 24) return;
    const of = this.interfaces[view.getUint32(at + 8, this.little)] as Interface | undefined;
    if (!of?.ours) return;
    this.options(view, at + 20, at + length - 4, (code, from, size) => {
      if (code !== OptionCode.ISB_IFDROP || size !== 8) return;
      const [low, high] = this.little ? [from, from + 4] : [from + 4, from];
      const dropped = view.getUint32(high, this.little) * 0x1_0000_0000 + view.getUint32(low, this.little);
      if (dropped > of.dropped) this.handler.lost(dropped - of.dropped);
      of.dropped = dropped;
    });
  }

  private options(
    view: DataView,
    from: number,
    to: number,
    take: (code: number, at: number, size: number) => void,
  ): void {
    for (let at = from; at + 4 <= to;) {
      const code = view.getUint16(at, this.little);
      const size = view.getUint16(at + 2, this.little);
      if (code === OptionCode.END || at + 4 + size > to) return;
      take(code, at + 4, size);
      at += 4 + ((size + 3) & ~3);
    }
  }

  private notPcapng(magic: number): void {
    if (PCAP_MAGIC.includes(magic)) {
      this.foreign('this is a pcap file', 'Convert it to pcapng: editcap -F pcapng FILE NEW.');
    } else if ((magic & 0xffff) === GZIP_MAGIC) this.foreign('it is compressed with gzip', 'Unpack it: gunzip FILE.');
    else if (magic === ZSTD_MAGIC) this.foreign('it is compressed with zstd', 'Unpack it: unzstd FILE.');
    else this.foreign(NO_PCAPNG, NAME_ANOTHER);
  }

  private foreign(text: string, remedy: string): void {
    this.fault ??= { kind: 'foreign', at: 0, text: `not a capture: ${text}`, remedy };
  }

  private damaged(what: string): void {
    if (this.position === 0) this.foreign(`${what} at byte 0`, NAME_ANOTHER);
    else this.fail('damaged', 'damaged', `: ${what}`);
  }

  private fail(kind: 'damaged' | 'cut', how: string, what: string): void {
    const text = `${how} at byte ${this.position}${what}: everything up to there is shown`;
    this.fault ??= { kind, at: this.position, text, remedy: REMEDIES[kind] };
  }
}

/** Type and length; in a section header the byte order as well. */
const HEADER = 12;
const OBSOLETE_PACKET = 2;
const BILLION = 1_000_000_000n;
const swapped = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
const PCAP_MAGIC: readonly number[] = [0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, 0x4d3cb2a1];
const GZIP_MAGIC = 0x8b1f;
const ZSTD_MAGIC = 0xfd2fb528;
const NO_PCAPNG = 'it does not begin as pcapng does, at byte 0';
const REMEDIES = {
  cut: 'It may still be written, or its share was killed: open it again later, or export it as a capture, which makes a whole one of what is there.',
  damaged:
    'What comes behind that cannot be read: export it as a capture, which makes a good one of what comes before.',
} as const;
const NAME_ANOTHER = 'Name a file that "--capture" has made, or that Wireshark has saved as pcapng.';

function nanoseconds(high: number, low: number, { ticksPerSecond, offset }: Interface): bigint {
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  return BigInt.asUintN(64, (ticks * BILLION) / ticksPerSecond + offset);
}
