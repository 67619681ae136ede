/** What is typed for a User Mode Linux guest, on a line that only keeps it; no wait here is ever over. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { PacedKeys } from '../../src/cli/pacedKeys';

describe('keys for a User Mode Linux guest', () => {
  let written: string;
  let keys: PacedKeys;

  beforeEach(() => {
    written = '';
    const line = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString('latin1');
        done();
      },
    });
    keys = new PacedKeys(line);
  });
  afterEach(() => keys.end());

  const type = (text: string): void => keys.type(Buffer.from(text, 'latin1'));

  it('are sent as they are typed, of a paste no more than the guest has room for', () => {
    type('ls');
    type('\r');
    assert.equal(written, 'ls\r');
    type('x'.repeat(8192));
    assert.equal(written, `ls\r${'x'.repeat(509)}`);
  });

  for (const [name, ending] of [
    ['Ctrl-C', '\x03'],
    ['Ctrl-\\', '\x1c'],
  ]) {
    it(`are dropped where they wait when ${name} comes, which is sent at once`, () => {
      type('x'.repeat(8192));
      type(ending);
      assert.equal(written, 'x'.repeat(512) + ending);
      type(ending);
      assert.equal(written, 'x'.repeat(512) + ending + ending);
    });
  }

  it('are dropped before Ctrl-C in the same paste, and wait their turn after it', () => {
    type(`${'x'.repeat(1000)}\x03${'y'.repeat(1000)}`);
    assert.equal(written, `\x03${'y'.repeat(512)}`);
  });
});
