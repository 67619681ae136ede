/**
 * A real VS Code for machines without a display: the server part of the npm package "code-server", with the Node.js it
 * is built for, in our cache folder. About 0.5 GB; remove the folder to be rid of it.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { electronProgram } from '../electron';
import { unpackNpm } from '../unpackNpm';

/** By VS Code's version: code-server's is a 4 in the place of its 1. `node`: what that server is built for. */
const releases = {
  newest: { codeServer: '4.139.1', node: '24.21.0', extra: [] },
  /** The oldest that `engines.vscode` promises. */
  oldest: {
    codeServer: '4.100.3',
    node: '20.20.2',
    // Its own node-pty would have to be compiled; this one comes with a binary for Linux, and without it there is no
    // terminal.
    extra: ['node-pty@1.2.0-beta.15'],
  },
} as const;

export type VscodeRelease = keyof typeof releases;

/** Never needed here, and large. */
const UNUSED = [
  'vscode/node_modules/@github',
  'vscode/node_modules/@microsoft/mxc-sdk',
  'vscode/extensions/copilot',
  'vscode/extensions/mermaid-markdown-features',
];

export interface VscodeServer {
  /** The folder with out/server-main.js. */
  folder: string;
  /** What runs it: a Node.js, or Electron that is to be one. */
  node: string;
  electron?: boolean;
}

/** The same, run by what desktop VS Code runs on: whatever looks for its program there finds Electron. */
export async function getVscodeInElectron(release: VscodeRelease): Promise<VscodeServer> {
  const { folder } = await getVscode(release);
  return { folder, node: await electronProgram(console.log), electron: true };
}

/** Finds it in the cache or fetches it (about 15 s). Safe when several run at a time: the first one to end wins. */
export async function getVscode(release: VscodeRelease = 'newest'): Promise<VscodeServer> {
  const { codeServer, node, extra } = releases[release];
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'virtiofs-studio');
  const home = join(cache, `vscode-${codeServer}-node-${node}`);
  const server = { folder: join(home, 'vscode'), node: join(home, 'node/bin/node') };
  if (existsSync(home)) return server;

  console.log(`Fetching VS Code into ${home}`);
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'vscode-new-'));
  try {
    await unpackNpm(`code-server@${codeServer}`, 'package/lib/vscode', join(fresh, 'vscode'));
    const quiet = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    await promisify(execFile)('npm', ['install', ...quiet, ...extra], {
      cwd: join(fresh, 'vscode'),
      maxBuffer: 1 << 26,
    });
    await unpackNpm(`node-linux-${process.arch}@${node}`, 'package', join(fresh, 'node'));
    for (const path of UNUSED) await rm(join(fresh, path), { recursive: true, force: true });
    await rename(fresh, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return server;
}
