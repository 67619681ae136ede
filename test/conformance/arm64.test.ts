/**
 * The list on the daemon of the package for linux-arm64, which runs as on such a machine: another layout of structures
 * and flags, another koffi, and a processor that promises less about the order of stores. On an arm64 machine all other
 * tests are this one.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { openFlags } from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { CaptureReader } from '../../src/trace/captureReader';
import { hostCallLine } from '../../src/trace/hostCallLine';
import { whatOf } from '../../src/trace/line';
import { aptIsHere } from '../../src/vm/privateApt';
import { AttachedDevice } from '../driver/attachedDevice';
import { startDaemon } from '../driver/daemons';
import { FuseCalls } from '../driver/fuseCalls';
import { FuseClient } from '../driver/fuseClient';
import { arm64Node } from '../support/arm64';
import { need } from '../support/need';
import { stagedExtension } from '../support/stagedExtension';
import { LIST_OPCODES } from './cases';
import { openDaemon } from './places';
import { features, runCases } from './runCases';

const ARM64 = openFlags.arm64?.value ?? assert.fail('no open flags of arm64');
const project = resolve(__dirname, '../../..');

if (process.arch === 'x64') {
  describe("conformance: the arm64 package's daemon", () => {
    let scratch = '';
    let capture: string;
    let node: readonly string[];
    let dist: string;

    before(async function () {
      this.timeout(180_000);
      need(this, 'root', process.getuid?.() === 0, 'the cases change users');
      need(this, 'apt', aptIsHere(), 'no apt to fetch the emulator with');
      need(this, 'dist', existsSync(join(project, 'dist/daemon.js')), 'dist/ is not built');
      scratch = mkdtempSync(join(tmpdir(), 'virtiofs-arm64-'));
      capture = join(scratch, 'work.fuse.pcapng');
      node = await arm64Node((line) => console.log(`      ${line}`));
      dist = join(await stagedExtension('linux-arm64', scratch), 'dist');
    });
    after(() => scratch && rmSync(scratch, { recursive: true, force: true }));

    const cli = async (...words: string[]): Promise<string> => {
      const [program, ...rest] = [...node, join(dist, 'cli.js'), ...words];
      const { stdout } = await promisify(execFile)(program, rest, { encoding: 'utf8', maxBuffer: 1 << 26 });
      return stdout;
    };

    describe('serves', () => {
      runCases({
        name: 'arm64',
        features: features('fileFlags'),
        patience: 30_000,
        open: () =>
          openDaemon('ours', {
            node,
            program: join(dist, 'daemon.js'),
            arguments: ['--cache', 'never', '--xattr', '--capture', capture],
          }),
      });
    });

    // When that daemon has ended.
    describe('comes with a command line', () => {
      it('of the version of the manifest', async function () {
        this.timeout(30_000);
        const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
        assert.equal((await cli('--version')).trim(), version);
      });

      it('that reads the capture which the daemon has made of it all', async function () {
        this.timeout(60_000);
        const lines = (await cli('trace', capture, '--stats')).split('\n');
        for (const opcode of LIST_OPCODES) {
          assert.ok(
            lines.some((line) => line.startsWith(`${opcode} `)),
            opcode,
          );
        }
      });
    });

    describe('takes open flags by the numbers of its kernel', () => {
      it('which are those that its Node.js was built with', async function () {
        this.timeout(60_000);
        const [program, ...rest] = [...node, '-p', 'JSON.stringify(require("node:fs").constants)'];
        const { stdout } = await promisify(execFile)(program, rest, { encoding: 'utf8' });
        const constants = JSON.parse(stdout) as Readonly<Record<string, number | undefined>>;
        const { DIRECT, DIRECTORY, NOFOLLOW } = ARM64;
        assert.deepEqual(
          [constants.O_DIRECT, constants.O_DIRECTORY, constants.O_NOFOLLOW],
          [DIRECT, DIRECTORY, NOFOLLOW],
        );
      });

      it('on their way to the host, and in captures that any machine reads', async function () {
        this.timeout(120_000);
        const folder = join(scratch, 'share');
        const file = join(scratch, 'open.fuse.pcapng');
        mkdirSync(folder);
        writeFileSync(join(folder, 'a'), 'x'.repeat(4096));
        const words = ['--cache', 'never', '--allow-direct-io', '--capture', file, '--trace-syscalls'];
        const daemon = await startDaemon('ours', folder, { node, program: join(dist, 'daemon.js'), arguments: words });
        try {
          const device = new AttachedDevice(daemon.frontEnd);
          const calls = new FuseCalls(new FuseClient(device));
          calls.init();
          const { nodeid } = calls.lookup(1n, 'a');
          const { fh } = calls.open(nodeid, ARM64.RDWR | ARM64.DIRECT | ARM64.LARGEFILE);
          calls.release(nodeid, fh);
          device.close();
        } finally {
          await daemon.stop();
        }
        const reader = new CaptureReader();
        reader.push(readFileSync(file));
        const row = reader.columns.opcode.indexOf(Opcode.OPEN);
        assert.match(whatOf(reader, row), /^OPEN "\/a" flags=O_RDWR\|O_DIRECT\|O_LARGEFILE /);
        const opened = reader
          .hostCalls(row)
          .map(hostCallLine)
          .filter((line) => line.startsWith('openat('));
        assert.ok(
          opened.some((line) => /O_RDWR\|.*O_DIRECT\|O_LARGEFILE/.test(line)),
          opened.join('\n'),
        );
        assert.ok((await cli('trace', file, '--filter', 'open.flags has O_DIRECT')).includes('OPEN "/a"'));
      });
    });
  });
}
