import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

interface Grammar {
  scopeName: string;
  patterns: readonly { name: string; match: string }[];
}

/** What a TextMate tokenizer does with patterns that are all single matches: the earliest wins, then the first. */
function tokens({ patterns }: Grammar, line: string): string[] {
  const rules = patterns.map(({ name, match }) => ({ scope: name.split('.').at(-2), regex: new RegExp(match, 'gmu') }));
  const found: string[] = [];
  for (let at = 0; at < line.length;) {
    const hits = rules.flatMap(({ scope, regex }) => {
      regex.lastIndex = at;
      const hit = regex.exec(line);
      return hit ? [{ scope, start: hit.index, text: hit[0] }] : [];
    });
    if (hits.length === 0) break;
    const best = hits.reduce((first, hit) => (hit.start < first.start ? hit : first));
    found.push(`${best.scope} ${best.text}`);
    at = best.start + best.text.length;
  }
  return found;
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
const filters = read('syntaxes/fuse-filter.tmLanguage.json') as Grammar;

describe('the grammar of trace lines', () => {
  const grammar = read('syntaxes/fuse-trace.tmLanguage.json') as Grammar;

  it('is the one that package.json names', () => {
    const { contributes } = read('package.json') as {
      contributes: { grammars: { path: string; scopeName: string }[] };
    };
    assert.deepEqual(
      contributes.grammars.map(({ path, scopeName }) => [path, scopeName]),
      ['fuse-trace', 'fuse-filter', 'fuse-opcodes', 'fuse-request'].map((language) => {
        const path = `./syntaxes/${language}.tmLanguage.json`;
        return [path, (read(path) as Grammar).scopeName];
      }),
    );
  });

  it('knows the lines of the opcodes document and of a request', () => {
    const request = read('syntaxes/fuse-request.tmLanguage.json') as Grammar;
    assert.deepEqual(tokens(request, '    opcode       = FUSE_READ'), ['parameter     opcode', 'flag FUSE_READ']);
    assert.deepEqual(tokens(request, 'reply  # 24 bytes, ENOENT'), ['control reply', 'line  # 24 bytes, ENOENT']);
    const opcodes = read('syntaxes/fuse-opcodes.tmLanguage.json') as Grammar;
    assert.deepEqual(tokens(opcodes, '# One line an opcode.'), ['line # One line an opcode.']);
    assert.deepEqual(tokens(opcodes, '15  READ             Reads.'), ['numeric 15', 'opcode READ']);
  });

  it('tells opcodes, fields, numbers, flags, names and errors apart', () => {
    assert.deepEqual(tokens(grammar, 'OPEN nodeid=5 flags=O_RDWR|O_CREAT "E=1 \\" x" -> ENOENT'), [
      'opcode OPEN',
      'parameter nodeid',
      'numeric 5',
      'parameter flags',
      'flag O_RDWR',
      'flag O_CREAT',
      'double "E=1 \\" x"',
      'reply ->',
      'errno ENOENT',
    ]);
    assert.deepEqual(tokens(grammar, 'READ offset=0x1f size=128K -> 4096 bytes 12.5 µs'), [
      'opcode READ',
      'parameter offset',
      'numeric 0x1f',
      'parameter size',
      'numeric 128K',
      'reply ->',
      'numeric 4096',
      'numeric 12.5 µs',
    ]);
  });

  it('tells apart what the command line and the documents of requests have', () => {
    const line = '#12  0.000060  q1  pid=100  READ "/a" -> 100 bytes  9.00 ms (queued 0 ns, daemon 8.99 ms)';
    assert.deepEqual(tokens(grammar, line), [
      'row #12',
      'numeric 0.000060',
      'queue q1',
      'parameter pid',
      'numeric 100',
      'opcode READ',
      'double "/a"',
      'reply ->',
      'numeric 100',
      'numeric 9.00 ms',
      'phases (queued 0 ns, daemon 8.99 ms)',
    ]);
    assert.deepEqual(tokens(grammar, '      openat(7, "x", O_RDONLY|O_PATH) = -1 ENOENT'), [
      'call openat',
      'numeric 7',
      'double "x"',
      'flag O_RDONLY',
      'flag O_PATH',
      'numeric 1',
      'errno ENOENT',
    ]);
    assert.deepEqual(tokens(grammar, '      fuse_read_in'), ['struct       fuse_read_in']);
    assert.deepEqual(tokens(grammar, '# work · requests 1 to 2'), ['number-sign # work · requests 1 to 2']);
    assert.deepEqual(tokens(grammar, 'SETLKW "/a" … in flight').at(-1), 'waiting … in flight');
  });
});

describe('the grammar of filters', () => {
  it('tells fields, operators, names, numbers, texts and comments apart', () => {
    assert.deepEqual(tokens(filters, 'opcode == READ && latency >= 5ms # slow'), [
      'parameter opcode',
      'comparison ==',
      'name READ',
      'logical &&',
      'parameter latency',
      'comparison >=',
      'numeric 5ms',
      'number-sign # slow',
    ]);
    assert.deepEqual(tokens(filters, 'not path ~ "*.db" or path =~ /db$/i'), [
      'logical not',
      'parameter path',
      'comparison ~',
      'double "*.db"',
      'logical or',
      'parameter path',
      'comparison =~',
      'pattern /db$/i',
    ]);
    assert.deepEqual(tokens(filters, 'open.flags has O_CREAT|O_EXCL and size in 4K..1M'), [
      'parameter open.flags',
      'logical has',
      'name O_CREAT',
      'comparison |',
      'name O_EXCL',
      'logical and',
      'parameter size',
      'logical in',
      'numeric 4K',
      'comparison ..',
      'numeric 1M',
    ]);
  });
});
