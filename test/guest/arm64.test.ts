/** A guest on arm64, emulated, with our daemon on this machine: QEMU's command line, and what such a guest asks. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Guest } from '../../src/vm/guest';
import { startGuest } from '../../src/vm/launcher';
import { lockProgram } from '../../src/vm/lockProgram';
import { aptIsHere } from '../../src/vm/privateApt';
import { arm64Tools } from '../support/arm64Guest';
import { need } from '../support/need';
import { output } from './bootGuest';

const KINDS = ['posix', 'flock'] as const;

describe('a guest on arm64', () => {
  let folder: string;
  let guest: Guest | undefined;

  before(async function () {
    this.timeout(240_000);
    need(this, 'apt', process.arch === 'x64' && aptIsHere(), 'its kernel and QEMU are fetched with apt');
    const tools = await arm64Tools((line) => console.log(`      ${line}`));
    folder = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'virtiofs-arm64-'));
    guest = await startGuest({
      kind: 'qemu',
      tools,
      shares: [
        { directory: folder, tag: 'plain', daemonOptions: ['--xattr', '--allow-direct-io'] },
        { directory: folder, tag: 'window', dax: { bytes: 64 << 20, policy: 'pages' } },
      ],
      extraFiles: KINDS.map((kind) => ({
        path: `/bin/${kind}-lock`,
        mode: 0o755,
        content: lockProgram(kind, 'arm64'),
      })),
    });
  });
  after(async () => {
    await guest?.stop();
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  const says = async (script: string): Promise<string> => (await output(guest as Guest, script)).trim();

  it('is what it says', async () => {
    assert.equal(await says('uname -m'), 'aarch64');
  });

  it('reads, and writes, what the host has, also without its page cache', async () => {
    const bytes = randomBytes(5 << 20);
    fs.writeFileSync(join(folder, 'from-host'), bytes);
    const sum = createHash('md5').update(bytes).digest('hex');
    const [plain, direct] = (
      await says('md5sum <from-host; dd if=from-host bs=1M iflag=direct 2>/dev/null | md5sum')
    ).split('\n');
    assert.deepEqual([plain, direct], [`${sum}  -`, `${sum}  -`]);
    await says('cp from-host from-guest; mkdir d; ln -s ../from-host d/link; mv d e; ls e');
    assert.ok(fs.readFileSync(join(folder, 'from-guest')).equals(bytes));
    assert.equal(fs.readlinkSync(join(folder, 'e/link')), '../from-host');
  });

  it('opens folders, follows no link where it is told not to, and appends', async () => {
    // Four of its open flags have other numbers than on x86-64.
    fs.writeFileSync(join(folder, 'lines'), 'one\n');
    fs.symlinkSync('lines', join(folder, 'link'));
    assert.equal(await says('ls -A e; echo two >>link; cat lines; rm link; ls lines'), 'link\none\ntwo\nlines');
  });

  for (const kind of KINDS) {
    it(`takes a ${kind} lock, which another program then does not get`, async () => {
      const script = `rm -f first; : >locked; (${kind}-lock locked </dev/console >first & echo $! >pid)
        while [ ! -s first ]; do sleep 0.1; done
        ${kind}-lock locked </dev/null; echo $?; kill $(cat pid); sleep 0.2; ${kind}-lock locked </dev/null; echo $?`;
      assert.equal(await says(script), '11\nlocked\n0');
    });
  }

  it('has a DAX window', async () => {
    fs.writeFileSync(join(folder, 'large'), randomBytes(1 << 20));
    const sum = createHash('md5')
      .update(fs.readFileSync(join(folder, 'large')))
      .digest('hex');
    assert.match(await says('grep " /mnt/window " /proc/mounts'), /dax/);
    assert.equal(await says('md5sum </mnt/window/large'), `${sum}  -`);
  });
});
