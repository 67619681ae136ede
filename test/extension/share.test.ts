import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { runningShares } from '../../src/control/runningShares';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import type { SharesNode } from '../../src/ui/sharesTree';
import type { SharedVm } from '../../src/ui/sharedVm';
import { belongings, endAll, insides, isUp, nothingLeft, processesNaming, sample, share, until } from './machine';

/** The view's rows as a person reads them, indented. */
async function rows(parent?: SharesNode, indent = ''): Promise<string[]> {
  const { shares } = await insides();
  const lines: string[] = [];
  for (const node of shares.getChildren(parent)) {
    const { label, description } = shares.getTreeItem(node);
    lines.push(`${indent}${String(label)} | ${String(description ?? '')}`, ...(await rows(node, `${indent}  `)));
  }
  return lines;
}

/** Types a line into the guest's shell, and waits for the file that it makes. */
async function typed(vm: SharedVm, line: string, file: string): Promise<string> {
  vm.terminal.sendText(`(${line}) > unfinished && mv unfinished ${file}`);
  const path = join(vm.plan.folder, file);
  await until(`the file written by "${line}"`, 60, () => existsSync(path));
  return readFileSync(path, 'utf8');
}

describe('a folder shared from VS Code', function () {
  this.timeout(240_000);
  afterEach(endAll);

  for (const guest of ['uml', 'qemu']) {
    it(`is worked in by the shell in the terminal, and nothing is left when it is stopped (${guest})`, async () => {
      const vm = await share({ guest });
      assert.equal(vm.name, 'sample');
      assert.ok(vscode.window.terminals.includes(vm.terminal));
      await isUp(vm);
      const left = belongings(vm);
      const text = await typed(vm, 'uname -s; cat hello.txt', `result-${guest}`);
      assert.equal(text, 'Linux\nhello from the host\n');
      await vscode.commands.executeCommand('virtiofs.stopVm', { kind: 'vm', vm });
      await nothingLeft(left);
      const { vms } = await insides();
      await until('it leaves the list', 5, () => vms.all.length === 0);
    });
  }

  it('runs on the Node.js of this machine, or where that is too old on what VS Code itself runs on', async () => {
    const vm = await share();
    await isUp(vm);
    const programs = vm.facts?.shares.map(({ daemon }) => daemon.argv[0]);
    const onElectron = process.versions['electron'] !== undefined;
    assert.equal(programs?.includes(process.execPath), onElectron, `${programs?.join()} in ${process.execPath}`);
  });

  it('has in the views what its guest asks from the moment that it is up', async () => {
    const { captures } = await (await insides()).views();
    await vscode.commands.executeCommand('virtiofs.requests.focus');
    const vm = await share();
    await isUp(vm);
    await vm.run('ls');
    await until('its requests are there', 20, () => {
      const { columns, count } = captures.active?.reader ?? { count: 0 };
      return columns?.opcode.subarray(0, count).includes(Opcode.OPENDIR) === true;
    });
    assert.equal(captures.active?.about, vm.plan.folder);
    for (const capture of [...captures.all]) captures.close(capture);
  });

  it('ends with its terminal', async () => {
    const vm = await share();
    await isUp(vm);
    const left = belongings(vm);
    vm.terminal.dispose();
    await nothingLeft(left);
    await until('its processes end', 10, () => processesNaming(vm.plan.folder).length === 0);
  });

  it('is ended while it boots', async () => {
    const vm = await share({ guest: 'qemu' });
    await until('it boots', 60, () => vm.facts !== undefined);
    const left = belongings(vm);
    await vscode.commands.executeCommand('virtiofs.stopVm', { kind: 'vm', vm });
    await nothingLeft(left);
  });

  it('is dismissed before its terminal has a process', async function () {
    this.timeout(30_000);
    const vm = await share();
    const { vms } = await insides();
    vms.dismiss(vm);
    assert.ok(vscode.window.terminals.includes(vm.terminal), 'it is not gone at once');
    await endAll();
    assert.equal(vms.all.length, 0);
    await until('its processes end', 10, () => processesNaming(vm.plan.folder).length === 0);
  });

  it('is gone, as are its processes and what others find of it, when the next test begins', async () => {
    const [one, other] = [await share(), await share({ tag: 'other' })];
    await isUp(one);
    await until('the other one boots', 60, () => other.facts !== undefined);
    const [left, otherLeft] = [belongings(one), belongings(other)];
    const found = (): boolean => runningShares().some(({ directory }) => directory === one.plan.folder);
    assert.ok(found() && left().length > 0 && otherLeft().length > 0);
    await endAll();
    assert.deepEqual([...left(), ...otherLeft()], []);
    assert.ok(!found());
  });

  it('is shown with its shares, daemon, queues and what goes on', async () => {
    const vm = await share({ tag: 'work', readOnly: true });
    await isUp(vm);
    const { vms } = await insides();
    assert.deepEqual([...vms.all], [vm]);
    await until('counters', 10, () => (vm.activity('work')?.total ?? 0) > 0);
    const view = (await rows()).join('\n');
    assert.match(view, /^sample \| Linux [\d.]+/m);
    assert.match(view, /^ {2}work \| (idle|[\d.,]+\/s).* · .*sample$/m);
    assert.match(view, /^ {4}Daemon \| process \d+$/m);
    assert.match(view, /^ {4}Queue 0 \| hiprio · /m);
    assert.match(view, /^ {4}Queue 1 \| .* in all$/m);
    assert.match(view, /^ {2}Guest \| User Mode Linux · process \d+$/m);

    const before = vm.activity('work')?.total ?? 0;
    const { status, output } = await vm.run('ls -l . && ! touch fresh && cat hello.txt');
    assert.equal(status, 0, output);
    assert.match(output, /hello from the host/);
    await until('more requests', 10, () => (vm.activity('work')?.total ?? 0) > before);
  });

  it('has its command lines copied', async () => {
    const vm = await share({ tag: 'my work' });
    await isUp(vm);
    const copied = async (id: string): Promise<string> => {
      await vscode.commands.executeCommand(id, { kind: 'vm', vm });
      return vscode.env.clipboard.readText();
    };
    assert.equal(await copied('virtiofs.copyMountCommand'), "mount -t virtiofs -o rw -- 'my work' /mnt/my_work");
    assert.match(await copied('virtiofs.copyGuestCommandLine'), /linux\.uml .*mem=256M/);
    assert.match(await copied('virtiofs.copyDaemonCommandLine'), /daemon\.js .*--shared-dir=.*sample/);
  });

  it('is booted anew with another folder and other choices, in the same terminal', async () => {
    const other = vscode.Uri.joinPath(sample(), '..', 'other');
    await mkdir(other.fsPath, { recursive: true });
    await writeFile(join(other.fsPath, 'there.txt'), 'the other one\n');
    const vm = await share();
    await isUp(vm);
    const first = vm.facts?.guest.pid;
    const left = belongings(vm);
    // Its message, which offers a restart, stays open: the command is not waited for.
    void vscode.commands.executeCommand('virtiofs.shareAnotherFolder', other);
    await until('it is planned', 20, () => vm.nextPlan.options.shares.length > 0);
    assert.deepEqual(vm.nextPlan.options.shares, [{ folder: other.fsPath, tag: 'other' }]);
    vm.plans({ ...vm.nextPlan, options: { ...vm.nextPlan.options, readOnly: true } });
    await vscode.commands.executeCommand('virtiofs.restartVm', { kind: 'vm', vm });
    await until('another guest', 60, () => vm.isUp && vm.facts?.guest.pid !== first);
    await nothingLeft(() => left().filter((one) => one !== `process ${vm.facts?.launcher}`));
    assert.deepEqual([...(await insides()).vms.all], [vm], 'it stays in the list');
    assert.equal(vm.plan.options.readOnly, true);
    const { output } = await vm.run('cat /mnt/other/there.txt; touch /mnt/share/x || echo refused');
    assert.match(output, /the other one/);
    assert.match(output, /refused/);
    assert.equal(vscode.window.terminals.filter(({ name }) => name.startsWith('VM:')).length, 1);
    await rm(other.fsPath, { recursive: true });
  });

  it('is one of several, each on its own', async () => {
    const second = vscode.Uri.joinPath(sample(), '..', 'second');
    await mkdir(second.fsPath, { recursive: true });
    const [one, two] = [await share(), await share({}, second)];
    await Promise.all([isUp(one), isUp(two)]);
    const { vms } = await insides();
    assert.deepEqual([...vms.all], [one, two]);
    assert.equal((await two.run('touch from-two')).status, 0);
    assert.ok(existsSync(join(second.fsPath, 'from-two')));
    const left = belongings(one);
    await one.stop();
    await nothingLeft(left);
    assert.ok(two.isUp);
    assert.equal((await two.run('true')).status, 0);
  });

  it('has the DAX window of the settings, and is not started where it cannot have one', async () => {
    const settings = vscode.workspace.getConfiguration('virtiofs.dax');
    const set = (size?: string, policy?: string): Promise<unknown> =>
      Promise.all([
        settings.update('size', size, vscode.ConfigurationTarget.Global),
        settings.update('policy', policy, vscode.ConfigurationTarget.Global),
      ]);
    await set('8M', 'tails');
    try {
      for (const cannot of [{ guest: 'uml' }, { guest: 'qemu', readOnly: true }]) {
        assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', sample(), [], cannot), undefined);
      }
      assert.equal((await insides()).vms.all.length, 0);
      const vm = await share({ guest: 'qemu' });
      await isUp(vm);
      const { output } = await vm.run('grep virtiofs /proc/mounts; cat hello.txt; dmesg | grep "Cache len"');
      assert.match(output, /dax=inode[^]*hello from the host[^]*Cache len: 0x800000/);
      const { argv } = vm.facts?.shares[0].daemon ?? assert.fail();
      assert.ok(argv.includes('--dax-policy=tails') || argv.join(' ').includes('--dax-policy tails'), argv.join(' '));
    } finally {
      await set();
    }
  });

  it('takes all folders that are selected in the Explorer', async () => {
    const more = vscode.Uri.joinPath(sample(), '..', 'more');
    await mkdir(more.fsPath, { recursive: true });
    const vm = await vscode.commands.executeCommand<SharedVm>('virtiofs.shareFolder', sample(), [sample(), more], {
      guest: 'uml',
    });
    await isUp(vm);
    assert.deepEqual(
      vm.facts?.shares.map(({ tag, mountPoint }) => [tag, mountPoint]),
      [
        ['share', '/mnt/share'],
        ['more', '/mnt/more'],
      ],
    );
  });
});
