/**
 * The package for linux-arm64 as on such a machine: its command line, its daemon, the QEMU it fetches and the guest in
 * that, all of them arm64. Where this machine is none, the kernel has each of its programs emulated, in a namespace of
 * the test's own. A guest in an emulated QEMU takes most of a minute to come up.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../src/vm/cacheFolder';
import { aptIsHere } from '../../src/vm/privateApt';
import { arm64Node } from '../support/arm64';
import { forArm64 } from '../support/arm64Guest';
import { need } from '../support/need';
import { stagedExtension } from '../support/stagedExtension';

const project = resolve(__dirname, '../../..');

/** binfmt_misc(5): what is an ELF program for arm64 is given to an emulator, which stays open (F). */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const REGISTER =
  'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && ' +
  'printf "%s" "$BINFMT" >/proc/sys/fs/binfmt_misc/register && exec "$@"';
/** A namespace of users has handlers of its own since Linux 6.7. */
const ALONE = ['unshare', '--user', '--map-root-user', '--mount', '--kill-child', 'sh', '-c', REGISTER, 'sh'];

if (process.arch === 'x64') {
  describe('an arm64 machine', function () {
    this.timeout(900_000);
    const scratch = fs.mkdtempSync(join(tmpdir(), 'virtiofs-arm64-'));
    const shared = join(scratch, 'shared');
    let node: string;
    let cli: string;
    let environment: NodeJS.ProcessEnv;

    before(async function () {
      need(this, 'apt', aptIsHere(), 'no apt to fetch the emulator with');
      need(this, 'dist', fs.existsSync(join(project, 'dist/cli.js')), 'dist/ is not built');
      const [emulator, , libraries, program] = await arm64Node((line) => console.log(`      ${line}`));
      node = program;
      const cache = join(cacheFolder() ?? scratch, 'arm64-host');
      fs.mkdirSync(cache, { recursive: true });
      environment = {
        ...process.env,
        BINFMT: `:virtiofs-arm64:M::${MAGIC}:${MASK}:${emulator}:F`,
        QEMU_LD_PREFIX: libraries,
        XDG_CACHE_HOME: cache,
        XDG_RUNTIME_DIR: scratch,
      };
      const { status, said } = await run(['true']);
      need(this, 'binfmt_misc', status === 0, `no namespace with handlers of its own: ${said}`);
      cli = join(await stagedExtension('linux-arm64', scratch), 'dist/cli.js');
      fs.mkdirSync(shared);
      fs.writeFileSync(join(shared, 'hello.txt'), 'hello from the host\n');
    });
    after(() => fs.rmSync(scratch, { recursive: true, force: true }));

    async function run(words: readonly string[]): Promise<{ status: number; said: string; output: string }> {
      const [first, ...rest] = [...ALONE, ...words];
      const done = promisify(execFile)(first, rest, { env: environment, encoding: 'utf8', maxBuffer: 1 << 26 });
      return done.then(
        ({ stdout, stderr }) => ({ status: 0, output: stdout, said: stderr }),
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
          status: code,
          output: stdout,
          said: stderr,
        }),
      );
    }

    it('has its folder in a guest of its own kind, with tools that are fetched for it', async () => {
      const script = 'uname -m; cat hello.txt; echo from the guest >answer';
      const words = ['share', '--boot-timeout=0', '--cpus=1', '--memory=256M', '--command', script, shared];
      const { status, output, said } = await forArm64(scratch, () => {
        environment['APT_CONFIG'] = process.env['APT_CONFIG'];
        return run([node, cli, ...words]);
      });
      assert.equal(status, 0, said);
      assert.equal(output, 'aarch64\nhello from the host\n');
      assert.equal(fs.readFileSync(join(shared, 'answer'), 'utf8'), 'from the guest\n');
    });

    it('is told by doctor what it has, and that there is no User Mode Linux for it', async () => {
      const { output, said } = await run([node, cli, 'doctor']);
      assert.match(output, /^ok +Linux +linux arm64$/m, said);
      assert.match(output, /^ok +QEMU +QEMU emulator version \d+/m);
      assert.match(output, /^ok +guest kernel +Linux \S*arm64 with virtio-fs$/m);
      assert.match(output, /^note +User Mode Linux +there is none for this kind of processor$/m);
    });

    it('says so where that is asked for', async () => {
      const { status, said } = await run([node, cli, 'share', '--guest=uml', '--command=true', shared]);
      assert.equal(status, 3);
      assert.match(
        said,
        /User Mode Linux is missing[^\n]*\n *Use --guest qemu: there is none for this kind of processor/,
      );
    });
  });
}
