import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tellCaptures } from '../../src/cli/tellCaptures';
import { CaptureBuilder } from '../trace/captureBuilder';

describe('the captures of a share that has ended', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'virtiofs-captures-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const told = (...captures: string[]): string[] => {
    const lines: string[] = [];
    tellCaptures(captures, (line) => lines.push(line));
    return lines;
  };

  it('are told by name and size, also after one that cannot be read, which is told too; no file stays open', () => {
    const [good, loop] = [join(folder, 'good'), join(folder, 'loop')];
    const bytes = new CaptureBuilder({ facts: { id: 'x', piece: 1 } }).exchange('STATFS').bytes();
    writeFileSync(good, bytes);
    symlinkSync(loop, loop);
    const open = readdirSync('/proc/self/fd').length;
    // A regular file whose first bytes cannot be read.
    const lines = told('/proc/self/mem', loop, join(folder, 'removed'), good);
    assert.equal(readdirSync('/proc/self/fd').length, open);
    assert.match(lines[0], /^capture: "\/proc\/self\/mem": .*EIO/);
    assert.match(lines[1], /^capture: ".*loop": .*ELOOP/);
    assert.match(lines[2], /^capture: ".*good", \d/);
    assert.equal(lines.length, 3);
  });
});
