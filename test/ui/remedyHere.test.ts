/** What can be done, in the words of who sits in VS Code. */
import assert from 'node:assert/strict';
import { trouble } from '../../src/base/catalogue';
import { CaptureReader } from '../../src/trace/captureReader';
import { remedyHere } from '../../src/ui/remedyHere';

describe('a remedy in VS Code', () => {
  it('about a DAX window names settings and choices, never options of the command line', () => {
    const rows = [
      trouble('daxSizeBad', '3M', 'is odd'),
      trouble('daxReadOnly'),
      trouble('daxCache', 'never'),
      trouble('daxWriteback'),
      trouble('daxOptionAlone', '--dax-policy'),
      trouble('daxUml'),
      trouble('daxQemuTooOld', '7.2'),
      trouble('daxGuestMemory', '256M', '64M', '4M'),
      trouble('daxTooMuch', '512M'),
      trouble('daxKernel', '6.1'),
    ];
    for (const { code, remedy } of rows) {
      const here = remedyHere(remedy);
      assert.doesNotMatch(here.replace('--writeback in "virtiofs.daemonArgs"', ''), /--/, code);
      assert.match(here, /\.$/);
    }
  });

  it('about a file that is no capture names what is done here', () => {
    const foreign = new CaptureReader();
    foreign.push(new TextEncoder().encode('This was never a capture.'));
    const remedies = [trouble('captureEmpty', 'x').remedy, foreign.fault?.remedy ?? ''];
    assert.deepEqual(remedies.map(remedyHere), [
      'The share may not have had a request yet: open it again later.',
      'Open a file that a share with the option "Capture to a file" has made, or that Wireshark has saved as pcapng.',
    ]);
  });

  for (const [said, here] of [
    ['Use --guest qemu, or leave out --dax.', 'Use "virtiofs.guest": "qemu", or leave out "virtiofs.dax.size".'],
    ['A power of two, for example --dax 64M.', 'A power of two, for example "virtiofs.dax.size": "64M".'],
    ['Give the window a size with --dax=SIZE.', 'Give the window a size with "virtiofs.dax.size".'],
    ['Name a kernel with --kernel=FILE.', 'Name a kernel with "kernel" of a profile.'],
    ['Give the guest less with --memory=256M.', 'Give the guest less with the option "Memory": "256M".'],
    [
      'Use --cache=auto (the default) or --cache=always.',
      'Use the option "Cache mode": "auto" (the default) or the option "Cache mode": "always".',
    ],
    ['Leave out --writeback: nobody does it.', 'Leave out --writeback in "virtiofs.daemonArgs": nobody does it.'],
    ['Run: apt-get --constructor install x --yes', 'Run: apt-get --constructor install x --yes'],
  ]) {
    it(said, () => assert.equal(remedyHere(said), here));
  }
});
