/**
 * Runs the suites of this folder inside the extension host of real VS Codes, through the unmodified
 * @vscode/test-electron: `node out/test/extension/run.js [--grep=PATTERN] [--window=NAME]`. With VSCODE_EXECUTABLE set
 * or `--desktop` inside a desktop VS Code; else inside those that need no display: the newest and the oldest, and once
 * in a workspace that is not trusted.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { whyNoElectron } from '../support/electron';
import { inCi } from '../support/need';
import { type VscodeRelease, getVscode, getVscodeInElectron } from '../support/vscode/install';
import { stories } from '../support/vscode/stories';
import { SIZES, type Told, tell } from '../support/vscode/tell';
import { CHROMIUM } from '../support/vscode/workbench';

const project = resolve(__dirname, '../../..');

interface Window {
  readonly name: string;
  readonly release: VscodeRelease;
  readonly kind: 'trusted' | 'untrusted';
  /** It runs on Electron, as on a desktop, where that can be had. */
  readonly electron?: boolean;
}

const windows: readonly Window[] = [
  { name: 'newest', release: 'newest', kind: 'trusted' },
  { name: 'untrusted', release: 'newest', kind: 'untrusted' },
  { name: 'oldest', release: 'oldest', kind: 'trusted', electron: whyNoElectron === undefined },
];

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** Of those that failed, for the end of the run. */
  failures: { title: string; error: string }[];
}

/** A desktop VS Code is asked for: this one, or the newest, which @vscode/test-electron then fetches. */
const executableGiven = process.env['VSCODE_EXECUTABLE'];
const desktop = executableGiven !== undefined || process.argv.includes('--desktop');

/** The last value of an option. */
function option(name: string): string | undefined {
  return process.argv
    .flatMap((argument, at) =>
      argument.startsWith(`--${name}=`)
        ? [argument.slice(name.length + 3)]
        : argument === `--${name}`
          ? [process.argv[at + 1]]
          : [],
    )
    .at(-1);
}

/** Undefined: fetched by @vscode/test-electron. */
async function executable({ release, electron }: Window): Promise<string | undefined> {
  if (desktop) return executableGiven;
  const server = await (electron ? getVscodeInElectron(release) : getVscode(release));
  process.env['VSCODE_SERVER'] = JSON.stringify(server);
  const standIn = join(__dirname, '../support/vscode/standIn.js');
  await chmod(standIn, 0o755);
  return standIn;
}

/** A workspace with a folder to share, and settings that must not be followed unless it is trusted. */
async function makeWorkspace(at: string, kind: Window['kind']): Promise<void> {
  await mkdir(join(at, 'sample'), { recursive: true });
  await mkdir(join(at, '.vscode'));
  await writeFile(join(at, 'sample', 'hello.txt'), 'hello from the host\n');
  if (kind === 'trusted') return;
  const trap = join(at, 'trap.sh');
  await writeFile(trap, `#!/bin/sh\ntouch '${join(at, 'sprung')}'\n`);
  await chmod(trap, 0o755);
  const settings = {
    'virtiofs.nodePath': trap,
    'virtiofs.guest': 'uml',
    'virtiofs.daemonArgs': ['--writeback'],
    'virtiofs.profiles': [{ name: 'trap', kernel: trap, qemuArgs: ['-trap'] }],
  };
  await writeFile(join(at, '.vscode/settings.json'), JSON.stringify(settings));
}

/** One window with its tests; its numbers, and its exit code. */
async function runWindow(window: Window): Promise<{ tally: Tally; code: number }> {
  const { name, kind, electron } = window;
  console.log(`\n  -- ${desktop ? 'desktop' : name}${electron ? ', on Electron' : ''}`);
  const scratch = await mkdtemp(join(tmpdir(), 'virtiofs-extension-'));
  const tallyFile = join(scratch, 'tally.json');
  try {
    const workspace = join(scratch, 'workspace');
    await makeWorkspace(workspace, kind);
    process.env['TEST_WINDOW'] = kind;
    const vscodeExecutablePath = await executable(window);
    const code = await runTests({
      ...(vscodeExecutablePath === undefined ? {} : { vscodeExecutablePath }),
      extensionDevelopmentPath: project,
      extensionTestsPath: join(__dirname, 'index.js'),
      extensionTestsEnv: { TEST_GREP: option('grep') ?? '', TEST_WINDOW: kind, TALLY_FILE: tallyFile },
      launchArgs: [
        workspace,
        `--user-data-dir=${join(scratch, 'user')}`,
        `--extensions-dir=${join(scratch, 'extensions')}`,
      ],
    }).catch((error: unknown) => {
      console.error(error);
      return 1;
    });
    const none = { passed: 0, failed: 1, skipped: 0, failures: [{ title: kind, error: 'it has told nothing' }] };
    const tally = existsSync(tallyFile) ? (JSON.parse(await readFile(tallyFile, 'utf8')) as Tally) : none;
    return { tally, code };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A person's way through the workbench, outside of the extension host: each story is a test. */
async function runStories(): Promise<{ tally: Tally; code: number }> {
  console.log('\n  -- a person at the workbench');
  const tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const session = { theme: 'dark', size: SIZES.wide } as const;
  for (const { title, ...told } of Object.values<Told & { readonly title: string }>(stories)) {
    if (!title.includes(option('grep') ?? '')) continue;
    try {
      await tell(session, told, async () => {});
      tally.passed++;
      console.log(`    ✔ ${title}`);
    } catch (error) {
      tally.failed++;
      tally.failures.push({ title, error: String(error) });
      console.log(`    ✖ ${title}\n${String(error)}`);
    }
  }
  return { tally, code: tally.failed };
}

async function main(): Promise<number> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] };
  let worst = 0;
  if (!desktop && !existsSync(CHROMIUM)) {
    if (inCi) throw new Error(`${CHROMIUM} is needed`);
    console.log(`  skipped for want of a browser: no ${CHROMIUM}`);
    total.skipped = windows.length;
  } else {
    const only = option('window');
    // A desktop one is always told to trust its workspace.
    const wanted = windows.filter(({ name }) => (desktop ? name === 'newest' : only === undefined || name === only));
    for (const one of wanted) {
      const { tally, code } = await runWindow(one);
      total.passed += tally.passed;
      total.failed += tally.failed;
      total.skipped += tally.skipped;
      total.failures.push(...tally.failures.map(({ title, error }) => ({ title: `${one.name}: ${title}`, error })));
      worst ||= code;
    }
    if (!desktop && (only === undefined || only === 'stories')) {
      const { tally, code } = await runStories();
      total.passed += tally.passed;
      total.failed += tally.failed;
      total.failures.push(...tally.failures);
      worst ||= code;
    }
  }
  const tallyFile = process.env['TALLY_FILE'];
  if (tallyFile) await writeFile(tallyFile, JSON.stringify(total));
  return worst;
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
