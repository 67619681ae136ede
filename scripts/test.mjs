/**
 * `npm test`: static checks, then mocha in groups from quick to slow, two at a time where there are CPUs for it, then
 * one line that adds everything up.
 *
 * A group that cannot be run to its end counts as one failure. Exit code 1 when anything failed.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, compile, tryBundle, tryCompile } from './build.mjs';
import { projectFolder, run } from './child.mjs';
import { getPackages } from './setup.mjs';
import { inLanes, Turns } from './turns.mjs';

const node = (script, ...args) => run(process.execPath, [script, ...args]);

/** Each counts as one test. The two builds come first: later groups run what they make. */
const checks = [
  ['types', tryCompile],
  ['types of pages', () => node('node_modules/typescript/bin/tsc', '-p', 'src/webview')],
  ['bundles', tryBundle],
  ['lint', () => node('node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0')],
  ['format', () => node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  ['imports', () => node('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--output-type=err')],
];

/** `needs`: see setup.mjs. `minutes`: after which the group hangs, on any machine; it is ended and counts as failed. */
const groups = [
  {
    name: 'pure',
    folders: [
      'base',
      'protocol',
      'virtio',
      'vhostUser',
      'fuse',
      'fs',
      'trace',
      'debug',
      'control',
      'vm',
      'cli',
      'ui',
      'webview',
      'project',
      'bench',
    ],
    needs: ['compiler', 'archives', 'wireshark'],
    minutes: 15,
  },
  {
    name: 'native',
    folders: ['native', 'daemon', 'driver', 'hostile', 'conformance'],
    needs: ['compiler', 'watchers', 'load'],
    minutes: 20,
  },
  { name: 'guests', folders: ['guest'], needs: ['load', 'wireshark'], minutes: 50 },
  { name: 'vscode', folders: ['extension'], needs: ['browser'], minutes: 30 },
  // The same VS Code seen from outside, with a person's mouse and keys.
  { name: 'workbenches', folders: ['workbench'], needs: ['browser', 'fonts'], minutes: 20 },
];

/** A guest takes two CPUs, and so does a browser with its VS Code: on fewer they would only wait for each other. */
const usualLanes = availableParallelism() >= 4 ? 2 : 1;

const linesOfAnError = 12;

const total = { passed: 0, failed: 0, skipped: 0 };
const troubles = [];

function count({ passed, failed, skipped }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

async function runChecks(pattern) {
  for (const [name, check] of checks) {
    if (pattern && !pattern.test(name)) continue;
    const good = (await check()) === 0;
    console.log(`  ${good ? '✔' : '✖'} ${name}`);
    count({ passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 });
    if (!good) troubles.push(`check "${name}"`);
  }
}

const isTestFile = (file) => file.endsWith('.test.js');

/** Compiled test files of one folder of test/. A file whose source is gone is left over from an earlier build. */
function testFiles(folder) {
  const at = join('out/test', folder);
  if (!existsSync(join(projectFolder, at))) return [];
  return readdirSync(join(projectFolder, at), { recursive: true })
    .filter(isTestFile)
    .map((file) => join(at, file))
    .filter((file) => existsSync(join(projectFolder, file.replace(/^out\//, '').replace(/\.js$/, '.ts'))))
    .sort();
}

/**
 * A failed test as the end of a long run tells it again: its whole name, and as much of the error as names the line.
 */
const asLines = ({ title, error }) =>
  [title, ...error.split('\n', linesOfAnError)].map((line, at) => `${at === 0 ? '  ✖ ' : '      '}${line}`).join('\n');

/** `write`: takes its output, which goes to the terminal without it. */
async function runGroup(group, files, grep, write) {
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-tally-'));
  const tally = join(scratch, 'tally.json');
  const flags = ['--forbid-only', ...(grep ? ['--grep', grep] : []), ...(process.stdout.isTTY ? ['--color'] : [])];
  const script =
    group.name === 'vscode' ? ['out/test/extension/run.js'] : ['node_modules/mocha/bin/mocha.js', ...files];
  const options = { env: { TALLY_FILE: tally }, limitSeconds: group.minutes * 60, write };
  let code, numbers;
  try {
    code = await run(process.execPath, [...script, '--reporter=scripts/tally.cjs', ...flags], options);
    if (existsSync(tally)) numbers = JSON.parse(readFileSync(tally, 'utf8'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
  if (numbers) count(numbers);
  if (numbers?.failed) {
    troubles.push([`group "${group.name}": ${numbers.failed}`, ...numbers.failures.map(asLines)].join('\n'));
  }
  // Dead before its end, or all tests well and yet an exit code: a crash after the last test, or something left open.
  if (!numbers || (code !== 0 && numbers.failed === 0)) {
    count({ passed: 0, failed: 1, skipped: 0 });
    troubles.push(
      `group "${group.name}" ${code === 124 ? `took more than ${group.minutes} minutes` : `ended with ${code}`}`,
    );
  }
}

/** `only`: the name of a group or of a folder. */
async function runGroups(only, grep, lanes) {
  const wanted = groups
    .map((group) => {
      const whole = only === undefined || only === group.name;
      return { group, files: group.folders.filter((name) => whole || only === name).flatMap(testFiles) };
    })
    .filter(({ files }) => files.length > 0);
  getPackages([...new Set(wanted.flatMap(({ group }) => group.needs))]);
  const turns = new Turns();
  await inLanes(lanes, wanted, async ({ group, files }) => {
    const turn = turns.begin();
    turn.write(`\n== ${group.name}\n`);
    const started = Date.now();
    try {
      // Alone it needs nobody between it and the terminal.
      await runGroup(group, files, grep, lanes > 1 && wanted.length > 1 ? turn.write : undefined);
    } finally {
      turn.write(`== ${group.name}: ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
      turn.end();
    }
  });
}

export async function test(args) {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string' }, grep: { type: 'string' }, lanes: { type: 'string' } },
  });
  const { only, grep } = values;
  const lanes = Number(values.lanes ?? usualLanes);
  if (!Number.isInteger(lanes) || lanes < 1) {
    console.error(`--lanes ${values.lanes}: a number from 1`);
    return 2;
  }
  const known = ['checks', ...groups.flatMap((group) => [group.name, ...group.folders])];
  if (only !== undefined && !known.includes(only)) {
    console.error(`--only ${only}: there are ${known.join(', ')}`);
    return 2;
  }
  if (only === undefined || only === 'checks') {
    console.log('\n  checks');
    await runChecks(grep && new RegExp(grep));
  } else {
    // Else what is tested would be what was built before.
    await compile();
    await bundle();
  }
  await runGroups(only, grep, lanes);
  if (troubles.length > 0) console.log(`\nFailed:\n${troubles.join('\n')}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}
