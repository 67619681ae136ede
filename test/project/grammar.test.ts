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

describe('the grammar of trace lines', () => {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
  const grammar = read('syntaxes/fuse-trace.tmLanguage.json') as Grammar;

  it('is the one that package.json names', () => {
    const { contributes } = read('package.json') as {
      contributes: { grammars: { path: string; scopeName: string }[] };
    };
    assert.deepEqual(
      contributes.grammars.map(({ path, scopeName }) => [path, scopeName]),
      ['fuse-trace', 'fuse-opcodes', 'fuse-request'].map((language) => {
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
    assert.deepEqual(tokens(grammar, 'READ offset=0x1f size=128K -> 4096 bytes 12.5µs'), [
      'opcode READ',
      'parameter offset',
      'numeric 0x1f',
      'parameter size',
      'numeric 128K',
      'reply ->',
      'numeric 4096',
      'numeric 12.5µs',
    ]);
  });
});
