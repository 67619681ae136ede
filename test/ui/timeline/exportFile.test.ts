import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Trouble } from '../../../src/base/catalogue';
import { exportedText, writeExport } from '../../../src/ui/timeline/exportFile';

describe('a file of exported requests', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'virtiofs-export-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const never = (): boolean => false;
  const unusable = (pattern: RegExp) => (error: unknown) =>
    error instanceof Trouble && error.code === 'outputUnusable' && pattern.test(error.message) && error.remedy !== '';

  it('has all pieces, in order, and replaces what was there', async () => {
    const path = join(folder, 'rows.csv');
    writeFileSync(path, 'older and longer than what comes');
    assert.equal(await writeExport(path, ['a,', 'b\n', 'ä\n'], never), true);
    assert.equal(readFileSync(path, 'utf8'), 'a,b\nä\n');
    assert.deepEqual(readdirSync(folder), ['rows.csv']);
  });

  it('is told with how many requests it has, and how many it could not have', () => {
    assert.equal(exportedText(1, 0, '/tmp/a.csv'), 'Exported 1 request to /tmp/a.csv');
    assert.equal(exportedText(12_345, 0, '/tmp/a.csv'), 'Exported 12,345 requests to /tmp/a.csv');
    assert.match(exportedText(1002, 1, '/a'), /^Exported 1,001 requests to \/a without the oldest 1 request, of which/);
    assert.match(exportedText(1002, 1000, '/a'), /^Exported 2 requests to \/a without the oldest 1,000 requests, of/);
  });

  it('may replace the file that its pieces are read from', async () => {
    const path = join(folder, 'same');
    writeFileSync(path, 'xyz');
    async function* pieces(): AsyncIterable<Uint8Array> {
      await Promise.resolve();
      for (const byte of readFileSync(path)) yield Uint8Array.of(byte, byte);
    }
    await writeExport(path, pieces(), never);
    assert.equal(readFileSync(path, 'utf8'), 'xxyyzz');
  });

  it('that is cancelled leaves everything as it was', async () => {
    const path = join(folder, 'rows.csv');
    writeFileSync(path, 'as it was');
    let asked = 0;
    assert.equal(await writeExport(path, ['a', 'b', 'c'], () => ++asked === 2), false);
    assert.equal(readFileSync(path, 'utf8'), 'as it was');
    assert.deepEqual(readdirSync(folder), ['rows.csv']);
  });

  it('that fails in the middle leaves everything as it was', async () => {
    function* pieces(): Iterable<string> {
      yield 'a';
      throw new Error('the capture is broken here');
    }
    await assert.rejects(writeExport(join(folder, 'rows.csv'), pieces(), never), /broken here/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('that cannot be there says why, and what to do', async () => {
    await assert.rejects(writeExport(join(folder, 'none', 'x'), ['a'], never), unusable(/its folder is not there$/));
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(writeExport(join(folder, 'file', 'x'), ['a'], never), unusable(/its folder is a file$/));
    mkdirSync(join(folder, 'folder'));
    await assert.rejects(writeExport(join(folder, 'folder'), ['a'], never), unusable(/it is a folder$/));
    await assert.rejects(writeExport(join(folder, 'ä'.repeat(200)), ['a'], never), unusable(/its name is too long$/));
    assert.deepEqual(readdirSync(folder).sort(), ['file', 'folder']);
  });
});
