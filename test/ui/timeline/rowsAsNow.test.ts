import assert from 'node:assert/strict';
import { Trouble } from '../../../src/base/catalogue';
import { CaptureReader } from '../../../src/trace/captureReader';
import { checked, rowsAsNow } from '../../../src/ui/timeline/rowsAsNow';

describe('rows that are exported from a live capture', () => {
  const overtaken = (error: unknown): boolean =>
    error instanceof Trouble && error.code === 'exportOvertaken' && error.remedy !== '';

  async function all(pieces: AsyncIterable<string>): Promise<string[]> {
    const taken: string[] = [];
    for await (const piece of pieces) taken.push(piece);
    return taken;
  }

  it('are given on while the capture only grows', async () => {
    const source = { capture: new CaptureReader(), dropped: 7 };
    assert.deepEqual(await all(checked(['a', 'b'], rowsAsNow(source))), ['a', 'b']);
  });

  it('are not once older ones are dropped: nothing of another request is written', async () => {
    const source = { capture: new CaptureReader(), dropped: 0 };
    const pieces = checked(['a', 'b', 'c'], rowsAsNow(source));
    assert.equal((await pieces.next()).value, 'a');
    source.dropped = 5;
    await assert.rejects(pieces.next(), overtaken);
  });

  it('nor when the capture begins anew before the first one', async () => {
    const source = { capture: new CaptureReader(), dropped: 0 };
    const check = rowsAsNow(source);
    source.capture = new CaptureReader();
    await assert.rejects(checked(['a'], check).next(), overtaken);
  });
});
