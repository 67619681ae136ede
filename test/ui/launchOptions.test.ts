import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseShareWords } from '../../src/cli/shareOptions';
import { Trouble } from '../../src/base/catalogue';
import {
  DEFAULT_OPTIONS,
  type LaunchOptions,
  absolute,
  captureAt,
  captureBeside,
  captureChosen,
  checkDaxWindows,
  daxFault,
  daxPolicyFault,
  defaultCapture,
  freeTag,
  readOptions,
  readProfiles,
  shareWords,
  summary,
  tagRefusal,
} from '../../src/ui/launchOptions';
import { profileTrouble } from '../../src/ui/refusedOptions';

describe('the choices of a share', () => {
  it('become words that the launcher understands', () => {
    const options: LaunchOptions = {
      guest: 'qemu',
      cache: 'never',
      readOnly: true,
      tag: '-odd tag',
      shares: [{ folder: '/a:b', tag: 'more' }],
      memory: '1G',
      cpus: '3',
      bootTimeout: '300',
      kernel: '/boot/vmlinuz',
      qemuArgs: ['-device', '--help'],
      daemonArgs: ['--writeback', '--rlimit-nofile=4096'],
      capture: '/tmp/x.fuse.pcapng',
      dax: '64M',
      daxPolicy: 'tails,>=1M',
      daxMount: 'always',
      command: 'ls',
    };
    const { folder, options: read } = parseShareWords(shareWords('--folder', options));
    assert.equal(folder, '--folder');
    assert.deepEqual(
      { ...read },
      {
        guest: 'qemu',
        cache: 'never',
        readOnly: true,
        tag: '-odd tag',
        share: ['/a:b:more'],
        memory: '1G',
        cpus: '3',
        bootTimeout: '300',
        kernel: '/boot/vmlinuz',
        qemuArg: ['-device', '--help'],
        daemonArg: ['--writeback', '--rlimit-nofile=4096'],
        capture: '/tmp/x.fuse.pcapng',
        traceSyscalls: false,
        fault: [],
        dax: '64M',
        daxPolicy: 'tails,>=1M',
        daxMount: 'always',
      },
    );
  });

  it('have a tag, or it is said what a tag has to be', () => {
    const others = [{ folder: '/a', tag: 'a' }];
    assert.equal(tagRefusal('work', others), undefined);
    assert.equal(tagRefusal('x'.repeat(36), others), undefined);
    assert.match(tagRefusal('ü'.repeat(22), others) ?? '', /^The tag is 44 bytes long\. A tag is 1 to 36 bytes long/);
    assert.match(tagRefusal('', others) ?? '', /^The tag is empty\. A tag is 1 to 36 bytes long/);
    assert.equal(tagRefusal('a', others), 'Another folder has this tag');
  });

  it('leave out what only QEMU knows where the guest is User Mode Linux', () => {
    const words = shareWords('/srv', { ...DEFAULT_OPTIONS, guest: 'uml', cpus: '4', kernel: '/k', qemuArgs: ['-x'] });
    assert.deepEqual(words, ['--guest', 'uml', '--cache', 'auto', '--tag=share', '--', '/srv']);
  });

  it('are checked one by one: what makes no sense is left out and named', () => {
    const { options, faults } = readOptions(
      {
        guest: 'xen',
        cache: 'never',
        tag: 'x'.repeat(40),
        memory: '1M',
        cpus: 65,
        bootTimeout: 86401,
        qemuArgs: 'all',
        readOnly: true,
      },
      '/work',
    );
    assert.deepEqual(options, { cache: 'never', readOnly: true });
    assert.deepEqual(faults.sort(), ['bootTimeout', 'cpus', 'guest', 'memory', 'qemuArgs', 'tag']);
  });

  it('have paths against the workspace and the home folder', () => {
    assert.equal(absolute('sub/kernel', '/work'), '/work/sub/kernel');
    assert.equal(absolute('~/kernel', '/work'), join(homedir(), 'kernel'));
    assert.equal(absolute('${workspaceFolder}/k', '/work'), '/work/k');
    const { options } = readOptions({ shares: [{ folder: 'data' }, { folder: '/x/data' }] }, '/work');
    assert.deepEqual(options.shares, [
      { folder: '/work/data', tag: 'data' },
      { folder: '/x/data', tag: 'data2' },
    ]);
  });

  it('come in profiles by name', () => {
    const written = { name: 'small', guest: 'uml', cpus: 'many' };
    const profiles = readProfiles([written, { guest: 'uml' }, 7, null], '/');
    assert.deepEqual(profiles, [{ name: 'small', options: { guest: 'uml' }, faults: ['cpus'], written }]);
    assert.deepEqual(readProfiles({ name: 'no list' }, '/'), []);
  });

  it('have a DAX window of a size that there can be, with a policy that makes sense', () => {
    const read = (value: unknown): unknown => readOptions(value, '/').options;
    assert.deepEqual(read({ dax: '64M', daxPolicy: '*.db,<2G', daxMount: 'never' }), {
      dax: '64M',
      daxPolicy: '*.db,<2G',
      daxMount: 'never',
    });
    assert.deepEqual(readOptions({ dax: '3M', daxPolicy: '>=many', daxMount: 'yes' }, '/').faults.sort(), [
      'dax',
      'daxMount',
      'daxPolicy',
    ]);
    assert.match(daxFault('512M') ?? '', /more mappings than QEMU survives/);
    assert.match(daxPolicyFault('pages,') ?? '', /a word/);
    assert.ok(!shareWords('/srv', { ...DEFAULT_OPTIONS, daxPolicy: 'tails' }).some((word) => word.includes('dax')));
  });

  it('say before anything starts why there can be no DAX window', () => {
    const code = (options: Partial<LaunchOptions>): string | undefined => {
      try {
        checkDaxWindows({ ...DEFAULT_OPTIONS, dax: '64M', ...options });
        return undefined;
      } catch (error) {
        return error instanceof Trouble ? error.code : 'no trouble';
      }
    };
    assert.equal(code({}), undefined);
    assert.equal(code({ dax: '', guest: 'uml', readOnly: true }), undefined);
    assert.equal(code({ guest: 'uml' }), 'daxUml');
    assert.equal(code({ readOnly: true }), 'daxReadOnly');
    assert.equal(code({ cache: 'never' }), 'daxCache');
    assert.equal(code({ memory: '96M' }), undefined);
    assert.equal(code({ dax: '256M', shares: [{ folder: '/a', tag: 'a' }] }), 'daxTooMuch');
  });

  it('never throw, whatever the settings hold', () =>
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readProfiles([value, { name: 'some', ...(value as object) }], '/work').map(profileTrouble);
        const { options } = readOptions(value, '/work');
        parseShareWords(shareWords('/srv', { ...DEFAULT_OPTIONS, ...options }));
      }),
    ));

  it('give each folder a tag of its own', () => {
    assert.equal(freeTag('/srv/my data', []), 'my_data');
    assert.equal(freeTag('/srv/data', ['data', 'data2']), 'data3');
    assert.equal(freeTag('/', []), 'share');
  });

  it('have a capture beside the folder that is another file at each start', () => {
    const [first, second] = [new Date(2026, 0, 2, 3, 4, 5), new Date(2026, 10, 26, 19, 30, 6)];
    const options = { ...DEFAULT_OPTIONS, capture: defaultCapture('/srv/project') };
    const file = (chosen: LaunchOptions, now: Date): string | undefined =>
      parseShareWords(shareWords('/srv/project', chosen, now)).options.capture;
    assert.equal(file(options, first), '/srv/project-20260102-030405.fuse.pcapng');
    assert.equal(file(options, second), '/srv/project-20261126-193006.fuse.pcapng');
    assert.deepEqual(readOptions(options, '/work').options.capture, options.capture, 'as it comes from memory');
    assert.match(summary(options), /capture project-DATE-TIME\.fuse\.pcapng$/);
  });

  it('have a capture under the name that was typed: that of each start if the time was left in it', () => {
    const [asked, started] = [new Date(2026, 0, 2, 3, 4, 5), new Date(2026, 0, 2, 3, 4, 59)];
    const start = (typed: string): string => captureAt(captureChosen(typed, asked), started);
    const offered = captureAt(defaultCapture('/srv/project'), asked);
    assert.equal(start(offered), '/srv/project-20260102-030459.fuse.pcapng');
    assert.equal(start('/tmp/mine.fuse.pcapng'), '/tmp/mine.fuse.pcapng');
  });

  it('have another capture beside one that is to stay', () => {
    const now = new Date(2026, 0, 2, 3, 4, 5);
    const next = (capture: string): string => captureAt(captureBeside(capture), now);
    assert.equal(next('/tmp/cut.fuse.pcapng'), '/tmp/cut-20260102-030405.fuse.pcapng');
    assert.equal(next('/tmp/a.b/cut.pcapng'), '/tmp/a.b/cut-20260102-030405.pcapng');
    assert.equal(next('/tmp/a.b/cut'), '/tmp/a.b/cut-20260102-030405');
    assert.equal(captureBeside(defaultCapture('/srv/project')), defaultCapture('/srv/project'));
    assert.equal(captureBeside(''), '', 'none stays none');
  });

  it('are told in a few words', () => {
    assert.equal(summary(DEFAULT_OPTIONS), 'QEMU, cache auto');
    assert.equal(
      summary({ ...DEFAULT_OPTIONS, guest: 'uml', readOnly: true, capture: '/tmp/a.fuse.pcapng' }),
      'User Mode Linux, cache auto, read-only, capture a.fuse.pcapng',
    );
  });
});

describe('words for a restart', () => {
  it('that are unknown are refused with a reason', () =>
    assert.throws(
      () => parseShareWords(['--no-such']),
      (error) => error instanceof Trouble && error.code === 'shareWordsBad' && /no-such/.test(error.message),
    ));
});
