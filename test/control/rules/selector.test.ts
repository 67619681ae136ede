import assert from 'node:assert/strict';
import { compilePath, parseOpcodes } from '../../../src/control/rules/selector';
import { Opcode } from '../../../src/protocol/fuse/opcodes';

describe('the opcodes of a rule', () => {
  const meant = (text: string): number[] => {
    const found = parseOpcodes(text);
    if (typeof found === 'string') assert.fail(found);
    return [...found].flatMap((one, number) => (one === 1 ? [number] : []));
  };

  it('are names, with or without FUSE_, in any case', () => {
    assert.deepEqual(meant('READ'), [Opcode.READ]);
    assert.deepEqual(meant('fuse_read, Write'), [Opcode.READ, Opcode.WRITE]);
  });

  it('are patterns', () => {
    assert.deepEqual(
      meant('*XATTR'),
      [Opcode.SETXATTR, Opcode.GETXATTR, Opcode.LISTXATTR, Opcode.REMOVEXATTR].sort((a, b) => a - b),
    );
    assert.ok(meant('*').includes(99));
  });

  it('are numbers, also of opcodes that nobody knows', () => assert.deepEqual(meant('99'), [99]));

  for (const text of ['', ' , ', 'REED', 'READ;', 'FORGET', 'FORGET,INTERRUPT', '999']) {
    it(`not ${JSON.stringify(text)}`, () => assert.equal(typeof parseOpcodes(text), 'string'));
  }

  it('are said to be none with what was probably meant', () => {
    assert.equal(parseOpcodes('RAED'), 'no opcode is called "RAED"; did you mean "READ"?');
    assert.equal(parseOpcodes('FORGET'), 'FORGET is never held: the guest does not wait for it');
  });
});

describe('the path of a rule', () => {
  it('is a pattern of the filter language', () => {
    assert.ok('filter' in compilePath('/etc/*'));
    assert.ok('filter' in compilePath('a "quoted" name'));
    assert.ok('problem' in compilePath('*'.repeat(100_000) + '['));
  });
});
