/** What the system says becomes words for a person; what is no word of the system's does not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { systemReason } from '../../src/base/systemReason';

describe("the system's reason", () => {
  const caught = (action: () => unknown): unknown => {
    try {
      action();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('has the words and the name of the error', () => {
    assert.equal(systemReason(caught(() => readFileSync('/nonexistent/file'))), 'no such file or directory (ENOENT)');
    assert.equal(systemReason(caught(() => mkdirSync('/'))), 'file already exists (EEXIST)');
  });

  it('is not found in what failed for another reason', () => {
    const others = [
      new Error('ENOENT: no such file, really'),
      new TypeError('x'),
      'EIO: i/o error, read',
      7,
      undefined,
    ];
    for (const error of others.filter((one) => one !== undefined)) assert.equal(systemReason(error), undefined);
    assert.equal(systemReason(spawnSync('/no/such/program').error), undefined);
  });
});
