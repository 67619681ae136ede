/** The DAX window with a real guest on stock QEMU: what the guest sees through it is what is in the file, always. */
import * as assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { CaptureReader } from '../../src/trace/captureReader';
import { WindowWhat } from '../../src/trace/packet';
import type { GuestShare } from '../../src/vm/guest';
import { onPath } from '../../src/vm/onPath';
import { fetchToolbox, type Kernel } from '../../src/vm/toolbox';
import { need } from '../support/need';
import { needGuests, output, type TestGuest } from './bootGuest';
import { bootDax, freshFolder, MIB, PRELUDE } from './daxGuest';

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** Bytes that differ everywhere, and from those of a file with another letter for its name. */
function pattern(length: number, name = '\0'): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8);
  const letter = BigInt(name.charCodeAt(0)) << 40n;
  for (let at = 0; at < bytes.length; at += 8) bytes.writeBigUInt64LE(letter + BigInt(at / 8), at);
  return bytes.subarray(0, length);
}

/** How long guests work in a window that is too small for what they do, in seconds: for a long run, an hour, say. */
const DAX_SECONDS = Number(process.env['DAX_SECONDS'] ?? 30);

/** Linux 7.x and 6.12 in QEMU 11. */
const kernels = { '7.x': undefined, '6.12': 'trixie' } as const;

for (const [release, box] of Object.entries(kernels)) {
  describe(`the DAX window of Linux ${release} in QEMU`, function () {
    this.timeout(180_000);
    let kernel: Kernel | undefined;
    let folder: string;
    let guest: TestGuest | undefined;

    before(async function () {
      need(this, 'perl', onPath('perl') !== undefined, 'files are mapped by perl');
      await needGuests(this);
      if (box !== undefined) kernel = (await fetchToolbox(box, () => {})).kernel;
    });
    beforeEach(() => {
      folder = freshFolder();
    });
    afterEach(async () => {
      await guest?.close();
      guest = undefined;
      fs.rmSync(folder, { recursive: true, force: true });
    });

    const file = (name: string): string => path.join(folder, name);
    const boot = async (dax: NonNullable<GuestShare['dax']>, more: Partial<GuestShare> = {}): Promise<TestGuest> =>
      (guest = await bootDax(folder, { dax, ...more }, { ...(kernel && { kernel }) }));
    const run = (script: string): Promise<string> => output(guest ?? assert.fail(), PRELUDE + script);

    for (const mount of ['inode', 'always', 'never'] as const) {
      const through = mount === 'never' ? 'without' : 'through';
      it(`shows every file rightly to read and mmap, ${through} the window: dax=${mount}`, async () => {
        const sizes = [0, 1, 4095, 4096, 4097, 100_000, 2 * MIB, 2 * MIB + 4096, 5 * MIB + 17, 12 * MIB];
        for (const size of sizes) fs.writeFileSync(file(`f${size}`), pattern(size));
        fs.writeFileSync(file('sparse'), '');
        fs.truncateSync(file('sparse'), 3 * MIB);
        fs.writeFileSync(file('sparse'), 'end', { flag: 'a' });
        const names = [...sizes.map((size) => `f${size}`), 'sparse'];
        const lengths = names.map((name) => fs.statSync(file(name)).size);
        const wanted = names.map((name) => `${md5(fs.readFileSync(file(name)))} ${name}\n`).join('');
        const capture = new CaptureReader();
        const onTrace: GuestShare['onTrace'] = (stream) => stream.on('data', (chunk: Buffer) => capture.push(chunk));
        await boot({ bytes: 8 * MIB, mount, policy: 'tails' }, { onTrace });
        const list = names.join(' ');
        assert.equal(await run(`for f in ${list}; do echo $(md5sum <$f | cut -c1-32) $f; done`), wanted);
        assert.equal(await run(`for f in ${list}; do echo $(mapped cat $f | md5sum | cut -c1-32) $f; done`), wanted);
        for (const [index, name] of names.entries()) assert.equal(fs.statSync(file(name)).size, lengths[index], name);
        await guest?.stop();
        const { opcode, error } = capture.columns;
        const asked = [...opcode.keys()].filter((row) => row < capture.count && opcode[row] === Opcode.SETUPMAPPING);
        const used = mount !== 'never';
        assert.deepEqual([asked.length > 0, asked.some((row) => error[row] === 0)], [used, used]);
      });
    }

    for (const [policy, size] of [
      ['tails', 10_000],
      ['pages', 8192],
    ] as const) {
      it(`keeps what is stored, written, appended and truncated while mapped: policy ${policy}`, async () => {
        fs.writeFileSync(file('a'), Buffer.alloc(size, 'a'));
        await boot({ bytes: 8 * MIB, policy });
        const end = size - 4;
        const said = await run(`mapped steps a map:40960 get:${end}:4 put:${end}:tail get:${end}:4 sync \
        append:more get:${end}:9 read:${end}:8 \
        append:$(printf %05000d 7) get:${size + 5000}:5 put:${size + 5000}:new fsync size \
        truncate:${size + 2} get:${size - 4}:8 truncate:${size + 6} get:${size - 4}:12 write:2:WRITE get:0:8 \
        truncate:100 get:96:6 truncate:${size} get:96:6 put:${end}:last`);
        assert.deepEqual(said.split('\n'), [
          'aaaa',
          'tail',
          'tailmore.',
          'tailmore',
          '0007.',
          String(size + 5004),
          'tailmo..',
          'tailmo......',
          'aaWRITEa',
          'aaaa..',
          'aaaa..',
          '',
        ]);
        await sleep(500);
        const host = fs.readFileSync(file('a'));
        assert.equal(host.length, size);
        assert.equal(host.toString('latin1', 0, 8), 'aaWRITEa');
        assert.equal(host.toString('latin1', end), 'last');
        assert.ok(host.subarray(100, end).every((byte) => byte === 0));
      });
    }

    it('shows the host’s changes to the guest, and the guest’s to the host, without a request', async () => {
      fs.writeFileSync(file('a'), Buffer.alloc(8192 + 100, 'a'));
      await boot({ bytes: 8 * MIB, policy: 'tails' });
      const steps =
        run(`mapped steps a map:12288 get:0:4 get:8192:4 'run:touch ready; while [ ! -e go ]; do sleep 0.1; done' \
      get:0:4 get:8192:4 put:10:GUEST put:8200:GUEST sleep:1500`);
      while (!fs.existsSync(file('ready'))) await sleep(50);
      const fd = fs.openSync(file('a'), 'r+');
      fs.writeSync(fd, 'HOST', 0);
      fs.writeSync(fd, 'HOST', 8192);
      await sleep(300);
      fs.writeFileSync(file('go'), '');
      for (let tries = 0; tries < 40 && fs.readFileSync(file('a')).indexOf('GUEST', 8000) < 0; tries++) await sleep(50);
      const host = fs.readFileSync(file('a'), 'latin1');
      assert.equal(host.slice(0, 16), 'HOSTaaaaaaGUESTa');
      assert.equal(host.slice(8192, 8206), 'HOSTaaaaGUESTa');
      assert.equal(await steps, 'aaaa\naaaa\nHOST\nHOST\n');
      fs.closeSync(fd);
    });

    it('goes on with files that are renamed over, unlinked, appended to by the host', async () => {
      fs.writeFileSync(file('a'), pattern(2 * MIB));
      fs.writeFileSync(file('b'), Buffer.alloc(8192, 'b'));
      await boot({ bytes: 8 * MIB, policy: 'tails' });
      const said = await run(`mapped steps a map:2097152 get:1048576:2 'run:mv b a' get:1048577:1 put:0:still \
      get:0:5 'run:cat a | head -c 4; echo' 'run:rm a' get:0:5`);
      assert.match(said, /still\nbbbb\nstill\n$/);
      fs.writeFileSync(file('c'), Buffer.alloc(5000, 'c'));
      assert.equal(await run('mapped cat c | md5sum | cut -c1-32'), `${md5(fs.readFileSync(file('c')))}\n`);
      fs.appendFileSync(file('c'), Buffer.alloc(9000, 'd'));
      await sleep(1200);
      assert.equal(await run('mapped cat c | md5sum | cut -c1-32'), `${md5(fs.readFileSync(file('c')))}\n`);
      assert.equal(await run('md5sum <c | cut -c1-32'), `${md5(fs.readFileSync(file('c')))}\n`);
    });

    it('goes on with files that the host shortens and replaces, where the guest touches only what is left', async () => {
      fs.writeFileSync(file('a'), Buffer.alloc(16_384, 'a'));
      fs.writeFileSync(file('b'), Buffer.alloc(8192 + 100, 'b'));
      const capture = new CaptureReader();
      const onTrace: GuestShare['onTrace'] = (stream) => stream.on('data', (chunk: Buffer) => capture.push(chunk));
      await boot({ bytes: 8 * MIB, policy: 'tails' }, { onTrace });
      const hold = (name: string): string => `'run:touch ${name}; while [ ! -e go ]; do sleep 0.1; done'`;
      const steps = run(`mapped steps b map:12288 get:8192:4 ${hold('ready-b')} get:8192:4 put:8200:OLD get:8199:5 &
        mapped steps a map:16384 get:12288:4 ${hold('ready-a')} get:8188:4 put:10:LEFT get:9:6 >said; wait
        until [ $(stat -c %s a) = 8192 ] && [ "$(head -c 3 b)" = new ]; do sleep 0.1; done
        cat said; mapped cat a | md5sum | cut -c1-32; mapped cat b`);
      while (!fs.existsSync(file('ready-a')) || !fs.existsSync(file('ready-b'))) await sleep(50);
      fs.truncateSync(file('a'), 8192);
      fs.writeFileSync(file('new'), 'new b');
      fs.renameSync(file('new'), file('b'));
      const shortened = (): readonly string[] =>
        capture.windowNotes
          .filter(({ what }) => what === WindowWhat.SHORTENED)
          .map(({ path, text }) => `${path}: ${text}`);
      while (shortened().length === 0) await sleep(50);
      fs.writeFileSync(file('go'), '');
      const wanted = Buffer.alloc(8192, 'a');
      wanted.write('LEFT', 10);
      assert.equal(await steps, `bbbb\nbbbb\nbOLDb\naaaa\naaaa\naLEFTa\n${md5(wanted)}\nnew b`);
      assert.equal(guest?.process.exitCode, null);
      assert.ok(fs.readFileSync(file('a')).equals(wanted));
      assert.equal(
        fs.readFileSync(file('b'), 'utf8'),
        'new b',
        'what is stored into the old one is not in the new one',
      );
      assert.equal(shortened().length, 1);
      assert.match(
        shortened()[0],
        /^a: the host has shortened it from 16384 to 8192 bytes while it is mapped: QEMU dies/,
      );
    });

    it('unmounts and mounts again, and reboots, with the window in use', async () => {
      fs.writeFileSync(file('a'), pattern(4 * MIB));
      guest = await bootDax(folder, { dax: { bytes: 8 * MIB } }, { reboot: true, ...(kernel && { kernel }) });
      const sum = `${md5(fs.readFileSync(file('a')))}\n`;
      const read = 'mapped cat /mnt/test/a | md5sum | cut -c1-32';
      for (let round = 0; round < 3; round++) {
        assert.equal(await run(`cd /; ${read}; umount /mnt/test; mount -t virtiofs -o dax=inode test /mnt/test`), sum);
      }
      assert.equal(await run(read), sum);
      await guest.reboot();
      assert.equal(await run(read), sum);
    });

    it('reboots while a program has a file mapped and stored into it: QEMU lives, and nothing is lost', async () => {
      fs.writeFileSync(file('a'), pattern(2 * MIB + 100));
      const dax = { bytes: 8 * MIB, policy: 'tails' };
      guest = await bootDax(folder, { dax }, { reboot: true, ...(kernel && { kernel }) });
      const steps = `map:2097252 put:10:WHOLE put:2097200:LAST 'run:touch /tmp/stored' sleep:600000`;
      await run(`mapped steps a ${steps} >/tmp/said & while [ ! -e /tmp/stored ]; do sleep 0.1; done`);
      await guest.reboot();
      assert.equal(guest.process.exitCode, null);
      const wanted = pattern(2 * MIB + 100);
      wanted.write('WHOLE', 10);
      wanted.write('LAST', 2 * MIB + 48);
      assert.equal(await run('[ ! -e /tmp/stored ]; mapped cat a | md5sum | cut -c1-32'), `${md5(wanted)}\n`);
      assert.ok(fs.readFileSync(file('a')).equals(wanted));
    });

    it('goes on after QEMU was stopped for a while', async () => {
      fs.writeFileSync(file('a'), Buffer.alloc(10_000, 'a'));
      await boot({ bytes: 8 * MIB, policy: 'tails' });
      const steps =
        run(`mapped steps a map:12288 get:0:4 put:9990:before 'run:touch ready; while [ ! -e go ]; do sleep 0.1; done' \
      get:0:4 get:9990:6 put:9990:after. append:more get:9990:14 get:0:4`);
      while (!fs.existsSync(file('ready'))) await sleep(50);
      await guest?.qmp?.execute('stop');
      await sleep(300);
      await guest?.qmp?.execute('cont');
      fs.writeFileSync(file('go'), '');
      assert.equal(await steps, 'aaaa\naaaa\nbefore\nafter.aaaamore\naaaa\n');
      await sleep(500);
      assert.equal(fs.readFileSync(file('a'), 'latin1').slice(9990), 'after.aaaamore');
    });

    it('two guests with a window each see each other’s stores', async () => {
      fs.writeFileSync(file('a'), Buffer.alloc(8192 + 100, 'a'));
      await boot({ bytes: 8 * MIB, policy: 'tails' });
      const other = await bootDax(folder, { dax: { bytes: 8 * MIB, policy: 'tails' } }, { ...(kernel && { kernel }) });
      try {
        const wait = (name: string): string => `'run:while [ ! -e ${name} ]; do sleep 0.1; done'`;
        const one = run(`mapped steps a map:12288 get:0:4 get:8200:4 'run:touch one' ${wait('two')} \
        put:10:first put:8210:first ${wait('done')} sleep:500 get:20:6 get:8220:6`);
        const two = output(
          other,
          `${PRELUDE}mapped steps a map:12288 get:0:4 get:8200:4 ${wait('one')} \
        put:20:second put:8220:second 'run:touch two' sleep:2000 get:10:5 get:8210:5 'run:touch done'`,
        );
        assert.equal(await two, 'aaaa\naaaa\nfirst\nfirst\n');
        assert.equal(await one, 'aaaa\naaaa\nsecond\nsecond\n');
      } finally {
        await other.close();
      }
      const host = fs.readFileSync(file('a'), 'latin1');
      for (const at of [0, 8200]) assert.equal(host.slice(at + 10, at + 26), 'firstaaaaasecond');
    });

    it('has no bad word with a window smaller than the files and two processors, where programs store too', async function () {
      this.timeout((150 + 2 * DAX_SECONDS) * 1000);
      const names = ['a', 'b', 'c'];
      for (const name of names) fs.writeFileSync(file(name), pattern(12 * MIB, name));
      await boot({ bytes: 8 * MIB });
      const said = await run(
        `mapped words ${DAX_SECONDS} 1 a b c & mapped stores ${DAX_SECONDS} 2 c b a & wait; sync; dmesg | grep -E "BUG|WARN" || true`,
      );
      assert.match(said, /^(\d+ pages\n){2}$/);
      for (const name of names) assert.ok(fs.readFileSync(file(name)).equals(pattern(12 * MIB, name)), name);
    });
  });
}
