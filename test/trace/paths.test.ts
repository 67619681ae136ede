/** Which path a request is about: learned from the traffic, right across renames, links, removal and loss. */
import assert from 'node:assert/strict';
import { RenameFlag } from '../../src/protocol/fuse/flags';
import { type Capture, RowFlag } from '../../src/trace/capture';
import { NamesFlag } from '../../src/trace/packet';
import { DEEPEST_PATH } from '../../src/trace/pathTable';
import { CaptureBuilder } from './captureBuilder';
import { file, folder } from './entryFields';

const pathsOf = (capture: Capture): string[] =>
  Array.from({ length: capture.count }, (_, row) => capture.path(capture.columns.path[row]));
/** The path that a last GETATTR of the node has. */
function pathNow(builder: CaptureBuilder, nodeid: number): string {
  return pathsOf(builder.exchange('GETATTR', { nodeid }).capture()).at(-1) ?? '';
}

/** `/dir` is 2, `/dir/a` is 3, `/b` is 4. */
const tree = (): CaptureBuilder =>
  new CaptureBuilder()
    .init()
    .exchange('LOOKUP', { names: ['dir'], out: folder(2) })
    .exchange('LOOKUP', { nodeid: 2, names: ['a'], out: file(3) })
    .exchange('CREATE', { names: ['b'], out: [file(4), { fh: 1 }] });

describe('paths of requests', () => {
  it('a request with a name is about that name in its folder, another about what it names by nodeid', () => {
    const capture = tree()
      .exchange('GETATTR', { nodeid: 1 })
      .exchange('READ', { nodeid: 3, in: { size: 1 } })
      .exchange('LOOKUP', { nodeid: 2, names: ['none'], error: 'ENOENT' })
      .exchange('READ', { nodeid: 4, in: { size: 1 } })
      .exchange('FORGET', { nodeid: 3, in: { nlookup: 1 } })
      .capture();
    assert.deepEqual(pathsOf(capture), ['', '/dir', '/dir/a', '/b', '/', '/dir/a', '/dir/none', '/b', '/dir/a']);
    assert.equal(capture.path(0), '');
    assert.equal(capture.path(capture.paths), '', 'an index that there is not');
  });

  it('every way to make something gives it its name', () => {
    const builder = tree()
      .exchange('MKDIR', { nodeid: 2, names: ['sub'], out: folder(10) })
      .exchange('MKNOD', { nodeid: 10, in: { mode: 0o010644 }, names: ['fifo'], out: file(11) })
      .exchange('SYMLINK', { nodeid: 10, names: ['link', '../target'], out: file(12) })
      .exchange('READDIRPLUS', {
        nodeid: 10,
        in: { size: 4096 },
        entries: [
          { name: '.', out: folder(10) },
          { name: '..', out: folder(2) },
          { name: 'seen', out: file(13) },
          { name: 'not looked up' },
          { name: 'also seen', out: file(14) },
        ],
      });
    for (const [nodeid, path] of [
      [10, '/dir/sub'],
      [11, '/dir/sub/fifo'],
      [12, '/dir/sub/link'],
      [13, '/dir/sub/seen'],
      [14, '/dir/sub/also seen'],
      [2, '/dir'],
    ] as const) {
      assert.equal(pathNow(builder, nodeid), path);
    }
  });

  it('a request that failed changes nothing', () => {
    const builder = tree()
      .exchange('RENAME', { names: ['b', 'c'], in: { newdir: 2 }, error: 'EACCES' })
      .exchange('UNLINK', { names: ['b'], error: 'EPERM' })
      .exchange('RMDIR', { names: ['dir'], error: 'ENOTEMPTY' });
    assert.deepEqual([pathNow(builder, 4), pathNow(builder, 3)], ['/b', '/dir/a']);
  });

  it('a request whose reply has not come changes nothing yet', () => {
    const builder = tree();
    const rename = builder.request('RENAME', { names: ['b', 'c'], in: { newdir: 1 } });
    assert.equal(pathNow(builder, 4), '/b');
    assert.equal(pathNow(builder.reply(rename), 4), '/c');
  });

  it('a file that is renamed', () => {
    const builder = tree().exchange('RENAME', { names: ['b', 'c'], in: { newdir: 2 } });
    assert.equal(pathsOf(builder.capture()).at(-1), '/b', 'the request itself is about the old name');
    assert.equal(pathNow(builder, 4), '/dir/c');
  });

  it('a folder that is renamed takes along what is in it', () => {
    const builder = tree()
      .exchange('MKDIR', { names: ['other'], out: folder(5) })
      .exchange('GETATTR', { nodeid: 3 })
      .exchange('RENAME2', { names: ['dir', 'moved'], in: { newdir: 5 } });
    assert.deepEqual([pathNow(builder, 2), pathNow(builder, 3)], ['/other/moved', '/other/moved/a']);
    builder.exchange('RENAME', { names: ['other', 'x'], in: { newdir: 1 } });
    assert.deepEqual([pathNow(builder, 3), pathNow(builder, 4)], ['/x/moved/a', '/b']);
  });

  it('what is replaced by a rename is deleted', () => {
    const builder = tree()
      .exchange('CREATE', { names: ['c'], out: [file(5), { fh: 2 }] })
      .exchange('RENAME', { names: ['b', 'c'], in: { newdir: 1 } });
    assert.deepEqual([pathNow(builder, 4), pathNow(builder, 5)], ['/c', '/c (deleted)']);
  });

  it('a rename of something unknown over something known', () => {
    const builder = tree().exchange('RENAME', { names: ['unknown', 'b'], in: { newdir: 1 } });
    assert.equal(pathNow(builder, 4), '/b (deleted)');
  });

  it('an exchange swaps, folders with what is in them', () => {
    const swap = { in: { newdir: 1, flags: RenameFlag.EXCHANGE } };
    const builder = tree().exchange('RENAME2', { names: ['dir', 'b'], ...swap });
    assert.deepEqual([pathNow(builder, 2), pathNow(builder, 3), pathNow(builder, 4)], ['/b', '/b/a', '/dir']);
    builder.exchange('RENAME2', { names: ['unknown', 'b'], ...swap });
    assert.equal(pathNow(builder, 3), '/unknown/a');
  });

  it('what is unlinked while it is open keeps its path, marked', () => {
    const builder = tree().exchange('UNLINK', { names: ['b'] });
    assert.equal(pathNow(builder, 4), '/b (deleted)');
    builder.exchange('CREATE', { names: ['b'], out: [file(9), { fh: 3 }] });
    assert.deepEqual([pathNow(builder, 4), pathNow(builder, 9)], ['/b (deleted)', '/b']);
    builder.exchange('LINK', { names: ['back'], in: { oldnodeid: 4 }, out: file(4) });
    assert.equal(pathNow(builder, 4), '/back');
    builder.exchange('UNLINK', { names: ['back'] });
    assert.equal(pathNow(builder, 4), '/back (deleted)');
  });

  it('a folder that is removed while something is in it', () => {
    const builder = tree()
      .exchange('UNLINK', { nodeid: 2, names: ['a'] })
      .exchange('RMDIR', { names: ['dir'] });
    assert.deepEqual([pathNow(builder, 2), pathNow(builder, 3)], ['/dir (deleted)', '/dir (deleted)/a (deleted)']);
  });

  it('a file with several names goes by the one used last, then by those that are left', () => {
    const builder = tree().exchange('LINK', { nodeid: 2, names: ['hard'], in: { oldnodeid: 4 }, out: file(4, 2) });
    assert.equal(pathNow(builder, 4), '/dir/hard');
    builder.exchange('LOOKUP', { names: ['b'], out: file(4, 2) });
    assert.equal(pathNow(builder, 4), '/b');
    builder.exchange('READDIRPLUS', { nodeid: 2, in: { size: 1 }, entries: [{ name: 'hard', out: file(4, 2) }] });
    assert.equal(pathNow(builder, 4), '/b', 'a listing uses no name');
    builder.exchange('UNLINK', { names: ['b'] });
    assert.equal(pathNow(builder, 4), '/dir/hard');
    builder.exchange('UNLINK', { nodeid: 2, names: ['hard'] });
    assert.equal(pathNow(builder, 4), '/dir/hard (deleted)');
  });

  it('a request with a handle is about the name that the file was opened by', () => {
    const builder = tree()
      .exchange('LINK', { names: ['hard'], in: { oldnodeid: 4 }, out: file(4, 2) })
      .exchange('OPEN', { nodeid: 4, out: { fh: 77 } });
    const read = (fh: number): string =>
      pathsOf(builder.exchange('READ', { nodeid: 4, in: { fh, size: 1 } }).capture()).at(-1) ?? '';
    assert.deepEqual([read(1), read(77), read(5)], ['/b', '/hard', '/hard']);
    builder.exchange('LOOKUP', { names: ['b'], out: file(4, 2) });
    assert.deepEqual([read(1), read(77), read(5)], ['/b', '/hard', '/b']);
    builder.exchange('RENAME', { names: ['hard', 'moved'], in: { newdir: 2 } });
    assert.deepEqual([read(1), read(77)], ['/b', '/dir/moved']);
    builder.exchange('GETATTR', { nodeid: 4, in: { getattr_flags: 1, fh: 1 } });
    assert.equal(pathsOf(builder.capture()).at(-1), '/b');
    builder.exchange('UNLINK', { nodeid: 2, names: ['moved'] });
    assert.equal(read(77), '/b', 'a name that is no more names nothing');
    builder.exchange('LINK', { names: ['third'], in: { oldnodeid: 4 }, out: file(4, 2) });
    builder.exchange('RELEASE', { nodeid: 4, in: { fh: 1 } });
    assert.deepEqual([pathsOf(builder.capture()).at(-1), read(1)], ['/b', '/third'], 'a handle ends');
  });

  it('a handle is never about a name that came after it, whatever its name has become', () => {
    const builder = tree()
      .exchange('LINK', { names: ['hard'], in: { oldnodeid: 4 }, out: file(4, 2) })
      .exchange('OPEN', { nodeid: 4, out: { fh: 77 } })
      .exchange('UNLINK', { names: ['hard'] })
      .exchange('LINK', { names: ['later'], in: { oldnodeid: 4 }, out: file(4, 2) })
      .exchange('LOOKUP', { names: ['b'], out: file(4, 2) })
      .exchange('READ', { nodeid: 4, in: { fh: 77, size: 1 } });
    assert.equal(pathsOf(builder.capture()).at(-1), '/b');
  });

  it('a rename of one name of a file to another of it does nothing', () => {
    const builder = tree()
      .exchange('LINK', { names: ['hard'], in: { oldnodeid: 4 }, out: file(4, 2) })
      .exchange('RENAME', { names: ['b', 'hard'], in: { newdir: 1 } });
    assert.deepEqual(
      builder
        .capture()
        .node(4n)
        ?.paths.map((path) => builder.capture().path(path))
        .sort(),
      ['/b', '/hard'],
    );
  });

  it('a file made without a name', () => {
    const builder = tree().exchange('TMPFILE', { nodeid: 2, names: ['#1'], out: [file(6, 0), { fh: 4 }] });
    assert.equal(pathNow(builder, 6), '/dir/#1 (deleted)');
    builder.exchange('LINK', { names: ['kept'], in: { oldnodeid: 6 }, out: file(6) });
    assert.equal(pathNow(builder, 6), '/kept');
  });

  it('what the host has renamed has its new name when the guest finds it', () => {
    const builder = tree()
      .exchange('LOOKUP', { names: ['renamed'], out: file(4) })
      .exchange('LOOKUP', { names: ['elsewhere'], out: folder(2) });
    assert.deepEqual([pathNow(builder, 4), pathNow(builder, 3)], ['/renamed', '/elsewhere/a']);
    builder.exchange('UNLINK', { names: ['renamed'] });
    assert.equal(pathNow(builder, 4), '/renamed (deleted)', 'it had no other name any more');
  });

  it('what the host has removed is deleted when the guest is told so', () => {
    assert.equal(pathNow(tree().exchange('LOOKUP', { names: ['b'], out: { nodeid: 0 } }), 4), '/b (deleted)');
    assert.equal(pathNow(tree().exchange('LOOKUP', { names: ['b'], out: file(8) }), 4), '/b (deleted)');
  });

  it('a nodeid that was forgotten and comes again is something else', () => {
    const builder = tree().exchange('FORGET', { nodeid: 4, in: { nlookup: 1 } });
    assert.equal(pathNow(builder, 4), '');
    builder.exchange('LOOKUP', { nodeid: 2, names: ['new'], out: file(4) });
    assert.equal(pathNow(builder, 4), '/dir/new');
  });

  it('also where only the generation says that it is something else', () => {
    const builder = tree().exchange('LOOKUP', { names: ['c'], out: file(4, 2, 2) });
    assert.deepEqual(
      builder
        .capture()
        .node(4n)
        ?.paths.map((path) => builder.capture().path(path)),
      ['/c'],
    );
  });

  it('lookups are counted, and a node goes when they are all forgotten', () => {
    const builder = tree()
      .exchange('LOOKUP', { names: ['b'], out: file(4) })
      .exchange('READDIRPLUS', { in: { size: 1 }, entries: [{ name: 'b', out: file(4) }] });
    assert.equal(builder.capture().node(4n)?.lookups, 3);
    builder.exchange('FORGET', { nodeid: 4, in: { nlookup: 2 } });
    assert.equal(pathNow(builder, 4), '/b');
    builder.exchange('BATCH_FORGET', {
      nodeid: 0,
      forgets: [
        { nodeid: 4, nlookup: 1 },
        { nodeid: 3, nlookup: 1 },
      ],
    });
    assert.deepEqual([pathNow(builder, 4), pathNow(builder, 3)], ['', '']);
    const capture = builder.capture();
    assert.deepEqual(capture.node(4n), undefined);
    assert.equal(capture.node(2n)?.parent, 1n);
  });

  it('what is in a folder that is forgotten keeps its path, whatever gets the nodeid', () => {
    const builder = tree()
      .exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } })
      .exchange('LOOKUP', { names: ['other'], out: folder(2) });
    assert.deepEqual([pathNow(builder, 3), pathNow(builder, 2)], ['/dir/a', '/other']);
  });

  it('INIT and DESTROY begin anew', () => {
    assert.equal(pathNow(tree().exchange('DESTROY', { nodeid: 0 }), 4), '');
    assert.equal(pathNow(tree().init(), 4), '');
    assert.equal(pathNow(tree().init({ error: 'EPROTO' }), 4), '/b');
  });

  it('names from before the capture', () => {
    const builder = new CaptureBuilder()
      .names([
        { nodeid: 3, parent: 2, name: 'a', lookups: 5 },
        { nodeid: 2, parent: 1, name: 'dir' },
      ])
      .exchange('FORGET', { nodeid: 3, in: { nlookup: 4 } });
    assert.deepEqual([pathNow(builder, 3), pathNow(builder, 2)], ['/dir/a', '/dir']);
  });

  it('that a node has no name any more, also where it was deleted and the name is another one by now', () => {
    const builder = new CaptureBuilder()
      .exchange('LOOKUP', { names: ['d'], out: folder(2) })
      .exchange('LOOKUP', { nodeid: 2, names: ['a'], out: file(3) })
      .exchange('UNLINK', { nodeid: 2, names: ['a'] })
      .exchange('LOOKUP', { nodeid: 2, names: ['a'], out: file(4) });
    assert.equal(pathNow(builder, 3), '/d/a (deleted)');
    builder.names([{ nodeid: 3, parent: 1, name: '' }], NamesFlag.ONLY);
    assert.deepEqual([pathNow(builder, 3), pathNow(builder, 4)], ['', '/d/a']);
    builder.names([{ nodeid: 2, parent: 1, name: '' }], NamesFlag.ONLY).exchange('UNLINK', { nodeid: 2, names: ['a'] });
    assert.deepEqual([pathNow(builder, 2), pathNow(builder, 4)], ['', '?2/a (deleted)']);
    builder.names([{ nodeid: 2, parent: 1, name: 'e' }]).names([{ nodeid: 2, parent: 1, name: '', lookups: 3 }]);
    assert.equal(pathNow(builder, 2), '/e', 'an empty name alone takes nothing away');
  });

  it('what is in a folder without a known name is told apart by the nodeid', () => {
    const builder = new CaptureBuilder()
      .exchange('LOOKUP', { nodeid: 70, names: ['sub'], out: folder(71) })
      .exchange('LOOKUP', { nodeid: 71, names: ['x'], out: file(72) })
      .exchange('LOOKUP', { nodeid: 0x1_0000_0002, names: ['y'], error: 'ENOENT' })
      .exchange('GETATTR', { nodeid: 72 })
      .exchange('GETATTR', { nodeid: 70 });
    assert.deepEqual(pathsOf(builder.capture()), ['?70/sub', '?70/sub/x', '?4294967298/y', '?70/sub/x', '']);
  });

  it('"." and ".." as NFS servers look them up name nothing', () => {
    const builder = tree()
      .exchange('LOOKUP', { nodeid: 2, names: ['..'], out: folder(1) })
      .exchange('LOOKUP', { nodeid: 2, names: ['.'], out: folder(2) });
    assert.deepEqual([pathNow(builder, 2), pathNow(builder, 1)], ['/dir', '/']);
  });

  it('names are bytes', () => {
    const builder = tree().exchange('LOOKUP', { names: ['ä\\xff\\\\.db'], out: file(20) });
    assert.equal(pathNow(builder, 20), '/ä\\xff\\\\.db');
  });

  it('after a loss, what was learned before is marked as unsure until the traffic shows it again', () => {
    const builder = tree()
      .exchange('GETATTR', { nodeid: 3 })
      .lost(1)
      .exchange('GETATTR', { nodeid: 3 })
      .exchange('LOOKUP', { nodeid: 2, names: ['a'], out: file(3) })
      .exchange('GETATTR', { nodeid: 3 })
      .exchange('LOOKUP', { names: ['dir'], out: folder(2) })
      .exchange('GETATTR', { nodeid: 3 })
      .exchange('GETATTR', { nodeid: 1 });
    const { columns, count } = builder.capture();
    const unsure = Array.from({ length: count }, (_, row) => (columns.flags[row] & RowFlag.PATH_UNSURE) !== 0);
    assert.deepEqual(unsure.slice(4), [false, true, true, true, false, false, false]);
  });

  it('a path that only a liar can make ends', () => {
    const loop = tree()
      .exchange('LOOKUP', { nodeid: 3, names: ['in'], out: folder(2) })
      .exchange('LOOKUP', { nodeid: 2, names: ['a'], out: file(3, 2) });
    assert.match(pathNow(loop, 3), /^\?[23]\//);
    assert.equal(pathNow(loop, 3), '?2/a', 'whatever has been asked before');
    const self = tree().exchange('LOOKUP', { nodeid: 2, names: ['self'], out: folder(2) });
    assert.match(pathNow(self, 2), /^\?2\/self/);
    const deep = new CaptureBuilder();
    for (let i = 1; i <= 3 * DEEPEST_PATH; i++) {
      deep.exchange('LOOKUP', { nodeid: i, names: ['d'], out: folder(i + 1) });
    }
    const text = pathNow(deep, 3 * DEEPEST_PATH);
    assert.match(text, /^\?\d+(\/d)+$/);
    assert.ok(text.length < 3 * DEEPEST_PATH);
    assert.equal(pathNow(deep, DEEPEST_PATH), '/d'.repeat(DEEPEST_PATH - 1));
  });
});
