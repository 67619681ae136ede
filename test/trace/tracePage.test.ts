import assert from 'node:assert/strict';
import { opcodeOf, traceHover } from '../../src/trace/traceHover';
import { tracePage } from '../../src/trace/tracePage';
import { CaptureBuilder } from './captureBuilder';

const capture = new CaptureBuilder()
  .init()
  .exchange('LOOKUP', { names: ['OPEN me'], out: { nodeid: 2, attr: { mode: 0o100644 } } })
  .exchange('READ', { nodeid: 2, in: { fh: 1, size: 4096 }, outPayload: 10, calls: 1 })
  .hostCall('openat', { arguments: [-100, 0, 0, 0], texts: ['x'], result: -2, duration: 1500 })
  .exchange('OPEN', { nodeid: 2, in: { flags: 2 }, error: 'EACCES' })
  .capture();

describe('a page of decoded requests', () => {
  it('has a line for each request, with its number, and its host calls under it', () => {
    const { lines, rows, heads } = tracePage(capture, [1, 2, 3], 'lines', 100, 'some');
    assert.equal(lines[0], '# some');
    assert.match(lines[1], /^#101 {2}0\.000020 {2}q1 .*LOOKUP "\/OPEN me" -> nodeid=2/);
    assert.match(lines[2], /^#102 .*READ "\/OPEN me" fh=1 offset=0 size=4K -> 10 bytes/);
    assert.match(lines[3], /^ {6}openat\(AT_FDCWD, "x", O_RDONLY, 0000\) = -1 ENOENT {2}1\.50 µs$/);
    assert.deepEqual([...rows], [-1, 1, 2, 2, 3]);
    assert.deepEqual([...heads], [0, 1, 1, 0, 1]);
  });

  it('has every field, indented as it is nested', () => {
    const { lines } = tracePage(capture, [1], 'fields', 0, 'some');
    assert.ok(lines.includes('      fuse_in_header'));
    assert.ok(lines.includes('        opcode=FUSE_LOOKUP'), lines.join('\n'));
    assert.ok(lines.includes('      name="OPEN me"'));
    assert.ok(lines.includes('        attr'));
    assert.ok(lines.includes('          mode=0100644'));
    assert.ok(lines.every((line) => !line.includes('padding')));
  });
});

describe('what a word of a trace means', () => {
  const { lines } = tracePage(capture, [1, 2, 3], 'lines', 0, 'some');
  const on = (line: string, word: string) => traceHover(line, line.lastIndexOf(word) + 1);

  it('opcodes, fields of request and reply, flags and errnos', () => {
    assert.match(on(lines[2], 'READ')?.title ?? '', /^READ \(opcode 15\)/);
    assert.match(on(lines[2], 'offset')?.text ?? '', /^Where/);
    assert.match(on(lines[1], 'nodeid')?.text ?? '', /server names it/);
    assert.match(on(lines[4], 'O_RDWR')?.title ?? '', /^O_RDWR \(0x2\)/);
    assert.match(on(lines[4], 'EACCES')?.text ?? '', /Permission denied/);
    assert.match(on(lines[2], 'queued')?.text ?? '', /in the queue/);
  });

  it('nothing of what is in quotes: names are what a guest calls its files', () => {
    assert.equal(on(lines[1], 'OPEN me'), undefined);
    assert.equal(opcodeOf(lines[1])?.name, 'LOOKUP');
  });

  it('fields of a line below by the request above', () => {
    assert.match(traceHover('        read_flags=0', 10, lines[2])?.title ?? '', /read_flags/);
    assert.match(traceHover('      fuse_read_in', 8, lines[2])?.title ?? '', /struct fuse_read_in/);
  });

  it('nothing of text that is no trace', () => {
    for (const text of ['', 'hello world', '"', '# READ', '-> ->']) {
      for (let at = 0; at <= text.length; at++) assert.doesNotThrow(() => traceHover(text, at));
    }
    assert.equal(traceHover('hello world', 1), undefined);
  });
});
