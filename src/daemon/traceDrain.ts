/**
 * The main thread's end of the trace: takes records out of the ring, writes them as pcapng to a descriptor, shows them
 * as lines where the log level asks for it.
 *
 * A reader that is slow holds up only this: records then wait in the ring, and beyond its size they are dropped there,
 * counted, and the count is written.
 */
import { write } from 'node:fs';
import { replyLine, requestLine } from '../protocol/summary';
import { ExchangePairing } from '../trace/exchanges';
import { PACKET_HEADER, type Packet, encodePacket } from '../trace/packet';
import { pcapngPacket, pcapngStart, pcapngStatistics } from '../trace/pcapng';
import { RecordKind, type TraceReader, type TraceRecord } from './traceRing';

const INTERVAL = 10;

export interface TraceSinks {
  /** Where the capture goes; undefined: nowhere. */
  readonly fd: number | undefined;
  readonly tag: string;
  readonly snapLength: number;
  /** Takes decoded lines. */
  readonly line: ((text: string) => void) | undefined;
  /** The capture cannot be written any more. */
  readonly failed: (error: NodeJS.ErrnoException) => void;
}

export class TraceDrain {
  private readonly pairing = new ExchangePairing();
  private readonly timer: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();
  private idle = true;
  private toldDropped = 0;
  private broken = false;

  constructor(
    private readonly reader: TraceReader,
    private readonly sinks: TraceSinks,
  ) {
    const name = `virtio-fs ${sinks.tag}`.trimEnd();
    if (sinks.fd !== undefined) this.write([pcapngStart(name, PACKET_HEADER + sinks.snapLength)]);
    this.timer = setInterval(() => {
      if (this.idle) this.drain();
    }, INTERVAL);
  }

  /** Everything that is in the ring, written; then no more. A reader that does not read is not waited for longer. */
  async end(patience = 1000): Promise<void> {
    clearInterval(this.timer);
    const written = this.writing.then(() => {
      this.drain();
      return this.writing;
    });
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, patience).unref())]);
  }

  private drain(): void {
    const blocks: Uint8Array[] = [];
    this.reader.drain((record) => {
      const packet = packetOf(record);
      if (this.sinks.line) this.show(packet, this.sinks.line);
      if (this.sinks.fd !== undefined) {
        const bytes = encodePacket(packet);
        blocks.push(pcapngPacket(packet.time, bytes, bytes.length - packet.message.length + packet.length));
      }
    });
    const { dropped } = this.reader;
    if (dropped !== this.toldDropped) {
      this.sinks.line?.(
        `${dropped - this.toldDropped} messages are missing here: they came faster than they were read`,
      );
      if (this.sinks.fd !== undefined) blocks.push(pcapngStatistics(BigInt(Date.now()) * 1_000_000n, dropped));
      this.toldDropped = dropped;
    }
    if (blocks.length > 0) this.write(blocks);
  }

  private show(packet: Packet, line: (text: string) => void): void {
    // The packet's bytes are a view of the ring; a request is kept until its reply comes.
    const kept = packet.direction === 'request' ? { ...packet, message: packet.message.slice() } : packet;
    const exchange = this.pairing.take(kept);
    if (!exchange) return;
    const { request, reply, nanoseconds } = exchange;
    const time = nanoseconds === undefined ? '' : ` ${(nanoseconds / 1000).toFixed(1)} µs`;
    line(`${requestLine(request)}${reply ? ` ${replyLine(reply)}` : ''}${time}`);
  }

  private write(blocks: readonly Uint8Array[]): void {
    const { fd } = this.sinks;
    if (fd === undefined || this.broken) return;
    this.idle = false;
    this.writing = this.writing
      .then(() => writeAll(fd, Buffer.concat(blocks)))
      .catch((error: NodeJS.ErrnoException) => {
        this.broken = true;
        this.sinks.failed(error);
      })
      .then(() => {
        this.idle = true;
      });
  }
}

function packetOf(record: TraceRecord): Packet {
  return {
    time: nanoseconds(record.time),
    direction: record.kind === RecordKind.Request ? 'request' : 'reply',
    queue: record.queue,
    head: record.head,
    taken: nanoseconds(record.taken),
    length: record.length,
    message: record.bytes,
  };
}

/** From milliseconds since the epoch; a double resolves a quarter of a microsecond there. */
function nanoseconds(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6));
}

function writeAll(fd: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (at: number): void => {
      write(fd, bytes, at, bytes.length - at, null, (error, written) => {
        if (error?.code === 'EAGAIN') setTimeout(() => next(at), 1);
        else if (error) reject(error);
        else if (at + written < bytes.length) next(at + written);
        else resolve();
      });
    };
    next(0);
  });
}
