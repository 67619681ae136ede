/**
 * The vhost-user socket: reads messages and their descriptors, lets the back-end act, sends its replies.
 *
 * Synchronous and non-blocking; runs on the queue worker. Ends when the front-end goes or talks nonsense.
 */
import { type Arena } from '../base/arena';
import { close, receive, send, setNonBlocking } from '../native/descriptors';
import { Errno } from '../protocol/errno';
import type { BackEnd } from '../vhostUser/backEnd';
import { MAX_PAYLOAD, HEADER_SIZE, MessageReader, frameReply, wholeMessage } from '../vhostUser/framing';

/** Bytes of arena a connection needs. */
export const CONNECTION_AREA = HEADER_SIZE + MAX_PAYLOAD + 4;

export type ConnectionState = 'open' | 'closed';

export class Connection {
  private readonly reader = new MessageReader();
  private heard = false;

  constructor(
    private readonly fd: number,
    private readonly arena: Arena,
    private readonly areaAt: number,
    private readonly backEnd: BackEnd,
    private readonly warn: (text: string) => void,
    /** Told of each whole message that comes or goes, with how many descriptors came. */
    private readonly seen: (fromFrontEnd: boolean, bytes: Uint8Array, descriptors: number) => void = () => undefined,
  ) {
    setNonBlocking(fd);
  }

  /**
   * Whether nothing has come at all: whoever connects and goes again is no front-end, but asks whether we are there.
   */
  get silent(): boolean {
    return !this.heard;
  }

  /** Acts on everything that has arrived. */
  readable(): ConnectionState {
    for (;;) {
      const wanted = Math.min(this.reader.wanted, CONNECTION_AREA);
      const got = receive(this.fd, this.arena.address(this.areaAt), wanted, false);
      if (got.length === -Errno.EAGAIN || got.length === -Errno.EINTR) return 'open';
      if (got.truncated)
        this.warn('descriptors of a message were lost: it had too many, or this process has too many open');
      if (got.length <= 0) {
        if (got.length < 0) this.warn(`the front-end's socket failed: errno ${-got.length}`);
        for (const fd of got.descriptors) close(fd);
        return 'closed';
      }
      this.heard = true;
      const messages = this.reader.push(this.arena.bytes(this.areaAt, got.length).slice(), got.descriptors);
      if (typeof messages === 'string') {
        this.warn(`the front-end is cut off: ${messages}`);
        return 'closed';
      }
      for (const message of messages) {
        this.seen(true, wholeMessage(message), message.descriptors.length);
        const reply = this.backEnd.handle(message);
        if (reply && !this.send(frameReply(message.request, reply))) return 'closed';
      }
    }
  }

  close(): void {
    for (const fd of this.reader.abandon()) close(fd);
    close(this.fd);
  }

  /** Replies are short and the front-end waits for them: a socket that takes only part of one is as good as gone. */
  private send(bytes: Uint8Array): boolean {
    this.arena.u8.set(bytes, this.areaAt);
    this.seen(false, bytes, 0);
    const sent = send(this.fd, this.arena.address(this.areaAt), bytes.length);
    if (sent !== bytes.length) this.warn(`a reply could not be sent: ${sent < 0 ? `errno ${-sent}` : 'cut short'}`);
    return sent === bytes.length;
  }
}
