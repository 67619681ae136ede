import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenFile } from '../../../src/ui/captures/openFile';
import { FindingsModel } from '../../../src/ui/findings/findingsModel';

describe('findings in the view', () => {
  const folder = mkdtempSync(join(tmpdir(), 'findings-'));
  after(() => rmSync(folder, { recursive: true }));

  it('are shown again when a file turns out to be no capture, also after another that was none', async () => {
    const path = join(folder, 'noise.fuse.pcapng');
    writeFileSync(path, new Uint8Array(5000).fill(0x55));
    const shown: string[] = [];
    const model = new FindingsModel(() => shown.push(model.capture?.phase ?? ''));
    for (let i = 0; i < 2; i++) {
      const file = new OpenFile(path);
      model.begin(file);
      await file.done;
      model.work(() => false);
      file.close();
    }
    assert.deepEqual(shown, ['reading', 'broken', 'reading', 'broken']);
  });
});
