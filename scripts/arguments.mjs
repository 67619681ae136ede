/**
 * What the targets of run.mjs take: `--help` for each, and a refusal of everything else before anything is installed or
 * built. `demo`, `bench`, `watch`, `lint` and `format` are not here: they run programs that say so themselves.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Stop } from './child.mjs';

const help = { type: 'boolean', short: 'h', about: 'this' };

const targets = {
  test: {
    about: 'Static checks, then all tests in groups from quick to slow, then one line that adds everything up.',
    options: {
      only: {
        type: 'string',
        value: 'NAME',
        about: 'one group (checks, pure, native, guests, vscode, workbenches) or folder of test/',
      },
      grep: { type: 'string', value: 'PATTERN', about: 'only tests whose name matches' },
      lanes: { type: 'string', value: 'N', about: 'as many groups at a time (default: 2 from four CPUs on, else 1)' },
    },
  },
  build: {
    about: 'Makes dist/, the command line and the extension, where a source is newer.',
    options: {},
  },
  package: {
    about: 'Makes the extension as .vsix files in packages/, one for each platform and one without native parts.',
    options: {
      target: { type: 'string', value: 'NAME', about: 'only linux-x64, linux-arm64 or universal' },
      out: { type: 'string', value: 'DIR', about: 'puts them there' },
    },
  },
  workbench: {
    about: 'VS Code with the extension in a browser of this machine, until Ctrl-C.',
    folder: 'the folder to open (a sample one without it)',
    options: {},
  },
  pictures: {
    about: 'Takes the pictures of README and walkthrough anew, in a real VS Code.',
    options: {
      story: { type: 'string', value: 'NAME', about: 'only those of one story, or one sight' },
      review: { type: 'string', value: 'DIR', about: 'puts all sizes and themes into that folder, to look at' },
    },
  },
  'test:desktop': {
    about: 'The tests of the extension host in a desktop VS Code: VSCODE_EXECUTABLE, or the newest one, fetched.',
    options: {
      grep: { type: 'string', value: 'PATTERN', about: 'only tests whose name matches' },
    },
  },
};

function usage(name, { about, folder, options }) {
  const rows = Object.entries({ ...options, help }).map(([option, { short, value, about: meaning }]) => [
    `${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`,
    meaning,
  ]);
  if (folder) rows.unshift(['DIR', folder]);
  const width = Math.max(...rows.map(([row]) => row.length));
  const command = `npm ${name === 'test' ? 'test' : `run ${name}`} -- [options]${folder ? ' [DIR]' : ''}`;
  return [
    `usage: ${command}`,
    '',
    about,
    '',
    ...rows.map(([row, meaning]) => `  ${row.padEnd(width)}  ${meaning}`),
  ].join('\n');
}

/** What to say instead of running the target; undefined when it is to be run. Throws Stop for what it does not take. */
export function insteadOf(name, args) {
  const target = targets[name];
  if (!target) return undefined;
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...target.options, help },
      allowPositionals: target.folder !== undefined,
    });
    if (values.help) return usage(name, target);
    if (positionals.length > 1) throw new Error(`one folder only, not '${positionals[1]}' as well`);
    if (positionals.length === 1 && !existsSync(positionals[0]))
      throw new Error(`there is no folder '${positionals[0]}'`);
    return undefined;
  } catch (error) {
    throw new Stop(2, `${error.message}\n\n${usage(name, target)}`);
  }
}
