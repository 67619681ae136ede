/** The DAX window's books, step by step: the front-end answers when it is told to, and the alarm rings by hand. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { DaxNote } from '../../../src/fs/dax/frontEnd';
import { MOST_PIECES } from '../../../src/fs/dax/mappedFiles';
import { ROOT } from '../../../src/fs/fileSystem';
import * as linux from '../../../src/fs/linux';
import { Errno as E } from '../../../src/protocol/errno';
import { check } from '../client';
import { openDescriptors } from '../shared';
import { type HandWindow, handWindow, RANGE } from './handWindow';

const PAGE = 4096;

describe('files in the DAX window', () => {
  let before: number;
  let share: HandWindow;

  beforeEach(() => {
    before = openDescriptors();
  });
  afterEach(() => {
    share.end();
    assert.equal(share.file.descriptorCount, 0);
    assert.deepEqual([...share.watches], []);
    assert.equal(openDescriptors(), before, 'descriptors are left open');
  });

  const begin = (policy?: string, descriptors?: number): HandWindow => (share = handWindow(policy, descriptors));
  const put = (name: string, length: number): number => {
    fs.writeFileSync(share.at(name), Buffer.alloc(length, name));
    return share.node(name);
  };
  const host = (name: string): string => fs.readFileSync(share.at(name), 'latin1');
  const notes = (): [what: DaxNote, path: string][] => share.notes.map(({ what, path }) => [what, path]);

  describe('are mapped', () => {
    it('by whole pages, inside of the window, where there is one and the file is one', async () => {
      const { frontEnd, setup, remove } = begin();
      const a = put('a', PAGE);
      const { size } = frontEnd;
      for (const [fileOffset, windowOffset, length] of [
        [1, 0, RANGE],
        [-PAGE, 0, RANGE],
        [0, 1, RANGE],
        [0, -PAGE, RANGE],
        [0, 0, RANGE + 1],
        [0, 0, 0],
        [0, 0, size + PAGE],
        [0, size - RANGE + PAGE, RANGE],
        [2 ** 53 - PAGE, 0, RANGE],
      ]) {
        assert.equal(await setup(a, fileOffset, windowOffset, length), -E.EINVAL, `${fileOffset} ${windowOffset}`);
      }
      for (const [windowOffset, length] of [
        [1, RANGE],
        [-PAGE, RANGE],
        [0, RANGE + 1],
        [0, 0],
        [0, size + PAGE],
        [size - RANGE + PAGE, RANGE],
      ]) {
        assert.equal(await remove(windowOffset, length), -E.EINVAL);
      }
      assert.equal(await setup(ROOT, 0), -E.EINVAL);
      frontEnd.ready = false;
      assert.equal(await setup(a, 0), -E.ENODEV);
      frontEnd.ready = true;
      assert.deepEqual(frontEnd.orders, []);
      assert.equal(await setup(a, 0, size - RANGE), 0);
      assert.equal(await remove(0, size), 0);
    });

    it('once at a time: a place whose mapping is under way is busy', async () => {
      const { frontEnd, setup, remove } = begin();
      const [a, b] = [put('a', PAGE), put('b', PAGE)];
      frontEnd.silent = true;
      const first = setup(a, 0);
      assert.equal(await setup(a, 0), -E.EBUSY);
      assert.equal(await setup(b, 0), -E.EBUSY);
      assert.equal(await remove(0), -E.EBUSY);
      const other = setup(b, 0, RANGE);
      frontEnd.answer();
      assert.deepEqual([await first, await other], [0, 0]);
      assert.deepEqual([frontEnd.load(0, 2), frontEnd.load(RANGE, 2)], ['aa', 'bb']);
      const removed = remove(0, 2 * RANGE);
      assert.equal(await remove(0), 0, 'it is out of the books at once');
      frontEnd.answer();
      assert.equal(await removed, 0);
    });

    it('in place of what lies there, if that lies in it wholly', async () => {
      const { frontEnd, setup, remove } = begin();
      const [a, b] = [put('a', 4 * PAGE), put('b', 4 * PAGE)];
      for (const page of [0, 1, 2]) assert.equal(await setup(a, page * PAGE, page * PAGE, PAGE), 0);
      assert.equal(await setup(b, 0, PAGE, 2 * PAGE), 0);
      assert.deepEqual([frontEnd.load(0, 1), frontEnd.load(PAGE, 1), frontEnd.load(2 * PAGE, 1)], ['a', 'b', 'b']);
      for (const [at, length] of [
        [0, 2 * PAGE],
        [PAGE, PAGE],
        [2 * PAGE, 2 * PAGE],
      ]) {
        assert.equal(await setup(a, 0, at, length), -E.EINVAL);
        assert.equal(await remove(at, length), -E.EINVAL);
      }
      assert.equal(frontEnd.mapped.length, 2);
    });

    it('anew where the same place is asked for with more, another part or another file', async () => {
      const { frontEnd, setup } = begin();
      fs.writeFileSync(share.at('a'), `${'1'.repeat(PAGE)}${'2'.repeat(PAGE)}`);
      const a = share.node('a');
      const b = put('b', PAGE);
      assert.equal(await setup(a, 0, 0, PAGE), 0);
      assert.equal(await setup(a, 0, 0, 2 * PAGE), 0);
      assert.deepEqual([frontEnd.load(0, 1), frontEnd.load(PAGE, 1)], ['1', '2']);
      assert.equal(await setup(a, 0, 2 * PAGE, PAGE), 0);
      assert.equal(await setup(a, PAGE, 2 * PAGE, PAGE), 0);
      assert.equal(frontEnd.load(2 * PAGE, 1), '2');
      assert.equal(await setup(b, PAGE, 2 * PAGE, PAGE), 0);
      assert.equal(frontEnd.load(2 * PAGE, 1), '\0');
    });

    it('in no more pieces than QEMU survives, which those that make room are not of', async () => {
      const { setup, remove } = begin('tails', 512);
      const a = put('a', PAGE + 9);
      const ranges = MOST_PIECES / 2;
      for (let i = 0; i < ranges; i++) assert.equal(await setup(a, 0, i * 2 * PAGE, 2 * PAGE), 0);
      const more = ranges * 2 * PAGE;
      assert.equal(await setup(a, 0, more, 2 * PAGE), -E.ENOSPC);
      assert.equal(await setup(a, PAGE, 0, 2 * PAGE), 0, 'in place of another');
      assert.equal(await remove(2 * PAGE, 2 * PAGE), 0);
      assert.equal(await setup(a, 0, more, PAGE), 0);
    });

    for (const descriptors of [1, 2, 3]) {
      it(`not where a guest may hold ${descriptors} descriptors only: nothing is left of it`, async () => {
        const { file, setup, watches, window } = begin('tails', descriptors);
        const a = put('a', PAGE + 9);
        assert.equal(await setup(a, 0), descriptors < 3 ? -E.EMFILE : 0);
        if (descriptors === 3) assert.equal(await setup(a, 0, RANGE), -E.EMFILE);
        assert.equal(watches.size, descriptors === 3 ? 1 : 0);
        assert.equal(window.has(a), descriptors === 3);
        assert.equal(file.descriptorCount, descriptors === 3 ? 3 : 1);
      });
    }

    it('not with the last descriptor of all either, where no copy is needed', async () => {
      const { file, setup } = begin('pages', 1);
      const a = put('a', PAGE);
      share.client.stat(a);
      assert.equal(await setup(a, 0, 0, PAGE), -E.EMFILE);
      assert.equal(file.descriptorCount, 1);
    });

    it('wholly or not at all: with what the front-end or the host refuses all of it goes', async () => {
      const { client, file, frontEnd, setup, wrapped, watches } = begin();
      const a = put('a', PAGE + 9);
      client.stat(a);
      for (const refused of [0, PAGE]) {
        frontEnd.refuses = (_, windowOffset) => (windowOffset === refused ? -E.EIO : 0);
        assert.equal(await setup(a, 0), -E.EIO);
      }
      frontEnd.refuses = () => 0;
      wrapped.failWith = E.ENOSPC;
      for (const name of ['memoryFile', 'pwritev2', 'preadv2']) {
        wrapped.failName = name;
        assert.equal(await setup(a, 0), -E.ENOSPC, name);
      }
      wrapped.reset();
      assert.deepEqual([frontEnd.mapped.length, watches.size, file.descriptorCount], [0, 0, 1]);
    });

    it('not any more where the front-end has refused, which is told; but for one that only has no time', async () => {
      const { frontEnd, setup, window, node } = begin();
      const a = put('a', PAGE);
      frontEnd.refuses = () => -E.EAGAIN;
      assert.equal(await setup(a, 0), -E.EAGAIN);
      assert.deepEqual([notes(), window.told(node('a'), true)], [[], true]);
      frontEnd.refuses = () => -E.EIO;
      assert.equal(await setup(a, 0), -E.EIO);
      assert.equal(window.told(node('a'), true), false);
      assert.deepEqual(notes()[0], [DaxNote.Failed, 'a']);
      share.file.forget(a, Infinity);
      assert.equal(put('b', PAGE), a);
      assert.equal(window.told(node('b'), true), true, 'another that has its place');
    });

    it('or not, which is no fault of an inode that has the place of one that was forgotten meanwhile', async () => {
      const { file, frontEnd, setup, window } = begin();
      const a = put('a', PAGE);
      frontEnd.silent = true;
      const coming = setup(a, 0);
      file.forget(a, Infinity);
      const b = put('b', PAGE);
      assert.equal(b, a);
      frontEnd.refuses = () => -E.EIO;
      frontEnd.answer();
      assert.equal(await coming, -E.EIO);
      assert.equal(window.told(share.node('b'), true), true);
    });
  });

  describe('are the same on both sides', () => {
    it('when CREATE truncates one that is there: before the guest hears of it', async () => {
      const { client, frontEnd, setup } = begin();
      const a = put('a', 100);
      assert.equal(await setup(a, 0), 0);
      frontEnd.store(50, 'stored');
      const { handle } = await client.create(ROOT, 'a', linux.O_RDWR | linux.O_TRUNC);
      assert.equal(frontEnd.load(0, 100), '\0'.repeat(100));
      await client.write(handle, 0, 'new');
      assert.deepEqual([frontEnd.load(0, 5), host('a')], ['new\0\0', 'new']);
    });

    it('when SETATTR makes one shorter, as well', async () => {
      const { client, frontEnd, setup } = begin();
      const a = put('a', 100);
      assert.equal(await setup(a, 0), 0);
      await client.set(a, { valid: linux.FATTR_SIZE, size: 3 });
      assert.equal(frontEnd.load(0, 5), 'aaa\0\0');
    });

    it('when the guest is told of a size that the host has made', async () => {
      const { client, frontEnd, setup, window } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      const told = (): void => {
        client.stat(a);
        window.told(a, false);
      };
      fs.appendFileSync(share.at('a'), 'appended');
      told();
      assert.equal(frontEnd.load(PAGE + 9, 9), 'appended\0');
      frontEnd.store(PAGE + 9, 'GUEST');
      fs.appendFileSync(share.at('a'), '!');
      told();
      assert.equal(frontEnd.load(PAGE + 9, 10), 'GUESTded!\0');
      assert.equal(host('a').slice(PAGE + 9), 'GUESTded!');
    });

    it('where the host writes behind the end, whatever the guest has stored there before', async () => {
      const { alarm, frontEnd, setup } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      frontEnd.store(PAGE + 12, 'beyond');
      fs.appendFileSync(share.at('a'), 'h'.repeat(20));
      alarm.ring();
      assert.equal(host('a').slice(PAGE), `aaaaaaaaa${'h'.repeat(20)}`);
      assert.equal(frontEnd.load(PAGE, 29), host('a').slice(PAGE));
    });

    it('from when some of it comes to be in a copy, by the guest or by the host', async () => {
      const { alarm, client, setup, window } = begin();
      const [a, b] = [put('a', PAGE), put('b', PAGE)];
      assert.deepEqual([await setup(a, 0), await setup(b, 0, RANGE)], [0, 0]);
      assert.equal(alarm.isSet, false);
      await client.write(check(client.open(a, linux.O_WRONLY)), PAGE, 'x');
      assert.equal(alarm.isSet, true);
      await client.set(a, { valid: linux.FATTR_SIZE, size: PAGE });
      alarm.ring();
      assert.equal(alarm.isSet, false);
      fs.appendFileSync(share.at('b'), 'x');
      client.stat(b);
      window.told(b, false);
      assert.equal(alarm.isSet, true);
    });

    it('or it is said where they cannot be', async () => {
      const { alarm, client, setup, wrapped } = begin();
      const a = put('a', PAGE + 9);
      const handle = check(client.open(a, linux.O_WRONLY));
      assert.equal(await setup(a, 0), 0);
      fs.utimesSync(share.at('a'), 1, 1);
      wrapped.failName = 'preadv2';
      wrapped.failWith = E.EIO;
      alarm.ring();
      assert.ok(share.notes.length > 0);
      share.notes.length = 0;
      await client.write(handle, PAGE, 'x');
      assert.ok(share.notes.some(({ text }) => text.startsWith('its copy could not be made to fit')));
    });

    it('after a while, and as long as some of it is in a copy', async () => {
      const { alarm, frontEnd, remove, setup, time } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      frontEnd.store(PAGE, 'guest');
      assert.equal(alarm.delay, 200);
      alarm.ring();
      assert.equal(host('a').slice(PAGE), 'guestaaaa');
      time.step = 50;
      alarm.ring();
      assert.equal(alarm.delay, 1000, 'a twentieth of the time');
      time.step = 0;
      alarm.ring();
      assert.equal(alarm.delay, 200);
      fs.writeFileSync(share.at('a'), Buffer.alloc(PAGE + 9, 'h'));
      fs.utimesSync(share.at('a'), 1, 1);
      alarm.ring();
      assert.equal(frontEnd.load(PAGE, 9), 'hhhhhhhhh');
      assert.equal(await remove(0), 0);
      alarm.ring();
      assert.equal(alarm.isSet, false);
    });

    it('when a range is taken out: what was stored up to then is on the host, or the guest is told', async () => {
      const { frontEnd, remove, setup, wrapped } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      frontEnd.silent = true;
      const removed = remove(0);
      frontEnd.store(PAGE, 'last');
      frontEnd.answer();
      assert.equal(await removed, 0);
      assert.equal(host('a').slice(PAGE), 'lastaaaaa');
      frontEnd.silent = false;
      assert.equal(await setup(a, 0), 0);
      frontEnd.store(PAGE, 'lost');
      wrapped.failName = 'pwritev2';
      wrapped.failWith = E.EIO;
      assert.equal(await remove(0), -E.EIO);
      assert.deepEqual(notes(), [[DaxNote.Failed, 'a']]);
    });

    it('when the guest has forgotten it while it was mapped', async () => {
      const { file, frontEnd, remove, setup, window } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      file.forget(a, Infinity);
      assert.equal(window.has(a), false);
      const again = share.node('a');
      assert.equal(await setup(again, 0, RANGE), 0);
      frontEnd.store(PAGE, 'one');
      assert.equal(await remove(0), 0);
      assert.equal(window.has(again), true);
      assert.equal(host('a').slice(PAGE), 'oneaaaaaa');
    });

    it('says so once where the host changes it, not where we do, and each time that it makes it shorter', async () => {
      const { client, setup, watches, window } = begin();
      const a = put('a', 2 * PAGE + 9);
      const handle = check(client.open(a, linux.O_RDWR));
      assert.equal(await setup(a, 0), 0);
      const [watch] = watches;
      await client.write(handle, 0, 'ours');
      window.changed(watch);
      window.changed(watch + 1);
      window.changed(-1);
      assert.deepEqual(notes(), []);
      window.changed(watch);
      window.changed(watch);
      assert.deepEqual(notes(), [[DaxNote.Changed, 'a']]);
      for (const size of [2 * PAGE, PAGE, 100]) {
        fs.truncateSync(share.at('a'), size);
        window.changed(size === PAGE ? -1 : watch);
      }
      assert.deepEqual(notes().slice(1), [
        [DaxNote.Shortened, 'a'],
        [DaxNote.Shortened, 'a'],
      ]);
      fs.truncateSync(share.at('a'), 200);
      window.changed(watch);
      assert.equal(notes().length, 3, 'it is longer now');
    });

    it('does not say that QEMU dies where it has nothing of the file but the copy', async () => {
      const { setup, watches, window } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, PAGE), 0);
      fs.truncateSync(share.at('a'), 100);
      for (const watch of watches) window.changed(watch);
      assert.deepEqual(notes(), [[DaxNote.Changed, 'a']]);
    });
  });

  describe('after a ring was stopped', () => {
    it('are asked for again, whether or not the front-end has dropped them', async () => {
      const { file, frontEnd, setup } = begin();
      const a = put('a', PAGE + 9);
      assert.equal(await setup(a, 0), 0);
      const orders = frontEnd.orders.length;
      assert.equal(await setup(a, 0), 0);
      assert.equal(frontEnd.orders.length, orders, 'it is there');
      file.ringStops();
      assert.equal(await setup(a, 0), 0, 'it is there as well');
      assert.equal(frontEnd.mapped.length, 2);
      file.ringStops();
      frontEnd.drop();
      frontEnd.refuses = () => -E.EAGAIN;
      assert.equal(await setup(a, 0), -E.EAGAIN);
      frontEnd.refuses = () => 0;
      assert.equal(await setup(a, 0), 0);
      assert.equal(frontEnd.load(PAGE, 9), 'a'.repeat(9));
    });

    for (const refused of [0, -E.EIO]) {
      it(`and the session began anew there are none, though one was on its way (${refused})`, async () => {
        const { file, frontEnd, setup, watches, window } = begin();
        const a = put('a', PAGE + 9);
        assert.equal(await setup(a, 0), 0);
        frontEnd.silent = true;
        const coming = setup(a, 0, RANGE);
        file.reset();
        const again = share.node('a');
        assert.equal(again, a);
        const fresh = setup(again, 0, 2 * RANGE);
        frontEnd.refuses = (_, windowOffset) => (windowOffset < 2 * RANGE ? refused : 0);
        frontEnd.answer();
        assert.deepEqual([await coming, await fresh], [refused, 0]);
        assert.deepEqual([frontEnd.mapped.length, watches.size, file.descriptorCount], [2, 1, 3]);
        assert.equal(window.has(again), true);
      });
    }
  });

  it('are looked into by who takes a guest into account: each with what it was told when it came to know it', () => {
    const { file, node, window } = begin('pages');
    const a = put('a', PAGE);
    assert.equal(window.told(a, false), false);
    assert.equal(window.told(a, true), true);
    fs.truncateSync(share.at('a'), 5);
    assert.equal(window.told(node('a'), true), false);
    assert.equal(window.shows(a, true), true, 'the guest keeps to what it was told first');
    assert.equal(window.shows(a, false), true);
    file.forget(a, 1);
    assert.equal(window.shows(a, true), false);
    file.forget(a, 1);
    const b = put('b', PAGE);
    assert.equal(window.told(b, true), true);
    file.forget(b, 1);
    const c = put('c', 5);
    assert.equal(c, b);
    assert.equal(window.shows(c, false), true, 'the guest decides');
    assert.equal(window.told(c, true), false);
    assert.equal(window.shows(c, true), false);
  });
});
