/** A capture file in the extension host: read in slices, both halves of it, and read again where somebody looks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaptureFiles } from '../../../src/control/captureFiles';
import { CaptureReader } from '../../../src/trace/captureReader';
import { filteredCapture } from '../../../src/trace/export/pcapng';
import { requestLine } from '../../../src/trace/line';
import { OpenFile } from '../../../src/ui/captures/openFile';
import { bytesElsewhere, bytesInMemory, FileCapture, MOST_ELSEWHERE } from '../../../src/ui/timeline/fileCapture';
import { CaptureBuilder } from '../../trace/captureBuilder';

const half = (piece: number): CaptureBuilder =>
  new CaptureBuilder({ tag: 'work', directory: '/srv/work', facts: { id: 'x', piece } });
const lines = (capture: CaptureReader): string[] =>
  Array.from({ length: capture.count }, (_, row) => requestLine(capture, row));

describe('a capture file', () => {
  let folder: string;
  let path: string;
  /** Longer than a chunk each, so that what is read again lies in both. */
  let older: Uint8Array;
  let newer: Uint8Array;

  before(() => {
    const first = half(0).init();
    first.exchange('LOOKUP', { names: ['a'], out: { nodeid: 2, attr: { mode: 0o100644, nlink: 1 } } });
    for (let i = 0; i < 2000; i++) first.exchange('GETATTR', { nodeid: 2, pid: i });
    older = first.bytes();
    const second = half(1);
    for (let i = 0; i < 2000; i++) second.exchange('OPEN', { nodeid: 2, pid: i, at: 1e9 + i });
    newer = second.bytes();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-file-'));
    path = join(folder, 'a.fuse.pcapng');
    writeFileSync(path, newer);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function opened(): Promise<FileCapture> {
    const file = new FileCapture(path, new CaptureFiles(path), path);
    await file.done;
    return file;
  }

  it('comes with its older half, and says so', async () => {
    writeFileSync(`${path}.old`, older);
    const file = await opened();
    const { phase, bytes, bytesRead, notes, trouble } = file.state();
    assert.deepEqual([phase, trouble, bytes], ['complete', undefined, older.length + newer.length]);
    assert.equal(bytesRead, bytes);
    assert.match(notes.join(), /^it continues ".*a\.fuse\.pcapng\.old", which is read first$/);
    assert.equal(file.capture.count, 4002);
    const all = lines(file.capture);
    assert.match(all[2001], /pid=1999 .*GETATTR "\/a"/);
    assert.match(all[2002], /pid=0 .*OPEN "\/a"/);
    file.close();
  });

  it('comes alone where the other is none of its', async () => {
    writeFileSync(`${path}.old`, half(7).bytes());
    const file = await opened();
    assert.deepEqual([file.capture.count, file.state().notes], [2000, []]);
    file.close();
  });

  it('is exported with both halves, as one capture', async () => {
    writeFileSync(`${path}.old`, older);
    const file = await opened();
    const again = new CaptureReader();
    const rows = Uint32Array.from({ length: file.capture.count }, (_, row) => row);
    for (const piece of filteredCapture(file.capture, rows, 'test')) again.push(piece);
    again.end();
    assert.equal(again.fault, undefined);
    assert.deepEqual(lines(again), lines(file.capture));
    file.close();
  });

  it('in the views has the note as well', async () => {
    writeFileSync(`${path}.old`, older);
    const open = new OpenFile(path);
    await open.done;
    assert.equal(open.phase, 'ended');
    assert.equal(open.reader.count, 4002);
    assert.match(open.notes.join(), /which is read first/);
    open.close();
  });

  it('is read to its last byte although there is more of it than one chunk', async () => {
    const file = await opened();
    assert.deepEqual(lines(file.capture), lines(read(newer)));
    file.close();
  });

  it('elsewhere is read from memory', async () => {
    const file = new FileCapture('/b.fuse.pcapng', bytesInMemory(newer));
    await file.done;
    assert.deepEqual(lines(file.capture), lines(read(newer)));
    assert.equal(file.state().bytesRead, newer.length);
  });

  it('that is said to be of any size has no more memory than its rows, and is read as it is', async () => {
    const builder = new CaptureBuilder();
    for (let i = 0; i < 20_000; i++) builder.exchange('STATFS');
    const all = builder.bytes();
    assert.ok(all.length > 4 << 20);
    const roomOf = async (size: number): Promise<number> => {
      const file = new FileCapture('/huge.fuse.pcapng', { ...bytesInMemory(all), size });
      await file.done;
      const { trouble, bytes, bytesRead } = file.state();
      assert.deepEqual([trouble, file.capture.count, bytesRead], [undefined, 20_000, all.length]);
      assert.ok(bytes >= bytesRead);
      return file.capture.columns.start.length;
    };
    assert.ok((await roomOf(2 ** 52)) <= 2 << 20);
    assert.ok((await roomOf(all.length)) < 100_000);
    // It has grown since it was opened.
    assert.ok((await roomOf(1)) < 100_000);
  });

  it('that is not on this machine is read into memory, unless it is too large for that', async () => {
    let read = 0;
    const files = (size: number): Parameters<typeof bytesElsewhere<string>>[0] => ({
      stat: () => Promise.resolve({ size }),
      readFile: () => {
        read++;
        return Promise.resolve(older);
      },
    });
    const elsewhere = new FileCapture('/elsewhere', await bytesElsewhere(files(MOST_ELSEWHERE), 'there'));
    await elsewhere.done;
    assert.equal(elsewhere.capture.count, 2002);
    assert.equal(read, 1);
    const tooLarge = { code: 'captureTooLarge', message: /for that: 600 MiB$/, remedy: /^Up to 512 MiB can be/ };
    await assert.rejects(bytesElsewhere(files(600 << 20), 'there'), tooLarge);
    await assert.rejects(bytesElsewhere(files(MOST_ELSEWHERE + 1), 'there'), { code: 'captureTooLarge' });
    assert.equal(read, 1, 'nothing of it');
  });

  it('that is none, cannot be read or is empty says what to do', async () => {
    assert.throws(() => new OpenFile(join(folder, 'none')), { code: 'captureMissing' });
    writeFileSync(path, '');
    assert.throws(() => new OpenFile(path), { code: 'captureEmpty' });
    writeFileSync(path, 'nothing of the kind');
    const open = new OpenFile(path);
    await open.done;
    assert.equal(open.phase, 'broken');
    assert.match(open.notes.join(), /not a capture/);
    open.close();
  });

  it('gives nothing any more when it is closed', async () => {
    const file = await opened();
    file.close();
    assert.equal(file.capture.requestBytes(0).length, 0);
  });

  function read(bytes: Uint8Array): CaptureReader {
    const reader = new CaptureReader();
    reader.push(bytes);
    reader.end();
    return reader;
  }
});
