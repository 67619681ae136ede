/**
 * The editor's end of the control channel of one launcher: a Unix socket in a folder of its own (mode 0700), which is
 * gone again as soon as the launcher has connected. Checks all that comes in. Knows nothing of vscode.
 */
import { EventEmitter } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
  createMessageConnection,
} from 'vscode-jsonrpc/node';
import {
  type LauncherFacts,
  type LauncherState,
  type RunResult,
  type ShareFact,
  type ShareProblem,
  checkedFacts,
  checkedProblem,
  checkedShares,
  checkedState,
  daemonsReady,
  factsKnown,
  goodbye,
  restartGuest,
  runInGuest,
  shareTroubled,
  stateChanged,
  stopGuest,
} from '../control/launcher';
import { trouble } from '../base/catalogue';

/** A Unix socket's path has at most 107 bytes. */
const LONGEST_FOLDER = 70;
const PREFIX = 'virtiofs-control-';

interface Events {
  state: [LauncherState];
  /** Shares whose daemons are there, and take connections. */
  daemons: [readonly ShareFact[]];
  facts: [LauncherFacts];
  problem: [ShareProblem];
  /** The launcher has gone, or never comes. */
  gone: [];
}

export class ControlHost {
  /** What the launcher is given as `--control`. */
  readonly path: string;
  readonly events = new EventEmitter<Events>();
  private readonly folder: string;
  private readonly server: Server;
  private connection: MessageConnection | undefined;
  private socket: Socket | undefined;
  private closed = false;
  /** Lets a guest start whose daemons are there. */
  readonly letStart: () => void;
  private readonly mayStart: Promise<void>;

  private constructor() {
    let letStart = (): void => {};
    this.mayStart = new Promise((resolve) => (letStart = resolve));
    this.letStart = letStart;
    const base = Buffer.byteLength(tmpdir()) > LONGEST_FOLDER ? '/tmp' : tmpdir();
    removeAbandoned(base);
    this.folder = mkdtempSync(join(base, `${PREFIX}${process.pid}-`));
    this.path = join(this.folder, 'launcher');
    this.server = createServer((socket) => this.accept(socket));
  }

  /** Resolves when it listens. */
  static async open(): Promise<ControlHost> {
    const host = new ControlHost();
    try {
      await new Promise<void>((resolve, reject) => {
        host.server.once('error', reject);
        host.server.listen(host.path, resolve);
      });
    } catch (error) {
      host.dispose();
      throw error;
    }
    host.server.on('error', () => host.dispose());
    return host;
  }

  get connected(): boolean {
    return this.connection !== undefined;
  }

  async stop(): Promise<void> {
    await this.ask().sendRequest(stopGuest);
  }

  /** `words`: arguments of `share` for the next boot; without them the same ones again. */
  async restart(words?: readonly string[]): Promise<void> {
    await this.ask().sendRequest(restartGuest, words === undefined ? {} : { words });
  }

  run(script: string): Promise<RunResult> {
    return this.ask().sendRequest(runInGuest, { script });
  }

  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    this.withdraw();
    this.connection?.dispose();
    this.connection = undefined;
    this.socket?.destroy();
    this.events.emit('gone');
    this.events.removeAllListeners();
  }

  private ask(): MessageConnection {
    if (this.connection === undefined) throw trouble('guestNotThere');
    return this.connection;
  }

  private accept(socket: Socket): void {
    if (this.socket !== undefined) {
      socket.destroy();
      return;
    }
    this.socket = socket;
    this.withdraw();
    const reader = new SocketMessageReader(socket);
    // Otherwise half a message at the end leaves a timer that starts itself again for ever.
    reader.partialMessageTimeout = 0;
    const connection = createMessageConnection(reader, new SocketMessageWriter(socket));
    this.connection = connection;
    this.listenTo(connection);
    const gone = (): void => this.dispose();
    socket.on('error', gone);
    connection.onError(gone);
    connection.onClose(gone);
    connection.listen();
  }

  private listenTo(connection: MessageConnection): void {
    connection.onRequest(goodbye, () => null);
    connection.onNotification(stateChanged, (value: unknown) => {
      const state = checkedState(value);
      if (state !== undefined) this.events.emit('state', state);
    });
    connection.onRequest(daemonsReady, async (value: unknown) => {
      const shares = checkedShares(value);
      if (shares !== undefined) this.events.emit('daemons', shares);
      await this.mayStart;
      return null;
    });
    connection.onNotification(factsKnown, (value: unknown) => {
      const facts = checkedFacts(value);
      if (facts !== undefined) this.events.emit('facts', facts);
    });
    connection.onNotification(shareTroubled, (value: unknown) => {
      const problem = checkedProblem(value);
      if (problem !== undefined) this.events.emit('problem', problem);
    });
  }

  /** Nobody else connects any more, and nothing is left on disk. */
  private withdraw(): void {
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Folders of editors that were killed before their launcher had connected. */
function removeAbandoned(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid] = /^virtiofs-control-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const folder = join(base, name);
    if (lstatSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.()) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
