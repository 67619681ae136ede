/** Before and after each test of a suite: a folder to be shared, host calls counted, no descriptor left open. */
import assert from 'node:assert/strict';
import type { HostCalls } from '../../src/fs/hostCalls';
import { openDescriptors, share, type Shared } from './shared';
import { WrappedCalls } from './wrappedCalls';

export interface Sharing {
  /** Shares a new folder, in memory when `inMemory`, of a host that is otherwise when `host`; at most once a test. */
  open(options?: Parameters<typeof share>[0], inMemory?: boolean, host?: (real: HostCalls) => HostCalls): Shared;
  /** The host calls that `action` makes. */
  callsOf(action: () => unknown): Promise<string[]>;
  /** The calls of the folder shared now. */
  wrapped(): WrappedCalls;
}

export function sharing(): Sharing {
  let shared: Shared | undefined;
  let wrapped: WrappedCalls;
  let before: number;

  beforeEach(() => {
    before = openDescriptors();
  });

  afterEach(() => {
    shared?.end();
    shared = undefined;
    assert.equal(openDescriptors(), before, 'descriptors are left open');
  });

  return {
    open(options = {}, inMemory = false, host?) {
      shared = share(options, (real) => (wrapped = new WrappedCalls(real)).calls, inMemory, host);
      wrapped.reset();
      return shared;
    },
    async callsOf(action) {
      wrapped.reset();
      await action();
      return wrapped.made;
    },
    wrapped: () => wrapped,
  };
}
