/**
 * Makes dist/ (webpack: what people run) and out/ (tsc: what tests run), each only when a source is newer.
 */
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, run, Stop } from './child.mjs';

function newest(path) {
  const stat = statSync(join(projectFolder, path), { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(join(projectFolder, path)).reduce(
    (time, name) => Math.max(time, newest(join(path, name))),
    stat.mtimeMs,
  );
}

/**
 * Runs `program` where a source is newer than the last time that it was started and did well. That is the time of the
 * stamp: what is written while it runs may not be in what it made. All paths are within the project's folder.
 */
export async function make(stamp, sources, program, args) {
  if (newest(stamp) > Math.max(...sources.map(newest))) return 0;
  const started = Date.now();
  const code = await run(process.execPath, [program, ...args]);
  if (code !== 0) return code;
  mkdirSync(join(projectFolder, stamp, '..'), { recursive: true });
  writeFileSync(join(projectFolder, stamp), '');
  utimesSync(join(projectFolder, stamp), new Date(started), new Date(started));
  console.log(`Built ${stamp.split('/')[0]}/ in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

const shared = ['src', 'tsconfig.json', 'package-lock.json'];

/** Exit code of the build; 0 also when nothing was to do. */
export const tryBundle = () =>
  make('dist/.built', [...shared, 'package.json', 'webpack.config.js'], 'node_modules/webpack/bin/webpack.js', [
    '--mode=production',
    '--stats=errors-only',
  ]);

export const tryCompile = () => make('out/.built', [...shared, 'test'], 'node_modules/typescript/bin/tsc', ['-p', '.']);

/** The same, for targets that cannot go on without. */
export async function bundle() {
  if ((await tryBundle()) !== 0) throw new Stop(1, 'The build failed: see the lines above.');
}

export async function compile() {
  if ((await tryCompile()) !== 0) throw new Stop(1, 'The build failed: see the lines above.');
}
