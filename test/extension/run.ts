/**
 * Runs the suites of this folder inside the extension host of a real VS Code, through the unmodified
 * @vscode/test-electron: `node out/test/extension/run.js [--grep=PATTERN]`. With VSCODE_EXECUTABLE set, inside that
 * desktop VS Code; else inside the one that needs no display.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { inCi } from '../support/need';
import { getVscode } from '../support/vscode/install';
import { CHROMIUM } from '../support/vscode/workbench';

const project = resolve(__dirname, '../../..');

async function executable(): Promise<string> {
  const desktop = process.env['VSCODE_EXECUTABLE'];
  if (desktop) return desktop;
  process.env['VSCODE_SERVER'] = JSON.stringify(await getVscode());
  const standIn = join(__dirname, '../support/vscode/standIn.js');
  await chmod(standIn, 0o755);
  return standIn;
}

/** One suite cannot be had: a skip, told to whoever adds up. */
async function skip(reason: string): Promise<number> {
  console.log(`  skipped for want of a browser: ${reason}`);
  const tally = process.env['TALLY_FILE'];
  if (tally) await writeFile(tally, JSON.stringify({ passed: 0, failed: 0, skipped: 1 }));
  return 0;
}

async function main(): Promise<number> {
  if (!process.env['VSCODE_EXECUTABLE'] && !existsSync(CHROMIUM)) {
    if (inCi) throw new Error(`${CHROMIUM} is needed`);
    return skip(`no ${CHROMIUM}`);
  }
  const grep = process.argv.flatMap((argument, at) =>
    argument.startsWith('--grep=') ? [argument.slice(7)] : argument === '--grep' ? [process.argv[at + 1]] : [],
  );
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-extension-'));
  try {
    const workspace = join(scratch, 'workspace');
    await mkdir(join(workspace, 'sample'), { recursive: true });
    await writeFile(join(workspace, 'sample', 'hello.txt'), 'hello from the host\n');
    return await runTests({
      vscodeExecutablePath: await executable(),
      extensionDevelopmentPath: project,
      extensionTestsPath: join(__dirname, 'index.js'),
      extensionTestsEnv: { TEST_GREP: grep.at(-1) ?? '' },
      launchArgs: [
        workspace,
        `--user-data-dir=${join(scratch, 'user')}`,
        `--extensions-dir=${join(scratch, 'extensions')}`,
      ],
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
