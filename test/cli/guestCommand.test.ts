/** What becomes of a command's end, with a guest that only answers so. */
import assert from 'node:assert/strict';
import { trouble } from '../../src/base/catalogue';
import { runCommand } from '../../src/cli/guestCommand';
import type { Guest } from '../../src/vm/guest';

describe('a command in the guest', () => {
  const guest = (run: () => Promise<{ status: number; output: Buffer }>): Guest =>
    ({ backEnds: [], run, process: { signalCode: null }, ended: Promise.resolve() }) as unknown as Guest;

  it('has the status that it has there', async () => {
    assert.equal(
      await runCommand(
        guest(() => Promise.resolve({ status: 7, output: Buffer.alloc(0) })),
        'exit 7',
      ),
      7,
    );
  });

  it('is named when the guest ends before it', async () => {
    const ended = guest(() => Promise.reject(trouble('guestEnded')));
    await assert.rejects(runCommand(ended, 'make all'), { code: 'guestGone', message: /before .*: make all$/ });
    const broken = guest(() => Promise.reject(new Error('read ECONNRESET')));
    await assert.rejects(runCommand(broken, 'make all'), { code: 'guestGone' });
  });

  it('keeps the words of what else has failed', async () => {
    const lost = guest(() => Promise.reject(trouble('recordLost')));
    await assert.rejects(runCommand(lost, 'make all'), { code: 'recordLost' });
  });
});
