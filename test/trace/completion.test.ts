/** The order in which requests of a growing capture are shown. */
import assert from 'node:assert/strict';
import { RowFlag, type Capture } from '../../src/trace/capture';
import { CaptureReader } from '../../src/trace/captureReader';
import { Completion, MOST_WAITING } from '../../src/trace/completion';
import { CaptureBuilder } from './captureBuilder';

describe('completion', () => {
  const builder = new CaptureBuilder();
  const pieces: Uint8Array[] = [];
  let taken = 0;
  const piece = (): void => {
    const bytes = builder.bytes();
    pieces.push(bytes.slice(taken));
    taken = bytes.length;
  };

  it('gives a row when its reply has come, one without a reply at once, and a late one twice', () => {
    const slow = builder.request('SETLKW');
    const other = builder.request('READ');
    builder.exchange('FORGET', { in: { nlookup: 1 } });
    piece();
    builder.reply(other);
    piece();
    builder.exchange('STATFS').reply(slow);
    piece();
    builder.request('GETATTR');
    piece();

    const reader = new CaptureReader();
    const completion = new Completion(reader);
    reader.push(pieces[0]);
    assert.deepEqual(completion.take(), [2]);
    assert.deepEqual(completion.takeLate(), []);
    reader.push(pieces[1]);
    assert.deepEqual(completion.take(), [1]);
    assert.deepEqual(completion.takeLate(), [0]);
    assert.deepEqual(completion.takeLate(), []);
    reader.push(pieces[2]);
    assert.deepEqual(completion.take(), [0, 3]);
    reader.push(pieces[3]);
    assert.deepEqual(completion.take(), []);
    assert.deepEqual(completion.takeRest(), { fresh: [4], late: [] });
    assert.deepEqual(completion.takeRest(), { fresh: [], late: [] });
  });

  it('gives up on the oldest when more wait than queues can hold', () => {
    const count = MOST_WAITING + 10;
    const flags = new Uint16Array(count);
    const completion = new Completion({ count, columns: { flags } } as unknown as Capture);
    assert.deepEqual(completion.take(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    flags[20] = RowFlag.REPLIED;
    assert.deepEqual(completion.take(), [20]);
    assert.equal(completion.takeRest().fresh.length, MOST_WAITING - 1);
  });
});
