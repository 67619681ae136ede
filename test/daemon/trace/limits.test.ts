/** What of a message is kept. */
import assert from 'node:assert/strict';
import { WHOLE, captureLimits } from '../../../src/daemon/trace/limits';
import { Opcode, opcodes } from '../../../src/protocol/fuse/opcodes';
import { FuseAt } from '../../../src/trace/packet';

describe('what a capture keeps of a message', () => {
  const limits = captureLimits(256);

  it('the data of READ, WRITE, xattrs and IOCTL up to the snap length, behind headers, arguments and name', () => {
    assert.equal(limits.request[Opcode.WRITE], 40 + 40 + 256);
    assert.equal(limits.reply[Opcode.READ], 16 + 256);
    assert.equal(limits.request[Opcode.SETXATTR], 40 + 16 + 256 + 256);
    assert.equal(limits.reply[Opcode.GETXATTR], 16 + 256);
    assert.equal(limits.request[Opcode.IOCTL], 40 + 32 + 256);
  });

  it('everything else whole: names, link targets, listings, lists of inodes', () => {
    const data = opcodes.filter((row) => row.inPayload?.kind !== 'data').map((row) => limits.request[row.number]);
    assert.deepEqual([...new Set(data)], [WHOLE]);
    for (const opcode of [Opcode.READDIR, Opcode.READDIRPLUS, Opcode.READLINK, Opcode.LISTXATTR, Opcode.LOOKUP]) {
      assert.equal(limits.reply[opcode], WHOLE);
    }
  });

  it('never more than Wireshark takes', () => {
    const most = captureLimits(1 << 20);
    for (const limit of [...most.request, ...most.reply, most.unknown]) assert.ok(limit + FuseAt.message <= 262144);
  });

  it('of an opcode that nobody knows a header and the snap length', () => assert.equal(limits.unknown, 40 + 256));
});
