/**
 * What is mapped is what is in the file, whatever the guest and the host do to it meanwhile: seen through a window that
 * is really mapped.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { letters, O_RDWR, PAGE, RANGE, ROOT, windowCase } from './windowCase';

describe('the DAX window', function () {
  this.timeout(20_000);
  const { at, begin, host, log, node, put, remove, seen, setup, turnTo, until } = windowCase();

  describe('shows', () => {
    for (const size of [1, 100, PAGE, PAGE + 1, RANGE - 1, RANGE, RANGE + 5000]) {
      it(`a file of ${size} bytes, to its last byte, and zeros behind`, async () => {
        const bytes = letters(size);
        put('a', bytes);
        const { window } = await begin();
        const nodeid = node('a');
        for (let from = 0; from < size; from += RANGE) {
          assert.equal(setup(nodeid, { foffset: from, moffset: from }), 0);
        }
        assert.ok(window.load(0, size).equals(bytes));
        const end = Math.min(window.size, Math.ceil(size / PAGE) * PAGE);
        assert.ok(window.load(size, end - size).every((byte) => byte === 0));
        assert.equal(fs.statSync(at('a')).size, size, 'the host’s file is as long as before');
        assert.equal(window.grown, 0);
      });
    }

    it('an empty file as zeros, and never makes it longer on the host', async () => {
      put('a', '');
      const { window } = await begin();
      assert.equal(setup(node('a')), 0);
      assert.deepEqual([window.grown, fs.statSync(at('a')).size, seen(0, 3)], [0, 0, '\0\0\0']);
    });

    it('what is stored, on the host: at once in whole pages, soon or at fsync in the last one', async () => {
      put('a', letters(PAGE + 10));
      const { window, calls } = await begin();
      const nodeid = node('a');
      const { fh } = calls.open(nodeid, O_RDWR);
      assert.equal(setup(nodeid), 0);
      window.store(100, 'WHOLE');
      window.store(PAGE + 2, 'LAST');
      assert.equal(host('a').slice(100, 105), 'WHOLE');
      calls.fsync(nodeid, fh, true);
      assert.equal(
        host('a').slice(PAGE),
        `${letters(PAGE + 10)
          .toString()
          .slice(PAGE, PAGE + 2)}LAST${letters(PAGE + 10)
          .toString()
          .slice(PAGE + 6)}`,
      );
      window.store(PAGE + 2, 'SOON');
      await until('it is on the host', () => host('a').includes('SOON'));
      window.store(PAGE + 2, 'READ');
      assert.ok(
        Buffer.from(calls.read(nodeid, fh, PAGE, 10))
          .toString()
          .includes('READ'),
        'and in every read',
      );
    });

    it('what the host writes: in whole pages at once, in the last one soon', async () => {
      put('a', letters(PAGE + 10));
      const { window } = await begin();
      assert.equal(setup(node('a')), 0);
      window.store(PAGE, 'G');
      const fd = fs.openSync(at('a'), 'r+');
      fs.writeSync(fd, 'HOST', 0);
      fs.writeSync(fd, 'HOST', PAGE + 4);
      fs.closeSync(fd);
      assert.equal(seen(0, 4), 'HOST');
      await until('it is in the window', () => seen(PAGE + 4, 4) === 'HOST');
      assert.equal(seen(PAGE, 1), 'G', 'what the guest has stored beside it stays');
      await until('both are on the host', () => host('a').slice(PAGE, PAGE + 1) === 'G');
      await until('it is said', () => /DAX window: a: the host changes it while it is mapped/.test(log()));
    });
  });

  describe('follows a file that', () => {
    it('the guest makes longer: nothing is mapped anew, and the reply comes when it can be seen', async () => {
      put('a', letters(10));
      const { window, calls } = await begin();
      const nodeid = node('a');
      const { fh } = calls.open(nodeid, O_RDWR);
      assert.equal(setup(nodeid), 0);
      const orders = window.orders.length;
      window.store(4, 'mapped');
      for (const [offset, text] of [
        [10, 'ten'],
        [13, 'x'.repeat(5000)],
        [100_000, 'far'],
        [RANGE - 3, 'end'],
        [RANGE, 'next'],
      ] as const) {
        calls.write(nodeid, fh, offset, Buffer.from(text));
        const there = Math.min(text.length, RANGE - offset);
        assert.equal(seen(offset, there), text.slice(0, there));
      }
      assert.equal(seen(0, 13), 'abcdmappedten');
      assert.equal(host('a').slice(0, 13), 'abcdmappedten');
      window.store(50_000, 'between');
      calls.fsync(nodeid, fh, false);
      assert.equal(host('a').slice(50_000, 50_007), 'between');
      assert.equal(window.orders.length, orders);
      assert.equal(fs.statSync(at('a')).size, RANGE + 4);
    });

    it('the guest truncates and makes longer again: what was cut off does not come back', async () => {
      put('a', letters(3 * PAGE + 100));
      const { window, calls } = await begin();
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      window.store(3 * PAGE + 200, 'behind the end');
      calls.setattr(nodeid, { valid: 8, size: 3 * PAGE + 50 });
      assert.equal(
        seen(3 * PAGE + 48, 4),
        `${letters(3 * PAGE + 50)
          .toString()
          .slice(-2)}\0\0`,
      );
      calls.setattr(nodeid, { valid: 8, size: 5 * PAGE });
      assert.ok(window.load(3 * PAGE + 50, 2 * PAGE - 50).every((byte) => byte === 0));
      calls.setattr(nodeid, { valid: 8, size: 100 });
      calls.setattr(nodeid, { valid: 8, size: 2 * PAGE });
      assert.ok(window.load(100, 2 * PAGE - 100).every((byte) => byte === 0));
      assert.equal(fs.statSync(at('a')).size, 2 * PAGE);
    });

    it('the guest punches holes into, copies into, opens with O_TRUNC', async () => {
      put('a', letters(PAGE + 500));
      put('b', Buffer.alloc(PAGE + 500, 'B'));
      const { calls } = await begin();
      const [a, b] = [node('a'), node('b')];
      const [one, two] = [calls.open(a, O_RDWR), calls.open(b, O_RDWR)];
      assert.equal(setup(a), 0);
      calls.fallocate(a, one.fh, 3, PAGE + 100, 50);
      assert.equal(seen(PAGE + 99, 3).slice(1), '\0\0');
      calls.copyFileRange({ nodeid: b, fh: two.fh, offset: 0 }, { nodeid: a, fh: one.fh, offset: PAGE }, 500);
      assert.equal(seen(PAGE, 500), 'B'.repeat(500));
      calls.release(a, calls.open(a, O_RDWR | 0o1000).fh);
      calls.write(a, one.fh, 0, Buffer.from('new'));
      assert.equal(seen(0, 5), 'new\0\0');
      assert.equal(host('a'), 'new');
    });

    it('the host makes longer: before the guest learns of the size', async () => {
      put('a', letters(PAGE));
      const { calls } = await begin('pages');
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      fs.appendFileSync(at('a'), 'appended by the host');
      assert.equal(calls.getattr(nodeid).size, PAGE + 20);
      assert.equal(seen(PAGE, 21), 'appended by the host\0');
    });

    it('the host makes shorter: that is said, and what it costs; the copy is never longer than the file', async () => {
      put('a', letters(4 * PAGE + 100));
      const { window, calls, daemon } = await begin();
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      window.store(4 * PAGE + 50, 'lost');
      fs.truncateSync(at('a'), PAGE);
      await until('it is said', () => /shortened it from 16484 to 4096 bytes.*SIGBUS/.test(daemon.log()));
      assert.equal(calls.getattr(nodeid).size, PAGE);
      assert.throws(() => window.load(2 * PAGE, 1), /EIO/, 'as QEMU would die');
      calls.syncfs(ROOT);
      assert.equal(remove(nodeid), 0);
      assert.equal(fs.statSync(at('a')).size, PAGE);
    });

    it('the host makes shorter, several of them while the kernel loses count of changes: each is said', async () => {
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) put(name, letters(2 * PAGE));
      const { daemon } = await begin('pages');
      names.forEach((name, i) => assert.equal(setup(node(name), { moffset: i * RANGE }), 0));
      const most = Number(fs.readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
      process.kill(daemon.pid, 'SIGSTOP');
      // One after the other: the kernel takes like changes of one file together.
      const [one, other] = ['a', 'b'].map((name) => fs.openSync(at(name), 'r+'));
      for (let i = 0; i <= most; i++) fs.writeSync(i % 2 === 0 ? one : other, 'x', 0);
      for (const name of names) fs.truncateSync(at(name), PAGE);
      process.kill(daemon.pid, 'SIGCONT');
      for (const name of names) await until(name, () => new RegExp(`\\b${name}\\b.* shortened it`).test(daemon.log()));
      for (const fd of [one, other]) fs.closeSync(fd);
    });

    it('is renamed over, unlinked, forgotten', async () => {
      put('a', letters(2 * PAGE + 9));
      put('b', Buffer.alloc(PAGE, 'B'));
      const { window, calls, client } = await begin();
      const nodeid = node('a');
      const fd = fs.openSync(at('a'), 'r');
      assert.equal(setup(nodeid), 0);
      calls.rename(ROOT, 'b', ROOT, 'a');
      const b = node('a');
      assert.notEqual(b, nodeid);
      assert.equal(setup(b, { moffset: RANGE }), 0);
      assert.equal(seen(RANGE, 2), 'BB');
      calls.unlink(ROOT, 'a');
      calls.forget(nodeid);
      window.store(2 * PAGE, 'stays');
      assert.equal(window.remove(client, b, [{ moffset: 0, len: 2 * RANGE }]), 0);
      const last = Buffer.alloc(5);
      fs.readSync(fd, last, 0, 5, 2 * PAGE);
      assert.equal(last.toString(), 'stays');
      assert.equal(window.mappings.length, 0);
      fs.closeSync(fd);
    });

    it('two guests have mapped', async () => {
      put('a', letters(PAGE + 100));
      const one = await begin();
      const first = node('a');
      assert.equal(setup(first), 0);
      const two = await begin();
      const second = node('a');
      assert.equal(setup(second), 0);
      one.window.store(10, 'from one');
      assert.equal(two.window.load(10, 8).toString(), 'from one');
      one.window.store(PAGE + 10, 'from one');
      two.window.store(PAGE + 50, 'from two');
      await until('each sees the other’s', () => {
        one.window.serve();
        const both = [one, two].map(({ window }) => window.load(PAGE, 100).toString());
        return both.every((text) => text.includes('from one') && text.includes('from two'));
      });
      const handle = one.calls.open(first, O_RDWR);
      one.calls.write(first, handle.fh, PAGE + 100, Buffer.from('longer'));
      turnTo(two);
      assert.equal(two.calls.getattr(second).size, PAGE + 106);
      assert.equal(two.window.load(PAGE + 100, 6).toString(), 'longer');
    });
  });
});
