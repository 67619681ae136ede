/** However `virtiofs-studio share` ends, nothing of it is left: no process, no temporary folder, no half answer. */
import * as assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketMessageReader, SocketMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import { type LauncherState, goodbye, stateChanged, stopGuest } from '../../src/control/launcher';
import { toolboxFolder } from '../../src/vm/toolbox';
import { exited } from '../../src/vm/workplace';
import { need } from '../support/need';
import { CLI, finished, useShare } from './shareProcess';

describe('virtiofs-studio share leaves nothing', function () {
  this.timeout(120_000);
  const at = useShare();

  async function running(kind: string): Promise<ChildProcess> {
    const child = at.share('--guest', kind, '--command', 'echo up; sleep 1000');
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    assert.ok(at.processes().length >= 3, 'the guest, the daemon and the janitor run');
    return child;
  }

  for (const [signal, kind, status] of [
    ['SIGINT', 'qemu', 130],
    ['SIGTERM', 'uml', 143],
    ['SIGHUP', 'qemu', 129],
    ['SIGINT', 'uml', 130],
    ['SIGKILL', 'qemu', null],
    ['SIGKILL', 'uml', null],
  ] as const) {
    it(`after ${signal} with ${kind}`, async () => {
      const child = await running(kind);
      const ended = finished(child);
      child.kill(signal);
      const { code, err } = await ended;
      assert.equal(code, status);
      assert.doesNotMatch(err, /error/, 'whoever ends it knows that');
      await at.nothingIsLeft();
    });
  }

  it('when it is stopped while the guest boots', async () => {
    const child = at.share('--command', 'true');
    await new Promise((resolve) => child.stderr?.once('data', resolve));
    await sleep(500);
    child.kill('SIGINT');
    assert.equal((await finished(child)).code, 130);
    await at.nothingIsLeft();
  });

  it('when an editor stops it while KVM is tried, nor an answer about KVM', async function () {
    need(this, '/dev/kvm', fs.existsSync('/dev/kvm'), 'where there is none, none is tried');
    const cache = path.join(at.base, 'cache/virtiofs-studio');
    fs.mkdirSync(cache, { recursive: true });
    const toolbox = toolboxFolder('current') ?? assert.fail('no cache');
    fs.symlinkSync(toolbox, path.join(cache, path.basename(toolbox)));
    const control = path.join(at.base, 'control');
    const states: LauncherState[] = [];
    const editor = createServer((socket) => {
      const launcher = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
      launcher.onRequest(goodbye, () => null);
      launcher.onNotification(stateChanged, (state) => {
        states.push(state);
        if (state.kind === 'preparing' && state.step === 'kvm') void launcher.sendRequest(stopGuest);
      });
      launcher.listen();
    }).listen(control);
    try {
      await once(editor, 'listening');
      const words = [CLI, 'share', at.shared, '--control', control, '--command', 'true'];
      const env = { ...at.environment(), XDG_CACHE_HOME: path.join(at.base, 'cache') };
      const { code, err } = await finished(at.spawn(process.execPath, words, { env }));
      assert.equal(code, 0, err);
      assert.deepEqual(states.at(-1), { kind: 'stopped', reason: 'asked', status: 'before it was up' });
      assert.deepEqual(fs.readdirSync(cache), [path.basename(toolbox)]);
      await at.nothingIsLeft();
    } finally {
      editor.close();
    }
  });

  it('when its parent dies', async () => {
    const words = [CLI, 'share', at.shared, '--guest', 'uml', '--command', 'echo up; sleep 1000'];
    const program = `
        const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify(words)},
          { stdio: ['ignore', 'pipe', 'ignore'] });
        child.stdout.once('data', () => process.kill(process.pid, 'SIGKILL'));`;
    await exited(at.spawn(process.execPath, ['-e', program], { stdio: 'ignore' }));
    await at.nothingIsLeft();
  });

  it('when its daemon is killed', async () => {
    const child = await running('qemu');
    process.kill(pidOf(`--shared-dir=${at.shared}`), 'SIGKILL');
    await sleep(300);
    child.kill('SIGTERM');
    await finished(child);
    await at.nothingIsLeft();
  });

  it('when QEMU crashes, and says by which signal and what that may mean', async () => {
    const child = await running('qemu');
    const ended = finished(child);
    process.kill(pidOf('memory-backend-memfd'), 'SIGBUS');
    const { code, err } = await ended;
    assert.equal(code, 4);
    assert.match(err, /own program was ended by SIGBUS \[guestCrashed\]\n {2}With a DAX window/);
    await at.nothingIsLeft();
  });

  /** The process with these words on its command line that belongs to this test. */
  function pidOf(words: string): number {
    const pid = fs.readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const line = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return line.includes(words) && line.includes(at.base);
      } catch {
        return false; // It has just ended.
      }
    });
    return Number(pid ?? assert.fail(`no process with ${words}`));
  }
});
