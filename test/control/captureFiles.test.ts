import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaptureFiles, captureParts } from '../../src/control/captureFiles';
import { CaptureBuilder } from '../trace/captureBuilder';

const piece = (number: number, id = 'x'): Uint8Array =>
  new CaptureBuilder({ facts: { id, piece: number } }).exchange('STATFS').bytes();

describe('the files of a capture', () => {
  let folder: string;
  let path: string;
  let files: CaptureFiles | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'capture-files-'));
    path = join(folder, 'a.fuse.pcapng');
  });
  afterEach(() => {
    files?.close();
    files = undefined;
    rmSync(folder, { recursive: true });
  });

  const whole = (): Buffer => {
    const chunks: Uint8Array[] = [];
    for (let chunk = files?.next(); chunk !== undefined && chunk.length > 0; chunk = files?.next()) {
      chunks.push(chunk.slice());
    }
    return Buffer.concat(chunks);
  };

  it('are told by name and size, the older half first', () => {
    const [older, newer] = [piece(3), piece(4)];
    writeFileSync(path, newer);
    writeFileSync(`${path}.old`, older);
    const [first, second] = [
      { file: `${path}.old`, bytes: older.length },
      { file: path, bytes: newer.length },
    ];
    assert.deepEqual(captureParts(path), [first, second]);
    // Somebody else's.
    writeFileSync(`${path}.old`, piece(3, 'y'));
    assert.deepEqual(captureParts(path), [second]);
    for (const none of [join(folder, 'none'), folder, '/dev/null']) assert.deepEqual(captureParts(none), []);
  });

  it('say of a disk that fails that it does', () => {
    // A regular file whose first bytes cannot be read.
    const failing = { code: 'captureReadFailed', exitCode: 3, message: /i\/o error \(EIO\)/ };
    assert.throws(() => new CaptureFiles('/proc/self/mem', true), failing);
  });

  it('are one stream: the older half first', () => {
    const [older, newer] = [piece(3), piece(4)];
    writeFileSync(`${path}.old`, older);
    writeFileSync(path, newer);
    files = new CaptureFiles(path);
    assert.equal(files.size, older.length + newer.length);
    const bytes = Buffer.concat([older, newer]);
    assert.deepEqual(whole(), bytes);
    assert.deepEqual(Buffer.from(files.readAt(0, bytes.length, new Uint8Array(bytes.length))), bytes);
    assert.deepEqual(
      Buffer.from(files.readAt(older.length - 8, 16)),
      bytes.subarray(older.length - 8, older.length + 8),
      'across both',
    );
    assert.equal(files.readAt(bytes.length - 4, 16).length, 4);
    assert.match(files.notes[0], /continues ".*\.old"/);
  });

  for (const [what, other] of [
    ['of another capture', piece(3, 'y')],
    ['not the one before', piece(2)],
    ['that is no capture', Buffer.from('nothing')],
  ] as const) {
    it(`leave out an older half ${what}`, () => {
      writeFileSync(`${path}.old`, other);
      writeFileSync(path, piece(4));
      files = new CaptureFiles(path);
      assert.deepEqual([files.size, files.notes], [piece(4).length, []]);
    });
  }

  it('go on where the file grows, and in the next one when it is turned over', () => {
    const [first, second] = [piece(0), piece(1)];
    writeFileSync(path, first.subarray(0, 40));
    files = new CaptureFiles(path, true);
    assert.equal(whole().length, 40);
    assert.equal(files.turnOver(), false);
    appendFileSync(path, first.subarray(40));
    renameSync(path, `${path}.old`);
    writeFileSync(path, second);
    assert.equal(whole().length, first.length - 40);
    assert.equal(files.turnOver(), true);
    assert.deepEqual(whole(), Buffer.from(second));
    assert.equal(files.size, first.length + second.length);
  });

  it('are let go of when the capture has gone on twice: their places have nothing any more', () => {
    const [first, second] = [piece(1), piece(2)];
    const open = (): number => readdirSync('/proc/self/fd').length;
    writeFileSync(path, first);
    files = new CaptureFiles(path, true);
    whole();
    const before = open();
    for (let turn = 0; turn < 10; turn++) {
      renameSync(path, `${path}.old`);
      writeFileSync(path, second);
      assert.equal(files.turnOver(), true);
      assert.deepEqual(whole(), Buffer.from(second));
    }
    assert.equal(open(), before + 1);
    assert.equal(files.readAt(0, 40).length, 0);
    assert.equal(files.readAt(files.size - second.length, second.length).length, second.length);
    unlinkSync(path);
    assert.equal(files.turnOver(), false, 'for a moment there is none');
    mkdirSync(path);
    assert.equal(files.turnOver(), false);
  });

  it('are refused when there is nothing to read', () => {
    assert.throws(() => new CaptureFiles(path), { code: 'captureMissing' });
    writeFileSync(path, '');
    assert.throws(() => new CaptureFiles(path), { code: 'captureEmpty' });
    const inside = join(folder, 'folder');
    mkdirSync(inside);
    assert.throws(() => new CaptureFiles(inside), { code: 'captureIsNoFile' });
    assert.throws(() => new CaptureFiles('/dev/null'), { code: 'captureOfNoFile' });
  });
});
