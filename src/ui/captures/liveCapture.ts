/**
 * The requests of a running share as they come: connects to the daemon's socket, reads, keeps what memory allows.
 *
 * Bytes are kept up to a limit, the oldest dropped one by one; rows up to a limit, then the older half goes at once,
 * which is told. The socket's chunks are small, so that the event loop is free after each. What the extension host
 * cannot take in time the daemon drops and counts: a guest is never slowed down. Knows nothing of vscode.
 */
import { connect, type Socket } from 'node:net';
import type { RunningShare } from '../../control/runningShares';
import { reasonOf } from '../../protocol/errno';
import { CaptureReader } from '../../trace/captureReader';
import { type CaptureListener, type CapturePhase, Listeners, type OpenCapture } from './openCapture';

/** As many rows as there is room for messages of this length, request and reply. */
const BYTES_A_ROW = 256;
const LEAST_ROWS = 1 << 14;
/** Dropping half of them takes less than 50 ms. */
const MOST_ROWS = 1 << 21;
/** One chunk of the socket has fewer. */
const CHUNK_ROWS = 4096;
/** Names and paths are kept for good; beyond so many it begins anew. */
const MOST_PATHS = 1 << 21;
const PATIENCE_MS = 5000;
/** How often growth is told. */
const TELL_MS = 100;

export interface LiveLimits {
  /** Bytes of messages. */
  readonly memory: number;
  /** Rows; from `memory` unless said. */
  readonly rows?: number;
  readonly paths?: number;
}

let captures = 0;

export class LiveCapture implements OpenCapture {
  readonly id = `live${++captures}`;
  readonly kind = 'live';
  reader: CaptureReader;
  phase: CapturePhase = 'connecting';
  paused = false;
  from = 0;
  dropped = 0;
  private pausedAt = 0;
  private socket: Socket | undefined;
  private readonly listeners = new Listeners();
  private readonly rows: number;
  private readonly paths: number;
  private timer: NodeJS.Timeout | undefined;
  private why: string | undefined;
  private begunAnew = false;
  private closed = false;

  constructor(
    private share: RunningShare,
    private readonly limits: LiveLimits,
  ) {
    const rows = limits.rows ?? Math.floor(limits.memory / BYTES_A_ROW);
    this.rows = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, rows));
    this.paths = limits.paths ?? MOST_PATHS;
    this.reader = this.freshReader();
    this.connect();
  }

  get title(): string {
    return this.share.tag;
  }

  get about(): string {
    return this.share.directory;
  }

  /** Of the daemon. */
  get pid(): number {
    return this.share.pid;
  }

  get to(): number {
    return this.paused ? this.pausedAt : this.reader.count;
  }

  get notes(): readonly string[] {
    return [
      ...(this.why === undefined ? [] : [this.why]),
      ...(this.begunAnew ? [`more than ${this.paths} names: what came before them was dropped`] : []),
      ...(this.dropped > 0 ? [`the oldest ${this.dropped} requests were dropped (setting virtiofs.live.memory)`] : []),
      ...this.reader.notes,
    ];
  }

  listen(listener: CaptureListener): { dispose(): void } {
    return this.listeners.add(listener);
  }

  pause(paused: boolean): void {
    if (paused === this.paused) return;
    this.pausedAt = this.reader.count;
    this.paused = paused;
    this.listeners.tell({ kind: 'state' });
    if (!paused) this.listeners.tell({ kind: 'grown' });
  }

  clear(): void {
    this.from = this.reader.count;
    this.pausedAt = this.from;
    this.listeners.tell({ kind: 'begun' });
  }

  /** Of the same share, or of one that has taken its place. */
  reconnect(share: RunningShare = this.share): void {
    if (this.closed || this.phase === 'live' || this.phase === 'connecting') return;
    this.share = share;
    if (this.reader.fault) this.beginAnew();
    else this.reader.goOn();
    this.connect();
  }

  close(): void {
    this.closed = true;
    this.socket?.destroy();
    clearTimeout(this.timer);
    this.phase = 'ended';
    this.listeners.tell({ kind: 'state' });
    this.listeners.clear();
  }

  private freshReader(): CaptureReader {
    return new CaptureReader({ liveLimit: this.limits.memory, rows: this.rows + CHUNK_ROWS });
  }

  private beginAnew(): void {
    this.reader = this.freshReader();
    this.from = this.pausedAt = this.dropped = 0;
    this.listeners.tell({ kind: 'begun' });
  }

  private connect(): void {
    const socket = connect(this.share.socket);
    this.socket = socket;
    this.why = undefined;
    this.turnTo('connecting');
    const patience = setTimeout(() => socket.destroy(new Error('it does not answer')), PATIENCE_MS);
    socket.once('connect', () => {
      clearTimeout(patience);
      this.turnTo('live');
    });
    socket.on('data', (chunk) => this.take(socket, chunk));
    socket.once('error', (error: NodeJS.ErrnoException) => this.ended(socket, reasonOf(error)));
    socket.once('close', () => {
      clearTimeout(patience);
      this.ended(socket, undefined);
    });
  }

  private take(socket: Socket, chunk: Uint8Array): void {
    if (socket !== this.socket) return;
    const { reader } = this;
    reader.push(chunk);
    if (reader.fault) {
      this.socket = undefined;
      this.why = `what ${JSON.stringify(this.share.tag)} sends is not understood: ${reader.fault.text}`;
      socket.destroy();
      this.turnTo('broken');
      return;
    }
    if (reader.count >= this.rows) this.dropHalf();
    if (reader.paths > this.paths) {
      this.begunAnew = true;
      this.socket = undefined;
      socket.destroy();
      this.beginAnew();
      this.connect();
      return;
    }
    this.timer ??= setTimeout(() => this.tellGrown(), TELL_MS);
  }

  private tellGrown(): void {
    this.timer = undefined;
    this.listeners.tell({ kind: 'grown' });
  }

  private dropHalf(): void {
    const rows = this.reader.drop(this.rows >> 1);
    this.dropped += rows;
    this.from = Math.max(0, this.from - rows);
    this.pausedAt = Math.max(0, this.pausedAt - rows);
    this.listeners.tell({ kind: 'dropped', rows });
  }

  private ended(socket: Socket, why: string | undefined): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    const came = this.phase === 'live';
    if (!came) this.why = `no capture from ${JSON.stringify(this.share.tag)}: ${why ?? 'it has ended'}`;
    else this.why = why === undefined ? 'the share has ended' : `the connection broke: ${why}`;
    this.turnTo(came ? 'ended' : 'broken');
  }

  private turnTo(phase: CapturePhase): void {
    if (this.closed || phase === this.phase) return;
    this.phase = phase;
    this.listeners.tell({ kind: 'state' });
    if (phase === 'ended') this.tellGrown();
  }
}
