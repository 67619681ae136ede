/** The line that says what a command is doing. */
import assert from 'node:assert/strict';
import { Progress } from '../../src/cli/progress';

describe('progress', () => {
  function shown(columns: number | undefined, onTerminal: boolean, line: string): string {
    let text = '';
    const stream = { columns, write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream;
    new Progress(stream, onTerminal).step(line);
    return text;
  }

  it('is cut to the width of the terminal', () => {
    assert.equal(shown(30, true, 'x'.repeat(100)).replace('\r\x1b[K', '').length, 29);
  });

  it('is whole where a terminal has no size', () => {
    for (const columns of [0, undefined]) assert.match(shown(columns, true, 'starting the daemon'), /daemon$/);
  });

  it('is whole lines elsewhere', () => {
    assert.match(shown(undefined, false, 'x'.repeat(100)), /^ +0\.\d s {2}x{100}\n$/);
  });
});
