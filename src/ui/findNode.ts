/**
 * Finds a Node.js that can run the command line and the daemon: the setting, `node` on PATH, else the program that
 * VS Code itself runs on. Knows nothing of vscode; asks each candidate for its version.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { trouble } from '../base/catalogue';

export interface NodeProgram {
  program: string;
  /** Variables to start it with. */
  env: Readonly<Record<string, string>>;
}

export const OLDEST_NODE = 20;

/** Makes Electron, which VS Code is, a Node.js; that itself does not know it. A setting may name either. */
const AS_NODE = { ELECTRON_RUN_AS_NODE: '1' };

interface Candidate extends NodeProgram {
  /** How a person is told of it. */
  title: string;
}

/** The running major version, or undefined when it is no Node.js at all. */
async function majorVersion({ program, env }: NodeProgram): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], {
      env: { ...process.env, ...env },
      timeout: 10_000,
    });
    const [, major] = /^v(\d+)\./.exec(stdout) ?? [];
    return major === undefined ? undefined : Number(major);
  } catch {
    // Not there, not executable, or not a program that knows --version: all the same no candidate.
    return undefined;
  }
}

/** Throws the Trouble `nodeMissing` when none will do. `setting` is the value of virtiofs.nodePath. */
export async function findNode(setting: string, execPath: string): Promise<NodeProgram> {
  const own: Candidate = { program: execPath, env: AS_NODE, title: 'VS Code' };
  const candidates: Candidate[] =
    setting === ''
      ? [{ program: 'node', env: {}, title: 'node on PATH' }, own]
      : [{ program: setting, env: AS_NODE, title: setting }];
  for (const { program, env } of candidates) {
    const major = await majorVersion({ program, env });
    if (major !== undefined && major >= OLDEST_NODE) return { program, env };
  }
  throw trouble('nodeMissing', candidates.map(({ title }) => title).join(', '));
}
