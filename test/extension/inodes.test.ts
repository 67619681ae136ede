import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as vscode from 'vscode';
import type { InodesNode, InodesView } from '../../src/ui/inodes/inodesView';
import type { Views } from '../../src/ui/views';
import { CaptureBuilder } from '../trace/captureBuilder';
import { endAll, isUp, sample, share, until } from './machine';
import { closeAll, labelOf, run, viewsOf } from './views';

const SECOND = 1e9;

describe('how long a guest may use what it was told of a file', () => {
  let views: Views;

  before(async () => {
    views = await viewsOf();
    await run('virtiofs.inodes.focus');
  });

  afterEach(async function () {
    this.timeout(60_000);
    closeAll(views);
    await endAll();
  });

  after(() => run('virtiofs.requests.focus'));

  const inodeOf = ({ inodes }: Views, name: string): (InodesNode & { kind: 'inode' }) | undefined =>
    inodes
      .getChildren({ kind: 'section', of: 'inodes' })
      .flatMap((node) => (node.kind === 'inode' ? [node] : []))
      .find((node) => labelOf(inodes.getTreeItem(node)) === name);

  function fact({ inodes }: Views, of: InodesNode, label: string): string {
    const [found] = inodes.getChildren(of).filter((node) => labelOf(inodes.getTreeItem(node)) === label);
    return String(inodes.getTreeItem(found).description);
  }

  /** What VS Code itself is given for the row of this name, whenever it asks. */
  function shown({ inodes }: Views, name: string): { readonly texts: string[]; end(): void } {
    const texts: string[] = [];
    const own: InodesView['getTreeItem'] = inodes.getTreeItem.bind(inodes);
    inodes.getTreeItem = (node): vscode.TreeItem => {
      const item = own(node);
      if (labelOf(item) === name) texts.push(String(item.description));
      return item;
    };
    return { texts, end: () => (inodes.getTreeItem = own) };
  }

  it('is counted down in the view while the guest works, until it is over', async function () {
    this.timeout(240_000);
    const vm = await share({ cache: 'auto' });
    await isUp(vm);
    const { texts, end } = shown(views, 'hello.txt');
    try {
      while (!/^cached [01]\.\d s more$/.test(texts.at(-1) ?? '')) {
        await vm.run('stat hello.txt');
        await sleep(500);
      }
      // From here on it is the time alone that changes.
      await until('it is shown as cached no more', 60, () => texts.at(-1) === '');
    } finally {
      end();
    }
    // Its second begins anew every two.
    await vm.run('(while :; do stat hello.txt; sleep 2; done) >/dev/null 2>&1 &');
    /** What was read of each telling, one after the other. */
    const readings = new Map<number, string[]>();
    const complete = (told: string[]): boolean => new Set(told).size > 2 && told.at(-1) === 'no more';
    await until('the seconds of one telling go by', 60, () => {
      const node = inodeOf(views, 'hello.txt') ?? assert.fail();
      const { looked } = views.inodes.model.inodes?.inodeOf(node.nodeid) ?? assert.fail();
      const told = readings.get(looked) ?? [];
      readings.set(looked, [...told, fact(views, node, 'attributes cached')]);
      return [...readings.values()].some(complete);
    });
    const [told] = [...readings.values()].filter(complete);
    const left = told.map((text) => (text === 'no more' ? 0 : Number(/^([01]\.\d) s more$/.exec(text)?.[1])));
    assert.deepEqual(
      left,
      [...left].sort((one, other) => other - one),
      told.join(),
    );
  });

  it('is in the row what ends first, of its name and its attributes', async () => {
    const valid = (nodeid: number, entry_valid: number, attr_valid: number) => ({
      out: { nodeid, entry_valid, attr_valid, attr: { mode: 0o100644 } },
    });
    const path = join(sample().fsPath, '../cached.fuse.pcapng');
    const built = new CaptureBuilder()
      .init()
      .exchange('LOOKUP', { names: ['name'], ...valid(2, 3, 60) })
      .exchange('LOOKUP', { names: ['attributes'], ...valid(3, 86_400, 20) })
      .exchange('LOOKUP', { names: ['both'], ...valid(4, 86_400, 86_400) })
      .exchange('GETATTR', { at: SECOND, nodeid: 1, out: { attr_valid: 9, attr: { mode: 0o40755 } } });
    writeFileSync(path, built.bytes());
    try {
      await views.captures.openFile(path).done;
      await views.inodes.follower.catchUp();
      const description = (name: string): unknown =>
        views.inodes.getTreeItem(inodeOf(views, name) ?? assert.fail(name)).description;
      assert.deepEqual(['name', 'attributes', 'both'].map(description), [
        'cached 2.0 s more',
        'cached 19 s more',
        'cached',
      ]);
      const node = inodeOf(views, 'name') ?? assert.fail();
      assert.deepEqual(
        ['name cached', 'attributes cached'].map((label) => fact(views, node, label)),
        ['2.0 s more', '59 s more'],
      );
    } finally {
      rmSync(path);
    }
  });
});
