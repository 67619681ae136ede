/** What holds for any filter and any rows. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { opcodeByNumber, opcodes } from '../../../src/protocol/fuse/opcodes';
import type { Expression, SimpleValue, Value } from '../../../src/trace/filter/ast';
import { complete, hover } from '../../../src/trace/filter/complete';
import { fields, messageFields, termNames } from '../../../src/trace/filter/fields';
import { bindFilter, compileFilter, formatError, select } from '../../../src/trace/filter/filter';
import { COMPARISONS, KEYWORDS, parse } from '../../../src/trace/filter/parser';
import { printFilter, printText } from '../../../src/trace/filter/print';
import { anyLine } from './anyLine';
import { valuesIn, type Found } from './reference';
import { tableRows, type Line } from './tableRows';

const nowhere = { from: 0, to: 0 };

/** A tree without its places, and values that are one value as that value. */
function bare(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(bare);
  if (typeof tree !== 'object' || tree === null) return tree;
  const entries = Object.entries(tree).filter(([key]) => key !== 'from' && key !== 'to');
  return Object.fromEntries(entries.map(([key, value]) => [key, bare(value)]));
}

const word = fc
  .stringMatching(/^[a-z_][a-z0-9_]{0,5}(\.[a-z_][a-z0-9]{0,3}){0,2}$/)
  .filter((each) => !KEYWORDS.includes(each));
const wordValue = word.map((each) => ({ kind: 'word' as const, word: each, ...nowhere }));
const textValue = fc.string({ unit: 'grapheme' }).map((text) => ({ kind: 'text' as const, text, ...nowhere }));
const numberValue = fc
  .tuple(fc.integer(), fc.constantFrom('', 'K', 'ms'))
  .map(([number, unit]) => ({ kind: 'number' as const, text: `${number}${unit}`, ...nowhere }));
const simple: fc.Arbitrary<SimpleValue> = fc.oneof(wordValue, textValue, numberValue);
const value: fc.Arbitrary<Value> = fc.oneof(
  simple,
  fc.array(simple, { minLength: 2, maxLength: 3 }).map((parts) => ({ kind: 'bits' as const, parts, ...nowhere })),
);
const member = fc.oneof(
  simple,
  fc.tuple(simple, simple).map(([low, high]) => ({ kind: 'range' as const, low, high, ...nowhere })),
);
const regex = fc.stringMatching(/^([a-z.*]|\\\/|\\\\){0,6}$/);
const condition = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), operator: fc.constantFrom(...COMPARISONS), value }),
  fc.record({
    kind: fc.constant('in' as const),
    negated: fc.boolean(),
    members: fc.array(member, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('has' as const), value }),
  fc.record({ kind: fc.constant('glob' as const), negated: fc.boolean(), pattern: textValue }),
  fc.record({ kind: fc.constant('regex' as const), negated: fc.boolean(), pattern: regex, fold: fc.boolean() }),
);
const { tree: anyTree } = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc
      .record(
        {
          kind: fc.constant('test' as const),
          field: wordValue,
          mask: value,
          condition: condition.map((each) => ({ ...each, ...nowhere })),
        },
        { requiredKeys: ['kind', 'field'], noNullPrototype: true },
      )
      .map((each) => ({ ...each, ...nowhere }) as Expression),
    fc.boolean().map((each) => ({ kind: 'constant' as const, value: each, ...nowhere })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('tree'), { minLength: 2, maxLength: 3 }))
      .map(([kind, parts]) => ({ kind, parts, ...nowhere })),
    tie('tree').map((part) => ({ kind: 'not' as const, part, ...nowhere })),
  ),
}));

const piece = fc.oneof(
  fc.constantFrom(...termNames),
  fc.constantFrom(
    'READ',
    'ENOENT',
    'O_CREAT',
    '5ms',
    '4K',
    '0644',
    '-2',
    '"*.db"',
    "'x'",
    '/a+/i',
    '#',
    '\n',
    '"',
    '/',
  ),
  fc.constantFrom(...KEYWORDS, ...COMPARISONS, '~', '!~', '=~', '&&', '||', '!', '&', '|', '(', ')', ',', '..', '='),
  fc.string(),
);
const soup = fc.array(piece, { maxLength: 12 }).chain((parts) => fc.constantFrom(parts.join(' '), parts.join('')));

describe('properties of the filter language', () => {
  it('parsing what was printed gives the same tree', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const text = printFilter(tree);
        const { outcome } = parse(text);
        assert.ok(outcome.ok, outcome.ok ? '' : formatError(text, outcome.error));
        assert.deepEqual(bare(outcome.value), bare(tree));
        assert.equal(printFilter(outcome.value), text);
      }),
      { numRuns: 500 },
    );
  });

  it('any words in any order compile or give an error with a place in the text', () => {
    const rows = tableRows([]);
    fc.assert(
      fc.property(soup, fc.nat(200), (text, place) => {
        const filter = compileFilter(text);
        if (filter.ok) bindFilter(filter.value, rows);
        else {
          const { from, to, message } = filter.error;
          assert.ok(0 <= from && from <= to && to <= text.length && message !== '');
          assert.ok(formatError(text, filter.error).split('\n').length === 3);
        }
        for (const { from, to } of complete(text, place)) assert.ok(0 <= from && from <= to && to <= text.length);
        hover(text, place);
      }),
      { numRuns: 1000 },
    );
  });

  it('a suggestion that is taken is no longer wrong at that place', () => {
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.nat(30), fc.constantFrom('x', ''), ({ name }, at, typo) => {
        const broken = `${name.slice(0, at)}${typo}${name.slice(at + 1)}`;
        const filter = compileFilter(broken);
        if (filter.ok || filter.error.suggestion === undefined) return;
        const { from, to, suggestion } = filter.error;
        const repaired = compileFilter(broken.slice(0, from) + suggestion + broken.slice(to));
        assert.ok(repaired.ok || repaired.error.from > from, broken);
      }),
    );
  });

  it('what completion offers can be taken, and goes on', () => {
    const starts = fc.constantFrom(
      '',
      '(',
      'READ && ',
      'opcode ',
      'opcode == ',
      'opcode == RE',
      'latency > 5',
      'latency > ',
      'read.size in ',
      'read.size in (',
      'read.size in (4K ',
      'read.size in 4K ',
      'read.size in 4K..',
      'read.size in (1M..',
      'error in EIO..',
      'error not in (ENOENT, ',
      'open.flags has ',
      'open.flags has O_CREAT|',
      'open.flags & ',
      'open.flags & 3 ',
      'path ',
      'path ~ ',
      'path =~ ',
      'path == ',
      'flags has ',
      'lseek.whence == S',
      '!(silent ',
      'time > ',
      'lookup.re',
    );
    const field = fc.constantFrom(...termNames).map((name) => `${name} `);
    fc.assert(
      fc.property(fc.oneof(starts, field, soup), (text) => {
        for (const { label, from, to } of complete(text, text.length)) {
          const taken = `${text.slice(0, from)}${label} ${text.slice(to)}`;
          const filter = compileFilter(taken);
          const end = from + label.length;
          assert.ok(
            filter.ok || filter.error.from >= end,
            `${label} after "${text}": ${filter.ok ? '' : formatError(taken, filter.error)}`,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('any bytes can be asked for any field', () => {
    const filters = messageFields.map(({ name }) => {
      const filter = compileFilter(name);
      assert.ok(filter.ok);
      return filter.value;
    });
    const bytes = fc.uint8Array({ maxLength: 120 }).map((each) => Uint8Array.from(each));
    const numbers = fc.constantFrom(...opcodes.map(({ number }) => number));
    fc.assert(
      fc.property(bytes, bytes, numbers, fc.boolean(), (request, reply, number, honest) => {
        if (request.length >= 8) {
          const view = new DataView(request.buffer);
          view.setUint32(4, number, true);
          if (honest) view.setUint32(0, request.length, true);
        }
        if (reply.length >= 8 && honest) new DataView(reply.buffer).setBigUint64(0, BigInt(reply.length), true);
        const rows = tableRows([{ request, reply }]);
        for (const filter of filters) assert.equal(typeof bindFilter(filter, rows)(0), 'boolean');
      }),
      { numRuns: 100 },
    );
  });

  it('filters of tests joined in any way select what the reference says', () => {
    fc.assert(
      fc.property(
        fc
          .array(anyLine, { minLength: 1, maxLength: 12 })
          .chain((lines) => fc.tuple(fc.constant(lines), anyFilter(lines))),
        ([lines, wanted]) => {
          const rows = tableRows(lines);
          const filter = compileFilter(wanted.text);
          assert.ok(filter.ok, filter.ok ? '' : formatError(wanted.text, filter.error));
          const expected = lines.flatMap((line, row) => (wanted.holds(line) ? [row] : []));
          assert.deepEqual([...select(rows, filter.value)], expected, wanted.text);
        },
      ),
      { numRuns: 100 },
    );
  });
});

interface Wanted {
  text: string;
  holds: (line: Line) => boolean;
}

const tests: Readonly<Record<string, (left: Found, right: Found) => boolean>> = {
  '==': (left, right) => left == right,
  '!=': (left, right) => left != right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** Tests of fields that the lines have, against values that occur in them, joined at random. */
function anyFilter(lines: readonly Line[]): fc.Arbitrary<Wanted> {
  const known = lines.flatMap((line) => {
    const owner = opcodeByNumber(line.request?.[4] ?? 0)?.name.toLowerCase() ?? '';
    const own = messageFields.filter(({ name }) => name.startsWith(`${owner}.`));
    return own.flatMap(({ name, type }) =>
      valuesIn(line, name).map((found) => ({ name, found, isText: type.kind === 'text' })),
    );
  });
  const fallback = { name: 'read.size', found: 1n as Found, isText: false };
  const atom = fc
    .tuple(
      fc.constantFrom(...(known.length > 0 ? known : [fallback])),
      fc.constantFrom(...COMPARISONS),
      fc.constantFrom(-1n, 0n, 1n),
    )
    .map(([{ name, found, isText }, operator, off]): Wanted => {
      const sign = isText && operator !== '==' ? '!=' : operator;
      const right = typeof found === 'string' ? found : BigInt(found) + off;
      const text = `${name} ${sign} ${typeof right === 'string' ? printText(right) : right}`;
      return { text, holds: (line) => valuesIn(line, name).some((left) => tests[sign](left, right)) };
    });
  const { filter } = fc.letrec<{ filter: Wanted }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3 },
      atom,
      tie('filter').map(({ text, holds }) => ({ text: `!(${text})`, holds: (line: Line) => !holds(line) })),
      fc.array(tie('filter'), { minLength: 2, maxLength: 5 }).map((parts) => ({
        text: parts.map(({ text }) => `(${text})`).join(' && '),
        holds: (line: Line) => parts.every(({ holds }) => holds(line)),
      })),
      fc.array(tie('filter'), { minLength: 2, maxLength: 5 }).map((parts) => ({
        text: parts.map(({ text }) => `(${text})`).join(' || '),
        holds: (line: Line) => parts.some(({ holds }) => holds(line)),
      })),
    ),
  }));
  return filter;
}
