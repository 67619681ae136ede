/** Following one inode, handle or process. */
import assert from 'node:assert/strict';
import { follow, parseFollow } from '../../src/trace/follow';
import { CaptureBuilder } from './captureBuilder';

const BIG = (3n << 32n) | 7n;

const capture = new CaptureBuilder()
  .exchange('LOOKUP', { names: ['a'], out: { nodeid: 5 } }) // 0
  .exchange('OPEN', { nodeid: 5, out: { fh: BIG } }) // 1
  .exchange('READ', { nodeid: 5, in: { fh: BIG, size: 10 }, outPayload: 10, pid: 7 }) // 2
  .exchange('READ', { nodeid: 6, in: { fh: 7, size: 10 }, outPayload: 10 }) // 3
  .exchange('LINK', { nodeid: 1, names: ['b'], in: { oldnodeid: 5 }, out: { nodeid: 5 } }) // 4
  .exchange('RENAME', { nodeid: 1, names: ['c', 'd'], in: { newdir: 5 } }) // 5
  .exchange('COPY_FILE_RANGE', { nodeid: 6, in: { fh_in: 7, fh_out: BIG, nodeid_out: 5 }, out: { size: 1 } }) // 6
  .exchange('GETATTR', { nodeid: 6, error: 'EIO' }) // 7
  .exchange('LOOKUP', { names: ['z'], error: 'ENOENT', pid: 7 }) // 8
  .notification(1, new Uint8Array(8)) // 9
  .capture();

const rows = (text: string): number[] => {
  const followed = parseFollow(text);
  assert.ok(followed, text);
  const test = follow(followed);
  return Array.from({ length: capture.count }, (_, row) => row).filter((row) => test(capture, row));
};

describe('following', () => {
  it('an inode: what is about it, names it or returns it', () => {
    assert.deepEqual(rows('inode=5'), [0, 1, 2, 4, 5, 6]);
    assert.deepEqual(rows('inode:6'), [3, 6, 7]);
  });

  it('a handle, of all 64 bits: what opened it and what uses it', () => {
    assert.deepEqual(rows(`fh=0x${BIG.toString(16)}`), [1, 2, 6]);
    assert.deepEqual(rows(`fh=${BIG}`), [1, 2, 6]);
    assert.deepEqual(rows('fh=7'), [3, 6]);
  });

  it('a process', () => {
    assert.deepEqual(rows('pid=7'), [2, 8]);
  });

  it('nothing else', () => {
    for (const text of [
      '',
      'inode',
      'inode=',
      'path=/a',
      'fh=-1',
      'fh=0x',
      'pid=1.5',
      'inode=99999999999999999999',
      'fh=1 2',
    ]) {
      assert.equal(parseFollow(text), undefined, text);
    }
  });
});
