/** What VS Code calls inside its extension host: mocha over the suites of this folder. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Mocha from 'mocha';
// Before the extension does anything.
import './connections';
import './loaded';

export function run(): Promise<void> {
  const reporter = resolve(__dirname, '../../../scripts/tally.cjs');
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, color: false, reporter });
  const grep = process.env['TEST_GREP'];
  if (grep) mocha.grep(grep);
  // Those that want a window of another kind have its name.
  const kind = process.env['TEST_WINDOW'] ?? 'trusted';
  for (const file of readdirSync(__dirname).sort()) {
    if (file.startsWith('untrusted') !== (kind === 'untrusted')) continue;
    // A compiled file without its source is left over from an earlier build.
    const source = resolve(__dirname, '../../../test/extension', file.replace(/\.js$/, '.ts'));
    if (file.endsWith('.test.js') && existsSync(source)) mocha.addFile(join(__dirname, file));
  }
  return new Promise((done, failed) => {
    mocha.run((failures) => (failures === 0 ? done() : failed(new Error(`${failures} failed`))));
  });
}
