/**
 * Starts the virtio-fs daemon of one share: listens on its vhost-user socket first and hands the listening socket
 * over, so that a guest started afterwards can never come too early.
 *
 * Owns the socket and the hand-over. Which daemon it is (ours, or a peer to compare with) is the caller's choice.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { trouble } from '../base/catalogue';
import { TextTail } from './textTail';
import { exited } from './workplace';
import type { Workplace } from './workplace';

/** Descriptor numbers in the daemon's process. */
export const SOCKET_FD = 3;
export const TRACE_FD = 4;
export const PROBLEMS_FD = 5;

export interface BackEnd {
  /** What the front-end connects to. */
  readonly socket: string;
  readonly process: ChildProcess;
  /** The last of what it wrote to standard output and standard error. */
  readonly log: TextTail;
  /** What it wrote to `TRACE_FD`. Nobody reading it stops the daemon's capture, not its guest. */
  readonly trace: Readable | undefined;
  /** What it wrote to `PROBLEMS_FD`: see `control/problemLines.ts`. Ends with it. */
  readonly problems: Readable | undefined;
}

/** What the daemon gets beside the socket. */
export interface BackEndPipes {
  readonly trace?: boolean;
  readonly problems?: boolean;
}

/**
 * Starts `argv` with a listening socket as descriptor `SOCKET_FD`, and the pipes that are wanted. The
 * process belongs to `workplace`. `name` is unique within it. Throws a Trouble when the program cannot be started.
 */
export async function startBackEnd(
  workplace: Workplace,
  name: string,
  argv: readonly string[],
  pipes: BackEndPipes = {},
): Promise<BackEnd> {
  const socket = join(workplace.folder, `${name}.sock`);
  const server = await listenAt(socket);
  try {
    const [tracing, telling] = [pipes.trace, pipes.problems].map((wanted) => (wanted === true ? 'pipe' : 'ignore'));
    const child = await workplace.spawn(argv, ['ignore', 'pipe', 'pipe', descriptorOf(server), tracing, telling]);
    const log = new TextTail();
    child.stdout?.on('data', (chunk: Buffer) => log.add(chunk));
    child.stderr?.on('data', (chunk: Buffer) => log.add(chunk));
    const pipe = (fd: number): Readable | undefined => (child.stdio[fd] as Readable | null) ?? undefined;
    return { socket, process: child, log, trace: pipe(TRACE_FD), problems: pipe(PROBLEMS_FD) };
  } finally {
    server.close();
  }
}

/**
 * Rejects with the daemon's own words when it ends before `until` settles. It also ends when its front-end does, which
 * has more to say about that: hence the moment's wait.
 */
export function whileRunning<T>(backEnd: BackEnd, until: Promise<T>): Promise<T> {
  const ended = exited(backEnd.process).then(async ({ code, signal }) => {
    await sleep(500, undefined, { ref: false });
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    // Its exit codes are those of the catalogue.
    throw trouble(
      code === 3 ? 'backEndLacks' : 'backEndNotUp',
      `it ended with ${how}\n${backEnd.log.lines(10).join('\n')}`,
    );
  });
  return Promise.race([until, ended]);
}

/**
 * Our daemon's program: Node and the bundle. From inside VS Code's desktop the executable is Electron, which the
 * caller's environment (ELECTRON_RUN_AS_NODE) turns into Node. Throws a Trouble when the project is not built.
 * `inspectorPort`: of this machine, on which its JavaScript can then be debugged.
 */
export function ownDaemon(inspectorPort?: number): string[] {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const bundle = join(folder, 'dist', 'daemon.js');
    if (existsSync(join(folder, 'package.json'))) {
      if (!existsSync(bundle)) {
        throw trouble('programMissing', bundle);
      }
      const inspected = inspectorPort === undefined ? [] : [`--inspect=127.0.0.1:${inspectorPort}`];
      return [process.execPath, ...inspected, bundle];
    }
  }
  throw trouble('programMissing', 'dist/daemon.js');
}

/**
 * A listening socket whose path stays when Node's server object is closed: Node removes the path it bound, so that one
 * is renamed right away. Nobody connects before the close, so Node takes no connection away from the daemon.
 */
async function listenAt(path: string): Promise<Server> {
  const server = createServer();
  server.listen(`${path}.new`);
  try {
    await once(server, 'listening');
    renameSync(`${path}.new`, path);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/**
 * Node's types do not show it, but a server has a handle with a descriptor, as a socket has. It is made blocking, since
 * the daemons wait in accept(); Node itself never gets there.
 */
function descriptorOf(server: Server): number {
  const { _handle } = server as unknown as { _handle: { fd: number; setBlocking(on: boolean): number } };
  _handle.setBlocking(true);
  return _handle.fd;
}
