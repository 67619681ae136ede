/**
 * What a test needs from its machine: failed where CI=true, skipped with its reason elsewhere.
 */

/** In CI every machine must have everything. */
export const inCi = process.env['CI'] === 'true';

/**
 * Call first in a test or hook: `need(this, 'KVM', existsSync('/dev/kvm'), 'no /dev/kvm')`. Goes on when `available`;
 * else ends the test as skipped, or in CI throws.
 */
export function need(context: Mocha.Context, what: string, available: boolean, reason: string): asserts available {
  if (available) return;
  if (inCi) throw new Error(`${what} is needed: ${reason}`);
  console.log(`      skipped for want of ${what}: ${reason}`);
  context.skip();
}
