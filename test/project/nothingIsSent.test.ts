/** No telemetry: nothing that people install can send anything off their machine. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stagedExtension } from '../support/stagedExtension';
import { waysOut } from './waysOut';

describe('nothing is sent', function () {
  this.timeout(120_000);
  let scratch: string;
  let folder: string;
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'virtiofs-sent-'));
    folder = await stagedExtension('universal', scratch);
  });
  after(() => rm(scratch, { recursive: true }));

  const scripts = (): string[] =>
    readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

  it('by any bundle: neither network modules, nor globals of that kind, nor sockets that leave the machine', () => {
    const files = scripts();
    for (const name of ['extension.js', 'daemon.js', 'cli.js', 'webview/timeline.js', 'webview/dax.js']) {
      assert.ok(files.includes(name), name);
    }
    assert.deepEqual(
      files.flatMap((file) => waysOut(read(`dist/${file}`)).map((way) => `${file}:${way}`)),
      [],
    );
  });

  it('by a page: its policy allows no connection, and there is only one way to make a page', () => {
    const policies = scripts().flatMap((file) => [...read(`dist/${file}`).matchAll(/default-src[^`"]*/g)].map(String));
    assert.ok(policies.length > 0);
    for (const policy of policies) {
      assert.equal(policy, "default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}");
    }
    const pages = scripts().flatMap((file) =>
      [...read(`dist/${file}`).matchAll(/\.html = (.*)/g)].map(([, how]) => how),
    );
    assert.ok(pages.length > 0);
    for (const page of pages) assert.match(page, /^\(0,\s*webviewPage\b[^()]*\)\(webview, /);
  });

  it('by what the extension asks VS Code for: no telemetry in its manifest, and no library for it', () => {
    const manifest = JSON.parse(read('package.json')) as { dependencies?: Record<string, string> };
    assert.doesNotMatch(JSON.stringify(manifest), /telemetry|usesOnlineServices|analytics|insights/i);
    const project = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as typeof manifest;
    assert.deepEqual(Object.keys(project.dependencies ?? {}).sort(), [
      '@vscode/debugadapter',
      '@vscode/debugprotocol',
      'commander',
      'koffi',
      'uplot',
      'vscode-jsonrpc',
    ]);
  });
});

describe('a way out', () => {
  for (const code of [
    'require("https").get(u)',
    'const a = require("node:http2")',
    'await import("undici")',
    'require(name)',
    'fetch(u)',
    'const { fetch: f } = { fetch }',
    'globalThis["fetch"](u)',
    'new window.XMLHttpRequest()',
    'new WebSocket(u)',
    'navigator.sendBeacon(u, d)',
    'vscode.env.createTelemetryLogger(s)',
    'vscode.env.machineId',
    '(0,external_node_net_.connect)(443, "example.org")',
    'net.createConnection({ host, port })',
    '(0, net_1.connect)(80)',
  ]) {
    it(`is seen: ${code}`, () => assert.notDeepEqual(waysOut(code), []));
  }

  it('is none by its name only', () => {
    const code = `/* fetch(u) */ "new WebSocket"; class A { fetch(n) { this.fetch(n); } }
      net.connect(path); net.connect(port, '127.0.0.1'); require("node:fs"); a = { fetch: 1 };`;
    assert.deepEqual(waysOut(code), []);
  });
});
