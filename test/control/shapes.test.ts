/** Checks of messages: what is good comes back afresh, what is wrong is named with its place. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { debugEvents, debugRequests, parseSelector } from '../../src/control/debug';
import {
  base64,
  checked,
  integer,
  list,
  number,
  object,
  optional,
  type Shape,
  text,
  wide,
  word,
} from '../../src/control/shapes';

const shape = object({ name: text(5), count: integer(1, 9), more: optional(list(wide, 2)), kind: word('a', 'b') });

describe('shapes', () => {
  it('give what is good, without what nobody asked for', () => {
    const result = checked(shape, { name: 'x', count: 3, kind: 'b', other: 1, more: ['12', '-7'] });
    assert.deepEqual(result, { ok: true, value: { name: 'x', count: 3, kind: 'b', more: ['12', '-7'] } });
    assert.deepEqual(checked(shape, { name: '', count: 1, kind: 'a' }), {
      ok: true,
      value: { name: '', count: 1, kind: 'a' },
    });
  });

  it('name what is wrong, and where', () => {
    const result = checked(shape, { name: 'too long', count: 10, kind: 'c', more: ['1', 'one'] });
    assert.deepEqual(result, {
      ok: false,
      problems: [
        'name is not a text of at most 5 characters',
        'count is not an integer from 1 to 9',
        'more[1] is not a decimal number',
        'kind is not one of a, b',
      ],
    });
    assert.deepEqual(checked(shape, null), { ok: false, problems: ['the message is not an object'] });
  });

  it('take their bounds themselves, and nothing beyond', () => {
    const takes = (one: Shape<unknown>, value: unknown): boolean => checked(one, value).ok;
    assert.deepEqual(
      ['12345', '123456'].map((value) => takes(text(5), value)),
      [true, false],
    );
    assert.deepEqual(
      [0, 1, 9, 10, 1.5].map((value) => takes(integer(1, 9), value)),
      [false, true, true, false, false],
    );
    assert.deepEqual(
      [1.5, Infinity, NaN].map((value) => takes(number, value)),
      [true, false, false],
    );
    assert.deepEqual(
      [20, 21].map((digits) => takes(wide, '1'.repeat(digits))),
      [true, false],
    );
    assert.deepEqual(
      [2, 3].map((items) => takes(list(text(), 2), Array<string>(items).fill(''))),
      [true, false],
    );
    assert.equal(takes(object({}), []), false);
    assert.equal(takes(object({ more: optional(text()) }), { more: null }), true);
  });

  it('tell of so many problems and no more', () => {
    const result = checked(list(number), Array(9).fill('x'));
    assert.equal(!result.ok && result.problems.length, 5);
  });

  it('take nothing from a prototype', () => {
    const inherited: unknown = Object.create({ name: 'x', count: 1, kind: 'a' });
    assert.equal(checked(shape, inherited).ok, false);
  });

  it('bound bytes', () => {
    assert.equal(checked(base64(3), 'AAAA').ok, true);
    assert.equal(checked(base64(3), 'AAAAAAAA').ok, false);
    assert.equal(checked(base64(3), 'AA=').ok, false);
    assert.equal(checked(base64(3), 'AA$=').ok, false);
  });

  it('never throw, whatever comes', () => {
    const all: Shape<unknown>[] = [
      ...Object.values(debugRequests).flatMap(({ params, result }): Shape<unknown>[] => [params, result]),
      ...Object.values(debugEvents),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.anything({ withBigInt: true, withMap: true }), (one, value) => {
        const result = checked(one, value);
        assert.ok(result.ok || result.problems.length > 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the text of a function breakpoint', () => {
  for (const [text_, meaning] of [
    ['READ', { opcodes: 'READ' }],
    [' FUSE_READ ', { opcodes: 'FUSE_READ' }],
    ['WRITE /etc/*', { opcodes: 'WRITE', path: '/etc/*' }],
    ['OPEN,CREATE  a name.txt ', { opcodes: 'OPEN,CREATE', path: 'a name.txt' }],
    ['', { opcodes: '' }],
  ] as const) {
    it(JSON.stringify(text_), () => assert.deepEqual(parseSelector(text_), meaning));
  }
});
