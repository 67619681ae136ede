/** CSV as RFC 4180 has it. */
import assert from 'node:assert/strict';
import { csv, csvColumns } from '../../../src/trace/export/csv';
import { CaptureBuilder } from '../captureBuilder';

/** A reader written from the RFC's grammar. */
function parse(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
          assert.ok(at < text.length, 'a quote that does not end');
          if (text[at] === '"') at++;
          field += text[at];
        }
        at++;
      } else {
        while (at < text.length && text[at] !== ',' && text[at] !== '\r') {
          assert.ok(text[at] !== '"' && text[at] !== '\n');
          field += text[at++];
        }
      }
      record.push(field);
      if (text[at] !== ',') break;
      at++;
    }
    assert.equal(text.slice(at, at + 2), '\r\n');
    at += 2;
    records.push(record);
  }
  return records;
}

describe('a capture as CSV', () => {
  it('has a header, and one record for each request with as many fields', () => {
    const capture = new CaptureBuilder()
      .init()
      .exchange('LOOKUP', { names: ['a,"b"\r\nc'], error: 'ENOENT', queued: 5 })
      .exchange('FORGET', { nodeid: 9, in: { nlookup: 3 } })
      .exchange('READ', { in: { fh: 4, offset: 8, size: 512 }, outPayload: 100, latency: 900, later: true })
      .notification(1, new Uint8Array(8))
      .exchange('STATFS', { error: 'EIO', latency: 9_000, held: 5_000, changed: true })
      .capture();
    const [header, ...records] = parse([...csv(capture, [0, 1, 2, 3, 4, 5])].join(''));
    assert.deepEqual(header, csvColumns);
    assert.equal(records.length, 6);
    const rows = records.map((record) => {
      assert.equal(record.length, header.length);
      return Object.fromEntries(record.map((value, i) => [header[i], value]));
    });
    const [, lookup, forget, read, notify, held] = rows;
    assert.equal(lookup['path'], '/a,"b"\r\nc');
    assert.deepEqual([lookup['error'], lookup['queued'], lookup['in_flight']], ['ENOENT', '5', '0']);
    assert.deepEqual([forget['opcode'], forget['latency'], forget['reply']], ['FORGET', '', '']);
    assert.deepEqual([forget['host_calls'], forget['reply_bytes'], lookup['host_calls']], ['', '', '0']);
    assert.deepEqual(
      [read['arguments'], read['reply'], read['latency'], read['payload_bytes'], read['later']],
      ['fh=4 offset=8 size=512', '100 bytes', '900', '100', '1'],
    );
    assert.deepEqual([held['held'], held['changed'], held['daemon']], ['5000', '1', '4000']);
    assert.deepEqual([read['held'], read['changed'], forget['held']], ['0', '0', '']);
    assert.deepEqual([notify['opcode'], notify['pid'], notify['error']], ['NOTIFY_POLL', '', '']);
  });
});
