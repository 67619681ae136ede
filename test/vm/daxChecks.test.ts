/** Whether there can be a DAX window, asked before anything is started: each reason has its own error, with a fix. */
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Trouble } from '../../src/base/catalogue';
import { checkDax, type DaxWish, kernelHasDax, qemuDax } from '../../src/vm/daxChecks';

const MIB = 1 << 20;

describe('the checks for a DAX window', () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dax-checks-'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /** A program that answers as QEMU does. */
  function qemu(version: string, hasDevice = true): string[] {
    const file = path.join(folder, `qemu-${version}-${hasDevice}`);
    const lines = [
      '#!/bin/sh',
      `[ "$1" = --version ] && { echo "QEMU emulator version ${version} (Debian)"; exit 0; }`,
      `[ "$2" = vhost-user-test-device-pci,help ] && exit ${hasDevice ? 0 : 1}`,
      'exit 2',
    ];
    fs.writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
    return [file];
  }

  const wish = (more: Partial<DaxWish> = {}): DaxWish => ({
    guest: 'qemu',
    tools: { name: 'test', machine: 'x64', qemu: qemu('11.1.3') },
    memoryMiB: 512,
    windows: [64 * MIB],
    readOnly: false,
    cache: 'auto',
    ...more,
  });

  async function refusal(more: Partial<DaxWish>): Promise<string> {
    try {
      await checkDax(wish(more));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      assert.ok(error.remedy.length > 10);
      return error.code;
    }
    return '';
  }

  it('are content with QEMU 11.1 and a window that fits', async () => {
    assert.equal(await refusal({}), '');
    assert.equal(await refusal({ windows: [128 * MIB, 64 * MIB, 64 * MIB] }), '');
  });

  it('know QEMU by its version and by the device', async () => {
    for (const version of ['7.2.0', '10.2.1', '11.0.9']) {
      assert.equal(
        await refusal({ tools: { name: 'old', machine: 'x64', qemu: qemu(version) } }),
        'daxQemuTooOld',
        version,
      );
    }
    assert.equal(
      await refusal({ tools: { name: 'cut', machine: 'x64', qemu: qemu('11.1.0', false) } }),
      'daxQemuTooOld',
    );
    for (const version of ['11.1.0', '11.2.50', '12.0.0']) assert.ok((await qemuDax(qemu(version))).able, version);
  });

  it('refuse what cannot be, each with its own reason', async () => {
    assert.equal(await refusal({ guest: 'uml' }), 'daxUml');
    assert.equal(await refusal({ readOnly: true }), 'daxReadOnly');
    assert.equal(await refusal({ cache: 'never' }), 'daxCache');
    for (const bytes of [MIB, 3 * MIB, 512 * MIB]) assert.equal(await refusal({ windows: [bytes] }), 'daxSizeBad');
    assert.equal(await refusal({ windows: [256 * MIB, 2 * MIB] }), 'daxTooMuch');
    assert.equal(await refusal({ windows: [256 * MIB], memoryMiB: 48 }), 'daxGuestMemory');
  });

  it('look into the kernel’s configuration where there is one', async () => {
    const kernel = { image: path.join(folder, 'vmlinuz-x'), release: 'x' };
    assert.equal(kernelHasDax(kernel), undefined);
    fs.writeFileSync(path.join(folder, 'config-x'), 'CONFIG_VIRTIO_FS=m\n# CONFIG_FUSE_DAX is not set\n');
    assert.equal(await refusal({ kernel }), 'daxKernel');
    fs.writeFileSync(path.join(folder, 'config-x'), 'CONFIG_FUSE_DAX=y\n');
    assert.equal(await refusal({ kernel }), '');
  });
});
