#!/usr/bin/env node
/**
 * Stands in for VS Code's executable: takes the arguments that @vscode/test-electron gives it, runs the tests in the
 * extension host of a real VS Code without a display, and ends with their result. Exit 3: no result in time.
 */
import { resolve } from 'node:path';
import { format } from 'node:util';
import { type VscodeServer } from './install';
import { openWorkbench } from './workbench';

const LIMIT_MS = 8 * 60_000;

/** VS Code's own talk, of no use in a test's output: its native extras are left out on purpose (no install scripts). */
const CHATTER =
  /build\/Release\/(spdlog|watchdog)|^(\[|Resolv|Creating a socket|Updating additional|ChatSession|Ignoring fetching|SettingsEditor2|.*Timed out waiting for auth)/;

function values(name: string): string[] {
  const start = `--${name}=`;
  return process.argv.filter((argument) => argument.startsWith(start)).map((argument) => argument.slice(start.length));
}

async function main(): Promise<number> {
  const server = JSON.parse(process.env['VSCODE_SERVER'] ?? '') as VscodeServer;
  const [testsPath] = values('extensionTestsPath');
  const workspace = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
  let end = (_code: number): void => {};
  const result = new Promise<number>((settle) => (end = settle));
  const timer = setTimeout(() => end(3), LIMIT_MS);
  const workbench = await openWorkbench({
    server,
    workspace: resolve(workspace ?? '.'),
    extensions: values('extensionDevelopmentPath').map((path) => resolve(path)),
    testsPath: resolve(testsPath),
    // @vscode/test-electron itself always asks for a trusted one.
    trusted: process.env['TEST_WINDOW'] !== 'untrusted',
    async prepare(page) {
      // The workbench calls these by name: the end of the tests, and what they print.
      await page.exposeFunction('codeAutomationExit', (code: number) => end(code));
      await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
        const text = format(...args);
        if (!CHATTER.test(text)) console.log(text);
      });
    },
  });
  const ended = (signal: NodeJS.Signals) => end(signal === 'SIGINT' ? 130 : 143);
  process.on('SIGINT', ended).on('SIGTERM', ended);
  try {
    return await result;
  } finally {
    clearTimeout(timer);
    await workbench.close();
  }
}

void main().then((code) => process.exit(code));
