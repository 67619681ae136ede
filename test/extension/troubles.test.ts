import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { Finding } from '../../src/control/findings';
import type { LauncherFacts } from '../../src/control/launcher';
import type { SharedVm, VmState } from '../../src/ui/sharedVm';
import { aptIsHere } from '../../src/vm/privateApt';
import { need } from '../support/need';
import { belongings, endAll, insides, isUp, nothingLeft, processesNaming, sample, share, until } from './machine';

const failed = (state: VmState): Extract<VmState, { kind: 'failed' }> => {
  assert.ok(state.kind === 'failed', `it is ${JSON.stringify(state)}`);
  return state;
};

describe('what goes wrong', function () {
  this.timeout(180_000);
  let scratch: string;
  before(async () => (scratch = await mkdtemp(join(tmpdir(), 'virtiofs-troubles-'))));
  after(() => rm(scratch, { recursive: true }));
  afterEach(endAll);

  it('starts nothing for what is no folder, nor with a Node.js that is not there', async () => {
    const missing = vscode.Uri.joinPath(sample(), 'missing');
    assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', missing), undefined);
    const elsewhere = vscode.Uri.parse('memfs:/sample');
    assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', elsewhere), undefined);

    const settings = vscode.workspace.getConfiguration('virtiofs');
    await settings.update('nodePath', '/nonexistent/node', vscode.ConfigurationTarget.Global);
    try {
      assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', sample()), undefined);
    } finally {
      await settings.update('nodePath', undefined, vscode.ConfigurationTarget.Global);
    }
    assert.equal(vscode.window.terminals.length, 0);
  });

  it('starts nothing while a setting in force asks for what cannot be', async () => {
    const settings = vscode.workspace.getConfiguration('virtiofs');
    const global = vscode.ConfigurationTarget.Global;
    try {
      for (const size of ['48M', 'lots']) {
        await settings.update('dax.size', size, global);
        assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', sample()), undefined, size);
        assert.equal(vscode.window.terminals.length, 0, size);
      }
      // Who chooses something else is not held up by it.
      await isUp(await share({ dax: '' }));
    } finally {
      await settings.update('dax.size', undefined, global);
    }
  });

  it('the daemon gets what the setting says, and a word that it does not know stops the start', async () => {
    const settings = vscode.workspace.getConfiguration('virtiofs');
    const global = vscode.ConfigurationTarget.Global;
    try {
      await settings.update('daemonArgs', ['--no-readdirplus', '--rlimit-nofile=4096'], global);
      const vm = await share();
      await isUp(vm);
      assert.deepEqual(
        vm.facts?.shares[0].daemon.argv.filter((word) => /readdirplus|nofile/.test(word)),
        ['--no-readdirplus', '--rlimit-nofile=4096'],
      );
      await settings.update('daemonArgs', ['--tag=other'], global);
      const refused = await share();
      await until('it is refused', 30, () => refused.state.kind === 'failed');
      assert.equal(refused.state.kind === 'failed' && refused.state.code, 'daemonArgOwn');
      await settings.update('daemonArgs', '--no-readdirplus', global);
      const before = vscode.window.terminals.length;
      assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', sample()), undefined);
      assert.equal(vscode.window.terminals.length, before);
    } finally {
      await settings.update('daemonArgs', undefined, global);
    }
  });

  it('a guest that does not boot: the reason, the last lines of its console, and what to do', async () => {
    const kernel = join(scratch, 'vmlinuz-none');
    await writeFile(kernel, 'no kernel\n'.repeat(1000));
    const vm = await share({ guest: 'qemu', kernel });
    await until('it fails', 120, () => vm.state.kind === 'failed');
    const { code, text, remedy } = failed(vm.state);
    assert.equal(code, 'guestNotUp');
    assert.match(text, /^the guest in QEMU ended before it was ready.*\n {2}\| /);
    assert.match(remedy, /--kernel/);
    const { vms, shares } = await insides();
    assert.deepEqual([...vms.all], [vm], 'it stays to be read');
    const item = shares.getTreeItem({ kind: 'vm', vm });
    assert.match((item.tooltip as vscode.MarkdownString).value, /kernel/);
    await nothingLeft(belongings(vm));
    await vscode.commands.executeCommand('virtiofs.stopVm', { kind: 'vm', vm });
    assert.equal(vms.all.length, 0);
  });

  it('a machine without QEMU, and without a way to get it', async () => {
    const settings = vscode.workspace.getConfiguration();
    const global = vscode.ConfigurationTarget.Global;
    // The launcher sees a machine with nothing on it.
    await settings.update('virtiofs.nodePath', process.execPath, global);
    const env = { PATH: '/nonexistent', XDG_CACHE_HOME: join(scratch, 'cache') };
    await settings.update('terminal.integrated.env.linux', env, global);
    try {
      const vm = await share({ guest: 'qemu' });
      await until('it fails', 60, () => vm.state.kind === 'failed');
      const { code, remedy } = failed(vm.state);
      assert.equal(code, 'toolboxWithoutApt');
      assert.match(remedy, /Install QEMU/);
    } finally {
      await settings.update('virtiofs.nodePath', undefined, global);
      await settings.update('terminal.integrated.env.linux', undefined, global);
    }
  });

  it('guest tools that are not wanted any more while they are fetched', async function () {
    need(this, 'apt', aptIsHere(), 'guest tools are fetched with apt');
    const cache = join(scratch, 'fetched');
    const settings = vscode.workspace.getConfiguration('terminal.integrated');
    await settings.update('env.linux', { XDG_CACHE_HOME: cache }, vscode.ConfigurationTarget.Global);
    try {
      const vm = await share();
      const inCache = (): string[] => (existsSync(cache) ? readdirSync(join(cache, 'virtiofs-studio')) : []);
      await until('it fetches', 30, () => vm.state.kind === 'preparing' && vm.state.step === 'tools');
      await until('something is there', 30, () => inCache().length > 0);
      const { vms } = await insides();
      // What Cancel in the notification does.
      vms.dismiss(vm);
      await until('nothing of it is left', 20, () => inCache().length === 0);
      await until('its processes end', 20, () => processesNaming(cache).length === 0);
    } finally {
      await settings.update('env.linux', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('a daemon that is killed under its guest is told, and a restart mends it', async () => {
    const vm = await share({ guest: 'qemu' });
    await isUp(vm);
    const { facts } = vm;
    assert.ok(facts);
    process.kill(facts.shares[0].daemon.pid, 'SIGKILL');
    await until('it is told', 20, () => vm.problems.size > 0);
    assert.deepEqual(
      [...vm.problems.values()].map(({ tag, code }) => [tag, code]),
      [['share', 'daemonGone']],
    );
    const { shares } = await insides();
    assert.match(String(shares.getTreeItem({ kind: 'share', vm, share: facts.shares[0] }).description), /SIGKILL/);
    await vscode.commands.executeCommand('virtiofs.restartVm', { kind: 'vm', vm });
    await until('another guest', 90, () => vm.isUp && vm.facts?.guest.pid !== facts.guest.pid);
    assert.equal(vm.problems.size, 0);
    assert.equal((await vm.run('cat hello.txt')).output.trim(), 'hello from the host');
  });

  describe('a capture that cannot be written any more', () => {
    let capture: string;
    let vm: SharedVm;
    let facts: LauncherFacts;

    beforeEach(async () => {
      capture = join(await mkdtemp(join(scratch, 'captures-')), 'cut.fuse.pcapng');
      vm = await share({ capture });
      await isUp(vm);
      facts = vm.facts ?? assert.fail('it is up');
      // From here on its files may not grow: the next blocks of the capture meet an error of the file system.
      const { size } = statSync(capture);
      const { pid } = facts.shares[0].daemon;
      execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${size}`]);
      await vm.run('ls -l');
      await until('it is told', 20, () => vm.problems.size > 0);
    });

    /** What there is of the capture stays; the guest that comes next has a file of its own. */
    async function keepsIt(command: string, whileWaiting: () => void): Promise<void> {
      const kept = readFileSync(capture);
      const changed = vscode.commands.executeCommand(command, { kind: 'vm', vm });
      await until('another guest', 90, () => {
        whileWaiting();
        return vm.isUp && vm.facts?.guest.pid !== facts.guest.pid;
      });
      await changed;
      assert.deepEqual(readFileSync(capture), kept);
      const names = readdirSync(dirname(capture)).filter((name) => /^cut-[-\d]+\.fuse\.pcapng$/.test(name));
      assert.equal(names.length, 1);
    }

    it('is told, the share goes on, and the offer with it and Enter keep what there is of it', async () => {
      const problem = vm.problems.get('share');
      assert.equal(problem?.code, 'captureStopped');
      assert.match(problem.text, /cut\.fuse\.pcapng" is incomplete: .*EFBIG/);
      const { shares } = await insides();
      const item = shares.getTreeItem({ kind: 'share', vm, share: facts.shares[0] });
      assert.match(String(item.description), /^capture incomplete · /);
      // A warning, whose lines break where words end.
      assert.match((item.tooltip as vscode.MarkdownString).value, /^\$\(warning\) The capture .* is incomplete\b/);
      assert.equal((await vm.run('cat hello.txt')).output.trim(), 'hello from the host');

      const before = vm.plan;
      await keepsIt('virtiofs.changeOptions', () => {
        if (vm.plan === before) void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      });
    });

    it('stays as it is also when the VM is restarted', async () => {
      await keepsIt('virtiofs.restartVm', () => undefined);
    });
  });

  it('a folder that vanishes is told', async () => {
    const folder = join(scratch, 'going');
    await mkdir(folder);
    const vm = await share({}, vscode.Uri.file(folder));
    await isUp(vm);
    await rename(folder, `${folder}-away`);
    await until('it is told', 20, () => vm.problems.size > 0);
    assert.equal(vm.problems.get('share')?.code, 'folderGone');
  });

  it('a launcher that is killed takes everything with it', async () => {
    const vm = await share();
    await isUp(vm);
    const left = belongings(vm);
    process.kill(vm.facts?.launcher ?? 0, 'SIGKILL');
    await nothingLeft(() => left().filter((one) => !one.endsWith('.sock') && !one.endsWith('.counters')));
    await until('it leaves the list', 10, () => vm.state.kind === 'gone');
  });

  it('the environment is checked, with a fix for what is not as it should be', async () => {
    const findings = await vscode.commands.executeCommand<Finding[]>('virtiofs.checkEnvironment');
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    assert.ok(findings.length > 8);
    assert.ok(findings.some(({ subject, verdict }) => subject === 'Linux' && verdict === 'ok'));
    for (const { subject, verdict, fix } of findings) assert.ok(verdict === 'ok' || fix, subject);
  });
});
