/**
 * Real guests, each kind: they come up, mount through our daemon, run commands exactly, and leave nothing behind.
 */
import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { bootGuest, guestKinds, needGuests, output, type GuestName } from './bootGuest';

describe('a guest', function () {
  this.timeout(120_000);

  before(async function () {
    await needGuests(this);
  });

  for (const name of Object.keys(guestKinds) as GuestName[]) {
    it(`comes up, works in the folder and leaves nothing: ${name}`, async () => {
      const guest = await bootGuest(name, { extraChannel: true });
      const { workplace, folder, backEnds, process: child } = guest;
      try {
        fs.writeFileSync(path.join(folder, 'from host'), 'host\n');
        assert.equal(await output(guest, "cat 'from host'; echo guest >from-guest; pwd"), 'host\n/mnt/test\n');
        assert.equal(fs.readFileSync(path.join(folder, 'from-guest'), 'utf8'), 'guest\n');
        assert.match(await output(guest, 'mount -t virtiofs'), /^test on \/mnt\/test type virtiofs \(rw,/);

        const failing = await guest.run('echo out; echo err >&2; exit 7');
        assert.deepEqual([failing.status, failing.output.toString()], [7, 'out\nerr\n']);
        assert.equal((await guest.run('kill -9 $$')).status, 137);

        const size = 2_000_003;
        const big = await guest.run(`head -c ${size} /dev/zero | tr '\\0' 'x'`);
        assert.equal(big.output.length, size);
        assert.ok(big.output.every((byte) => byte === 0x78));

        const bytes = randomBytes(size);
        const taken: Record<'out' | 'err', Buffer[]> = { out: [], err: [] };
        const apart = await guest.run('head -c 1000000 >&2; cat; echo end >&2; exit 9', {
          input: Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]),
          onOutput: (chunk) => void taken.out.push(chunk),
          onErrors: (chunk) => void taken.err.push(chunk),
        });
        assert.equal(apart.status, 9);
        const [out, err] = [Buffer.concat(taken.out), Buffer.concat(taken.err).toString('latin1')];
        assert.ok(err.endsWith('end\n'));
        // "head" of busybox may have read further than it had to.
        assert.ok(err.startsWith(bytes.toString('latin1', 0, 1_000_000)) && bytes.subarray(-out.length).equals(out));

        const extra = guest.extra;
        assert.ok(extra);
        const echoed = new Promise<string>((resolve) => extra.stream.once('data', (chunk) => resolve(String(chunk))));
        await output(guest, `set -- ${extra.device}; [ ! -t 0 ] || stty raw -echo <$1; (echo through >$1) &`);
        assert.match(await echoed, /^through\r?\n$/);
      } finally {
        await guest.close();
      }
      assert.equal(child.exitCode, 0, 'the guest powered off');
      assert.deepEqual(
        backEnds.map((backEnd) => backEnd.process.exitCode),
        [0],
        'the daemon ended with its front-end',
      );
      assert.ok(!fs.existsSync(workplace.folder));
    });
  }

  it('gets several shares, one of them read-only', async () => {
    const base = fs.mkdtempSync('/tmp/virtiofs-guest-test-');
    const [one, two] = ['one', 'two, with a comma'].map((name) => path.join(base, name));
    fs.mkdirSync(one);
    fs.mkdirSync(two);
    const guest = await bootGuest('qemu-7.x', {
      shares: [
        { directory: one, tag: 'one' },
        { directory: two, tag: 'the second, "quoted" one', readOnly: true },
      ],
    });
    try {
      assert.equal(await output(guest, 'ls /mnt'), 'one\nthe_second___quoted__one\n');
      await output(guest, 'touch /mnt/one/file');
      assert.ok(fs.existsSync(path.join(one, 'file')));
      const refused = await guest.run('cd /mnt/the_second*; touch file');
      assert.match(refused.output.toString(), /Read-only file system/);
    } finally {
      await guest.close();
      fs.rmSync(base, { recursive: true });
    }
  });

  it('mounts again after a reboot', async () => {
    const guest = await bootGuest('qemu-7.x', { reboot: true });
    try {
      await output(guest, 'echo before >file; cd /; sync');
      await guest.reboot();
      assert.equal(await output(guest, 'cat file; echo after >>file; cat file'), 'before\nbefore\nafter\n');
      await output(guest, 'cd /; umount /mnt/test; mount -t virtiofs test /mnt/test; cat /mnt/test/file');
    } finally {
      await guest.close();
    }
  });

  it('shares one folder with another guest', async () => {
    const folder = fs.mkdtempSync('/dev/shm/virtiofs-guest-test-');
    const shares = [{ directory: folder, tag: 'test', daemonOptions: ['--cache=never', '--allow-mmap'] }];
    const guests = await Promise.all([bootGuest('qemu-7.x', { shares, cpus: 1 }), bootGuest('uml-7.x', { shares })]);
    const [first, second] = guests;
    try {
      await output(first, 'echo from the first >a; mkdir d');
      assert.equal(await output(second, 'cat a; echo from the second >d/b; mv a d/c; ls'), 'from the first\nd\n');
      assert.equal(await output(first, 'cat d/b d/c'), 'from the second\nfrom the first\n');
      const work = (name: string): string =>
        `i=0; while [ $i -lt 300 ]; do echo ${name} $i >>d/log-${name}; mkdir d/x-$i 2>/dev/null && echo $i >>d/won; ` +
        'i=$((i+1)); done; wc -l <d/log-' +
        name;
      const counts = await Promise.all([output(first, work('one')), output(second, work('two'))]);
      assert.deepEqual(counts.map(Number), [300, 300]);
      const won = fs.readFileSync(path.join(folder, 'd/won'), 'utf8').trim().split('\n');
      assert.equal(won.length, 300, 'each folder was made by exactly one guest');
    } finally {
      await Promise.all(guests.map((guest) => guest.close()));
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it('that does not come up says why, with its last lines', async () => {
    const started = bootGuest('qemu-7.x', { kernelArguments: ['rdinit=/no/such/init', 'root=/dev/none'] });
    await assert.rejects(started, (error: Error & { remedy: string }) => {
      assert.match(error.message, /^the guest in QEMU ended before it was ready: the kernel .* panic\n/);
      assert.match(error.message, /\n {2}\| .*Kernel panic/);
      assert.match(error.remedy, /--kernel/);
      return true;
    });
  });

  it('that takes too long is given up', async () => {
    await assert.rejects(bootGuest('qemu-7.x', { bootTimeoutMs: 500 }), /did not come up in time: its kernel said/);
  });

  it('that hangs is given up with the last that it and QEMU have said, and what to do', async () => {
    // Its processors are never started; what QEMU says of a setting for no device comes before that.
    const qemuArguments = ['-S', '-global', 'no-such-device.size=1'];
    await assert.rejects(
      bootGuest('qemu-7.x', { qemuArguments, bootTimeoutMs: 10_000 }),
      (error: Error & { remedy: string }) => {
        assert.match(error.message, /^the guest in QEMU did not come up in time: qemu-system-\S+: .*no-such-device/);
        assert.match(error.message, /\n {2}\| qemu-system-\S+: .*no-such-device/);
        assert.match(error.remedy, /--boot-timeout=300, or use --guest uml/);
        return true;
      },
    );
  });
});
