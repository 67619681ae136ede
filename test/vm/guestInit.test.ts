/** The init script: valid for a shell, and safe with any tag. */
import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { guestInit, mountPoint, type InitPlan } from '../../src/vm/guestInit';
import { shellQuote } from '../../src/vm/shellQuote';

const plan: InitPlan = {
  modules: ['/lib/modules/fuse.ko', '/lib/modules/virtiofs.ko'],
  mounts: [
    { tag: 'work', readOnly: false },
    { tag: `it's; rm -rf /`, readOnly: true, options: 'dax=never' },
  ],
  channel: '/dev/vport*p1',
  errors: '/dev/vport*p2',
  token: 'abc123',
  hostname: 'guest',
};

function syntaxErrors(script: string): string {
  return spawnSync('/bin/sh', ['-n'], { input: script, encoding: 'utf8' }).stderr;
}

describe('the init script', () => {
  it('is valid, with a shell and without', () => {
    assert.equal(syntaxErrors(guestInit(plan)), '');
    const shell = { terminal: '/dev/ttyS0', rows: 24, columns: 80, term: 'xterm-256color' };
    assert.equal(syntaxErrors(guestInit({ ...plan, shell })), '');
    assert.equal(syntaxErrors(guestInit({ ...plan, mounts: [], modules: [] })), '');
  });

  it('loads modules in order, before it opens the channel and mounts', () => {
    const script = guestInit(plan);
    const places = ['fuse.ko', 'virtiofs.ko', 'exec 3<>', 'say started', 'mount -t virtiofs', 'say ready', 'serve\n'];
    const found = places.map((text) => script.indexOf(text));
    assert.ok(
      found.every((at, index) => at > (found[index - 1] ?? 0)),
      `${found.join()}`,
    );
  });

  it('quotes tags, and mounts them where no character can do harm', () => {
    const script = guestInit(plan);
    assert.ok(script.includes(`mount -t virtiofs -o ro,dax=never -- 'it'\\''s; rm -rf /' /mnt/it_s__rm_-rf__`));
  });

  it('takes a tag with a leading dash for a tag', () => {
    const mounts = [{ tag: '-x', readOnly: false }];
    assert.ok(guestInit({ ...plan, mounts }).includes(`mkdir -p /mnt/-x; mount -t virtiofs -o rw -- -x /mnt/-x ||`));
  });

  it('with a DAX window whoever uses it is ended before a reset, which would end QEMU', () => {
    const mounts = [{ tag: 'work', readOnly: false, options: 'dax=inode', dax: true }];
    const script = guestInit({ ...plan, mounts });
    assert.equal(syntaxErrors(script), '');
    assert.match(script, /umount \$place 2>\/dev\/null \|\| \{ kill -KILL -1; .*umount -l \$place/);
    assert.ok(!guestInit(plan).includes('kill -KILL'));
  });

  it('gives every tag a folder of its own below /mnt', () => {
    assert.equal(mountPoint('work'), '/mnt/work');
    assert.equal(mountPoint('a/../b'), '/mnt/a_.._b');
    assert.equal(mountPoint('..'), '/mnt/_');
    assert.equal(mountPoint('.'), '/mnt/_');
    assert.equal(mountPoint('名'), '/mnt/_');
  });
});

describe('shellQuote', () => {
  for (const word of ['plain', '', "it's", '$HOME', '`x`', 'a b', '"', '\\', 'new\nline', '*', "''"]) {
    it(`is taken literally: ${JSON.stringify(word)}`, () => {
      const printed = spawnSync('/bin/sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' });
      assert.equal(printed.stdout, word);
    });
  }
});
