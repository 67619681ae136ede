/**
 * The FUSE server: takes one request, checks it, has it done, and replies.
 *
 * Owns the order of these; handlers.ts says which function serves which opcode. Knows no transport (an `Exchange` is
 * one request and the room for its reply) and nothing of how the file system does its work. Nothing throws and nothing
 * is allocated on the way; every byte of a request is fetched from guest memory once, before it is checked.
 */
import type { Arena } from '../base/arena';
import type { FileSystem } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { Opcode } from '../protocol/fuse/opcodes';
import { WriteIn } from '../protocol/fuse/structs';
import { REQUEST_CAPACITY, type FuseAreas } from './areas';
import type { Counters } from './counters';
import type { Exchange } from './exchange';
import { handlers, needsInode } from './handlers';
import type { FuseOptions } from './options';
import { ParkedRequests } from './parked';
import { whyRefused } from './refused';
import { Session } from './session';
import { argumentBytes, isSilent, NOT_SERVED, replyBytes } from './shapes';
import { IN_HEADER, OUT_HEADER, Turn, type Refusal } from './turn';

/** What is fetched before the opcode is known: all of most requests, and of WRITE all but its data. */
const FIRST_PULL = IN_HEADER + WriteIn.size;

const { BATCH_FORGET, DESTROY, INIT, WRITE } = Opcode;

/** `check` is content. No reply is as long as that, and DEFERRED is another number. */
const ACCEPTED = -1;

export class FuseServer {
  readonly session: Session;
  /** Requests that wait for their end. */
  readonly parked: ParkedRequests;
  private readonly turn: Turn;

  constructor(
    private readonly arena: Arena,
    private readonly areas: FuseAreas,
    fs: FileSystem,
    options: FuseOptions,
  ) {
    this.session = new Session(options, fs);
    this.parked = new ParkedRequests(arena, areas.lateReply, fs, this.session);
    this.turn = new Turn(arena, areas, fs, this.session, this.parked);
  }

  get counters(): Counters {
    return this.turn.counters;
  }

  /** Replies that were an error, so far. */
  get failed(): number {
    return this.turn.counters.failed + this.parked.failed;
  }

  /** What was refused last for breaking a rule of the protocol, and why. */
  get lastRefusal(): Refusal {
    return this.turn.lastRefusal;
  }

  /** Opcode of the request served last. */
  get opcode(): number {
    return this.turn.opcode;
  }

  /**
   * Serves one request. Returns the bytes of reply written (0: none is wanted, or none can be given), which the
   * transport publishes as the used length; or DEFERRED: the exchange is parked and is given back by its `finish`.
   */
  handle(exchange: Exchange): number {
    const refused = this.check(exchange);
    return refused === ACCEPTED ? this.execute() : refused;
  }

  /** The front-end has gone, or has reset the device: the guest's session is over, without a word from the guest. */
  reset(): void {
    this.session.end();
  }

  /**
   * Fetches the request into the arena and checks what all opcodes have in common. ACCEPTED, or what `handle` returns.
   */
  private check(exchange: Exchange): number {
    const { arena, turn } = this;
    const { request } = this.areas;
    const readable = exchange.readable;
    const first = readable < FIRST_PULL ? readable : FIRST_PULL;
    if (readable < IN_HEADER) arena.zero(request, IN_HEADER);
    const fetched = exchange.pull(0, first, request);
    if (fetched < 0) arena.zero(request, IN_HEADER);
    turn.begin(exchange);
    if (fetched < 0) {
      turn.counters.unaddressable++;
      return 0;
    }
    const { opcode, length } = turn;
    if (readable < IN_HEADER) return this.refuse(Errno.EINVAL, 'shorter than a header');
    if (length > readable || length < IN_HEADER) return this.refuse(Errno.EINVAL, 'its length is not what is there');
    const args = opcode < argumentBytes.length ? argumentBytes[opcode] : NOT_SERVED;
    if (args === NOT_SERVED) return this.refuse(Errno.ENOSYS, whyRefused(opcode));
    if (!this.session.started && opcode !== INIT && opcode !== DESTROY) {
      return this.refuse(Errno.EIO, 'before INIT');
    }
    turn.rest = turn.args + args;
    turn.end = request + length - turn.extensionBytes;
    if (turn.rest > turn.end) return this.refuse(Errno.EINVAL, 'shorter than its arguments');
    if (exchange.writable < OUT_HEADER + replyBytes[opcode] && isSilent[opcode] === 0) {
      return this.refuse(Errno.EINVAL, 'no room for the reply');
    }
    return length <= FIRST_PULL || opcode === WRITE || opcode === BATCH_FORGET ? ACCEPTED : this.fetchRest(exchange);
  }

  private fetchRest(exchange: Exchange): number {
    const { length } = this.turn;
    if (length > REQUEST_CAPACITY) return this.refuse(Errno.E2BIG, 'longer than any request of its kind');
    if (exchange.pull(FIRST_PULL, length - FIRST_PULL, this.areas.request + FIRST_PULL) >= 0) return ACCEPTED;
    this.turn.counters.unaddressable++;
    return this.refuse(Errno.EFAULT, 'not in guest memory');
  }

  private refuse(error: number, reason: string): number {
    const { turn } = this;
    const silent = turn.opcode < isSilent.length && isSilent[turn.opcode] !== 0;
    return silent ? turn.drop(reason) : turn.refuse(-error, reason);
  }

  /** Does what was asked, and replies. */
  private execute(): number {
    const { turn } = this;
    if (needsInode[turn.opcode] !== 0) {
      const node = turn.headerNode();
      if (node < 0) return turn.fail(node);
      turn.node = node;
    }
    return handlers[turn.opcode](turn);
  }
}
