/**
 * One VS Code server and one browser page with its workbench, for tests and pictures; everything temporary, everything
 * ended by `close`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type Page, chromium } from 'playwright-core';
import { type VscodeServer } from './install';

export const CHROMIUM = '/usr/bin/chromium';

/** Nothing that asks, greets, looks for updates or moves. */
const settings = {
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

export interface WorkbenchOptions {
  server: VscodeServer;
  /** Folder to open. */
  workspace: string;
  extensions: readonly string[];
  /** Module with `run()`, for tests inside of the extension host. */
  testsPath?: string;
  trusted?: boolean;
  settings?: Record<string, unknown>;
  /** Of the server, besides this process's own. */
  environment?: NodeJS.ProcessEnv;
  /** Called before the page loads. */
  prepare?(page: Page): Promise<void>;
}

export interface Workbench {
  page: Page;
  /** The server's log so far. */
  log(): string;
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

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-vscode-'));
  const user = join(scratch, 'user');
  await mkdir(join(user, 'User'), { recursive: true });
  await writeFile(join(user, 'User/settings.json'), JSON.stringify({ ...settings, ...options.settings }));

  const args = ['--host=127.0.0.1', '--port=0', '--without-connection-token', '--accept-server-license-terms'];
  args.push(`--server-data-dir=${join(scratch, 'server')}`, `--user-data-dir=${user}`);
  args.push(`--extensions-dir=${join(scratch, 'extensions')}`, '--telemetry-level=off');
  // Without it this VS Code ignores the extension under development that the page names.
  args.push('--enable-smoke-test-driver');
  if (options.trusted ?? true) args.push('--disable-workspace-trust');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    EXTENSIONS_GALLERY: '{}',
    XDG_RUNTIME_DIR: scratch,
    ...options.environment,
  };
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

  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    server.removeAllListeners('exit');
    if (server.exitCode === null) {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await gone;
    }
    killNow();
    process.off('exit', killNow);
    logFile.end();
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const port = await listening(server, () => log);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('dialog', (dialog) => void dialog.accept());
    await options.prepare?.(page);
    const remote = (path: string) => `vscode-remote://127.0.0.1:${port}${path}`;
    const payload = options.extensions.map((path) => ['extensionDevelopmentPath', remote(path)]);
    if (options.testsPath !== undefined) payload.push(['extensionTestsPath', remote(options.testsPath)]);
    const query = new URLSearchParams({ folder: options.workspace, payload: JSON.stringify(payload) });
    await page.goto(`http://127.0.0.1:${port}/?${query}`, { waitUntil: 'domcontentloaded' });
    return { page, log: () => log, close };
  } catch (error) {
    await close();
    throw error;
  }
}
