import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { daemonWithoutGate } from './withoutGate';

describe('the daemon without its looks at the gate', () => {
  it('can be made of the bundles as they are, and is another program', () => {
    const { program, remove } = daemonWithoutGate();
    try {
      const worker = (folder: string): string => fs.readFileSync(path.join(folder, 'queueWorker.js'), 'utf8');
      assert.notEqual(worker(path.dirname(program)), worker(path.resolve(__dirname, '../../../dist')));
    } finally {
      remove();
    }
    assert.ok(!fs.existsSync(program));
  });
});
