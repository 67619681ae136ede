/** Notes stay on their request and their moment, whichever half of a rotated capture is there. */
import assert from 'node:assert/strict';
import type { Note } from '../../../src/control/timeline';
import { CaptureReader } from '../../../src/trace/captureReader';
import { type KeptNote, keptNotes, placedNotes } from '../../../src/ui/timeline/notePlaces';
import { parseNotes, printNotes } from '../../../src/ui/timeline/notesFile';
import { CaptureBuilder, type ExchangeOptions } from '../../trace/captureBuilder';

const read = (bytes: Uint8Array): CaptureReader => {
  const reader = new CaptureReader();
  reader.push(bytes);
  return reader;
};

/** `FILE` alone, and behind `FILE.old` with three requests. */
function halves(...requests: ExchangeOptions[]): { readonly alone: CaptureReader; readonly both: CaptureReader } {
  const builder = new CaptureBuilder({ queues: 3 });
  for (let i = 0; i < 3; i++) builder.exchange('STATFS', { head: i });
  const { length } = builder.bytes();
  builder.section();
  for (const request of requests) builder.exchange('GETATTR', request);
  return { alone: read(builder.bytes().slice(length)), both: read(builder.bytes()) };
}

/** As through the file. */
const again = (notes: readonly KeptNote[]): readonly KeptNote[] => parseNotes(printNotes(notes)) ?? [];
const on = (capture: CaptureReader, row: number, id = 'a'): Note => ({
  id,
  at: capture.columns.start[row],
  row,
  text: `on ${row}`,
});

describe('places of notes', () => {
  const { alone, both } = halves({ head: 1 }, { head: 2 });

  it('a note made before the older half was read is on its request when it is', () => {
    const kept = again(keptNotes(alone, [on(alone, 1)], []));
    assert.deepEqual(placedNotes(both, kept), [{ id: 'a', at: both.columns.start[4], row: 4, text: 'on 1' }]);
    assert.deepEqual(placedNotes(alone, kept), [on(alone, 1)]);
  });

  it('so is one made with both, when the older half is gone', () => {
    const kept = again(keptNotes(both, [on(both, 4)], []));
    assert.deepEqual(placedNotes(alone, kept), [{ ...on(alone, 1), text: 'on 4' }]);
  });

  it('one on a moment stays on that moment', () => {
    const kept = again(keptNotes(alone, [{ id: 'a', at: 700, text: 't' }], []));
    const [{ at, row }] = placedNotes(both, kept);
    assert.deepEqual([BigInt(at) + both.origin, row], [700n + alone.origin, undefined]);
  });

  it('one whose request is gone is on its moment, and finds it when it comes back, whatever is saved meanwhile', () => {
    const first = keptNotes(both, [on(both, 0)], []);
    const shown = placedNotes(alone, first);
    assert.equal(shown[0].row, undefined);
    assert.ok(shown[0].at < 0);
    const kept = again(keptNotes(alone, [{ ...shown[0], text: 'new' }, on(alone, 0, 'b')], first));
    assert.deepEqual(
      placedNotes(both, kept).map(({ row, text }) => [row, text]),
      [
        [0, 'new'],
        [3, 'on 0'],
      ],
    );
  });

  it('of a file with very many notes on one moment each request is read once', () => {
    const builder = new CaptureBuilder();
    for (let i = 0; i < 50; i++) builder.request('GETATTR', { head: i });
    const capture = read(builder.bytes());
    capture.columns.start.fill(0);
    const [kept] = keptNotes(capture, [on(capture, 7)], []);
    const many = Array.from({ length: 50 }, (_, i) => ({ ...kept, id: `${i}` }));
    let reads = 0;
    const counting: CaptureReader = Object.create(capture, {
      requestBytes: { value: (row: number) => (reads++, capture.requestBytes(row)) },
    }) as CaptureReader;
    assert.ok(placedNotes(counting, many).every(({ row }) => row === 7));
    assert.equal(reads, 50);
  });

  it('requests of one moment are told apart by queue and unique', () => {
    for (const queues of [
      [1, 2],
      [1, 1],
    ]) {
      const builder = new CaptureBuilder({ queues: 3 });
      queues.forEach((queue, head) => builder.request('GETATTR', { queue, head }));
      const capture = read(builder.bytes());
      capture.columns.start.fill(0);
      const kept = keptNotes(capture, [on(capture, 1, 'a'), on(capture, 0, 'b')], []);
      const rows = placedNotes(capture, kept).map(({ row }) => row);
      assert.deepEqual(rows, [1, 0]);
    }
  });

  it('notes of earlier versions are read, and are where they say', () => {
    const old: Note[] = [on(alone, 1), { id: 'b', at: 5, text: '' }];
    const file = JSON.stringify({ version: 1, notes: old });
    assert.deepEqual(placedNotes(alone, parseNotes(file) ?? []), old);
    const kept = again(keptNotes(alone, old, parseNotes(file) ?? []));
    assert.equal(placedNotes(both, kept)[1].row, 4, 'once saved they stay');
  });

  it('one of an earlier version whose row is of another time is left as it is', () => {
    const old: Note = { ...on(alone, 1), row: 0 };
    assert.deepEqual(keptNotes(alone, [old], [old]), [old]);
  });

  it('a file that says a place in another way is no file of notes', () => {
    const note = { id: 'a', at: 0, row: 0, text: '' };
    const bad = [{ time: 5 }, { time: 'x' }, { time: '5', request: 1 }, { request: { queue: 1, unique: '2' } }];
    for (const more of bad) {
      assert.equal(parseNotes(JSON.stringify({ version: 1, notes: [{ ...note, ...more }] })), undefined);
    }
  });
});
