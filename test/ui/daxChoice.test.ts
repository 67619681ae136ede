/** The row of the DAX window among the choices of a share: what is chosen; or why that cannot be, and what to do. */
import assert from 'node:assert/strict';
import { DAX_MOUNT_CHOICES, daxOffered, daxSizes, daxWords } from '../../src/ui/daxChoice';
import { DAX_MOUNTS, DEFAULT_OPTIONS, daxFault, type LaunchOptions, readOptions } from '../../src/ui/launchOptions';

const words = (options: Partial<LaunchOptions>): string => daxWords({ ...DEFAULT_OPTIONS, ...options }).description;
const fault = (options: Partial<LaunchOptions>): string =>
  daxWords({ ...DEFAULT_OPTIONS, dax: '64M', ...options }).fault ?? '';

describe('the DAX window among the choices of a share', () => {
  it('says what is chosen', () => {
    assert.equal(words({}), 'off');
    assert.equal(words({ dax: '8M' }), '8M, dax=inode');
    assert.equal(words({ dax: '8M', daxMount: 'inode', daxPolicy: 'tails,*.db' }), '8M, dax=inode, tails,*.db');
    assert.equal(words({ dax: '', daxMount: 'always', daxPolicy: 'tails' }), 'off');
  });

  it('says why it cannot be, with what to do, and still what is chosen', () => {
    assert.equal(fault({}), '');
    assert.equal(fault({ dax: '', guest: 'uml', readOnly: true, cache: 'never' }), '', 'off can always be');
    assert.match(
      fault({ guest: 'uml' }),
      /^User Mode Linux has no DAX window\. Use "virtiofs\.guest": "qemu", or leave out "virtiofs\.dax\.size"/,
    );
    assert.match(fault({ readOnly: true }), /^A read-only share cannot have .*\. .* share the folder for writing\.$/);
    assert.match(
      fault({ cache: 'never' }),
      /^A DAX window and the cache mode never .*\. Use the option "Cache mode": "auto"/,
    );
    assert.match(fault({ dax: '512M' }), /^A DAX window of 512M cannot be: .*\. Give a power of two from 2M to 256M/);
    assert.match(fault({ dax: '3M' }), /^A DAX window of 3M cannot be: it is no power of two.*\. Give a power of two/);
    assert.match(fault({ dax: '256M', memory: '32M' }), /takes 4M of the guest's 32M .*\. Give the guest more/);
    const shares = [{ folder: '/a', tag: 'a' }];
    assert.match(fault({ dax: '256M', shares }), /together would be 512M.*\. Together they may have 256M/);
    assert.equal(words({ dax: '64M', guest: 'uml' }), '64M, dax=inode');
  });

  it('is not offered to a guest that has none, unless there is one to be taken back', () => {
    const offered = (options: Partial<LaunchOptions>): boolean => daxOffered({ ...DEFAULT_OPTIONS, ...options });
    assert.ok(offered({ guest: 'qemu' }));
    assert.ok(!offered({ guest: 'uml' }));
    assert.ok(offered({ guest: 'uml', dax: '64M' }));
  });

  it('offers only what can be', () => {
    const [off, ...sizes] = daxSizes();
    assert.equal(off.value, '');
    assert.equal(sizes.length, 8);
    for (const { value, description } of sizes) {
      assert.equal(daxFault(value), undefined, value);
      assert.equal(fault({ dax: value }), '', value);
      assert.match(description ?? '', /^costs the guest \d+ [KM]iB of memory/);
    }
    assert.match(sizes.find(({ value }) => value === '64M')?.description ?? '', / 1 MiB /);
    assert.deepEqual(
      DAX_MOUNT_CHOICES.map(({ value }) => value),
      [...DAX_MOUNTS],
    );
  });

  it('is read again as it was chosen, from what a workspace remembers', () => {
    const chosen = { dax: '8M', daxMount: 'always', daxPolicy: 'tails' } as const;
    assert.deepEqual(readOptions({ ...DEFAULT_OPTIONS, ...chosen }, '/').options, { ...DEFAULT_OPTIONS, ...chosen });
  });
});
