/** Host calls that are counted, made to fail on purpose, or to do something else. */
import type { HostCalls } from '../../src/fs/hostCalls';

/** The same host calls, but for one. */
export function otherwise<K extends keyof HostCalls>(real: HostCalls, name: K, call: HostCalls[K]): HostCalls {
  return new Proxy(real, {
    get: (target, key) => {
      const plain: unknown = Reflect.get(target, key);
      if (key === name) return call;
      return typeof plain === 'function' ? (plain.bind(target) as unknown) : plain;
    },
  });
}

export class WrappedCalls {
  /** Names of the calls made since it was last emptied. */
  made: string[] = [];
  /** The call (counted from 0) that fails instead of being made, and how. */
  failAt = Infinity;
  failWith = 0;
  /** Every call of this name fails. */
  failName = '';
  readonly calls: HostCalls;

  constructor(real: HostCalls) {
    this.calls = new Proxy(real, {
      get: (target, name) => {
        const call = Reflect.get(target, name) as (...values: number[]) => number;
        return (...values: number[]): number => {
          const index = this.made.push(String(name)) - 1;
          // These always succeed: to close, to be oneself again.
          const fails = index === this.failAt || name === this.failName;
          return fails && name !== 'close' && name !== 'resume' ? -this.failWith : call.apply(target, values);
        };
      },
    });
  }

  reset(): void {
    this.made = [];
    this.failAt = Infinity;
    this.failName = '';
  }
}
