/** `virtiofs-studio dax`, as people run it: the window of a capture as text and as JSON. */
import assert from 'node:assert/strict';
import { DaxNote } from '../../src/fs/dax/frontEnd';
import { windowCapture } from '../trace/dax/windowCapture';
import { Place } from './captures';

const RANGE = 2 << 20;

describe('dax', () => {
  let place: Place;
  let file: string;

  before(() => {
    place = new Place();
    const bytes = windowCapture((c) => {
      c.shmem(4 * RANGE);
      c.init(1);
      c.lookup(2, 'orders.db', 10);
      c.lookup(3, 'app.so', 11);
      c.setup(10, 10, 0, RANGE, 0, 3);
      c.mapAnswered(11, 0.5);
      c.setup(20, 10, RANGE, RANGE, RANGE, 3);
      c.setup(30, 11, 0, RANGE, 2 * RANGE, 2);
      c.remove(100, 10, [[RANGE, RANGE]]);
      c.setup(150, 10, RANGE, RANGE, 3 * RANGE, 3);
      c.read(160, 11, 4096);
      c.note(170, DaxNote.Refused, 12, 'empty.lock', 'it is empty');
      c.end(200);
    });
    file = place.file('window.fuse.pcapng', bytes);
  });

  after(() => place.remove());

  it('tells of the window, its occupancy over time, files, thrash and reasons', () => {
    const text = place.good('dax', file, '--slices', '4');
    assert.match(text, /^window +8 MiB, at most 75 % of it in use$/m);
    assert.match(text, /^mappings +4 made by the guest, 1 removed, .*, 0 refused$/m);
    assert.match(text, /^thrash +1 made again within 1\.00 s/m);
    const slices = text.split('\n').filter((line) => /\+\d+ +-\d+$/.test(line));
    assert.equal(slices.length, 4);
    assert.match(slices[3], /#{30} .* 75 % +\+1 +-0$/);
    const [orders, app] = [/^"\/orders\.db" +4 MiB .*$/m, /^"\/app\.so" +2 MiB .*$/m].map(
      (one) => one.exec(text)?.[0] ?? '',
    );
    assert.match(orders, / 3 +1 +0 +0 /, 'mapped three times, once again');
    assert.match(app, / 1 +0 +1 +0 +4 KiB$/, 'and one READ through a request');
    assert.match(text, /^0 and more +1 +500 µs +500 µs$/m);
    assert.match(text, /empty\.lock.*it is empty/);
  });

  it('tells what was mapped at a moment', () => {
    const at = (seconds: string): string[] => place.good('dax', file, '--at', seconds).match(/"\/[a-z.]+"/g) ?? [];
    assert.deepEqual(at('0.025'), ['"/orders.db"', '"/orders.db"']);
    assert.deepEqual(at('0.12'), ['"/orders.db"', '"/app.so"']);
    assert.deepEqual(at('0'), []);
    assert.match(place.good('dax', file, '--at', '0'), /^Nothing was mapped then\.$/m);
  });

  it('tells of the end where a later moment is asked for, and says so', () => {
    const { status, stdout, stderr } = place.run(['dax', file, '--at', '99']);
    assert.equal(status, 0);
    assert.match(stderr, /^note: --at 99 is behind the capture's end; .* 0\.2\d* s$/m);
    assert.equal(stdout, place.good('dax', file, '--at', '0.2'));
  });

  it('counts what went with the mount as removed', () => {
    const bytes = windowCapture((c) => {
      c.shmem(4 * RANGE);
      c.init(1);
      c.setup(10, 10, 0, RANGE, 0, 3);
      c.setup(20, 10, RANGE, RANGE, RANGE, 3);
      c.destroy(100);
      c.end(200);
    });
    const text = place.good('dax', place.file('destroyed.fuse.pcapng', bytes), '--slices', '2');
    assert.match(text, /^mappings +2 made by the guest, 2 removed, /m);
    assert.match(text, / 0 % +\+0 +-2$/m);
  });

  it('is one sentence where the window was not used', () => {
    const told = (script: Parameters<typeof windowCapture>[0]): string =>
      place.good('dax', place.file('unused.fuse.pcapng', windowCapture(script)));
    assert.equal(
      told((c) => c.end(200)),
      'No DAX window was used: nothing was mapped.\n',
    );
    const refused = told((c) => {
      c.shmem(4 * RANGE);
      c.init(1);
      c.setup(10, 10, 0, RANGE, 0, 3, 12);
      c.end(200);
    });
    assert.equal(refused, 'The DAX window of 8 MiB was not used: nothing was mapped, 1 refused.\n');
  });

  it('counts as thrash what it is told to', () => {
    assert.match(place.good('dax', file, '--thrash', '20'), /^thrash +0 made again within 20/m);
  });

  it('says of how many more files there is a reason', () => {
    const told = (notes: number): string[] => {
      const bytes = windowCapture((c) => {
        c.shmem(4 * RANGE);
        c.init(1);
        for (let i = 0; i < notes; i++) c.note(10 + i, DaxNote.Refused, 100 + i, `${i}.lock`, 'it is empty');
        c.end(200);
      });
      return place.good('dax', place.file('reasons.fuse.pcapng', bytes)).trimEnd().split('\n');
    };
    const many = told(40);
    assert.ok(many.includes('files that are not, or not safely, in the window: 40'));
    assert.deepEqual(many.filter((line) => line.includes('it is empty')).length, 15);
    assert.equal(many.at(-1), '  … and 25 others, earlier');
    assert.match(told(15).at(-1) ?? '', /14\.lock.*it is empty$/);
  });

  it('is JSON for programs', () => {
    const told = JSON.parse(place.good('dax', file, '--json')) as Record<string, unknown>;
    assert.equal(told['size'], 4 * RANGE);
    assert.equal((told['files'] as unknown[]).length, 2);
  });

  it('takes no running share, and says how to get a capture of it', async () => {
    await place.share(
      'work',
      windowCapture((c) => c.end(1)),
    );
    for (const name of ['work', place.path('shared-work')]) {
      const { status, stderr } = place.run(['dax', name]);
      assert.equal(status, 2);
      assert.match(stderr, /is a share that runs.*\[shareIsNoCapture\]\n.*--capture FILE/);
    }
    assert.match(place.run(['compare', file, 'work']).stderr, /\[shareIsNoCapture\]/);
    assert.match(place.run(['dax', 'nothing']).stderr, /there is no file "nothing" \[captureMissing\]/);
  });

  it('refuses options that make no sense', () => {
    for (const words of [
      ['--slices', '0'],
      ['--at', 'soon'],
      ['--thrash', '-1'],
    ]) {
      const { status, stderr } = place.run(['dax', file, ...words]);
      assert.equal(status, 2, words.join(' '));
      assert.match(stderr, /^ +"virtiofs-studio dax --help" lists the options\.$/m);
    }
  });
});
