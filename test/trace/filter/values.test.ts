/** The readers of fields against the decoder, on random messages of every opcode. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { opcodes } from '../../../src/protocol/fuse/opcodes';
import { messageFields, type Field } from '../../../src/trace/filter/fields';
import { bindFilter, compileFilter } from '../../../src/trace/filter/filter';
import { printText } from '../../../src/trace/filter/print';
import { lineOf } from './anyLine';
import { valuesIn, type Found } from './reference';
import { tableRows, type TableRows } from './tableRows';

function passes(rows: TableRows, text: string): boolean {
  const filter = compileFilter(text);
  assert.ok(filter.ok, `${text}: ${filter.ok ? '' : filter.error.message}`);
  return bindFilter(filter.value, rows)(0);
}

const write = (value: Found): string => (typeof value === 'string' ? printText(value) : value.toString());
const other = (value: Found): Found => (typeof value === 'string' ? `${value}x` : BigInt(value) + 1n);

describe('the value of a field', () => {
  for (const opcode of opcodes) {
    const own = messageFields.filter(({ name }) => name.startsWith(`${opcode.name.toLowerCase()}.`));
    it(`of ${opcode.name} is what the decoder says, in any session, cut short or not`, () => {
      fc.assert(
        fc.property(lineOf(opcode), (line) => {
          const rows = tableRows([line]);
          for (const field of own) compare(rows, field, valuesIn(line, field.name));
        }),
        { numRuns: 60 },
      );
    });
  }
});

function compare(rows: TableRows, field: Field, found: readonly Found[]): void {
  const { name } = field;
  if (found.length === 0) {
    const nothing = field.type.kind === 'text' ? '"a"' : '3';
    for (const test of [`== ${nothing}`, `!= ${nothing}`, `in (${nothing})`, `not in (${nothing})`]) {
      assert.equal(passes(rows, `${name} ${test}`), false, `${name} ${test} though it is absent`);
    }
    assert.equal(passes(rows, `!(${name} == ${nothing})`), true);
    return;
  }
  for (const value of found) {
    assert.equal(passes(rows, `${name} == ${write(value)}`), true, `${name} is ${write(value)}`);
    assert.equal(passes(rows, `${name} in (${write(value)})`), true);
    assert.equal(passes(rows, `${name} != ${write(other(value))}`), true);
    assert.equal(passes(rows, `${name} not in (${write(other(value))})`), true);
    if (found.length > 1) continue;
    assert.equal(passes(rows, `${name} == ${write(other(value))}`), false, `${name} is ${write(value)}, not one more`);
    assert.equal(passes(rows, `${name} != ${write(value)}`), false);
    if (typeof value !== 'string') {
      assert.equal(passes(rows, `${name} > ${write(value)}`), false);
      assert.equal(passes(rows, `${name} <= ${write(value)} && ${name} < ${write(other(value))}`), true);
      assert.equal(passes(rows, name), value != 0);
    }
  }
}
