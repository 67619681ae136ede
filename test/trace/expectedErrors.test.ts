import assert from 'node:assert/strict';
import { Errno } from '../../src/protocol/errno';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { isExpected, isFailure } from '../../src/trace/expectedErrors';

describe('answers that guests expect', () => {
  const expected: readonly (readonly [keyof typeof Opcode, keyof typeof Errno])[] = [
    ['LOOKUP', 'ENOENT'],
    ['GETXATTR', 'ENODATA'],
    ['LISTXATTR', 'EOPNOTSUPP'],
    ['REMOVEXATTR', 'ENODATA'],
    ['STATX', 'ENOSYS'],
  ];

  it('are names and attributes that are not there, and calls that are not served', () => {
    for (const [opcode, errno] of expected) {
      assert.ok(isExpected(Opcode[opcode], -Errno[errno]), `${opcode} ${errno}`);
      assert.ok(!isFailure(Opcode[opcode], -Errno[errno]), `${opcode} ${errno}`);
    }
  });

  it('are no others: a file that is gone when it is opened has failed, and so has EIO wherever it comes', () => {
    assert.ok(isFailure(Opcode.OPEN, -Errno.ENOENT));
    assert.ok(isFailure(Opcode.READ, -Errno.ENODATA));
    for (const [opcode] of expected) assert.ok(isFailure(Opcode[opcode], -Errno.EIO), opcode);
  });

  it('are errors: what succeeded is neither', () => {
    assert.ok(!isFailure(Opcode.LOOKUP, 0));
    assert.ok(!isExpected(Opcode.LOOKUP, 0));
  });
});
