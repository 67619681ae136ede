import assert from 'node:assert/strict';
import { DEFAULT_OPTIONS, type LaunchOptions, readProfiles } from '../../src/ui/launchOptions';
import { checkSettings, givenOptions, type OptionSettings, profileTrouble } from '../../src/ui/refusedOptions';

describe('settings of a share', () => {
  it('are refused where one in force asks for what cannot be: what is wrong, why, and what to do', () => {
    const told = (settings: Partial<OptionSettings>, chosen: Partial<LaunchOptions> = {}): string | undefined => {
      try {
        const none = {
          guest: undefined,
          dax: undefined,
          daxPolicy: undefined,
          daxMount: undefined,
          daemonArgs: undefined,
        };
        checkSettings({ ...none, ...settings }, chosen);
        return undefined;
      } catch (error) {
        return String(error);
      }
    };
    assert.equal(
      told({ dax: '48M' }),
      'error: the setting "virtiofs.dax.size" is "48M", but a window of that size is no power of two, which a PCI region must be [settingBad]\n' +
        '  Set it to a power of two from 2M to 256M, such as "64M", or remove it, which means its default.',
    );
    assert.match(told({ dax: 'lots' }) ?? '', /is "lots", but that is no size \[/);
    assert.match(told({ dax: '512M' }) ?? '', /more mappings than QEMU survives/);
    assert.match(told({ dax: 64 }) ?? '', /is 64, but it has to be a text/);
    assert.match(told({ dax: null }) ?? '', /is null/);
    assert.match(told({ guest: 'xen' }) ?? '', /"virtiofs\.guest" is "xen".*\n.*"qemu" or "uml"/);
    assert.match(told({ dax: '64M', daxPolicy: '>=many' }) ?? '', /"virtiofs\.dax\.policy".*>=many is no size/);
    assert.match(told({ dax: '64M', daxMount: 'yes' }) ?? '', /"virtiofs\.dax\.mount"/);
    // As they come from package.json.
    assert.equal(told({ guest: 'qemu', dax: '', daxPolicy: '', daxMount: 'inode' }), undefined);
    assert.equal(told({ dax: '64M' }), undefined);
    assert.match(
      told({ daemonArgs: '--writeback' }) ?? '',
      /"virtiofs\.daemonArgs" is "--writeback", but it has to be a list/,
    );
    assert.equal(told({ daemonArgs: ['--writeback'] }), undefined);
    // Nothing has a window.
    assert.equal(told({ dax: '', daxPolicy: '>=many', daxMount: 'yes' }), undefined);
  });

  it('are not in force where something else is chosen, whatever they hold', () => {
    const bad: OptionSettings = { guest: 'xen', dax: 'lots', daxPolicy: '>=many', daxMount: 'yes', daemonArgs: [] };
    assert.doesNotThrow(() => checkSettings(bad, { guest: 'uml', dax: '' }));
    assert.throws(() => checkSettings(bad, { guest: 'uml' }), /virtiofs\.dax\.size/);
    assert.throws(() => checkSettings(bad, { guest: 'qemu', dax: '64M' }), /virtiofs\.dax\.policy/);
  });
});

describe('a profile', () => {
  const told = (written: object): string | undefined => {
    const [profile] = readProfiles([{ name: 'big', ...written }], '/work');
    return profileTrouble(profile)?.toString();
  };

  it('is refused where it asks for a DAX window that cannot be, as the setting is', () => {
    assert.equal(
      told({ guest: 'qemu', dax: '48M' }),
      'error: the profile "big" has "dax": "48M", but a window of that size is no power of two, which a PCI region must be [profileBad]\n' +
        '  In the setting "virtiofs.profiles", set it to a power of two from 2M to 256M, such as "64M", or remove it, which means its default.',
    );
    assert.match(told({ dax: 'lots' }) ?? '', /"dax": "lots", but that is no size \[/);
    assert.match(told({ dax: 64 }) ?? '', /"dax": 64, but it has to be a text/);
  });

  it('is refused for whatever else of it cannot be, with what it could be', () => {
    const wrong: Readonly<Record<Exclude<keyof LaunchOptions, 'dax'>, readonly [unknown, RegExp]>> = {
      guest: ['xen', /"guest": "xen", but there is no such guest.*\n.*"qemu" or "uml"/],
      cache: ['most', /no such cache mode.*\n.*"auto"/],
      readOnly: ['yes', /"readOnly": "yes", but it has to be true or false/],
      tag: ['', /"tag": "", but it is empty/],
      shares: [[{ tag: 'a' }], /"shares": \[\{"tag":"a"\}\], but it has to be a list of folders/],
      memory: ['1M', /it is no size of at least 96M.*\n.*"512M"/],
      cpus: ['many', /"cpus": "many", but it has to be a number from 1 to 64/],
      bootTimeout: [-1, /"bootTimeout": -1, but it has to be a number from 0 to 86400/],
      kernel: [6, /"kernel": 6, but it has to be a text/],
      qemuArgs: ['-s', /"qemuArgs": "-s", but it has to be a list of texts/],
      daemonArgs: ['--writeback', /"daemonArgs": "--writeback", but it has to be a list of texts/],
      capture: [true, /"capture": true, but it has to be a text/],
      daxPolicy: ['pages,', /"daxPolicy": "pages,", but "," has to have a word on each side/],
      daxMount: ['yes', /no such mount option/],
      command: [['make'], /"command": \["make"\], but it has to be a text/],
    };
    for (const [option, [value, text]] of Object.entries(wrong)) assert.match(told({ [option]: value }) ?? '', text);
    assert.match(told({ cpus: 'x'.repeat(1000) }) ?? '', /"cpus": "x{20,60}…, but/);
  });

  it('is not refused for what can be', () => {
    assert.equal(told({}), undefined);
    assert.equal(told({ ...DEFAULT_OPTIONS, dax: '64M', cpus: 4, shares: [{ folder: 'data' }] }), undefined);
  });
});

describe('the options that a command is given', () => {
  it('are refused where one cannot be, and taken where none is given', () => {
    assert.throws(
      () => givenOptions({ guest: 'uml', readOnly: 'yes' }, '/work'),
      /the command was given "readOnly": "yes", but it has to be true or false.*\n.*key binding, set it to true or false/,
    );
    assert.deepEqual(givenOptions({ guest: 'uml', readOnly: true }, '/work'), { guest: 'uml', readOnly: true });
    for (const none of [undefined, null, 'uml', {}]) assert.deepEqual(givenOptions(none, '/work'), {});
  });
});
