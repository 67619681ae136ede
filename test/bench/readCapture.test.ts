/** The capture that the bench reads is one: everything in it is understood, paired and named. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { RowFlag } from '../../src/trace/capture';
import type { CaptureReader } from '../../src/trace/captureReader';
import { readCaptureFile, writeCapture } from './readCapture';

function check(capture: CaptureReader): void {
  const { columns, count } = capture;
  assert.ok(count >= 5000 && count < 6000);
  assert.deepEqual([capture.notes, capture.gaps], [[], []]);
  for (let row = 0; row < count; row++) {
    assert.equal(columns.flags[row] & (RowFlag.REPLIED | RowFlag.ORPHAN), RowFlag.REPLIED);
    if (columns.opcode[row] === Opcode.INIT) continue;
    assert.match(capture.path(columns.path[row]), /^\/(moved|dir-\d{6})(\/(file|none)\d{6})?$/);
    if (row % 50 !== 0) continue;
    assert.deepEqual(capture.request(row)?.problems, []);
    assert.deepEqual(capture.reply(row)?.problems, []);
  }
}

describe('the capture for the bench', () => {
  it('is understood, paired and named, and its messages can be read again', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'virtiofs-bench-capture-'));
    try {
      const file = path.join(folder, 'small.pcapng');
      writeCapture(file, 5000);
      readCaptureFile(file, check);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
