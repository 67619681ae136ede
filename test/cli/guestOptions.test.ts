/** What `share` is told: tags, folders, sizes. */
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { namedFolders, parseCount, parseMemory, parseShare } from '../../src/cli/guestOptions';
import { checkGuestHas, daxOf, parseShareWords } from '../../src/cli/shareOptions';

describe('the options of share', () => {
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-options-test-'));
    fs.mkdirSync(path.join(folder, 'a:b'));
  });

  after(() => fs.rmSync(folder, { recursive: true }));

  it('name a folder and its tag', () => {
    assert.deepEqual(namedFolders(folder, undefined, []), [{ directory: folder, tag: 'share' }]);
    assert.deepEqual(namedFolders(folder, 'work', []), [{ directory: folder, tag: 'work' }]);
    assert.deepEqual(namedFolders(undefined, undefined, []), [{ directory: process.cwd(), tag: 'share' }]);
    assert.deepEqual(namedFolders(undefined, undefined, [`${folder}:x`]), [{ directory: folder, tag: 'x' }]);
    assert.equal(namedFolders(folder, undefined, [`${folder}:x`]).length, 2);
  });

  it('take a folder with a colon in its name', () => {
    assert.deepEqual(parseShare(`${folder}/a:b:tag`), { directory: path.join(folder, 'a:b'), tag: 'tag' });
  });

  for (const text of ['nothing', ':tag', 'dir:']) {
    it(`refuse the share ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseShare(text), { code: 'shareBad', exitCode: 2 });
    });
  }

  it('refuse a missing folder, a bad tag, and a tag twice', () => {
    assert.throws(() => namedFolders('/no/such/folder', undefined, []), { code: 'folderMissing', exitCode: 2 });
    assert.throws(() => namedFolders('', undefined, []), { code: 'folderMissing', message: 'there is no folder ""' });
    assert.throws(() => namedFolders(process.execPath, undefined, []), { code: 'folderIsNone', exitCode: 2 });
    for (const tag of ['', 'x'.repeat(37), 'ü'.repeat(19), 'a\nb']) {
      assert.throws(() => namedFolders(folder, tag, []), { code: 'tagBad', exitCode: 2 });
    }
    namedFolders(folder, 'ü'.repeat(18), []);
    assert.throws(() => namedFolders(folder, 'x', [`${folder}:x`]), { code: 'tagTwice' });
  });

  it('refuse a folder whose name is no UTF-8, however it is reached', () => {
    const odd = Buffer.concat([Buffer.from(`${folder}/odd`), Buffer.from([0xff])]);
    fs.mkdirSync(odd);
    fs.symlinkSync(odd, path.join(folder, 'link'));
    const sound = path.join(folder, 'sound\uFFFD');
    fs.mkdirSync(sound);
    for (const given of [odd.toString(), path.join(folder, 'link')]) {
      assert.throws(() => namedFolders(given, undefined, []), { code: 'folderNameOdd', exitCode: 2 });
    }
    assert.equal(namedFolders(sound, undefined, [])[0].directory, sound);
  });

  it('refuse tags that would have one folder in the guest, and so one name of a capture', () => {
    for (const [one, other] of [
      ['a b', 'a_b'],
      ['a/b', 'a_b'],
      ['..', '_'],
    ]) {
      assert.throws(() => namedFolders(folder, one, [`${folder}:${other}`]), {
        code: 'tagsAlike',
        exitCode: 2,
        message: new RegExp(`"${one}" and "${other}" would both be /mnt/`.replaceAll('.', '\\.')),
      });
    }
    assert.equal(namedFolders(folder, 'a-b', [`${folder}:a_b`, `${folder}:A_b`]).length, 3);
  });

  it('give sizes in M or G', () => {
    assert.deepEqual(['512', '512M', '2G', '1GiB', '96mb'].map(parseMemory), [512, 512, 2048, 1024, 96]);
    for (const text of ['', '95', '-1', '1T', '1.5G', 'x']) {
      assert.throws(() => parseMemory(text), { code: 'numberBad' });
    }
  });

  it('that only QEMU has are refused where the guest is User Mode Linux, and nothing else is', () => {
    const check = (...words: string[]): void => checkGuestHas(parseShareWords(words).options);
    for (const [option, value] of [
      ['--accel', 'auto'],
      ['--kernel', '/boot/vmlinuz'],
      ['--cpus', '2'],
      ['--queues', '1'],
      ['--qemu-arg', ''],
    ]) {
      const message = `${option} is for QEMU only, and the guest is User Mode Linux`;
      assert.throws(() => check('--guest', 'uml', `${option}=${value}`), { code: 'qemuOnly', exitCode: 2, message });
      check(`${option}=${value}`);
    }
    for (const word of ['--dax=64M', '--dax-policy=tails', '--dax-mount=inode']) {
      assert.throws(() => check('--guest', 'uml', word), { code: 'daxUml' });
    }
    check('--guest', 'uml', '--memory=1G', '--cache=never', '--read-only');
  });

  it('about a DAX window are refused without one', () => {
    const window = (...words: string[]): ReturnType<typeof daxOf> => daxOf(parseShareWords(words).options);
    for (const [option, value] of [
      ['--dax-policy', 'tails'],
      ['--dax-mount', 'inode'],
    ]) {
      const message = `${option} without a DAX window`;
      assert.throws(() => window(`${option}=${value}`), { code: 'daxOptionAlone', exitCode: 2, message });
    }
    assert.equal(window(), undefined);
    assert.deepEqual(window('--dax=2M'), { bytes: 2 << 20, mount: 'inode' });
    assert.deepEqual(window('--dax=2M', '--dax-mount=always'), { bytes: 2 << 20, mount: 'always' });
  });

  it('give whole numbers within bounds', () => {
    assert.equal(parseCount('--cpus', '4', 1, 64), 4);
    for (const text of ['0', '65', '', '1e1', '0x2', ' 3']) {
      assert.throws(() => parseCount('--cpus', text, 1, 64), { code: 'numberBad' });
    }
  });
});
