/** Files that a program of the host has a lease on (fcntl F_SETLEASE), which mapping them for writing meets. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as linux from '../../../src/fs/linux';
import { LinuxCalls } from '../../../src/native/linuxCalls';
import { letters, PAGE, RANGE, type WindowGuest, windowCase } from './windowCase';

const F_SETLEASE = 1024;
const EINTR = -4;
const EINVAL = -22;

describe('the DAX window', function () {
  this.timeout(20_000);
  const { at, begin, dax, host, log, node, put, remove, seen, setup } = windowCase();

  describe('waits for the end of a lease', () => {
    const calls = new LinuxCalls();
    let guest: WindowGuest;
    let holder: number;
    // The host tells the holder by a signal, which would otherwise end it.
    const told = (): void => undefined;

    beforeEach(async () => {
      process.on('SIGIO', told);
      put('a', letters(PAGE + 9));
      put('b', 'another');
      guest = await begin();
      holder = fs.openSync(at('a'), 'r');
      assert.equal(lease(linux.F_RDLCK), 0);
    });
    afterEach(() => {
      fs.closeSync(holder);
      process.off('SIGIO', told);
    });

    /** A read lease is given only while nobody has the file open for writing. */
    const lease = (type: number): number => calls.fcntlLock(holder, F_SETLEASE, type);
    const starting = (nodeid: bigint, moffset = 0) =>
      guest.window.startSetup(guest.client, nodeid, { len: RANGE, moffset });
    const outcome = (pending: ReturnType<typeof starting>): number => guest.window.wait(guest.client, pending).error;

    it('and stops nobody else; then the file is mapped as any other', () => {
      const a = node('a');
      const pending = [starting(a), starting(a, RANGE)];
      assert.equal(setup(node('b'), { moffset: 2 * RANGE }), 0);
      assert.equal(seen(2 * RANGE, 7), 'another');
      for (const one of pending) assert.equal(guest.client.done(one), false);
      assert.equal(lease(linux.F_UNLCK), 0);
      assert.deepEqual(pending.map(outcome), [0, 0]);
      guest.window.store(0, 'stored');
      assert.equal(host('a').slice(0, 8), 'storedgh');
      assert.equal(seen(RANGE, 8), 'storedgh');
      assert.equal(dax('a'), true);
      assert.deepEqual([remove(a), remove(a, RANGE)], [0, 0]);
      assert.equal(lease(linux.F_RDLCK), 0, 'the daemon has let go of the file');
      assert.doesNotMatch(log(), /cannot be opened/);
    });

    it('until the guest wants it no more', () => {
      const pending = starting(node('a'));
      assert.equal(dax('b'), true);
      guest.calls.interrupt(pending.unique);
      assert.equal(outcome(pending), EINTR);
    });

    it('and looks again at what is mapped by then', () => {
      const pending = starting(node('a'));
      assert.equal(setup(node('b'), { moffset: RANGE / 2 }), 0);
      assert.equal(lease(linux.F_UNLCK), 0);
      assert.equal(outcome(pending), EINVAL);
      assert.equal(lease(linux.F_RDLCK), 0, 'the daemon has let go of the file');
      assert.equal(seen(RANGE / 2, 7), 'another');
    });
  });
});
