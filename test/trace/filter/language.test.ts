/** The language as those who write filters meet it: what a filter means, and what is said of a wrong one. */
import assert from 'node:assert/strict';
import { encodeReply, encodeRequest, encodeStruct } from '../../../src/protocol/encode';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import { OpenIn, OpenOut, ReadIn, SetattrIn, WriteIn, WriteOut } from '../../../src/protocol/fuse/structs';
import { RowFlag } from '../../../src/trace/capture';
import { bindFilter, compileFilter, formatError, OneRow, select } from '../../../src/trace/filter/filter';
import { MAX_LENGTH } from '../../../src/trace/filter/lexer';
import { MAX_DEPTH, parse } from '../../../src/trace/filter/parser';
import { printFilter } from '../../../src/trace/filter/print';
import { tableRows, type Line } from './tableRows';

const header = (opcode: keyof typeof Opcode, unique: number) => ({
  opcode: Opcode[opcode],
  unique,
  nodeid: 5,
  uid: 1000,
  gid: 100,
  pid: 42,
});

/** 08:00:00 of a day. */
const ORIGIN = BigInt(Date.UTC(2026, 4, 17, 8)) * 1_000_000n;

const lines: Line[] = [
  {
    path: '/a.db',
    start: 0,
    latency: 7_000_000,
    queued: 1000,
    host: 5_000_000,
    writing: 1_000_000,
    calls: 1,
    payload: 4096,
    request: encodeRequest(header('READ', 2), encodeStruct(ReadIn, { fh: 9, offset: 4096, size: 4096 })),
    reply: encodeReply(2, 0, new Uint8Array(4096)),
    flags: RowFlag.REPLY_CUT,
  },
  {
    path: '/dir/b.db',
    start: 1_000_000_000,
    latency: 20_000,
    request: encodeRequest(header('OPEN', 4), encodeStruct(OpenIn, { flags: 0o102 })),
    reply: encodeReply(4, 0, encodeStruct(OpenOut, { fh: 9 })),
  },
  {
    path: '/dir/c.txt',
    start: 2_000_000_000,
    latency: 30_000,
    request: encodeRequest(header('OPEN', 6), encodeStruct(OpenIn, { flags: 0o100000 })),
    reply: encodeReply(6, -Errno.ENOENT),
  },
  {
    path: '/dir/b.db',
    start: 3_000_000_000,
    latency: 40_000,
    payload: 10,
    request: encodeRequest(header('WRITE', 8), encodeStruct(WriteIn, { fh: 9, size: 10 }), new Uint8Array(10)),
    reply: encodeReply(8, 0, encodeStruct(WriteOut, { size: 4 })),
    flags: RowFlag.LATER,
  },
  {
    start: 4_000_000_000,
    request: encodeRequest(header('SETATTR', 10), encodeStruct(SetattrIn, { valid: 1, mode: 0o644, size: 7, fh: 9 })),
  },
  {
    start: 5_000_000_000,
    queue: 0,
    request: encodeRequest({ ...header('FORGET', 12), nodeid: 0xffff_ffff_ffff_fff0n }, new Uint8Array(8).fill(1)),
    flags: RowFlag.SILENT,
  },
  { start: 6_000_000_000, reply: encodeReply(14, -Errno.EIO) },
];
const rows = tableRows(lines, ORIGIN);

function rowsOf(text: string): string {
  const filter = compileFilter(text);
  assert.ok(filter.ok, filter.ok ? '' : formatError(text, filter.error));
  return [...select(rows, filter.value)].join(' ');
}

const meaning = (title: string, cases: readonly (readonly [text: string, rows: string])[]): void => {
  it(title, () => {
    for (const [text, expected] of cases) assert.equal(rowsOf(text), expected, text);
  });
};

describe('the filter language', () => {
  meaning('compares opcodes, times and paths', [
    ['opcode == READ && latency > 5ms && path ~ "*.db"', '0'],
    ['opcode in (OPEN, FUSE_WRITE)', '1 2 3'],
    ['opcode == open', '1 2'],
    ['opcode == 15', '0'],
    ['opcode != OPEN', '0 3 4 5'],
    ['opcode not in (OPEN, READ)', '3 4 5'],
    ['READ || write', '0 3'],
    ['latency in 20us..30us', '1 2'],
    ['latency < 0.03ms', '1'],
    ['latency in (1ns..1us, 35us..50us, 40us..45us, 6ms..8ms, 7ms..7500us)', '0 3'],
    ['latency not in (1ns..1us, 35us..50us, 30us)', '0 1'],
    ['request.len in (80, 70..100, 85..90)', '0 3'],
    ['daemon == 1ms', '0'],
    ['time >= 2s && time < 4000ms', '2 3'],
    ['time > "08:00:03"', '4 5 6'],
    ['time <= "2026-05-17T10:00:01.000+02:00"', '0 1'],
  ]);

  meaning('matches paths and names', [
    ['path == "/a.db"', '0'],
    ['path == "dir/b.db"', '1 3'],
    ["path in ('a.db', '/dir/c.txt')", '0 2'],
    ['path ~ "dir/*"', '1 2 3'],
    ['path ~ "/**/*.db"', '0 1 3'],
    ['path !~ "*.db"', '2'],
    ['name == "b.db"', '1 3'],
    ['path =~ /^.dir.*TXT$/i', '2'],
    ['path !~ /db/', '2'],
    ['path', '0 1 2 3'],
  ]);

  meaning('tests flags, errors and fields of messages', [
    ['open.flags has O_CREAT', '1'],
    ['open.flags has O_RDWR|CREAT', '1'],
    ['open.flags has O_RDONLY', '2'],
    ['open.flags == (O_RDWR|O_CREAT)', '1'],
    ['open.flags & (O_CREAT|O_EXCL)', '1'],
    ['open.flags & 3 == O_RDWR', '1'],
    ['error == ENOENT', '2'],
    ['error == -2 or error == 2', '2'],
    ['error < 0', '2'],
    ['error', '2'],
    ['error == OK', '0 1 3'],
    ['reply.error != ENOENT', '0 1 3'],
    ['read.size >= 4K && read.offset & 0xfff == 0', '0'],
    ['write.reply.size < write.size', '3'],
    ['setattr.mode == 0644', '4'],
    ['setattr.mode has S_IRUSR|S_IWUSR', '4'],
    ['fh == 9', '0 3'],
    ['reply.fh == 9', '1'],
    ['pid == 42 && queue == 0', '5'],
    ['nodeid == 0xfffffffffffffff0', '5'],
    ['nodeid == 0xfffffffffffffff1', ''],
    ['unique in (2, 4)', '0 1'],
    ['payload in 1..10', '3'],
    ['request.len > 80', '3 4'],
  ]);

  meaning('knows how a request ended', [
    ['replied', '0 1 2 3 6'],
    ['in_flight', '4'],
    ['silent', '5'],
    ['orphan', '6'],
    ['later', '3'],
    ['cut', '0'],
    ['reply.cut and !request.cut', '0'],
    ['calls', '0'],
  ]);

  meaning('a test of what is absent is false, and ! turns it', [
    ['read.size != 4096', ''],
    ['!(read.size == 4096)', '1 2 3 4 5 6'],
    ['not read.size not in (1)', '1 2 3 4 5 6'],
    ['setattr.size == 7', ''],
    ['setattr.size < 7 || setattr.size >= 7', ''],
    ['setattr.fh', ''],
    ['latency > 0 || latency <= 0', '0 1 2 3'],
    ['path != "x"', '0 1 2 3'],
  ]);

  meaning('joins as its grammar says', [
    ['', '0 1 2 3 4 5 6'],
    [' # nothing', '0 1 2 3 4 5 6'],
    ['true && !false', '0 1 2 3 4 5 6'],
    ['READ || OPEN && error', '0 2'],
    ['(READ || OPEN) && error', '2'],
    ['!READ && !OPEN', '3 4 5 6'],
    ['! error == ENOENT && OPEN', '1'],
    ['not not OPEN # twice\n and path ~ "*.txt"', '2'],
  ]);

  it('says where it is wrong, and what was meant', () => {
    const cases: [string, string][] = [
      ['paht == "x"', 'no field "paht"; did you mean "path"?\n  paht == "x"\n  ^~~~'],
      [
        'READ && read.szie > 3',
        'no field "read.szie"; did you mean "read.size"?\n  READ && read.szie > 3\n          ^~~~~~~~~',
      ],
      ['opcode == REDA', '"REDA" is not an opcode; did you mean "READ"?\n  opcode == REDA\n            ^~~~'],
      [
        'error == ENONET1',
        '"ENONET1" is not an errno of error; did you mean "ENONET"?\n  error == ENONET1\n           ^~~~~~~',
      ],
      [
        'open.flags has O_CRAET',
        '"O_CRAET" is not a flag of open.flags; did you mean "O_CREAT"?\n  open.flags has O_CRAET\n                 ^~~~~~~',
      ],
      ['path ~ *.db', 'a pattern is written in quotes; did you mean "*.db"?\n  path ~ *.db\n         ^~~~'],
      [
        'READ && path ~ /ts$/i',
        'a regular expression is searched for with =~; did you mean "=~ /ts$/i"?\n  READ && path ~ /ts$/i\n               ^~~~~~~~',
      ],
      [
        'path ~ /src/*.ts',
        'a pattern is written in quotes; did you mean "/src/*.ts"?\n  path ~ /src/*.ts\n         ^~~~~~~~~',
      ],
      [
        'opcode in [READ, WRITE]',
        'values are listed in parentheses; did you mean "(READ, WRITE)"?\n  opcode in [READ, WRITE]\n            ^~~~~~~~~~~~~',
      ],
      ['opcode in [READ', 'values are listed in parentheses\n  opcode in [READ\n            ^'],
      ['path == 5', 'path is text, not a number\n  path == 5\n          ^'],
      ['path == foo', 'path is text: quotes are missing; did you mean "foo"?\n  path == foo\n          ^~~'],
      [
        'latency > 5',
        'latency is a duration, with a unit: ns, us, ms, s, m; did you mean "5ms"?\n  latency > 5\n            ^',
      ],
      ['read.size > 5ms', 'read.size is no duration, "5ms" is one\n  read.size > 5ms\n              ^~~'],
      ['fh = 5', '"=" is no operator; did you mean "=="?\n  fh = 5\n     ^'],
      ['(READ', '"&&", "||" or ")" is missing at the end\n  (READ\n       ^'],
      ['READ\nand )', 'a field was expected here\n  and )\n      ^'],
      ['silent == 1', 'silent is true or false: write it alone, or !silent\n  silent == 1\n  ^~~~~~~~~~~'],
    ];
    for (const [text, expected] of cases) {
      const filter = compileFilter(text);
      assert.equal(filter.ok ? 'no error' : formatError(text, filter.error), expected);
    }
  });

  it('becomes the filter that was meant when what an error suggests is put in its place', () => {
    const cases: readonly [wrong: string, right: string][] = [
      ['path ~ /ts$/', 'path =~ /ts$/'],
      ['(path ~ /a\\/b/i) && READ', '(path =~ /a\\/b/i) && READ'],
      ['opcode not in [READ, WRITE] && error', 'opcode not in (READ, WRITE) && error'],
    ];
    for (const [wrong, right] of cases) {
      const filter = compileFilter(wrong);
      assert.ok(!filter.ok, wrong);
      const { from, to, suggestion = '' } = filter.error;
      assert.equal(wrong.slice(0, from) + suggestion + wrong.slice(to), right);
      assert.ok(compileFilter(right).ok, right);
    }
  });

  it('refuses what makes no sense', () => {
    const wrong = [
      'path < "a"',
      'path has O_CREAT',
      'path & 1',
      'path in "a".."b"',
      'path in (1)',
      'opcode ~ "x"',
      'opcode has READ',
      'opcode == 4K',
      'latency has 1',
      'latency & 1',
      'error & 1',
      'read.size in 8K..4K',
      'read.size in 4K',
      'read.size == latency',
      'path == read.size',
      'read.size == write.nothing',
      'open.flags & O_RDONLY',
      'open.flags & 1 has 1',
      'pid == 09',
      'pid == 0x',
      'pid == 1.5',
      'pid == 5q',
      `pid == ${'9'.repeat(60)}`,
      'time > "25:00"',
      'time > "2026-02-30T00:00"',
      'time > 3K',
      'getattr.reply.attr.mtime > "08:00"',
      'path =~ /(/',
      'path =~ /a/g',
      'path =~ /\\1/',
      'path ~ "open',
      'READ == 1',
      'READ READ',
      'and',
      '"x"',
      '5',
      'a..b',
      'readdir.reply.off == readdir.offset',
      '@',
    ];
    for (const text of wrong) {
      const filter = compileFilter(text);
      assert.ok(!filter.ok, `"${text}" was taken`);
      const { from, to } = filter.error;
      assert.ok(from >= 0 && from <= to && to <= text.length, `${text}: ${from} to ${to}`);
    }
  });

  it('has bounds of length and depth', () => {
    assert.ok(compileFilter(`${'('.repeat(MAX_DEPTH - 1)}READ${')'.repeat(MAX_DEPTH - 1)}`).ok);
    for (const open of ['(', '!', 'pid == (', 'not ']) {
      const deep = compileFilter(open.repeat(MAX_DEPTH + 1));
      assert.ok(!deep.ok);
      const deeper = compileFilter(open.repeat(Math.floor(MAX_LENGTH / open.length)));
      assert.ok(!deeper.ok);
    }
    const bits = compileFilter(`pid == ${'('.repeat(2000)}`);
    assert.match(bits.ok ? '' : bits.error.message, /nested deeper than 100/);
    const long = compileFilter(`READ${' '.repeat(MAX_LENGTH)}`);
    assert.match(long.ok ? '' : long.error.message, /at most 10000 characters/);
    assert.ok(compileFilter(`READ${' '.repeat(MAX_LENGTH - 4)}`).ok);
    // As many parts as fit: joined without depth.
    assert.ok(compileFilter(Array.from({ length: 1000 }, () => 'READ').join('||')).ok);
  });

  it('draws an error in a long line around its place', () => {
    const text = `${'READ || '.repeat(50)}paht`;
    const filter = compileFilter(text);
    assert.ok(!filter.ok);
    const [, line, caret] = formatError(text, filter.error).split('\n');
    assert.ok(line.length <= 102);
    assert.equal(line.slice(caret.indexOf('^')).slice(0, 4), 'paht');
  });

  it('is printed in one way', () => {
    const cases = [
      ['a==1 and b<2||! c', 'a == 1 && b < 2 || !c'],
      ['(a) && (b || (c))', 'a && (b || c)'],
      ['x has (A|B) && y not in 1..2', 'x has (A|B) && y not in (1..2)'],
      ["p ~ 'x\"y'", 'p ~ "x\\"y"'],
      ['p !~ /a\\/b/i', 'p !~ /a\\/b/i'],
      ['f & A|B != 0', 'f & (A|B) != 0'],
    ];
    for (const [text, expected] of cases) {
      const { outcome } = parse(text);
      assert.equal(outcome.ok ? printFilter(outcome.value) : outcome.error.message, expected);
    }
  });

  it('tests a single request that is being served, before its reply and after', () => {
    const row = new OneRow('x86-64');
    const filter = (text: string) => {
      const compiled = compileFilter(text);
      assert.ok(compiled.ok);
      return bindFilter(compiled.value, row);
    };
    const asked = filter(
      'READ && read.size == 4K && path ~ "*.db" && fh == 9 && pid == 42 && queue == 1 && payload == 4K',
    );
    const failed = filter('error == EIO && latency > 1ms');
    const { request } = lines[0];
    assert.ok(request);
    row.take(request, { start: 0, queue: 1, path: '/x/a.db', session: undefined });
    assert.equal(asked(0), true);
    assert.equal(failed(0), false);
    assert.equal(filter('in_flight')(0), true);
    row.answer(encodeReply(2, -Errno.EIO), { latency: 2_000_000, host: 0, writing: 0, calls: 1 });
    assert.equal(failed(0), true);
    row.take(request, { start: 1, queue: 1, path: '/x/a.txt', session: undefined });
    assert.equal(asked(0), false, 'another path');
    assert.equal(failed(0), false, 'not answered yet');
    row.take(new Uint8Array(3), { start: 1, queue: 1, path: '', session: undefined });
    assert.equal(filter('opcode || pid || path || unique || read.size')(0), false);
  });
});

describe('the bounds of literals', () => {
  const good = (text: string): boolean => compileFilter(text).ok;

  it('times of day, a leap second among them', () => {
    for (const time of ['00:00', '23:59:59', '23:59:60']) assert.ok(good(`time > "${time}"`), time);
    for (const time of ['24:00', '12:60', '12:00:61']) assert.ok(!good(`time > "${time}"`), time);
  });

  it('times with their date', () => {
    assert.ok(good('time > "2024-02-29T23:59:59"'));
    for (const time of ['2026-05-17T24:00', '2026-05-17T12:60', '2026-05-17T12:00:60', '2026-02-29T12:00'])
      assert.ok(!good(`time > "${time}"`), time);
  });

  it('numbers of forty characters', () => {
    assert.ok(good(`offset > ${'1'.repeat(40)}`));
    assert.ok(!good(`offset > ${'1'.repeat(41)}`));
  });
});
