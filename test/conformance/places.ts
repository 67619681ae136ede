/**
 * Places on this machine where the conformance list runs: a real process of this machine (which tests the list), and
 * daemons through our own front-end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { Arena } from '../../src/base/arena';
import { FUSE_AREA_BYTES, layOutFuse } from '../../src/fuse/areas';
import { FuseServer } from '../../src/fuse/server';
import { AttachedDevice, type DeviceOptions } from '../driver/attachedDevice';
import { type DaemonKind, type StartOptions, startDaemon } from '../driver/daemons';
import { FuseCalls } from '../driver/fuseCalls';
import { type Cut, FuseClient } from '../driver/fuseClient';
import { JoinedDevice } from '../driver/joinedDevice';
import { MEMORY_AREAS_SIZE, memoryAreas, MemoryFileSystem } from '../fs/memory/memfs';
import { defaultFuseOptions } from '../fuse/defaultOptions';
import { FuseMount } from './fuseMount';
import { FusePosix } from './fusePosix';
import type { OpenPlace } from './runCases';
import { Agent, type AgentChannel } from './syscallPosix';

/** The agent's program: beside its source, because perl is not compiled. */
export const AGENT = path.resolve(__dirname, '../../../test/conformance/agent.pl');

/** A folder on a file system that knows holes, locks and owners. */
export function sharedFolder(): string {
  const folder = fs.mkdtempSync('/dev/shm/virtiofs-conformance-');
  fs.chmodSync(folder, 0o755);
  return folder;
}

function channelOf(child: ChildProcess): AgentChannel {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the agent has no pipes');
  return {
    send: (line) => void stdin.write(`${line}\n`),
    onLine: (listener) => void createInterface({ input: stdout }).on('line', listener),
    onEnd: (listener) => void child.on('exit', listener),
  };
}

/** The machine's own kernel and file system. */
export async function openHost(): Promise<OpenPlace> {
  const hostFolder = sharedFolder();
  const child = spawn('perl', [AGENT], { cwd: hostFolder, stdio: ['pipe', 'pipe', 'inherit'] });
  return {
    root: new Agent(channelOf(child)).process(),
    hostFolder,
    close: async () => {
      child.stdin.end();
      await new Promise((resolve) => child.once('exit', resolve));
      fs.rmSync(hostFolder, { recursive: true, force: true });
    },
  };
}

export interface DaemonPlaceOptions extends Pick<StartOptions, 'arguments' | 'program' | 'node' | 'environment'> {
  readonly device?: DeviceOptions;
  readonly cut?: Cut;
  readonly indirect?: boolean;
  readonly minor?: number;
}

interface Session {
  readonly root: FusePosix;
  close(): Promise<void>;
}

async function startSession(kind: DaemonKind, folder: string, options: DaemonPlaceOptions): Promise<Session> {
  const daemon = await startDaemon(kind, folder, options);
  try {
    const device = new AttachedDevice(daemon.frontEnd, options.device);
    const client = new FuseClient(device);
    if (options.cut) client.cut = options.cut;
    client.indirect = options.indirect === true;
    const calls = new FuseCalls(client);
    calls.init(options.minor);
    const close = async (): Promise<void> => {
      device.close();
      await daemon.stop();
    };
    return { root: new FusePosix(new FuseMount(calls)), close };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

/** Daemons through the real socket and real shared memory: one, or two that share one folder. */
export async function openDaemon(
  kind: DaemonKind,
  options: DaemonPlaceOptions = {},
  count: 1 | 2 = 1,
): Promise<OpenPlace> {
  const hostFolder = sharedFolder();
  const sessions: Session[] = [];
  const close = async (): Promise<void> => {
    for (const session of sessions) await session.close();
    fs.rmSync(hostFolder, { recursive: true, force: true });
  };
  try {
    for (let i = 0; i < count; i++) sessions.push(await startSession(kind, hostFolder, options));
    return { root: sessions[0].root, other: sessions[count - 1].root, hostFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** memfs behind our FUSE server behind our rings, all in this process and over plain memory. */
export async function openMemory(cut?: Cut): Promise<OpenPlace> {
  const fuseAt = JoinedDevice.ARENA_BYTES;
  const memoryAt = Math.ceil((fuseAt + FUSE_AREA_BYTES) / 8) * 8;
  const arena = new Arena(new ArrayBuffer(memoryAt + MEMORY_AREAS_SIZE), 0);
  const memory = new MemoryFileSystem(arena, memoryAreas(memoryAt));
  const server = new FuseServer(arena, layOutFuse(fuseAt), memory, { ...defaultFuseOptions, cache: 'never' });
  const device = new JoinedDevice(arena, 0, server);
  const client = new FuseClient(device);
  if (cut) client.cut = cut;
  const calls = new FuseCalls(client);
  calls.init();
  return { root: new FusePosix(new FuseMount(calls)), close: async () => device.close() };
}
