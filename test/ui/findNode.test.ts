import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Trouble } from '../../src/base/catalogue';
import { findNode } from '../../src/ui/findNode';

describe('findNode', () => {
  let folder: string;
  let path: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-node-'));
    path = process.env['PATH'];
    process.env['PATH'] = folder;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  const env = { ELECTRON_RUN_AS_NODE: '1' };

  /** A program that says `line`; VS Code's own only when it is asked to be Node.js. */
  function program(name: string, line: string): string {
    const file = join(folder, name);
    const asked = name === 'code' ? '[ "$ELECTRON_RUN_AS_NODE" = 1 ] && ' : '';
    writeFileSync(file, `#!/bin/sh\n${asked}echo '${line}'\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('takes node on PATH', async () => {
    program('node', 'v22.1.0');
    assert.deepEqual(await findNode('', process.execPath), { program: 'node', env: {} });
  });

  it('takes VS Code’s own program when PATH has none, or only an old one', async () => {
    const own = { program: program('code', 'v20.9.0'), env };
    assert.deepEqual(await findNode('', own.program), own);
    program('node', 'v18.20.4');
    assert.deepEqual(await findNode('', own.program), own);
  });

  it('takes what the setting names, and nothing else then', async () => {
    const chosen = program('chosen', 'v24.0.0');
    program('node', 'v22.1.0');
    assert.deepEqual(await findNode(chosen, process.execPath), { program: chosen, env });
    const code = program('code', 'v20.9.0');
    assert.deepEqual(await findNode(code, process.execPath), { program: code, env });
    for (const bad of [join(folder, 'missing'), program('old', 'v12.0.0'), program('other', 'hello')]) {
      await assert.rejects(findNode(bad, process.execPath), (error) => {
        assert.ok(error instanceof Trouble);
        assert.equal(error.code, 'nodeMissing');
        assert.ok(error.message.includes(bad));
        return true;
      });
    }
  });
});
