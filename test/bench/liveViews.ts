/**
 * How the views stand 50,000 requests a second: the extension inside a real VS Code, our daemon and the bench's pump in
 * processes of their own. Gives figures; whether they are good enough the caller says.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { chmod } from 'node:fs/promises';
import { getVscode } from '../support/vscode/install';

const project = resolve(__dirname, '../../..');

export interface LiveFigures {
  /** Requests a second that the guest made, and that arrived in the views. */
  readonly offered: number;
  readonly arrived: number;
  /** Of the extension host: CPU time by wall time, 1 is one core. */
  readonly cores: number;
  /** Milliseconds that its event loop was held: the longest, and the 99th percentile. */
  readonly longestBlock: number;
  readonly p99Block: number;
  /** Of the longest block the part that its own thread was at work, which a busy machine does not lengthen. */
  readonly longestBusy: number;
  /** Packets that the daemon dropped because nobody took them in time. */
  readonly lost: number;
  /** Megabytes of the extension host's memory afterwards. */
  readonly memory: number;
}

export interface ExtensionFigures {
  /** Milliseconds until it has registered everything: reading and running its code, and `activate`. */
  readonly loading: number;
  readonly activation: number;
  /** With the views Requests, Inodes and Findings open. */
  readonly views: LiveFigures;
  /** With these and a live timeline. */
  readonly timeline: LiveFigures;
}

/** `perSecond` requests for so long, twice. Throws when VS Code cannot be had. */
export async function measureLiveViews(perSecond = 50_000, seconds = 10): Promise<ExtensionFigures> {
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-live-'));
  const result = join(scratch, 'figures.json');
  const workspace = join(scratch, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'readme'), '');
  process.env['VSCODE_SERVER'] = JSON.stringify(await getVscode());
  const standIn = join(__dirname, '../support/vscode/standIn.js');
  await chmod(standIn, 0o755);
  try {
    await runTests({
      vscodeExecutablePath: standIn,
      extensionDevelopmentPath: project,
      extensionTestsPath: join(__dirname, 'liveViewsInside.js'),
      extensionTestsEnv: {
        LIVE_VIEWS: JSON.stringify({ perSecond, seconds, result }),
      },
      launchArgs: [workspace, `--user-data-dir=${join(scratch, 'user')}`],
    });
    return JSON.parse(readFileSync(result, 'utf8')) as ExtensionFigures;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (require.main === module) {
  void measureLiveViews(Number(process.argv[2] ?? 50_000), Number(process.argv[3] ?? 10)).then(
    (figures) => {
      console.log(JSON.stringify(figures, null, 1));
      process.exit(0);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
