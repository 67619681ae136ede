/**
 * Mocha's "spec" reporter, which also writes the numbers to the file named in TALLY_FILE, so that runs can be added up,
 * and what failed, so that it can be told once more at the very end. Also used inside VS Code's extension host.
 */
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class Tally extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failed.push({ title: test.titlePath().join(' › '), error: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.TALLY_FILE) {
        const tally = { passed: passes, failed: failures, skipped: pending, failures: failed };
        writeFileSync(process.env.TALLY_FILE, JSON.stringify(tally));
      }
    });
  }
};
