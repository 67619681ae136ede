/** Files beside a capture, which come from whoever gave the capture. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSmallFile } from '../../../src/ui/timeline/smallFile';

describe('a small file that anybody may have put there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'virtiofs-small-'));
  const at = (name: string): string => join(folder, name);
  after(() => rmSync(folder, { recursive: true }));

  it('is read whole, also through a link to one', async () => {
    writeFileSync(at('a'), 'so – it is');
    symlinkSync('a', at('link'));
    assert.equal(await readSmallFile(at('a'), 100), 'so – it is');
    assert.equal(await readSmallFile(at('link'), 100), 'so – it is');
  });

  it('may not be there', async () => {
    assert.equal(await readSmallFile(at('none'), 100), undefined);
  });

  it('is refused where it is larger than it may be', async () => {
    writeFileSync(at('large'), 'x'.repeat(101));
    await assert.rejects(readSmallFile(at('large'), 100), /101 bytes are too many/);
  });

  it('is none where it is a FIFO, a folder, or a link to a device that never ends', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    symlinkSync('/dev/zero', at('endless'));
    for (const name of ['fifo', 'endless', '.']) await assert.rejects(readSmallFile(at(name), 100), /it is no file/);
  });
});
