/**
 * The list on the daemon that runs in Electron, as it does from a desktop VS Code on a machine without Node.js: there
 * V8 takes no memory but its own, and guest memory is looked at in another way.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inElectron, whyNoElectron } from '../support/electron';
import { need } from '../support/need';
import { LIST_OPCODES } from './cases';
import { openDaemon } from './places';
import { features, runCases } from './runCases';

const project = resolve(__dirname, '../../..');

describe('conformance: the daemon in Electron', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-electron-'));
  const capture = join(scratch, 'work.fuse.pcapng');
  let electron: Awaited<ReturnType<typeof inElectron>>;

  before(async function () {
    this.timeout(180_000);
    need(this, 'root', process.getuid?.() === 0, 'the cases change users');
    need(this, 'Electron', whyNoElectron === undefined, whyNoElectron ?? '');
    need(this, 'dist', existsSync(join(project, 'dist/daemon.js')), 'dist/ is not built');
    electron = await inElectron();
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  describe('serves', () => {
    runCases({
      name: 'electron',
      features: features(),
      open: () =>
        openDaemon('ours', {
          ...electron,
          arguments: ['--cache', 'never', '--xattr', '--capture', capture],
        }),
    });
  });

  // When that daemon has ended.
  describe('has made a capture of it all', () => {
    it('which the command line in Electron reads', async function () {
      this.timeout(60_000);
      const words = [join(project, 'dist/cli.js'), 'trace', capture, '--stats'];
      const { stdout } = await promisify(execFile)(electron.node[0], words, { env: electron.environment });
      const lines = stdout.split('\n');
      for (const opcode of LIST_OPCODES) {
        assert.ok(
          lines.some((line) => line.startsWith(`${opcode} `)),
          opcode,
        );
      }
    });
  });
});
