/** V8's options for the queue worker: this Node.js knows them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What V8 says to a program. */
function complaints(program: string): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

describe('compiling for requests', () => {
  it('asks V8 for nothing that it does not know', () => {
    const compiler = join(__dirname, '../../src/daemon/compiler');
    assert.equal(complaints(`require(${JSON.stringify(compiler)}).compileForRequests()`), '');
    assert.match(complaints(`require('node:v8').setFlagsFromString('--most-of-all=1')`), /--most-of-all/);
  });
});
