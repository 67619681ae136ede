/** What the DAX Window view is told of a capture, and what it answers; with real files, without VS Code. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFromDaxWindow, type ToDaxWindow } from '../../../src/control/daxWindow';
import { DaxNote } from '../../../src/fs/dax/frontEnd';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import { printId } from '../../../src/protocol/print';
import { compileFilter, select } from '../../../src/trace/filter/filter';
import { Captures } from '../../../src/ui/captures/captures';
import type { OpenFile } from '../../../src/ui/captures/openFile';
import { DaxModel } from '../../../src/ui/dax/daxModel';
import { DaxPresence } from '../../../src/ui/dax/daxPresence';
import { CaptureBuilder } from '../../trace/captureBuilder';
import { windowCapture } from '../../trace/dax/windowCapture';

const RANGE = 2 << 20;
const MS = 1e6;

const capture = windowCapture((c) => {
  c.shmem(8 * RANGE);
  c.init(1);
  c.lookup(2, 'a', 7);
  c.lookup(3, 'b', 8);
  c.setup(10, 7, 0, RANGE, 0, 3);
  c.setup(20, 8, RANGE, RANGE, RANGE, 2);
  c.remove(30, 7, [[0, RANGE]]);
  c.setup(40, 8, 0, RANGE, 0, 2);
  c.remove(50, 8, [[0, RANGE]]);
  c.setup(60, 7, 0, RANGE, 0, 3);
  c.read(70, 7, 4096);
  c.note(75, DaxNote.Refused, 9, 'c', 'it is empty');
  c.end(100);
});

describe('the model of the DAX Window view', () => {
  let folder: string;
  let captures: Captures;
  let told: ToDaxWindow[];
  let model: DaxModel;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-dax-'));
    captures = new Captures(() => ({ memory: 1 << 24 }));
    told = [];
    model = new DaxModel((message) => told.push(message));
  });

  afterEach(() => {
    model.dispose();
    captures.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(bytes: Uint8Array, name = 'a.fuse.pcapng'): Promise<OpenFile> {
    writeFileSync(join(folder, name), bytes);
    const file = captures.openFile(join(folder, name));
    await file.done;
    model.begin(file);
    while (!model.work(() => false));
    return file;
  }

  const last = <Kind extends ToDaxWindow['kind']>(kind: Kind): Extract<ToDaxWindow, { kind: Kind }> => {
    const found = told.findLast((one) => one.kind === kind);
    assert.ok(found, `nothing of ${kind}`);
    return found as Extract<ToDaxWindow, { kind: Kind }>;
  };

  it('says nothing before the page is there, then everything', async () => {
    await open(capture);
    model.show();
    assert.deepEqual(told, []);
    model.take({ kind: 'ready' });
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['capture', 'window', 'figures'],
    );
    const { view } = last('window');
    assert.equal(view.size, 8 * RANGE);
    assert.equal(view.mapped, 2 * RANGE);
    assert.equal(view.following, true);
    assert.deepEqual(
      view.ranges.map(({ offset, uses, writable, file }) => [offset, uses, writable, view.files[file].path]),
      [
        [0, 3, true, '/a'],
        [RANGE, 1, false, '/b'],
      ],
    );
    const { figures } = last('figures');
    assert.equal(figures.maps, 4);
    assert.equal(figures.again, 1);
    assert.equal(figures.slices.length, 120);
    assert.equal(figures.files.find(({ path }) => path === '/a')?.reads, 1);
    assert.deepEqual(figures.reasons, [{ path: '/c', kind: 'without the window', text: 'it is empty' }]);
  });

  it('goes back in time and forth again', async () => {
    await open(capture);
    model.take({ kind: 'ready' });
    model.take({ kind: 'at', time: 45 * MS });
    const { view } = last('window');
    assert.equal(view.following, false);
    assert.equal(view.files[view.ranges[0].file].path, '/b');
    model.take({ kind: 'at', time: -1e300 });
    assert.deepEqual(last('window').view.ranges, []);
    model.take({ kind: 'at', time: 1e300 });
    assert.equal(last('window').view.ranges.length, 2);
    model.take({ kind: 'at' });
    assert.equal(last('window').view.following, true);
  });

  it('tells who was at a place before, and how often a part was mapped', async () => {
    await open(capture);
    model.take({ kind: 'ready' });
    model.take({ kind: 'place', offset: 5 });
    const { place } = last('place');
    assert.deepEqual(
      place.uses.map(({ path }) => path),
      ['/a', '/b', '/a'],
    );
    assert.equal(place.partMaps, 2);
    model.take({ kind: 'place', offset: 2 ** 50 });
    assert.deepEqual(last('place').place.uses, []);
  });

  it('knows the request of a range, and no others', async () => {
    const file = await open(capture);
    model.take({ kind: 'ready' });
    const [{ request }] = last('window').view.ranges;
    assert.equal(file.reader.columns.opcode[request], 48);
    assert.deepEqual(model.place(request), { capture: file.id, row: request });
    assert.equal(model.place(file.reader.count), undefined);
    assert.equal(model.place(-1), undefined);
  });

  it('tells nodes apart whose numbers are one as doubles, and names them as a filter takes them', async () => {
    const [one, other, noted] = [2n ** 60n + 1n, 2n ** 60n + 2n, 2n ** 60n + 3n];
    const wide = windowCapture((c) => {
      c.shmem(8 * RANGE);
      c.init(1);
      c.mapped(2, noted, 'noted', 0, RANGE, 2 * RANGE);
      c.lookup(3, 'one', one);
      c.setup(10, one, 0, RANGE, 0, 2);
      c.setup(20, other, 0, RANGE, RANGE, 2);
      c.read(30, other, 4096);
      c.end(100);
    });
    const { reader } = await open(wide);
    model.take({ kind: 'ready' });
    const { view } = last('window');
    const named = view.ranges.map(({ file }) => view.files[file]);
    assert.deepEqual(
      named.map(({ path, nodeid }) => [path, nodeid]),
      [
        ['/one', `${one}`],
        [`node ${printId(other)}`, `${other}`],
        ['/noted', `${noted}`],
      ],
    );
    assert.equal(new Set(named.map(({ number }) => number)).size, 3);
    const reads = last('figures').figures.files.map(({ nodeid, reads }) => [nodeid, reads]);
    assert.deepEqual(new Map(reads as [string, number][]).get(`${other}`), 1);
    assert.equal(reads.length, 3);
    model.take({ kind: 'place', offset: RANGE });
    assert.equal(last('place').place.partMaps, 1, 'the same part of another file is not this part');
    const asked = { kind: 'file', nodeid: named[1].nodeid };
    assert.deepEqual(checkFromDaxWindow(asked), { ok: true, value: asked });
    const filter = compileFilter(`nodeid == ${named[1].nodeid}`);
    assert.ok(filter.ok);
    assert.deepEqual(
      [...select(reader, filter.value)].map((row) => reader.columns.opcode[row]),
      [Opcode.SETUPMAPPING, Opcode.READ],
    );
  });

  it('says the figures anew only when there is something new', async () => {
    await open(capture);
    model.take({ kind: 'ready' });
    model.show();
    model.show();
    assert.equal(told.filter(({ kind }) => kind === 'figures').length, 1);
  });

  it('begins again with another capture, and has none without', async () => {
    await open(capture);
    model.take({ kind: 'ready' });
    await open(new CaptureBuilder().init().bytes(), 'b.fuse.pcapng');
    model.show();
    assert.equal(last('window').view.size, 0);
    model.begin(undefined);
    model.show();
    assert.deepEqual(told.at(-1), { kind: 'none' });
  });

  it('whether there is a window at all is known without it', async () => {
    const there: boolean[] = [];
    const presence = new DaxPresence(captures, (one) => there.push(one));
    const file = await open(capture);
    // The end of a file is told after it is read.
    for (let turn = 0; turn < 400 && there.at(-1) !== true; turn++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(there, [false, true]);
    await open(new CaptureBuilder().init().bytes(), 'b.fuse.pcapng');
    assert.deepEqual(there, [false, true, false]);
    captures.activate(file);
    assert.deepEqual(there, [false, true, false, true]);
    presence.dispose();
  });
});
