/** What a capture says of requests that a debugger held or changed, or that a fault was done to. */
import assert from 'node:assert/strict';
import { isDropped, whatOf } from '../../../src/trace/line';
import { RowFlag } from '../../../src/trace/capture';
import { opcodeByNumber } from '../../../src/protocol/fuse/opcodes';
import { readCaptureFile } from '../../bench/readCapture';
import * as path from 'node:path';
import * as os from 'node:os';
import * as fs from 'node:fs';
import { Debugged } from './debugged';

describe('held requests in a capture', () => {
  it('are marked, and the time they were held is not the daemon’s', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gate-capture-'));
    const file = path.join(folder, 'capture');
    const it_ = await Debugged.begin({
      arguments: [`--capture=${file}`, '--trace-syscalls', '--fault=delay=60ms STATFS'],
    });
    await it_.breakOn({ opcodes: 'LOOKUP,GETATTR' });
    const lookup = it_.lookup('file');
    const { request } = await it_.next('held');
    await new Promise((resolve) => setTimeout(resolve, 60));
    await it_.step('stepIn', request, 'call');
    await new Promise((resolve) => setTimeout(resolve, 60));
    await it_.step('stepOut', request, 'reply');
    await new Promise((resolve) => setTimeout(resolve, 60));
    await it_.go();
    assert.equal(it_.errorOf(lookup), 0);
    const getattr = it_.getattr();
    await it_.client.ask('answer', { request: (await it_.next('held')).request, errno: 5 });
    await it_.go();
    assert.equal(it_.errorOf(getattr), -5);
    await it_.breakOn();
    it_.session.calls.statfs(1n);
    it_.session.calls.access(1n, 0);
    await it_.end();
    const { rows } = readCaptureFile(file, (capture) => ({
      rows: new Map(
        Array.from({ length: capture.count }, (_, row) => {
          const { columns } = capture;
          const daemon = columns.latency[row] - columns.host[row] - columns.writing[row] - columns.held[row];
          const changed = (columns.flags[row] & RowFlag.CHANGED) !== 0;
          return [
            opcodeByNumber(columns.opcode[row])?.name ?? '',
            {
              latency: columns.latency[row] / 1e6,
              held: columns.held[row] / 1e6,
              host: columns.host[row] / 1e6,
              writing: columns.writing[row] / 1e6,
              daemon: daemon / 1e6,
              changed,
            },
          ];
        }),
      ),
    }));
    const looked = rows.get('LOOKUP');
    assert.ok(looked && looked.held >= 175 && looked.latency >= looked.held, JSON.stringify(looked));
    assert.ok(looked.daemon < 60 && looked.host < 55 && looked.writing < 55, JSON.stringify(looked));
    assert.equal(looked.changed, false);
    assert.deepEqual([rows.get('GETATTR')?.changed, (rows.get('GETATTR')?.held ?? 0) > 0], [true, true]);
    const delayed = rows.get('STATFS');
    assert.ok(delayed && delayed.held >= 55 && delayed.changed, JSON.stringify(delayed));
    assert.deepEqual([rows.get('ACCESS')?.changed, rows.get('ACCESS')?.held], [false, 0]);
    fs.rmSync(folder, { recursive: true });
  });

  it('whose reply was dropped are marked, with what the daemon did for them', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gate-capture-'));
    const file = path.join(folder, 'capture');
    const it_ = await Debugged.begin({ arguments: [`--capture=${file}`, '--fault=drop,times=1 LOOKUP'] });
    const lost = it_.lookup('file');
    assert.equal(it_.errorOf(it_.lookup('file')), 0);
    assert.ok(!it_.done(lost));
    await it_.end();
    const rows = readCaptureFile(file, (capture) =>
      Array.from({ length: capture.count }, (_, row) => ({
        what: whatOf(capture, row),
        dropped: isDropped(capture, row),
        calls: capture.columns.calls[row],
      })),
    );
    const [first, second] = rows.filter(({ what }) => what.startsWith('LOOKUP'));
    assert.deepEqual([first.what, first.dropped, second.dropped], ['LOOKUP "/file" … dropped by a fault', true, false]);
    assert.ok(first.calls > 0);
    fs.rmSync(folder, { recursive: true });
  });
});
