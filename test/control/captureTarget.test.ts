/** Where a capture may be written, and what it leaves as it is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCaptureTarget, openCaptureTarget } from '../../src/control/captureTarget';
import { sectionHeader } from '../../src/trace/pcapngWriter';

describe('a capture is written', () => {
  const capture = sectionHeader({ os: 'Linux', application: 'test', comment: '{}' });
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'virtiofs-target-'));
    file = join(folder, 'file');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const open = (path = file): void => {
    checkCaptureTarget(path, false, []);
    fs.closeSync(openCaptureTarget(path));
  };
  const mode = (): number => fs.statSync(file).mode & 0o777;

  it('into a new file, which looking alone does not make', () => {
    checkCaptureTarget(file, true, []);
    assert.ok(!fs.existsSync(file));
    open();
    assert.deepEqual([fs.readFileSync(file).length, mode()], [0, 0o600]);
  });

  it('over a capture of before and over an empty file, from then on for their owner alone', () => {
    for (const before of [capture, Buffer.from(capture).subarray(0, 12), new Uint8Array()]) {
      fs.writeFileSync(file, before);
      fs.chmodSync(file, 0o644);
      checkCaptureTarget(file, true, []);
      assert.deepEqual([fs.readFileSync(file).length, mode()], [before.length, 0o644], 'looking changes nothing');
      open();
      assert.deepEqual([fs.readFileSync(file).length, mode()], [0, 0o600]);
    }
  });

  it('over no other file, whatever its length', () => {
    const wrongOrder = Uint8Array.from(capture).fill(0, 8, 12);
    for (const before of ['x', '# Read me\n'.repeat(100), capture.subarray(0, 11), wrongOrder]) {
      fs.writeFileSync(file, before);
      fs.chmodSync(file, 0o644);
      const kept = fs.readFileSync(file);
      assert.throws(() => checkCaptureTarget(file, false, []), { code: 'captureTaken', exitCode: 2 });
      assert.throws(() => openCaptureTarget(file), { code: 'captureTaken' });
      assert.deepEqual(fs.readFileSync(file), kept);
      assert.equal(mode(), 0o644);
    }
  });

  it('through no link to a file: nobody knows who has made it', () => {
    const link = join(folder, 'link');
    fs.symlinkSync(file, link);
    for (const there of [undefined, 'mine', capture]) {
      if (there !== undefined) fs.writeFileSync(file, there);
      for (const write of [() => checkCaptureTarget(link, false, []), () => openCaptureTarget(link)]) {
        assert.throws(write, { code: 'captureUnusable', message: /symbolic link/ });
      }
      if (there === undefined) assert.ok(!fs.existsSync(file));
      else assert.deepEqual(fs.readFileSync(file), Buffer.from(there));
    }
  });

  it('into a shared folder itself, and into no folder in it, whatever leads there', () => {
    const shared = join(folder, 'shared');
    fs.mkdirSync(join(shared, 'in', 'it'), { recursive: true });
    fs.mkdirSync(`${shared}Too`);
    fs.symlinkSync(shared, join(folder, 'also'));
    fs.symlinkSync('/', join(shared, 'in', 'out'));
    for (const free of ['x', 'shared/x', 'also/x', 'sharedToo/x'])
      checkCaptureTarget(join(folder, free), false, [shared]);
    for (const within of ['shared/in/x', 'shared/in/it/x', 'also/in/x', 'shared/in/none/x', 'shared/in/out/tmp/x']) {
      assert.throws(() => checkCaptureTarget(join(folder, within), false, ['/nowhere/..', shared]), {
        code: 'captureInShare',
        exitCode: 2,
      });
    }
    assert.throws(() => checkCaptureTarget(file, false, ['/']), { code: 'captureInShare' });
  });

  it('with a limit also over the older half of before, and over no other file or folder of that name', () => {
    const old = `${file}.old`;
    fs.writeFileSync(old, capture);
    checkCaptureTarget(file, true, []);
    fs.writeFileSync(old, 'mine');
    checkCaptureTarget(file, false, []);
    assert.throws(() => checkCaptureTarget(file, true, []), { code: 'captureTaken', message: /file\.old/ });
    fs.rmSync(old);
    fs.mkdirSync(old);
    assert.throws(() => checkCaptureTarget(file, true, []), { code: 'captureTaken', message: /file\.old/ });
  });

  it('with a limit into what can be renamed, which is no link and no FIFO', () => {
    execFileSync('mkfifo', [file]);
    const link = join(folder, 'link');
    fs.symlinkSync('/dev/null', link);
    for (const path of [file, link]) {
      assert.throws(() => checkCaptureTarget(path, true, []), { code: 'captureUnusable', message: /renames/ });
      checkCaptureTarget(path, false, []);
    }
  });

  it('into no folder, and where there is a folder to write in', () => {
    assert.throws(() => checkCaptureTarget(folder, false, []), {
      code: 'captureUnusable',
      exitCode: 3,
      message: /folder/,
    });
    fs.writeFileSync(file, '');
    for (const path of [join(folder, 'none', 'file'), join(file, 'file')]) {
      assert.throws(() => checkCaptureTarget(path, false, []), { code: 'captureUnusable', message: /ENOENT|ENOTDIR/ });
    }
  });

  it('into a FIFO, for who reads it', () => {
    execFileSync('mkfifo', [file]);
    const reader = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    checkCaptureTarget(file, false, []);
    const fd = openCaptureTarget(file);
    fs.writeSync(fd, 'all of it');
    fs.closeSync(fd);
    assert.equal(fs.readFileSync(reader, 'utf8'), 'all of it');
    fs.closeSync(reader);
  });
});
