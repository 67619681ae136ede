/** `npm run bench`: what it says of itself. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

describe('npm run bench', () => {
  it('--help names the parts, of which it does all unless told otherwise', () => {
    const help = execFileSync(process.execPath, [join(__dirname, 'main.js'), '--help'], { encoding: 'utf8' });
    const words = help.replace(/\s+/g, ' ');
    assert.match(
      words,
      /--part <list> what is measured: daemons, captures, gate, timeline, views, dax \(default: all\) --/,
    );
  });
});
