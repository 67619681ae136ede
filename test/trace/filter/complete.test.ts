/** Completion and hover, as an editor asks for them. */
import assert from 'node:assert/strict';
import { complete, hover } from '../../../src/trace/filter/complete';

/** `|` is the cursor. */
function offered(marked: string): string[] {
  const cursor = marked.indexOf('¦');
  return complete(marked.replace('¦', ''), cursor).map(({ label }) => label);
}

const offers = (marked: string, some: string[], none: string[] = []): void => {
  const labels = offered(marked);
  for (const label of some) assert.ok(labels.includes(label), `${marked}: ${label} is missing in ${labels.join(' ')}`);
  for (const label of none) assert.ok(!labels.includes(label), `${marked}: ${label} is offered`);
};

describe('completion in filters', () => {
  it('offers fields and opcodes where a test begins', () => {
    offers('¦', ['latency', 'path', 'fh', 'READ', '!', '('], ['&&', ')', '==']);
    offers('lat¦', ['latency'], ['path']);
    offers('READ && (pa¦', ['path', 'payload', 'request.padding'].slice(0, 2));
    offers('lookup.re¦', ['lookup.reply.nodeid', 'lookup.reply.attr.size'], ['latency']);
  });

  it('offers the operators that fit the type', () => {
    offers('path ¦', ['==', '~', '=~', 'in', '&&'], ['<', 'has', '&', ')']);
    offers('open.flags ¦', ['has', '&', '=='], ['~']);
    offers('latency ¦', ['<', '>', 'in', 'not in'], ['has', '~']);
    offers('(silent ¦', ['&&', '||', ')'], ['==', '<']);
    offers('(latency > 5ms ¦', ['&&', '||', ')'], ['==']);
  });

  it('offers the values that fit the field', () => {
    offers('opcode == ¦', ['READ', 'COPY_FILE_RANGE_64'], ['ENOENT']);
    offers('error in (ENOENT, E¦', ['EIO', 'EACCES'], ['OK', 'READ']);
    offers('open.flags has O_RDWR|¦', ['O_CREAT'], ['FUSE_WRITE_CACHE']);
    offers('lseek.whence == ¦', ['SEEK_HOLE']);
    offers('setattr.mode has ¦', ['S_IFDIR', 'S_ISUID']);
    offers('latency > 5¦', ['5ms', '5us', '5s'], ['5K']);
    offers('read.size >= 128¦', ['128K', '128M'], ['128ms']);
    offers('read.size in ¦', ['(']);
    offers('error in (EIO ¦', [',', ')'], ['&&']);
  });

  it('replaces the word at the cursor, and says what each is', () => {
    const text = 'opcode == REAXX && later';
    const read = complete(text, 13).find(({ label }) => label === 'READ');
    assert.deepEqual(read, { label: 'READ', kind: 'value', detail: 'Reads from an open file.', from: 10, to: 15 });
    const field = complete('setattr.mo', 10).find(({ label }) => label === 'setattr.mode');
    assert.equal(field?.detail, 'Permissions.');
  });

  it('offers what is typed first, then the shortest that begins with it, then what has it within', () => {
    assert.deepEqual(offered('opcode == read¦'), ['READ', 'READDIR', 'READLINK', 'READDIRPLUS']);
    assert.deepEqual(offered('opcode == Link¦'), ['LINK', 'READLINK', 'SYMLINK', 'UNLINK']);
    assert.deepEqual(offered('read¦')[0], 'READ');
    assert.deepEqual(offered('pa¦').slice(0, 2), ['path', 'payload']);
    // Whatever begins so: fields before opcodes, as the tables have them.
    const l = offered('l¦');
    assert.ok(l.indexOf('latency') < l.indexOf('LINK'), l.join(' '));
  });

  it('offers nothing in texts and comments, and behind a mistake', () => {
    for (const marked of ['path == "a¦', 'READ # la¦', 'path =~ /a¦', 'READ READ && la¦', 'path == "a"¦']) {
      assert.deepEqual(offered(marked), [], marked);
    }
  });
});

describe('hover in filters', () => {
  it('says what a word means where it stands', () => {
    const text = 'open.flags has O_CREAT && write && error == ENOENT';
    const at = (word: string): string | undefined => hover(text, text.indexOf(word))?.text;
    assert.equal(at('open.flags'), 'open.flags (flags): open(2) flags.');
    assert.equal(at('has'), 'All of these flags are set.');
    assert.equal(at('O_CREAT'), 'O_CREAT (64): Make the file if it is not there.');
    const direct = hover('open.flags has O_DIRECT', 20)?.text;
    assert.equal(direct, 'O_DIRECT (16384, on arm64 65536): Past the page cache.');
    assert.equal(at('write'), 'WRITE (opcode 16): Writes to an open file.');
    assert.equal(at('ENOENT'), 'ENOENT (-2): No such file or directory.');
    assert.deepEqual(hover('path', 0), {
      from: 0,
      to: 4,
      text: 'path (text): What the request is about, from the root of the share; of one with a name, that name in its folder.',
    });
    assert.equal(hover('paht', 0), undefined);
    assert.equal(hover('READ', 4), undefined);
  });
});
