import assert from 'node:assert/strict';
import { opcodes } from '../../../src/protocol/fuse/opcodes';
import { hostCalls } from '../../../src/protocol/hostCalls';
import { DISSECTOR_MARK, dissectorLua } from '../../../src/trace/dissector/dissector';
import { luaString, luaText } from '../../../src/trace/dissector/luaText';

describe('the text of the dissector', () => {
  const lua = dissectorLua('1.2.3');

  it('is the same each time, and says its version', () => {
    assert.equal(dissectorLua('1.2.3'), lua);
    assert.ok(lua.startsWith(`${DISSECTOR_MARK}\n`));
    assert.match(lua, /^local version = "1\.2\.3"$/m);
    assert.notEqual(dissectorLua('1.2.4'), lua);
  });

  it('has every opcode and every host call from the tables', () => {
    for (const { name, number } of opcodes)
      assert.match(lua, new RegExp(`name = "${name}",\\s*key = "[a-z0-9_]+",\\s*number = ${number},`));
    for (const { name } of hostCalls) assert.ok(lua.includes(`name = "${name}"`), name);
  });

  it('names no opcode where the code is', () => {
    const code = lua.slice(lua.indexOf('local bytes = {}'));
    const named = opcodes.filter(({ name }) => code.includes(`"${name}"`)).map(({ name }) => name);
    // SETXATTR is shorter or longer by an INIT flag that a capture may not have, listings with attributes teach names,
    // RENAME2 can exchange.
    assert.deepEqual(named, ['SETXATTR', 'READDIRPLUS', 'RENAME2']);
  });

  it('uses no operator that Lua 5.2 does not have', () => {
    const code = lua
      .slice(lua.indexOf('local bytes = {}'))
      .split('\n')
      .filter((line) => !line.includes('load("return function(a, b)'))
      .map((line) => line.replace(/--.*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ''))
      .join('\n');
    assert.doesNotMatch(code, /\/\/|[&|]|<<|>>|~(?!=)|\bgoto\b/);
  });
});

describe('plain values as Lua text', () => {
  it('spells strings so that Lua reads the same', () => {
    assert.equal(luaString('a "b" \\ \n\u0000\u007f9 é'), '"a \\"b\\" \\\\ \\010\\000\\1279 é"');
  });

  it('spells tables, and leaves out what is undefined', () => {
    assert.equal(
      luaText({ a: 1, b: undefined, end: true, 'c d': [1, 'x'], 7: {} }),
      '{ [7] = {}, a = 1, ["end"] = true, ["c d"] = { 1, "x" } }',
    );
    assert.equal(luaText(undefined), 'nil');
  });

  it('breaks what is long into lines', () => {
    const long = luaText({ list: Array.from({ length: 3 }, () => 'x'.repeat(50)) });
    assert.equal(long.split('\n').length, 7);
  });
});
