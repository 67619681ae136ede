/** What `doctor` finds missing, each with its own fix. Programs and the machine are stand-ins that lack it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checks, type Machine } from '../../src/vm/checks';
import { KVM_FORBIDDEN } from '../../src/vm/kvm';
import type { Kernel, Toolbox } from '../../src/vm/toolbox';

const MIB = 1 << 20;

describe('what doctor finds', () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'checks-'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /** A program that answers as QEMU does. */
  function qemu(version: string, device = 'vhost-user-fs-pci'): Partial<Toolbox> {
    const file = path.join(folder, `qemu-${version}-${device}`);
    const lines = [
      '#!/bin/sh',
      `[ "$1" = --version ] && { echo "QEMU emulator version ${version}"; echo Copyright; exit 0; }`,
      `case $2 in ${device},help|vhost-user-test-device-pci,help) exit 0 ;; esac`,
      'exit 1',
    ];
    fs.writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
    return { qemu: [file] };
  }

  function kernel(release: string, modules: string, config = 'CONFIG_FUSE_DAX=y\n'): { kernel: Kernel } {
    const modulesFolder = path.join(folder, release);
    fs.mkdirSync(modulesFolder, { recursive: true });
    fs.writeFileSync(path.join(modulesFolder, 'modules.order'), modules);
    fs.writeFileSync(path.join(modulesFolder, 'modules.builtin'), '');
    fs.writeFileSync(path.join(folder, `config-${release}`), config);
    return { kernel: { image: path.join(folder, `vmlinuz-${release}`), release, modulesFolder } };
  }

  const VIRTIOFS = 'kernel/fs/fuse/virtiofs.ko\n';
  const whole = (): Partial<Toolbox> => ({ ...qemu('11.1.0'), ...kernel('6.12', VIRTIOFS), busybox: '/bin/busybox' });
  const proc = (name: string, text: string): Partial<Machine> => ({
    read: (file) => (file === `/proc/${name}` ? text : fs.readFileSync(file, 'utf8')),
  });
  const kvm = (works: boolean, why: string): Partial<Machine> => ({ kvm: () => Promise.resolve({ works, why }) });
  const SHM = 'tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n';

  /** As of a check of a machine that has all but `lacks`. */
  function found(subject: keyof typeof checks, tools: Partial<Toolbox>, lacks: Partial<Machine>) {
    const machine: Machine = {
      tools: { name: 'test', machine: 'x64', ...whole(), ...tools },
      read: (file) => fs.readFileSync(file, 'utf8'),
      room: () => 1024 * MIB,
      kvm: () => Promise.resolve({ works: true, why: 'a guest boots with it' }),
      kvmAccess: () => 'sudo usermod -aG kvm somebody',
      ...lacks,
    };
    return checks[subject](machine, () => {});
  }

  type Row = readonly [
    what: string,
    subject: keyof typeof checks,
    tools: () => Partial<Toolbox>,
    lacks: Partial<Machine>,
    verdict: 'warning' | 'missing',
    found: string | RegExp,
    fix: RegExp,
    command?: string,
  ];
  const none = (): Partial<Toolbox> => ({});
  // prettier-ignore
  const rows: readonly Row[] = [
    ['QEMU is too old', 'QEMU', () => qemu('7.1.9'), {},
      'warning', 'QEMU emulator version 7.1.9', /^Tested with 7\.2 and later: update it/],
    ['QEMU has no virtio-fs', 'QEMU', () => qemu('11.1.0', 'other'), {},
      'missing', 'QEMU emulator version 11.1.0, without the device vhost-user-fs-pci', /^Install qemu-system-x86\.$/],
    ['QEMU has no DAX window', 'DAX window', () => qemu('11.0.9'), {},
      'warning', /11\.0\.9.*: no DAX window$/, /^It needs QEMU 11\.1 or later: update it/],
    ['/dev/kvm is forbidden', 'KVM', none, kvm(false, KVM_FORBIDDEN),
      'warning', KVM_FORBIDDEN, /then log in again\. Until then guests run emulated/, 'sudo usermod -aG kvm somebody'],
    ['/dev/kvm is of no group', 'KVM', none, { ...kvm(false, KVM_FORBIDDEN), kvmAccess: () => 'sudo chown $USER /dev/kvm' },
      'warning', KVM_FORBIDDEN, /\(until the next boot\)\. Else guests run emulated/, 'sudo chown $USER /dev/kvm'],
    ['KVM does not work', 'KVM', none, kvm(false, 'there is no /dev/kvm'),
      'warning', 'there is no /dev/kvm', /^Guests run emulated.*\(nested\) virtualization/],
    ['the kernel has no virtio-fs', 'guest kernel', () => kernel('5.0', 'kernel/fs/ext4/ext4.ko\n'), {},
      'missing', 'Linux 5.0 has no virtio-fs', /^Name another with --kernel/],
    ['the kernel has no DAX', 'DAX window', () => kernel('6.0', VIRTIOFS, '# CONFIG_FUSE_DAX is not set\n'), {},
      'warning', 'Linux 6.0 was built without it: no DAX window', /^Name another kernel with --kernel/],
    ['memory is short', 'memory', none, proc('meminfo', 'MemTotal: 4096000 kB\nMemAvailable:     614400 kB\n'),
      'warning', /^600 ?M.* available$/, /--memory=256M/],
    ['/dev/shm is not there', '/dev/shm', none, { room: () => undefined },
      'warning', /^not there/, /^Run: /, 'sudo mount -t tmpfs tmpfs /dev/shm'],
    ['/dev/shm is noexec', '/dev/shm', none, proc('mounts', SHM.replace('nodev', 'nodev,noexec')),
      'warning', 'mounted noexec', /^User Mode Linux cannot use it/, 'sudo mount -o remount,exec /dev/shm'],
    ['/dev/shm is small', '/dev/shm', none, { ...proc('mounts', SHM), room: () => 64 * MIB },
      'warning', /^64 ?M.* of room$/, /^User Mode Linux needs 256 MiB/, 'sudo mount -o remount,size=1G /dev/shm'],
    ['files are few', 'open files', none, proc('self/limits', 'Max open files            1024                 4096       files\n'),
      'warning', /^up to 4096;/, /LimitNOFILE=/],
  ];

  for (const [what, subject, tools, lacks, verdict, words, fix, command] of rows) {
    it(`where ${what}`, async () => {
      const finding = await found(subject, tools(), lacks);
      assert.equal(finding.verdict, verdict);
      if (typeof words === 'string') assert.equal(finding.found, words);
      else assert.match(finding.found, words);
      assert.match(finding.fix ?? '', fix);
      assert.equal(finding.command, command);
    });
  }

  const enough: readonly (readonly [keyof typeof checks, Partial<Machine>, found: RegExp])[] = [
    ['QEMU', {}, /^QEMU emulator version 11\.1\.0$/],
    ['KVM', {}, /^a guest boots with it$/],
    ['guest kernel', {}, /^Linux 6\.12 with virtio-fs$/],
    ['DAX window', {}, /11\.1\.0.* has it$/],
    ['memory', proc('meminfo', 'MemAvailable: 716800 kB\n'), /^700 ?M.* available$/],
    ['/dev/shm', { ...proc('mounts', SHM), room: () => 300 * MIB }, /^300 ?M.* of room$/],
    ['open files', proc('self/limits', 'Max open files 1024 65536 files\n'), /^up to 65536$/],
    ['open files', proc('self/limits', 'Max open files 1024 unlimited files\n'), /^up to unlimited$/],
  ];

  it('is right, with no fix, where there is just enough', async () => {
    for (const [subject, machine, words] of enough) {
      const finding = await found(subject, {}, machine);
      assert.deepEqual(Object.keys(finding), ['verdict', 'found'], subject);
      assert.equal(finding.verdict, 'ok');
      assert.match(finding.found, words);
    }
    assert.equal((await found('QEMU', qemu('7.2.0'), {})).verdict, 'ok');
  });
});
