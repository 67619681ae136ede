/**
 * Bundles what people run into dist/: the extension, the daemon with its workers, the command line.
 *
 * koffi stays outside: its prebuilt binary is found next to it in node_modules. `vscode` is the extension host's.
 */
const { existsSync } = require('node:fs');
const { resolve } = require('node:path');
const { BannerPlugin } = require('webpack');

const bundle = (name, entry, extra = {}) => ({
  name,
  target: 'node20',
  entry: Object.fromEntries(Object.entries(entry).filter(([, file]) => existsSync(resolve(__dirname, file)))),
  context: __dirname,
  output: {
    path: resolve(__dirname, 'dist'),
    filename: '[name].js',
    chunkFilename: '[name].chunk.js',
    libraryTarget: 'commonjs2',
  },
  resolve: { extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } },
  module: {
    // cli/daemon.ts loads the daemon's bundle when it runs.
    parser: { javascript: { createRequire: false } },
    rules: [
      {
        test: /\.ts$/,
        loader: 'ts-loader',
        // Types are checked by `npm test`. ES modules in, so that webpack sees what is used.
        options: {
          transpileOnly: true,
          compilerOptions: { module: 'esnext', moduleResolution: 'bundler', incremental: false },
        },
      },
    ],
  },
  externals: { vscode: 'commonjs vscode', koffi: 'commonjs koffi' },
  // Readable stack traces and profiles are worth more than a smaller file.
  optimization: { minimize: false, chunkIds: 'named' },
  devtool: 'source-map',
  node: { __dirname: false, __filename: false },
  performance: false,
  ...extra,
});

module.exports = [
  bundle('extension', { extension: './src/extension.ts' }),
  bundle('daemon', {
    daemon: './src/daemon/main.ts',
    queueWorker: './src/daemon/queueWorker.ts',
    blockingWorker: './src/daemon/blockingWorker.ts',
  }),
  bundle(
    'cli',
    { cli: './src/cli/main.ts' },
    { plugins: [new BannerPlugin({ banner: '#!/usr/bin/env node', raw: true })] },
  ),
];
