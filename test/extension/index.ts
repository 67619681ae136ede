/** What VS Code calls inside its extension host: mocha over the suites of this folder. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Mocha from 'mocha';

export function run(): Promise<void> {
  const reporter = resolve(__dirname, '../../../scripts/tally.cjs');
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, color: false, reporter });
  const grep = process.env['TEST_GREP'];
  if (grep) mocha.grep(grep);
  for (const file of readdirSync(__dirname).sort()) {
    if (file.endsWith('.test.js')) mocha.addFile(join(__dirname, file));
  }
  return new Promise((done, failed) => {
    mocha.run((failures) => (failures === 0 ? done() : failed(new Error(`${failures} failed`))));
  });
}
