/** File systems mounted inside of a share: their files are never taken for each other, and nothing leads across. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FuseError } from '../driver/fuseCalls';
import { Cell, ROOT, type Victim, needCell } from './cell';

const O_RDWR = 2;
const ATTR_SUBMOUNT = 1;
const EXCHANGE = 2;

/** `sh -c MOUNT SHARE COMMAND…`: two file systems of their own in SHARE, whose inodes have the same numbers. */
const MOUNT = `for name in one two; do
  mount -t tmpfs -o nodev,size=1m "$name" "$0/$name"
  mkdir "$0/$name/folder"
  echo "in $name" >"$0/$name/file"
done
exec "$@"`;

describe('file systems mounted inside of a share', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    for (const name of ['one', 'two', 'plain']) fs.mkdirSync(path.join(cell.share, name));
    victim = await cell.attack({ wrap: ['sh', '-c', MOUNT, cell.share] });
  });
  after(() => cell?.close());
  afterEach(() => cell.checkHealth(victim));

  const refused = (code: string, call: () => unknown): void =>
    assert.throws(call, (error: unknown) => error instanceof FuseError && error.code === code);

  it('inodes of one number on two of them are two nodes, each with its own content', () => {
    const { calls } = victim;
    const [one, two] = ['one', 'two'].map((name) => calls.lookup(ROOT, name).nodeid);
    assert.notEqual(one, two);
    const files = [one, two].map((folder) => calls.lookup(folder, 'file'));
    assert.equal(files[0].attributes.ino, files[1].attributes.ino, 'the same number, or this shows nothing');
    assert.notEqual(files[0].nodeid, files[1].nodeid);
    const contents = files.map(({ nodeid }) => {
      const { fh } = calls.open(nodeid, O_RDWR);
      const content = Buffer.from(calls.read(nodeid, fh, 0, 100)).toString();
      calls.release(nodeid, fh);
      return content;
    });
    assert.deepEqual(contents, ['in one\n', 'in two\n']);
  });

  it('are told to the guest, which makes mounts of them; plain folders are not', () => {
    const { calls } = victim;
    const flags = (name: string): number => calls.lookup(ROOT, name).attributes.flags & ATTR_SUBMOUNT;
    assert.deepEqual(['one', 'two', 'plain'].map(flags), [ATTR_SUBMOUNT, ATTR_SUBMOUNT, 0]);
    const one = calls.lookup(ROOT, 'one').nodeid;
    assert.equal(calls.lookup(one, 'folder').attributes.flags & ATTR_SUBMOUNT, 0);
  });

  it('neither links nor renames lead from one to another', () => {
    const { calls } = victim;
    const one = calls.lookup(ROOT, 'one').nodeid;
    const file = calls.lookup(one, 'file').nodeid;
    for (const name of ['two', 'plain']) {
      const other = calls.lookup(ROOT, name).nodeid;
      refused('EXDEV', () => calls.link(file, other, 'link'));
      refused('EXDEV', () => calls.rename(one, 'file', other, 'moved'));
      refused('EXDEV', () => calls.rename(one, 'folder', other, 'moved'));
    }
    refused('EXDEV', () => calls.rename(one, 'file', calls.lookup(ROOT, 'two').nodeid, 'file', EXCHANGE));
  });

  it('are neither removed nor renamed nor replaced', () => {
    const { calls } = victim;
    refused('EBUSY', () => calls.rmdir(ROOT, 'one'));
    refused('EBUSY', () => calls.rename(ROOT, 'one', ROOT, 'three'));
    refused('EBUSY', () => calls.rename(ROOT, 'plain', ROOT, 'one'));
    assert.equal(calls.lookup(ROOT, 'one').attributes.flags & ATTR_SUBMOUNT, ATTR_SUBMOUNT);
  });
});
