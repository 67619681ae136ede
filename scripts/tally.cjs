/**
 * Mocha's "spec" reporter, which also writes the numbers to the file named in TALLY_FILE, so that runs can be added up.
 * Also used inside VS Code's extension host.
 */
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class Tally extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.TALLY_FILE) {
        writeFileSync(process.env.TALLY_FILE, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
      }
    });
  }
};
