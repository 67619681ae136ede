/** Whether KVM works: one answer a boot, for all who ask, in the same words. QEMU here is a script that gives up. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isReadable, onPath } from '../../src/vm/onPath';
import { needKvm, probeKvm } from '../../src/vm/kvm';
import type { Toolbox } from '../../src/vm/toolbox';
import { need } from '../support/need';

describe('whether KVM works', () => {
  let base: string;
  let before: string | undefined;
  const cache = (): string => path.join(base, 'virtiofs-studio/kvm.json');

  beforeEach(function () {
    need(this, '/dev/kvm', isReadable('/dev/kvm', fs.constants.R_OK | fs.constants.W_OK), 'none is tried without it');
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-kvm-'));
    before = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = base;
  });

  afterEach(() => {
    if (base === undefined) return;
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    fs.rmSync(base, { recursive: true });
  });

  /** Tools in a folder called `name`, whose QEMU notes each start. */
  function tools(name: string): Toolbox & { readonly folder: string } {
    const folder = path.join(base, name);
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'qemu'), '#!/bin/sh\necho >>"${0%/*}/starts"\nexit 1\n', { mode: 0o755 });
    return reached(folder);
  }

  function reached(folder: string): Toolbox & { readonly folder: string } {
    const busybox = onPath('true') ?? assert.fail('no true');
    const kernel = { image: path.join(folder, 'vmlinux'), release: '1.0' };
    return { name: 'test', machine: 'x64', folder, qemu: [path.join(folder, 'qemu')], kernel, busybox };
  }

  const starts = (folder: string): number => fs.readFileSync(path.join(folder, 'starts'), 'utf8').length;

  it('is tried once for the same tools, by whatever way they are reached, and for others beside them', async () => {
    const [one, other] = [tools('one'), tools('other')];
    const first = await probeKvm(one);
    assert.equal(first.works, false);
    assert.match(first.why, /a guest does not boot with it: \w/);
    fs.symlinkSync(one.folder, path.join(base, 'link'));
    assert.deepEqual(await probeKvm(reached(path.join(base, 'link'))), first);
    assert.deepEqual(await probeKvm(other), first);
    assert.deepEqual(await probeKvm(one), first);
    assert.deepEqual([starts(one.folder), starts(other.folder)], [1, 1]);
  });

  it('is tried again where somebody insists, who hears what all others hear', async () => {
    const one = tools('one');
    const { why } = await probeKvm(one);
    await assert.rejects(
      needKvm(one, () => {}, undefined),
      { code: 'kvmUnusable', exitCode: 3, message: `KVM does not work here: ${why}` },
    );
    assert.equal(starts(one.folder), 2);
    const kept = fs.readFileSync(cache(), 'utf8');
    fs.writeFileSync(cache(), kept.replace('"works":false', '"works":true'));
    await needKvm(one, () => {}, undefined);
    assert.equal(starts(one.folder), 2, 'what works is not doubted');
  });

  it('is tried anew after a reboot, and where what was kept makes no sense', async () => {
    const one = tools('one');
    const answer = await probeKvm(one);
    const kept = fs.readFileSync(cache(), 'utf8');
    const others = ['', 'null', '{"works":true,"key":"x"}', kept.replace(/"boot":"[^"]*"/, '"boot":"another"')];
    for (const other of others) {
      fs.writeFileSync(cache(), other);
      assert.deepEqual(await probeKvm(one), answer);
      assert.equal(fs.readFileSync(cache(), 'utf8'), kept);
    }
    assert.equal(starts(one.folder), 1 + others.length);
  });
});
