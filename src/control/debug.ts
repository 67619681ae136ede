/**
 * What a debugger and a daemon say to each other over `PID.debug`: JSON-RPC, every message by name, with the shape that
 * both ends check.
 *
 * Owns the messages and their meaning, for whoever writes a client. Knows no socket (`debugClient.ts` is one end, the
 * daemon's main thread the other) and nothing of the Debug Adapter Protocol.
 *
 * Numbers of 64 bits are decimal texts, bytes are base64, errnos are positive, durations are milliseconds. A held
 * request is known by `request`, a small number that is not used again in the life of the daemon.
 */
import { base64, flag, integer, list, number, object, optional, text, type Value, wide, word } from './shapes';

export const DEBUG_PROTOCOL = 1;

/** Bytes that one message reads or writes at most. */
export const MOST_BYTES = 1 << 20;
/** Requests that may be held at a time; what matches beyond that goes on, and is told in `log`. */
export const MOST_HELD = 512;
/** Breakpoints, exception filters or fault rules set at a time. */
export const MOST_RULES = 256;
/** A Linux guest takes errors from 1 to 511. */
export const MOST_ERRNO = 511;

const nothing = object({});
const id = integer(0, 0x7fff_ffff);
const condition = text(4096);
const errno = integer(1, MOST_ERRNO);
const globs = text(1024);

/**
 * Where a held request is.
 * - `entry`: taken from its queue, nothing done yet. It may be changed, answered, continued, stepped.
 * - `call`: in its handler, before a host call. While it is there (or at `called` with `inHandler`) no queue is served:
 *   a handler in the middle holds tables and areas that others need.
 * - `called`: after a host call, its result known.
 * - `waiting`: the handler has handed a call to another thread, or waits for a lock. Nothing can be done but wait or
 *   continue; it goes on to `called` or `reply` by itself, with a `stepped`.
 * - `reply`: the handler is done, the reply lies in guest memory, the guest has not been told. It may be changed.
 */
export const heldPhase = word('entry', 'call', 'called', 'waiting', 'reply');
export type HeldPhase = Value<typeof heldPhase>;

export const breakpoint = object({
  /** The client's own, told in `held`. */
  id,
  /** Opcodes as globs, separated by commas: `READ`, `FUSE_*XATTR`, `OPEN,CREATE`. */
  opcodes: globs,
  /** A glob for the path, as the filter language's `path ~`. */
  path: optional(globs),
  /**
   * In the filter language. At `entry` there is no reply: fields of it have no value, and tests of them do not hold.
   */
  condition: optional(condition),
  /** Which of the requests that match: `5`, `== 5`, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5`. Counted from 1. */
  hitCondition: optional(text(64)),
  /** Nothing is held: this text is told in `logpoint`, with `{field}` replaced by the filter language's field. */
  logMessage: optional(text(4096)),
  phase: word('entry', 'reply'),
});
export type Breakpoint = Value<typeof breakpoint>;

/** Requests are held at `reply` when the filter holds. */
export const exceptionFilter = object({
  id,
  kind: word(
    /** Any reply with an errno. */
    'anyErrno',
    /** A reply with one of `errnos`. */
    'errno',
    /** The request breaks a rule of the protocol. */
    'violation',
    /** It took longer than `milliseconds`; time that it was held does not count. */
    'slow',
    /** An opcode that nobody knows, or that is not served. */
    'unknownOpcode',
  ),
  errnos: optional(list(errno, MOST_ERRNO)),
  milliseconds: optional(number),
  condition: optional(condition),
});
export type ExceptionFilter = Value<typeof exceptionFilter>;

/**
 * What became of one rule, in the order in which they were sent. `from`, `to`: the place in the text named by `part`.
 */
const verdict = object({
  id,
  verified: flag,
  message: optional(text()),
  part: optional(word('opcodes', 'path', 'condition', 'hitCondition', 'logMessage', 'milliseconds', 'rule')),
  from: optional(integer()),
  to: optional(integer()),
});
export type Verdict = Value<typeof verdict>;
const verdicts = object({ verdicts: list(verdict) });

/** One host system call; `call` is the row of `protocol/hostCalls.ts`. */
export const callFacts = object({
  call: integer(0, 0xffff),
  name: text(64),
  /** As in a capture: those that are paths are 0, and are in `texts`, in order. */
  arguments: list(wide, 8),
  texts: list(text(), 8),
  /** Not negative, or a negative errno; missing while it has not ended. */
  result: optional(number),
  /** Made on another thread. */
  otherThread: flag,
  milliseconds: optional(number),
});
export type CallFacts = Value<typeof callFacts>;

const why = object({
  kind: word('breakpoint', 'exception', 'pause', 'step', 'rerun', 'answer'),
  /** Breakpoints or exception filters, by the client's ids. */
  ids: list(id),
  text: text(),
});

export const held = object({
  request: id,
  opcode: integer(0, 0xffff_ffff),
  /** `READ`, or `opcode 99`. */
  name: text(64),
  unique: wide,
  nodeid: wide,
  path: text(),
  queue: integer(0, 0xffff),
  head: integer(0, 0xffff_ffff),
  uid: integer(0, 0xffff_ffff),
  gid: integer(0, 0xffff_ffff),
  pid: integer(0, 0xffff_ffff),
  phase: heldPhase,
  /** It stands in the middle of its handler: no queue is served until it goes on. */
  inHandler: flag,
  why,
  /** The host call it stands at. */
  call: optional(callFacts),
  /** How long it has been held so far, and since when, in milliseconds since the epoch. */
  waited: number,
  since: number,
  changed: flag,
});
export type Held = Value<typeof held>;

export const inode = object({
  nodeid: wide,
  /** Below the share, `/` is its root; '' when nobody knows. */
  path: text(),
  /** `file`, `folder`, `link`, `fifo`, `socket`, `character device`, `block device` or `?`. */
  type: text(32),
  lookups: number,
  generation: integer(0, 0xffff_ffff),
  ino: wide,
  device: wide,
  mount: wide,
  /** The daemon's descriptor for it, -1 while it is known by its name only. */
  descriptor: integer(-1),
});
export type InodeFacts = Value<typeof inode>;

export const handle = object({
  fh: wide,
  nodeid: wide,
  kind: word('file', 'folder'),
  /** Flags of open(2) that the host's descriptor has. */
  flags: integer(0, 0xffff_ffff),
  generation: integer(0, 0xffff_ffff),
  descriptor: integer(-1),
});
export type HandleFacts = Value<typeof handle>;

export const session = object({
  started: flag,
  minor: integer(0, 0xffff_ffff),
  /** What INIT has agreed on: FUSE_INIT flags, low and high word. */
  flags: integer(0, 0xffff_ffff),
  flags2: integer(0, 0xffff_ffff),
  maxWrite: integer(),
  cache: text(32),
  inodes: integer(),
  handles: integer(),
});
export type SessionFacts = Value<typeof session>;

export const descriptor = object({
  /** Guest physical address. */
  address: wide,
  length: integer(0, 0xffff_ffff),
  writable: flag,
});

export const requestFacts = object({
  held,
  /** Bytes of the request (as changed), of the reply as it is, and of the room for one. */
  requestBytes: integer(),
  replyBytes: integer(),
  replyRoom: integer(),
  /** At `reply`: 0, or a positive errno. */
  error: optional(integer(0, 0xffff)),
  /** What is wrong with it by the protocol's rules, when the server has refused it. */
  refusal: optional(text()),
  inode: optional(inode),
  /** The one that its arguments name. */
  handle: optional(handle),
  session,
  /** Host calls made for it so far, the latest 256. */
  calls: list(callFacts),
  /** What it may be told now. */
  can: list(word('continue', 'stepIn', 'stepOver', 'stepOut', 'answer', 'rerun', 'writeRequest', 'writeReply')),
});
export type RequestFacts = Value<typeof requestFacts>;

const ofRequest = object({ request: id });
const part = object({ request: id, offset: integer(), count: integer(0, MOST_BYTES) });
/** `total`: how many bytes there are in all. Fewer than asked come where it ends. */
const bytesResult = object({ bytes: base64(MOST_BYTES), total: integer() });
const faultResult = object({ id, rule: text(), seen: integer(), done: integer(), fromOptions: flag });

/** Client to daemon: parameters and result of each. Errors are JSON-RPC errors whose message is for a person. */
export const debugRequests = {
  /** First of all. One debugger at a time: another one is refused. */
  hello: {
    params: object({ protocol: integer(), client: text(200) }),
    result: object({
      protocol: integer(),
      version: text(64),
      pid: integer(),
      tag: text(),
      directory: text(),
      /** Request queues and hiprio: queue numbers are below this. */
      queues: integer(),
      /** Those that are never held, by name; those that `rerun` takes. */
      neverHeld: list(text(64)),
      rerunnable: list(text(64)),
      mostHeld: integer(),
    }),
  },
  /** Replaces all breakpoints. Hit counts begin anew for those that differ from before. */
  setBreakpoints: { params: object({ breakpoints: list(breakpoint, MOST_RULES) }), result: verdicts },
  /** Replaces all. */
  setExceptionFilters: { params: object({ filters: list(exceptionFilter, MOST_RULES) }), result: verdicts },
  /** `stopWorld`: while a request is held no queue is served. Off at first. */
  setOptions: { params: object({ stopWorld: flag }), result: nothing },
  /** The next request (on that queue) is held at `entry`. */
  pause: { params: object({ queue: optional(integer(0, 0xffff)) }), result: nothing },
  /** Lets one go on, or all. While one stands in its handler, others whose handler has yet to run go on after it. */
  continue: { params: object({ request: optional(id) }), result: object({ released: list(id) }) },
  /** From `entry` or `called` to before the next host call; from `call` to after it; at `reply` it goes. */
  stepIn: { params: ofRequest, result: nothing },
  /**
   * From `entry` to `reply`; from `call` or `called` to before the next host call, or to `reply`; at `reply` it goes.
   */
  stepOver: { params: ofRequest, result: nothing },
  /** To `reply`; at `reply` it goes. */
  stepOut: { params: ofRequest, result: nothing },
  /**
   * At `entry`: the errno becomes its reply and it stands at `reply`, its handler never runs. At `reply`: the errno
   * replaces the reply. What its handler has done stays done.
   */
  answer: { params: object({ request: id, errno }), result: nothing },
  /** At `reply`, for opcodes where that is harmless: back to `entry`. */
  rerun: { params: ofRequest, result: nothing },
  readRequest: { params: part, result: bytesResult },
  /**
   * At `entry`: puts `bytes` in place of `replace` bytes (as many as given, unless told) at `offset`. The guest's
   * memory is not written. The header's len follows; unique cannot be changed, and an opcode only to one that has a
   * reply.
   */
  writeRequest: {
    params: object({ request: id, offset: integer(), bytes: base64(MOST_BYTES), replace: optional(integer()) }),
    result: object({ total: integer(), problems: list(text()) }),
  },
  readReply: { params: part, result: bytesResult },
  /**
   * At `reply`: writes into the reply, then makes it `length` bytes long (as long as it is, or as `bytes` reach, unless
   * told). The header's len follows; unique cannot be changed.
   */
  writeReply: {
    params: object({ request: id, offset: integer(), bytes: base64(MOST_BYTES), length: optional(integer()) }),
    result: object({ total: integer(), problems: list(text()) }),
  },
  /** Guest memory. Bytes end where the guest has no memory; `bytes` is empty where it has none at `address`. */
  readMemory: {
    params: object({ address: wide, count: integer(0, MOST_BYTES) }),
    result: object({ bytes: base64(MOST_BYTES) }),
  },
  descriptors: { params: ofRequest, result: object({ descriptors: list(descriptor) }) },
  held: { params: nothing, result: object({ held: list(held) }) },
  request: { params: ofRequest, result: requestFacts },
  /** Missing for one that the guest does not know. */
  inode: { params: object({ nodeid: wide }), result: object({ inode: optional(inode) }) },
  handle: { params: object({ fh: wide, nodeid: wide }), result: object({ handle: optional(handle) }) },
  session: { params: nothing, result: session },
  /** Replaces the faults set over this connection; those of the daemon's own options stay. docs/faults.md. */
  setFaults: { params: object({ rules: list(text(4096), MOST_RULES) }), result: verdicts },
  faults: { params: nothing, result: object({ faults: list(faultResult) }) },
} as const;

export type DebugRequest = keyof typeof debugRequests;
export type Params<Name extends DebugRequest> = Value<(typeof debugRequests)[Name]['params']>;
export type Result<Name extends DebugRequest> = Value<(typeof debugRequests)[Name]['result']>;

/** Daemon to client. */
export const debugEvents = {
  /** A request was not held before and is now. */
  held,
  /** A held request stands somewhere else than before. */
  stepped: held,
  /** It is not held any more. */
  released: object({
    request: id,
    why: word('continued', 'stepped', 'frontEnd', 'quit', 'queueStopped', 'detached'),
  }),
  logpoint: object({ id, text: text(), opcode: integer(0, 0xffff_ffff), queue: integer(0, 0xffff), unique: wide }),
  /** What the daemon has to say, as in its log. */
  log: object({ level: word('error', 'warn', 'info', 'debug'), text: text() }),
  /** The share is over; the connection ends. */
  ended: object({ text: text() }),
} as const;

export type DebugEvent = keyof typeof debugEvents;
export type EventFacts<Name extends DebugEvent> = Value<(typeof debugEvents)[Name]>;

/** What a breakpoint of one text means: opcodes, then a glob for the path: `WRITE /etc/*`, `*XATTR`, `* *.db`. */
export function parseSelector(words: string): { readonly opcodes: string; readonly path?: string } {
  const [, opcodes, path] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(words) ?? ['', '', ''];
  return path === '' ? { opcodes } : { opcodes, path };
}
