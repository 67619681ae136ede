import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';

/** Processes that name `text` on their command line. */
function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has just ended
      }
    })
    .filter((line) => line.includes(text));
}

async function until(what: string, seconds: number, happened: () => boolean, hopeless = () => false): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!happened()) {
    if (hopeless() || Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(250);
  }
}

for (const guest of ['qemu', 'uml']) {
  describe(`a folder shared from VS Code (${guest})`, () => {
    it('is worked in by the shell in the terminal, and nothing is left when that is closed', async function () {
      this.timeout(240_000);
      const settings = vscode.workspace.getConfiguration('virtiofs');
      await settings.update('guest', guest, vscode.ConfigurationTarget.Global);
      const folder = vscode.Uri.joinPath((vscode.workspace.workspaceFolders ?? [])[0].uri, 'sample');
      const terminal = await vscode.commands.executeCommand<vscode.Terminal>('virtiofs.shareFolder', folder);
      try {
        const result = join(folder.fsPath, `result-${guest}`);
        // Typed ahead: the shell gets it when it comes up. The last step makes the file appear whole.
        terminal.sendText(`(uname -s; cat hello.txt) > unfinished && mv unfinished result-${guest}`);
        const ended = () => terminal.exitStatus !== undefined;
        await until('the file written by the guest', 200, () => existsSync(result), ended);
        assert.equal(readFileSync(result, 'utf8'), 'Linux\nhello from the host\n');
      } finally {
        await settings.update('guest', undefined, vscode.ConfigurationTarget.Global);
        terminal.dispose();
      }
      await until('the end of the guest and the daemon', 20, () => processesNaming(folder.fsPath).length === 0);
    });
  });
}
