/** Requests whose reply a fault has dropped: as never answered as they are for the guest, and marked. */
import assert from 'node:assert/strict';
import type { Capture } from '../../src/trace/capture';
import { csv, csvColumns } from '../../src/trace/export/csv';
import { filteredCapture } from '../../src/trace/export/pcapng';
import { compileFilter, select } from '../../src/trace/filter/filter';
import { findings } from '../../src/trace/findings/findings';
import { jsonRow } from '../../src/trace/jsonRow';
import { ALL, RequestGroups } from '../../src/trace/requestGroups';
import { RequestIndex } from '../../src/trace/requestIndex';
import { isInFlight, requestLine, whatOf } from '../../src/trace/line';
import { requestDetails } from '../../src/ui/requests/details';
import { rowText } from '../../src/ui/requests/rowText';
import { describeLine } from '../../src/ui/timeline/describe';
import { CaptureBuilder } from './captureBuilder';
import { read } from './readWhole';

const SECOND = 1e9;

/** Row 1: a LOOKUP with its reply dropped; row 2: one that is in flight; row 3: long after. */
function builder(): CaptureBuilder {
  const made = new CaptureBuilder().init();
  const lookup = made.request('LOOKUP', { names: ['lost'], at: SECOND });
  made.hostCall('statx', { of: lookup }).replyDropped(lookup, { calls: 1, host: 700, held: 3000 });
  made.request('LOOKUP', { names: ['open'], at: 2 * SECOND });
  return made.exchange('GETATTR', { at: 100 * SECOND });
}

const rowsOf = (capture: Capture, text: string): number[] => {
  const filter = compileFilter(text);
  assert.ok(filter.ok);
  return [...select(capture, filter.value)];
};

describe('a reply that a fault has dropped', () => {
  const capture = builder().capture();

  it('is none, and its request says why', () => {
    assert.equal(capture.reply(1), undefined);
    assert.equal(capture.replyBytes(1).length, 0);
    assert.ok(isInFlight(capture, 1));
    assert.equal(whatOf(capture, 1), 'LOOKUP "/lost" … dropped by a fault');
    assert.equal(whatOf(capture, 2), 'LOOKUP "/open" … in flight');
    assert.match(requestLine(capture, 1), /… dropped by a fault {2}\(queued/);
    const { calls, host, held, latency } = capture.columns;
    assert.deepEqual([calls[1], host[1], held[1], latency[1]], [1, 700, 3000, NaN]);
    assert.deepEqual(capture.notes, []);
  });

  it('teaches no names: the guest has never heard them', () => {
    const made = new CaptureBuilder().init();
    made.replyDropped(made.request('LOOKUP', { names: ['a'] }));
    made.exchange('GETATTR', { nodeid: 2 });
    assert.equal(whatOf(made.capture(), 2).startsWith('GETATTR nodeid=2'), true);
  });

  it('is found by filters', () => {
    assert.deepEqual(rowsOf(capture, 'dropped'), [1]);
    assert.deepEqual(rowsOf(capture, 'changed'), [1]);
    assert.deepEqual(rowsOf(capture, 'in_flight'), [1, 2]);
    assert.deepEqual(rowsOf(capture, 'in_flight && !dropped'), [2]);
  });

  it('is told by exports and views', () => {
    const json = JSON.parse(jsonRow(capture, 1)) as Record<string, unknown>;
    assert.deepEqual(
      [json['dropped'], json['changed'], json['inFlight'], json['reply']],
      [true, true, true, undefined],
    );
    assert.equal('dropped' in (JSON.parse(jsonRow(capture, 2)) as object), false);
    const [, lost, open] = [...csv(capture, [1, 2])].map((line) => line.trimEnd().split(','));
    const at = csvColumns.indexOf('dropped');
    assert.deepEqual([lost[at], open[at]], ['1', '0']);
    const { description, icon, mood } = rowText(capture, 1, 'time');
    assert.match(description, /^dropped by a fault/);
    assert.deepEqual([icon, mood], ['error', 'failed']);
    const groups = new RequestGroups(capture, 'opcode');
    groups.add(1);
    groups.add(2);
    const [lookups] = groups.groups(ALL, 1);
    assert.deepEqual([lookups.count, lookups.errors, lookups.failed], [2, 0, 1]);
    assert.deepEqual([rowText(capture, 2, 'time').icon, rowText(capture, 2, 'time').mood], ['watch', 'waiting']);
    assert.equal(describeLine(capture, 1).result, '… dropped by a fault');
    const reply = requestDetails(capture, 1).find(({ label }) => label === 'Reply');
    assert.deepEqual([reply?.text, reply?.bad], ['dropped by a fault: the guest waits for ever', true]);
  });

  it('is nothing that a view waits for, and is found among the errors', () => {
    const rows = new RequestIndex(capture, undefined, 0, 'time');
    assert.ok(rows.advance(capture.count, () => false));
    assert.deepEqual([rows.inFlight(9), rows.newest(9)], [[2], [3, 1, 0]]);
    assert.deepEqual([rows.nextError(-1), rows.nextError(1), rows.nextError(3, false)], [1, undefined, 1]);
  });

  it('is waited for no more when it comes to be dropped', () => {
    const made = new CaptureBuilder().init();
    const lookup = made.request('LOOKUP', { names: ['lost'] });
    const growing = made.capture();
    const rows = new RequestIndex(growing, undefined, 0, 'time');
    rows.advance(growing.count, () => false);
    assert.deepEqual(rows.inFlight(9), [1]);
    const { length } = made.bytes();
    growing.push(made.replyDropped(lookup).bytes().subarray(length));
    rows.advance(growing.count, () => false);
    assert.deepEqual([rows.inFlight(9), rows.newest(9)], [[], [1, 0]]);
  });

  it('is kept by an export as a capture', () => {
    const bytes = Buffer.concat([...filteredCapture(capture, Uint32Array.of(1, 2), 'test')]);
    const again = read(bytes);
    assert.deepEqual(rowsOf(again, 'dropped'), [1]);
    assert.equal(again.columns.calls[1], 1);
    assert.equal(whatOf(again, 2), 'LOOKUP "/open" … in flight');
  });

  it('proves nothing of the share', () => {
    const [finding] = findings(capture, { codes: ['requests-in-flight'] });
    assert.deepEqual([...finding.rows], [2]);
  });

  it('of a request that is not in the capture is nothing', () => {
    const other = builder();
    const made = new CaptureBuilder().init();
    made.replyDropped(other.last);
    assert.equal(made.capture().count, 1);
  });
});
