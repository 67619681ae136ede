import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getVscode } from '../support/vscode/install';

const project = resolve(__dirname, '../../..');

/** Processes with this text in their environment: all that a child has started, in whatever group it is by now. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
    } catch {
      return false; // it has just ended, or is another user's
    }
  });
}

describe('npm run workbench', function () {
  this.timeout(300_000);
  let scratch: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    // Fetched before, where it has to be.
    await getVscode();
    scratch = mkdtempSync(join(tmpdir(), 'virtiofs-command-'));
  });

  afterEach(() => {
    for (const pid of processesWith(scratch)) process.kill(Number(pid), 'SIGKILL');
    rmSync(scratch, { recursive: true });
  });

  /** As in a terminal, whose Ctrl-C goes to the whole group. Resolves to the address that it has told. */
  async function begin(): Promise<string> {
    const env = { ...process.env, TMPDIR: scratch, XDG_RUNTIME_DIR: scratch };
    child = spawn('npm', ['run', 'workbench'], {
      cwd: project,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const told = new Promise<string>((tell, fail) => {
      const take = (data: Buffer): void => {
        said += data.toString();
        const [url] = /http:\/\/\S+/.exec(said) ?? [];
        if (url !== undefined && said.includes('Ctrl-C ends it')) tell(url);
      };
      child?.stdout?.on('data', take);
      child?.stderr?.on('data', take);
      child?.once('exit', (code) => fail(new Error(`ended with ${code}\n${said}`)));
    });
    return told;
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`serves a page with VS Code until ${signal}, which leaves no process, folder or socket`, async () => {
      const url = await begin();
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      const page = await answer.text();
      assert.match(page, /vscode-workbench-web-configuration/);
      assert.ok(processesWith(scratch).length > 1);
      assert.ok(readdirSync(scratch).length > 0);

      assert.ok(child?.pid !== undefined);
      const gone = once(child, 'exit');
      process.kill(-child.pid, signal);
      await gone;
      for (let turn = 0; turn < 200 && processesWith(scratch).length > 0; turn++) await sleep(100);
      assert.deepEqual(processesWith(scratch), []);
      assert.deepEqual(readdirSync(scratch), []);
      await assert.rejects(fetch(url));
    });
  }
});
