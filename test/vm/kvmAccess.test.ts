import * as assert from 'node:assert/strict';
import { kvmAccessCommand } from '../../src/vm/kvmAccess';

describe('what lets a user open /dev/kvm', () => {
  const groups = 'root:x:0:\nkvm:x:104:\nvirt:x:36:ann,bob\n';

  it('is its group, by its name, where the group may read and write', () => {
    assert.equal(kvmAccessCommand({ mode: 0o20660, gid: 104 }, groups), 'sudo usermod -aG kvm $USER');
    assert.equal(kvmAccessCommand({ mode: 0o20666, gid: 36 }, groups), 'sudo usermod -aG virt $USER');
  });

  it('is to own it where a group would not help: without rights, of root, or unknown', () => {
    for (const access of [
      { mode: 0o20600, gid: 0 },
      { mode: 0o20660, gid: 0 },
      { mode: 0o20640, gid: 104 },
      { mode: 0o20660, gid: 999 },
    ]) {
      assert.equal(kvmAccessCommand(access, groups), 'sudo chown $USER /dev/kvm');
    }
  });
});
