/**
 * One VS Code server on this machine, with everything temporary in one folder; `close` ends it and all that it started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AS_NODE } from '../electron';
import { type VscodeServer } from './install';

/** Nothing that asks, greets, looks for updates or moves. */
const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'terminal.integrated.gpuAcceleration': 'off',
};

export interface ServerOptions {
  readonly server: VscodeServer;
  /** Folder to open. */
  readonly workspace: string;
  /** Folders of extensions. */
  readonly extensions: readonly string[];
  /**
   * As extensions that a person has installed, and not as ones under development: for those this VS Code has to be in
   * its test mode, in which it shows no notifications.
   */
  readonly installed?: boolean;
  /** Module with `run()`, for tests inside of the extension host. */
  readonly testsPath?: string;
  readonly trusted?: boolean;
  readonly settings?: Record<string, unknown>;
  /** More of its environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Have its own folder of running shares, so that those of other runs are not seen. Default: yes. */
  readonly alone?: boolean;
}

export interface RunningServer {
  /** What a browser opens. */
  readonly url: string;
  /** The server's log so far. */
  log(): string;
  /** Its XDG_RUNTIME_DIR, where it is alone: shares that are started with it are seen. */
  readonly runtime: string;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Resolves to the port, once the server says it. */
function listening(server: ChildProcess, log: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const [, port] = /Extension host agent listening on (\d+)/.exec(log()) ?? [];
      if (port !== undefined) resolve(Number(port));
    };
    server.stdout?.on('data', look);
    server.stderr?.on('data', look);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`VS Code's server ended with ${code}\n${log()}`)));
  });
}

/** As where the Node.js of the machine is too old for us: what VS Code itself runs on is all that is left. */
async function pathWithOldNode(scratch: string, path = ''): Promise<string> {
  const folder = join(scratch, 'old');
  await mkdir(folder);
  await writeFile(join(folder, 'node'), '#!/bin/sh\necho v18.19.0\n', { mode: 0o755 });
  return `${folder}:${path}`;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-vscode-'));
  const user = join(scratch, 'user');
  const trusted = options.trusted ?? true;
  const trust = trusted ? {} : { 'security.workspace.trust.startupPrompt': 'never' };
  await mkdir(join(user, 'User'), { recursive: true });
  await writeFile(
    join(user, 'User/settings.json'),
    JSON.stringify({ ...quietSettings, ...trust, ...options.settings }),
  );

  const args = ['--host=127.0.0.1', '--port=0', '--without-connection-token', '--accept-server-license-terms'];
  args.push(`--server-data-dir=${join(scratch, 'server')}`, `--user-data-dir=${user}`);
  args.push(`--extensions-dir=${join(scratch, 'extensions')}`, '--telemetry-level=off');
  if (options.installed) {
    await mkdir(join(scratch, 'extensions'));
    for (const path of options.extensions) await symlink(path, join(scratch, 'extensions', basename(path)));
  } else {
    // Without it this VS Code ignores the extension under development that the page names.
    args.push('--enable-smoke-test-driver');
  }
  if (trusted) args.push('--disable-workspace-trust');
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env, EXTENSIONS_GALLERY: '{}' };
  if (options.alone ?? true) env['XDG_RUNTIME_DIR'] = scratch;
  if (options.server.electron) {
    Object.assign(env, AS_NODE, { PATH: await pathWithOldNode(scratch, env['PATH']) });
    // It would ask a login shell for another PATH.
    args.push('--force-disable-user-env');
  }
  delete env['VSCODE_IPC_HOOK_CLI'];
  const server = spawn(options.server.node, [join(options.server.folder, 'out/server-main.js'), ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const logFile = createWriteStream(join(scratch, 'server.log'));
  const take = (data: Buffer) => {
    log += data.toString();
    logFile.write(data);
  };
  server.stdout.on('data', take);
  server.stderr.on('data', take);
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  // The server's helpers and terminals are in its process group.
  const killGroup = (signal: NodeJS.Signals) => {
    try {
      if (server.pid !== undefined) process.kill(-server.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const killNow = () => killGroup('SIGKILL');
  process.on('exit', killNow);

  const close = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await ended;
    }
    killNow();
    process.off('exit', killNow);
    logFile.end();
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const port = await listening(server, () => log);
    const remote = (path: string) => `vscode-remote://127.0.0.1:${port}${path}`;
    const payload = options.installed
      ? []
      : options.extensions.map((path) => ['extensionDevelopmentPath', remote(path)]);
    if (options.testsPath !== undefined) payload.push(['extensionTestsPath', remote(options.testsPath)]);
    const query = new URLSearchParams({ folder: options.workspace, payload: JSON.stringify(payload) });
    return { url: `http://127.0.0.1:${port}/?${query}`, log: () => log, runtime: scratch, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}
