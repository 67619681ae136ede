/** Chosen fields as columns. */
import assert from 'node:assert/strict';
import { fieldColumns, fieldHelp, type FieldColumns } from '../../src/trace/fieldColumns';
import { CaptureBuilder } from './captureBuilder';

const capture = new CaptureBuilder()
  .init()
  .exchange('OPEN', { nodeid: 1, in: { flags: 0o102 }, out: { fh: 1n << 60n, open_flags: 2 }, latency: 12_345 })
  .exchange('LOOKUP', { names: ['t\tb'], error: 'ENOENT' })
  .exchange('READDIR', { in: { fh: 3, size: 500 }, entries: [{ name: 'a' }, { name: 'b\n' }] })
  .exchange('FORGET', { nodeid: 7, in: { nlookup: 2 } })
  .exchange('SETATTR', { nodeid: 1, in: { valid: 1, mode: 0o640 } })
  .capture();

const columns = (list: string): FieldColumns => {
  const result = fieldColumns(list);
  assert.ok(!('unknown' in result), list);
  return result;
};
const text = (list: string, row: number): string[] => columns(list).text(capture, row).split('\t');
const json = (list: string, row: number): unknown => JSON.parse(columns(list).json(capture, row));

describe('fields as columns', () => {
  it('are shown in the kernel’s terms', () => {
    assert.deepEqual(text('opcode, open.flags,reply.fh,reply.open_flags,latency,error', 1), [
      ...['OPEN', 'O_RDWR|O_CREAT', '1152921504606846976', 'FOPEN_KEEP_CACHE', '12.3 µs', 'OK'],
    ]);
    assert.deepEqual(text('setattr.mode,setattr.uid', 5), ['0640', '-']);
  });

  it('are a dash, or null, where a row has no such field', () => {
    assert.deepEqual(text('read.size,error,latency,fh', 4), ['-', '-', '-', '-']);
    assert.deepEqual(json('read.size,error', 4), { 'read.size': null, error: null });
  });

  it('never break the line or the columns, whatever names are', () => {
    assert.deepEqual(text('path,name,error', 2), ['"/t\\tb"', '"t\\tb"', 'ENOENT']);
    assert.deepEqual(text('readdir.reply.name', 3), ['"a","b\\n"']);
  });

  it('are values in JSON', () => {
    assert.deepEqual(json('opcode,open.flags,reply.fh,latency,error,in_flight', 1), {
      ...{
        opcode: 'OPEN',
        'open.flags': 66,
        'reply.fh': '1152921504606846976',
        latency: 12_345,
        error: 'OK',
        in_flight: false,
      },
    });
    assert.deepEqual(json('path,readdir.reply.name', 3), { path: '/', 'readdir.reply.name': ['a', 'b\n'] });
  });

  it('are named in the help, and a wrong name gets the near one', () => {
    assert.ok(fieldHelp().some((line) => line.startsWith('read.size\t')));
    assert.deepEqual(fieldColumns('opcode,paht'), { unknown: 'paht', nearest: 'path' });
    assert.deepEqual(fieldColumns(''), { unknown: '', nearest: undefined });
  });
});
