/**
 * Bundles what people run into dist/: the extension, the daemon with its workers, the command line, the webviews'
 * pages.
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
  // An import on demand has to name a file that Node.js finds as well.
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
  // What is imported on demand becomes a chunk beside it.
  bundle(
    'extension',
    { extension: './src/extension.ts', compareWorker: './src/ui/timeline/compareWorker.ts' },
    {
      output: {
        path: resolve(__dirname, 'dist'),
        filename: '[name].js',
        chunkFilename: 'extension-[name].js',
        libraryTarget: 'commonjs2',
      },
    },
  ),
  bundle(
    'webview',
    { timeline: './src/webview/timeline/main.ts', dax: './src/webview/dax/main.ts' },
    {
      target: ['web', 'es2022'],
      output: { path: resolve(__dirname, 'dist/webview'), filename: '[name].js', cssFilename: '[name].css' },
      experiments: { css: true },
      externals: {},
    },
  ),
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
