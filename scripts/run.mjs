/**
 * `npm run demo`, `npm test`, `npm run build` and the others: gets what the target needs, builds what is out of date,
 * runs it.
 *
 * Plain JavaScript with nothing but Node's own modules, because it runs before anything is installed. Knows no product
 * code. Exit code: the target's own; 2 when something has to be installed by hand first.
 */
const [major] = process.versions.node.split('.');
if (Number(major) < 20) {
  console.error(`Node.js 20 or later is needed, this is ${process.versions.node}.`);
  process.exit(2);
}

const { getNodeModules, getPackages } = await import('./setup.mjs');
const { bundle, compile } = await import('./build.mjs');
const { run, Stop } = await import('./child.mjs');
const { insteadOf } = await import('./arguments.mjs');

const targets = {
  /** `npm run demo [-- DIR] [-- --guest uml]` */
  async demo(args) {
    getNodeModules();
    await bundle();
    const code = await run(process.execPath, ['dist/cli.js', 'demo', ...args]);
    // The command line's own code for what the machine lacks, which it has said with what to install.
    return code === 3 ? 2 : code;
  },

  async test(args) {
    getNodeModules();
    const { test } = await import('./test.mjs');
    return test(args);
  },

  async bench(args) {
    getNodeModules();
    getPackages(['browser', 'wireshark']);
    await bundle();
    await compile();
    return run(process.execPath, ['out/test/bench/main.js', ...args]);
  },

  /** dist/: the command line and the extension. */
  async build() {
    getNodeModules();
    await bundle();
    console.log('dist/ is up to date: "node dist/cli.js --help" says what it does');
    return 0;
  },

  /** dist/ for development, again whenever a source changes, until Ctrl-C. */
  async watch(args) {
    getNodeModules();
    return run(process.execPath, ['node_modules/webpack/bin/webpack.js', '--mode=development', '--watch', ...args]);
  },

  async lint(args) {
    getNodeModules();
    return run(process.execPath, ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0', ...args]);
  },

  async format(args) {
    getNodeModules();
    return run(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', '.', ...args]);
  },

  /** The extension as .vsix files. */
  async package(args) {
    getNodeModules();
    await bundle();
    const { packageAll } = await import('./package.mjs');
    return packageAll(args);
  },

  /** `npm run workbench [-- DIR]`: VS Code with the extension in this machine's browser, until Ctrl-C. */
  async workbench(args) {
    getNodeModules();
    await bundle();
    await compile();
    return run(process.execPath, ['out/test/support/vscode/tryIt.js', ...args]);
  },

  /** The suites of the extension host in a desktop VS Code: VSCODE_EXECUTABLE, or the newest one, fetched. */
  async 'test:desktop'(args) {
    getNodeModules();
    await bundle();
    await compile();
    return run(process.execPath, ['out/test/extension/run.js', '--desktop', ...args]);
  },

  /** The pictures of README and walkthrough, taken anew from a real VS Code. */
  async pictures(args) {
    getNodeModules();
    getPackages(['browser', 'fonts']);
    await bundle();
    await compile();
    return run(process.execPath, ['out/test/support/vscode/pictures.js', ...args]);
  },
};

const [name, ...args] = process.argv.slice(2);
const target = Object.hasOwn(targets, name ?? '') ? targets[name] : undefined;
if (!target) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(targets).join('|')} [arguments]`);
  process.exit(2);
}
try {
  const text = insteadOf(name, args);
  if (text === undefined) process.exitCode = await target(args);
  else console.log(text);
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = error.exitCode;
}
