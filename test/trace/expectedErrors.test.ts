import assert from 'node:assert/strict';
import { Errno } from '../../src/protocol/errno';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { isExpected, isFailed } from '../../src/trace/expectedErrors';

const failed = (opcode: number, error: number): boolean =>
  isFailed({ opcode: Uint16Array.of(opcode), error: Int16Array.of(error), flags: Uint16Array.of(0) }, 0);

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
      assert.ok(!failed(Opcode[opcode], -Errno[errno]), `${opcode} ${errno}`);
    }
  });

  it('are no others: a file that is gone when it is opened has failed, and so has EIO wherever it comes', () => {
    assert.ok(failed(Opcode.OPEN, -Errno.ENOENT));
    assert.ok(failed(Opcode.READ, -Errno.ENODATA));
    for (const [opcode] of expected) assert.ok(failed(Opcode[opcode], -Errno.EIO), opcode);
  });

  it('are errors: what succeeded is neither', () => {
    assert.ok(!failed(Opcode.LOOKUP, 0));
    assert.ok(!isExpected(Opcode.LOOKUP, 0));
  });
});
