import assert from 'node:assert/strict';
import { History, type Listener } from '../../src/debug/history';

/** Bytes of all that it keeps. */
function bytesOf(history: History): number {
  const kept: unknown[] = Object.values(history);
  assert.ok(
    kept.every((one) => typeof one === 'number' || ArrayBuffer.isView(one)),
    'nothing but columns',
  );
  return kept.reduce<number>((sum, one) => sum + (ArrayBuffer.isView(one) ? one.byteLength : 0), 0);
}

/** What is told from after one moment up to and with another. */
function told(history: History, from: number, to: number): string[] {
  const said: string[] = [];
  const listener: Listener = {
    taken: (row, slot) => said.push(`taken ${row} in ${slot}`),
    answered: (row, slot) => said.push(`answered ${row} in ${slot}`),
    section: () => said.push('section'),
    lost: () => said.push('lost'),
    names: (place, captured) => said.push(`names ${place}+${captured}`),
  };
  for (let moment = from; moment < to; moment++) history.tellNext(moment, listener);
  return said;
}

describe('the order in which a capture came', () => {
  it('is told once more from any moment, with what is no message right after the one it came after', () => {
    const history = new History();
    history.section();
    history.names(7_000_000_000, 30);
    history.taken(0, 4);
    history.taken(1, -1);
    history.lost();
    history.answered(0);
    history.section();
    history.taken(2, 0);
    const all = [
      ...['section', 'names 7000000000+30', 'taken 0 in 4', 'taken 1 in -1'],
      ...['lost', 'answered 0 in 4', 'section', 'taken 2 in 0'],
    ];
    assert.equal(history.count, 4);
    assert.deepEqual(told(history, 0, 4), all);
    assert.deepEqual(told(history, 1, 2), ['taken 1 in -1']);
    assert.deepEqual(told(history, 2, 4), all.slice(4));
    assert.deepEqual([history.momentOf(0, false), history.momentOf(0, true), history.momentOf(2, true)], [1, 3, 4]);
  });

  it('takes about ten bytes a message, and sixteen for what is none', () => {
    const ROWS = 2 ** 17 - 1;
    const ASIDES = 2 ** 16;
    const history = new History();
    const empty = bytesOf(history);
    for (let row = 0; row < ROWS; row++) {
      history.taken(row, row % 100);
      history.answered(row);
    }
    const messages = bytesOf(history);
    // Columns have just been filled: they double when the next one comes.
    assert.ok(messages <= 10.01 * 2 * ROWS, `${messages / 2 / ROWS} bytes a message`);
    for (let aside = 0; aside < ASIDES; aside++) history.names(aside, 10);
    const asides = bytesOf(history) - messages;
    assert.ok(asides <= 16.01 * ASIDES, `${asides / ASIDES} bytes`);
    history.taken(ROWS, 0);
    history.taken(ROWS + 1, 0);
    assert.ok(bytesOf(history) <= 2 * messages + asides + empty, 'and at no time more than twice that');
  });
});
