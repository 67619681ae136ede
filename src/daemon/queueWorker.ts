/**
 * The queue worker: the thread that owns the front-end's socket, the rings and the shared folder. One loop around
 * epoll_wait; everything between two waits is synchronous.
 *
 * Builds the parts and joins them. It never runs Node's own event loop: it sends messages to the main thread, and is
 * told something by eventfds, of which one says that a debugger's messages are to be taken out of their port.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { FUSE_AREA_BYTES, layOutFuse } from '../fuse/areas';
import { isDirect } from '../fuse/initFlags';
import { FuseServer } from '../fuse/server';
import { PASSTHROUGH_AREAS_SIZE, openPassthrough, passthroughAreas } from '../fs/passthrough';
import { EPOLLIN, Epoll, accept, close, drain } from '../native/descriptors';
import { LinuxCalls, clearUmask } from '../native/linuxCalls';
import { dropViews, pinnedArena } from '../native/memory';
import { descriptorLimit, nameThread, stayOn } from '../native/process';
import { BackEnd } from '../vhostUser/backEnd';
import { MAX_INDIRECT } from '../virtio/virtqueue';
import { IOV_MAX } from '../virtio/chain';
import { EpollAlarm, soonest } from './alarm';
import { CONNECTION_AREA, Connection } from './connection';
import { ShareDevice } from './device';
import { CounterBoard } from './counterBoard';
import type { DaemonOptions } from './daemonOptions';
import { DebugWorker, REPLY_AREA } from './gate/debugWorker';
import type { DebugNews } from './gate/messages';
import { HeardBlockingCalls } from './heardCalls';
import { SlowCallBoard, SlowCalls } from './slowCalls';
import type { SessionSoFar } from './trace/drain';
import { HostCallWriter } from './trace/hostCallWriter';
import { TraceWriter } from './trace/ring';
import { TimedCalls } from './trace/timedCalls';
import { timedElsewhere } from './trace/timedElsewhere';
import { Tracer } from './trace/tracer';
import { Warnings } from './warnings';
import { ShareWindow, WINDOW_AREA } from './window';

/** What the main thread gives the queue worker. */
export interface QueueWorkerData {
  readonly options: DaemonOptions;
  readonly listenFd: number;
  readonly quitFd: number;
  readonly doneFd: number;
  readonly board: SharedArrayBuffer;
  /** That of a `CounterBoard`. */
  readonly counters: SharedArrayBuffer;
  /** The trace ring, and an eventfd that asks for the session so far. */
  readonly trace: { readonly address: number; readonly size: number; readonly askFd: number };
  /** A debugger's messages, and an eventfd that says there are some. */
  readonly debug: { readonly port: MessagePort; readonly commandFd: number };
}

/** What it says to the main thread. */
export type QueueWorkerMessage =
  /** A file of the DAX window was shortened by the host: its path, and by how much. */
  | { readonly kind: 'shortened'; readonly text: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'debug'; readonly text: string }
  | { readonly kind: 'startSlowCalls' }
  | ({ readonly kind: 'session' } & SessionSoFar)
  | DebugNews
  /** The session is over; `failure` is an errno where it could not begin. */
  | { readonly kind: 'ended'; readonly failure?: number };

const data = workerData as QueueWorkerData;
const { options } = data;

const say = (message: QueueWorkerMessage): void => parentPort?.postMessage(message);
const log = (level: 'info' | 'warn' | 'debug', text: string): void => say({ kind: 'log', level, text });
const warnings = new Warnings((text) => log('warn', text));
const warn = warnings.say;

const Key = { Quit: 0, Listen: 1, Socket: 2, Done: 3, Ask: 4, Command: 5, Channel: 6, Changes: 7, Kick: 16 } as const;

/** Descriptors kept for everything but the shared folder: sockets, eventfds, memory, the capture, Node's own. */
const RESERVED_DESCRIPTORS = 128;

/** They take about a hundred bytes each, and a descriptor only when used. */
const MOST_INODES = 1 << 22;

const fuseAt = 0;
const passthroughAt = align(fuseAt + FUSE_AREA_BYTES);
const vectorsAt = align(passthroughAt + PASSTHROUGH_AREAS_SIZE);
const indirectAt = align(vectorsAt + IOV_MAX * 16);
const messageAt = align(indirectAt + MAX_INDIRECT * 16);
const replyAt = align(messageAt + CONNECTION_AREA);
const windowAt = align(replyAt + REPLY_AREA);
const windowSize = options.dax ?? 0;

function align(at: number): number {
  return (at + 63) & ~63;
}

function serve(): QueueWorkerMessage {
  nameThread('queue worker');
  if (options.cpu !== undefined && !stayOn(options.cpu)) warn(`CPU ${options.cpu} cannot be used`);
  const isRoot = process.geteuid?.() === 0;
  const arena = pinnedArena(align(windowAt + (windowSize > 0 ? WINDOW_AREA : 0)));
  const linux = new LinuxCalls();
  clearUmask();
  if (isRoot) linux.dropGroups();
  const { trace } = data;
  const ring = new TraceWriter(trace.address, trace.size);
  const tracer = new Tracer(
    ring,
    options.snapLength,
    options.traceSyscalls ? new HostCallWriter(ring, arena) : undefined,
  );
  const calls = new TimedCalls(linux, tracer);

  const epoll = new Epoll();
  const done = new Epoll();
  const alarm = new EpollAlarm();
  const window =
    windowSize > 0
      ? new ShareWindow({
          size: windowSize,
          policy: options.daxPolicy,
          arena,
          areaAt: windowAt,
          epoll,
          channelKey: Key.Channel,
          changesKey: Key.Changes,
          warn,
          shortened: (text) => say({ kind: 'shortened', text }),
          noted: (note) => tracer.note(note),
          seen: (fromFrontEnd, bytes, descriptors) => tracer.message(fromFrontEnd, bytes, descriptors, true),
        })
      : undefined;
  const alarms = [alarm, ...(window?.alarms ?? [])];
  const slow = new SlowCalls(new SlowCallBoard(data.board), () => say({ kind: 'startSlowCalls' }));
  const fuseOptions = { ...options, killpriv: options.killprivV2, window: window !== undefined };
  // What steps through handlers needs the file system, and hears of its calls.
  let debug: DebugWorker | undefined = undefined as DebugWorker | undefined;
  const timed = timedElsewhere(tracer);
  const blocking = new HeardBlockingCalls(slow, (call, values, done) =>
    timed(call, values, debug?.stepping.handedOver(call, values, done) ?? done),
  );
  const fs = openPassthrough(
    { calls, blocking, alarm, arena, areas: passthroughAreas(passthroughAt), dax: window?.host },
    options.sharedDir,
    {
      readOnly: options.readonly,
      xattr: options.xattr,
      writeback: options.writeback && !isDirect(fuseOptions),
      allowDirectIo: options.allowDirectIo,
      canImpersonate: isRoot,
      descriptors: Math.max(16, descriptorLimit() - RESERVED_DESCRIPTORS),
      inodes: MOST_INODES,
    },
  );
  if (typeof fs === 'number') return { kind: 'ended', failure: -fs };

  const server = new FuseServer(arena, layOutFuse(fuseAt), fs, fuseOptions);
  debug = new DebugWorker({
    options,
    arena,
    replyAt,
    server,
    fs,
    tracer,
    plainCalls: linux,
    callsOf: calls,
    commandFd: data.debug.commandFd,
    quitFd: data.quitFd,
    port: data.debug.port,
    say,
    warn,
  });
  const { gate, standstill } = debug;
  done.add(data.doneFd, EPOLLIN, Key.Done);
  const endSlow = (): void => {
    done.wait(-1);
    drain(data.doneFd);
    slow.collect();
  };
  const settle = (): void => {
    // The front-end may be waiting for us, and would answer only after that.
    window?.channel.suspend();
    fs.ringStops();
    while (slow.inProgress > 0) endSlow();
  };
  const counters = new CounterBoard(data.counters);
  const device = new ShareDevice(
    {
      arena,
      vectorsAt,
      indirectAt,
      epoll,
      kickKey: Key.Kick,
      pollMicroseconds: options.pollMicroseconds,
      tracer,
      counters,
      gate,
      warn,
      settle,
      beganAnew: () => fs.ringBeganAnew(),
      mayFault: (fd) => window?.isOurs(fd) ?? false,
      slowIn: (address, length) => slow.uses(address, length),
      endSlow,
    },
    server,
  );
  const { rounds } = device;
  debug.attach(device);
  const timers = [...alarms, gate.faultActions];
  const backEnd = new BackEnd(device, { tag: options.tag, requestQueues: options.queues, window: window?.channel });

  epoll.add(data.quitFd, EPOLLIN, Key.Quit);
  epoll.add(data.listenFd, EPOLLIN, Key.Listen);
  epoll.add(data.doneFd, EPOLLIN, Key.Done);
  epoll.add(trace.askFd, EPOLLIN, Key.Ask);
  epoll.add(data.debug.commandFd, EPOLLIN, Key.Command);
  let connection: Connection | undefined;
  for (let open = true; open;) {
    const count = epoll.wait(rounds.busy ? 0 : soonest(timers));
    for (let index = 0; index < count && open; index++) {
      const key = epoll.key(index);
      if (key >= Key.Kick) rounds.wake();
      else if (key === Key.Socket) {
        if (connection?.readable() === 'open') continue;
        open = connection?.silent === true;
        if (!open) continue;
        standstill.watch(-1);
        connection?.close();
        connection = undefined;
        epoll.add(data.listenFd, EPOLLIN, Key.Listen);
        log('info', 'it has gone without a word: waiting for another');
      } else if (key === Key.Done) {
        drain(data.doneFd);
        slow.collect();
      } else if (key === Key.Channel) window?.readable();
      else if (key === Key.Changes) {
        for (const watch of window?.changes() ?? []) fs.window?.changed(watch);
      } else if (key === Key.Ask) {
        drain(trace.askFd);
        const notes = fs.window ? [...fs.window.state(), ...fs.window.notes.newest] : [];
        say({ kind: 'session', written: tracer.written, preamble: tracer.preamble(fs.knownNames(linux), notes) });
      } else if (key === Key.Command) {
        drain(data.debug.commandFd);
        debug.commands();
      } else if (key === Key.Quit) open = false;
      else {
        const fd = accept(data.listenFd);
        if (fd < 0) continue;
        epoll.remove(data.listenFd);
        warnings.begin();
        connection = new Connection(fd, arena, messageAt, backEnd, warn, (fromFrontEnd, bytes, descriptors) =>
          tracer.message(fromFrontEnd, bytes, descriptors),
        );
        epoll.add(fd, EPOLLIN, Key.Socket);
        standstill.watch(fd);
        log('info', 'a front-end has connected');
      }
    }
    if (rounds.busy) rounds.work();
    counters.errors = server.failed;
    for (const timer of timers) timer.ring();
  }
  backEnd.close();
  connection?.close();
  server.reset();
  fs.close();
  debug.close();
  window?.close();
  epoll.close();
  done.close();
  close(data.listenFd);
  if (window && window.refusals > 0) {
    const last = fs.window?.notes.newest.at(-1);
    const why = last ? `, the last time (${last.path}) because ${last.text}` : '';
    log('info', `files were found to go without the DAX window ${window.refusals} times${why}`);
  }
  const { refused } = server.counters;
  if (refused > 0) {
    const { opcode, reason } = server.lastRefusal;
    log('info', `${refused} malformed requests were refused, the last one (opcode ${opcode}) because ${reason}`);
  }
  return { kind: 'ended' };
}

const last = serve();
dropViews();
say(last);
