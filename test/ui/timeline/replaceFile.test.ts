import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../../../src/ui/timeline/replaceFile';

describe('a file that replaces another one', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-replace-'));
    mkdirSync(join(folder, 'cloned'));
    path = join(folder, 'cloned', 'x.notes.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('takes the place of a link; what that leads to stays as it is', async () => {
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, 'as it was');
    symlinkSync('../elsewhere', path);
    const write = replaceFile(path, async (file) => {
      await file.writeFile('notes');
      return true;
    });
    assert.equal(await write, true);
    assert.equal(readFileSync(elsewhere, 'utf8'), 'as it was');
    assert.ok(lstatSync(path).isFile());
    assert.equal(readFileSync(path, 'utf8'), 'notes');
  });

  it('is written under a name that nobody can foresee', async () => {
    const names = new Set<string>();
    for (let i = 0; i < 4; i++) {
      await replaceFile(path, () => {
        for (const name of readdirSync(join(folder, 'cloned'))) if (name !== 'x.notes.json') names.add(name);
        return Promise.resolve(true);
      });
    }
    assert.equal(names.size, 4);
    assert.deepEqual(readdirSync(join(folder, 'cloned')), ['x.notes.json']);
  });

  it('may be written twice at the same time: the last one stays', async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const first = replaceFile(path, async (file) => {
      await held;
      await file.writeFile('first');
      return true;
    });
    await replaceFile(path, async (file) => {
      await file.writeFile('second');
      return true;
    });
    assert.equal(readFileSync(path, 'utf8'), 'second');
    go();
    await first;
    assert.equal(readFileSync(path, 'utf8'), 'first');
    assert.deepEqual(readdirSync(join(folder, 'cloned')), ['x.notes.json']);
  });
});
