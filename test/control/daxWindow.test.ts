import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkFromDaxWindow, type FromDaxWindow } from '../../src/control/daxWindow';

describe('what the DAX Window view sends', () => {
  it('is taken when it is a message', () => {
    const messages: readonly FromDaxWindow[] = [
      { kind: 'ready' },
      { kind: 'at' },
      { kind: 'at', time: 12.5 },
      { kind: 'place', offset: 4096 },
      { kind: 'reveal', request: 3, where: 'timeline' },
      { kind: 'file', nodeid: '1152921504606846977' },
    ];
    for (const message of messages) assert.deepEqual(checkFromDaxWindow(message), { ok: true, value: message });
  });

  it('is refused when it is none', () => {
    const others: readonly unknown[] = [
      undefined,
      'ready',
      [],
      {},
      { kind: 'toString' },
      { kind: 'at', time: NaN },
      { kind: 'at', time: '1' },
      { kind: 'place', offset: -1 },
      { kind: 'place', offset: 2 ** 60 },
      { kind: 'reveal', request: 1.5, where: 'requests' },
      { kind: 'reveal', request: 1, where: 'workbench.action.terminal.new' },
      { kind: 'file', nodeid: '1 || true' },
      { kind: 'file', nodeid: 7 },
    ];
    for (const other of others) assert.equal(checkFromDaxWindow(other).ok, false, JSON.stringify(other));
  });

  it('never throws, and gives nothing but what it names', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ kind: fc.constantFrom('at', 'place', 'file'), x: fc.anything() })),
        (value) => {
          const read = checkFromDaxWindow(value);
          if (read.ok) for (const name of Object.keys(read.value)) assert.ok(['kind', 'time'].includes(name));
        },
      ),
    ));
});
