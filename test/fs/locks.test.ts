/** The guest's locks as locks of the host, on a real folder. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../src/fs/fileSystem';
import * as linux from '../../src/fs/linux';
import { LONGEST_CIRCLE, MOST_RANGES, MOST_RANGES_OF_A_FILE } from '../../src/fs/locks';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { Errno as E } from '../../src/protocol/errno';
import { check, CLIENT_AREA, type Client } from './client';
import { sharing } from './sharing';

describe('locks', () => {
  const { open, callsOf } = sharing();
  const [READ, WRITE, UNLOCK] = [linux.F_RDLCK, linux.F_WRLCK, linux.F_UNLCK];

  it('of two owners conflict, also with the host, and F_GETLK tells whose', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const other = check(client.open(node, linux.O_RDWR));
    assert.equal(await client.setlk(handle, client.lock(WRITE, 10, 19, 100)), 0);
    assert.equal(await client.setlk(handle, client.lock(READ, 0, 10, 200)), -E.EAGAIN);
    assert.equal(await client.setlk(other, client.lock(READ, 20, Infinity, 200)), 0);
    const lock = client.lock(WRITE, 0, Infinity, 200);
    assert.equal(file.getlk(other, lock), 0);
    assert.deepEqual(lock, { ...client.lock(WRITE, 10, 19, 200), pid: 100 });
  });

  it('are in nobody else’s way than others, who keep theirs when they are refused', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.setlk(handle, client.lock(WRITE, 20, 29, 200));
    await client.setlk(handle, client.lock(WRITE, 0, 9, 100));
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 9, 200)), -E.EAGAIN);
    const inTheWay = (start: number, end: number, owner: number): number[] => {
      const lock = client.lock(WRITE, start, end, owner);
      assert.equal(file.getlk(handle, lock), 0);
      return lock.type === UNLOCK ? [] : [lock.startLow, lock.endLow, lock.pid];
    };
    assert.deepEqual(inTheWay(0, 9, 100), []);
    assert.deepEqual(inTheWay(0, 99, 100), [20, 29, 200]);
    assert.deepEqual(inTheWay(0, 99, 200), [0, 9, 100]);
    await client.setlk(handle, { ...client.lock(WRITE, 50, 50, 100), pid: 101 });
    assert.deepEqual(inTheWay(0, 99, 200), [0, 9, 101], 'the process that has locked last for this owner');
  });

  it('end with the handle that their owner has used last, and with no other', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const [second, third] = [1, 2].map(() => check(client.open(node, linux.O_RDWR)));
    await client.setlk(handle, client.lock(WRITE, 0, 0, 100));
    await client.setlk(second, client.lock(WRITE, 10, 10, 200));
    await client.setlk(third, client.lock(WRITE, 20, 20, 200));
    const held = (): number[] => {
      const places: number[] = [];
      for (const start of [0, 10, 20]) {
        const lock = client.lock(WRITE, start, start, 300);
        assert.equal(file.getlk(handle, lock), 0);
        if (lock.type !== UNLOCK) places.push(start);
      }
      return places;
    };
    file.release(second);
    assert.deepEqual(held(), [0, 10, 20]);
    file.release(third);
    assert.deepEqual(held(), [0]);
  });

  it('end with the inode, though the guest has it open: another that has its place has none of them', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    await client.setlk(handle, client.lock(WRITE, 0, 9, 100));
    const waiting = client.setlk(handle, client.lock(WRITE, 0, 9, 200), true);
    file.forget(node, Infinity);
    assert.equal(await waiting, -E.EBADF);
    const other = await client.create(ROOT, 'b');
    assert.equal(other.node, node);
    assert.equal(await client.setlk(other.handle, client.lock(WRITE, 20, 29, 100)), 0);
    file.release(handle);
    const inTheWay = [0, 20].map((start) => {
      const lock = client.lock(WRITE, start, start, 300);
      check(file.getlk(other.handle, lock));
      return lock.type;
    });
    assert.deepEqual(inTheWay, [UNLOCK, WRITE]);
    assert.equal(
      await client.setlk(check(client.open(client.lookup(ROOT, 'a'), linux.O_RDWR)), client.lock(WRITE, 0, 9, 300)),
      0,
    );
  });

  it('of a program of the host are told with its process', async () => {
    const F_SETLK = 6;
    const { client, fs: file, folder } = open();
    const { handle } = await client.create(ROOT, 'a');
    const host = fs.openSync(path.join(folder, 'a'), 'r+');
    const at = CLIENT_AREA - 256;
    client.arena.zero(at, linux.Flock.byteLength);
    client.arena.setU16(at, WRITE);
    client.arena.setU64(at + linux.Flock.start, 5);
    client.arena.setU64(at + linux.Flock.length, 3);
    assert.equal(new LinuxCalls().fcntlLock(host, F_SETLK, client.arena.address(at)), 0);
    const lock = client.lock(READ, 0, Infinity, 100);
    assert.equal(file.getlk(handle, lock), 0);
    assert.deepEqual(lock, { ...client.lock(WRITE, 5, 7, 100), pid: process.pid });
    fs.closeSync(host);
  });

  it('hold nothing open once the owner has closed the file', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    const held = file.descriptorCount;
    await client.setlk(handle, client.lock(WRITE, 0, 9, 100));
    assert.equal(file.descriptorCount, held + 1);
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 9, 200)), -E.EAGAIN);
    assert.equal(file.descriptorCount, held + 1);
    await client.flush(handle, 100);
    assert.equal(file.descriptorCount, held);
    await client.setlk(handle, client.lock(READ, 0, 9, 300));
    await client.setlk(handle, client.lock(UNLOCK, 0, Infinity, 300));
    assert.equal(file.descriptorCount, held, 'or unlocked all of it');
    await client.setlk(handle, client.lock(READ, 0, 9, 300));
    file.release(handle);
    assert.equal(file.descriptorCount, held);
  });

  it('that wait are given at once when the holder unlocks, flushes or releases', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const ends: Record<string, (h: number) => unknown> = {
      unlock: (h) => client.setlk(h, client.lock(UNLOCK, 0, Infinity, 100)),
      flush: (h) => client.flush(h, 100),
      release: (h) => file.release(h),
    };
    for (const [name, end] of Object.entries(ends)) {
      const holder = check(client.open(node, linux.O_RDWR));
      assert.equal(await client.setlk(holder, client.lock(WRITE, 0, Infinity, 100)), 0, name);
      const waiting = client.setlk(handle, client.lock(WRITE, 5, 5, 200), true);
      end(holder);
      assert.equal(await atOnce(waiting), 0, name);
      await client.flush(handle, 200);
    }
  });

  it('that wait are those that were asked for, whatever the next request asks', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.setlk(handle, client.lock(WRITE, 0, 9, 100));
    const asked = client.lock(WRITE, 5, 5, 200);
    const waiting = client.setlk(handle, asked, true);
    Object.assign(asked, client.lock(READ, 50, 59, 300));
    await client.flush(handle, 100);
    assert.equal(await waiting, 0);
    const lock = client.lock(WRITE, 0, Infinity, 400);
    assert.equal(file.getlk(handle, lock), 0);
    assert.deepEqual(lock, { ...client.lock(WRITE, 5, 5, 400), pid: 200 });
  });

  it('that wait end when interrupted, and when their handle goes', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const other = check(client.open(node, linux.O_RDWR));
    await client.setlk(other, client.lock(WRITE, 0, Infinity, 100));
    const first = client.setlk(handle, client.lock(WRITE, 5, 5, 200), true);
    assert.equal(file.interrupt(client.lastUnique, 0), true);
    assert.equal(await first, -E.EINTR);
    const second = client.setlk(handle, client.lock(WRITE, 5, 5, 200), true);
    file.release(handle);
    assert.equal(await second, -E.EINTR);
  });

  it('for reading do not keep the host from executing the file; for writing the owner moves over', async () => {
    const { client, fs: file, folder } = open();
    const program = path.join(folder, 'program');
    fs.copyFileSync('/bin/true', program);
    fs.chmodSync(program, 0o755);
    const host = fs.openSync(program, 'r');
    const calls = new LinuxCalls();
    const hostLocks = (type: number, start: number): number => {
      const at = CLIENT_AREA - 256;
      client.arena.zero(at, linux.Flock.byteLength);
      client.arena.setU16(at, type);
      client.arena.setU64(at + linux.Flock.start, start);
      client.arena.setU64(at + linux.Flock.length, 1);
      assert.equal(calls.fcntlLock(host, linux.F_OFD_GETLK, client.arena.address(at)), 0);
      return client.arena.getU16(at);
    };
    const node = client.lookup(ROOT, 'program');
    const reading = check(client.open(node, linux.O_RDONLY));
    assert.equal(await client.setlk(reading, client.lock(READ, 10, 19, 100)), 0);
    assert.equal(await client.setlk(reading, client.lock(UNLOCK, 14, 15, 100)), 0);
    assert.equal(spawnSync(program).status, 0);
    // No guest sends this; it is not a way to have the file opened for writing.
    assert.equal(await client.setlk(reading, client.lock(WRITE, 30, 39, 100)), -E.EBADF);
    const held = file.descriptorCount;

    const writing = check(client.open(node, linux.O_RDWR));
    assert.equal(await client.setlk(writing, client.lock(WRITE, 18, Infinity, 100)), 0);
    assert.equal(file.descriptorCount, held + 1);
    const seen = [9, 10, 13, 14, 15, 16, 17, 18, 19, 20].map((start) => hostLocks(WRITE, start));
    const [none, read, write] = [UNLOCK, READ, WRITE];
    assert.deepEqual(seen, [none, read, read, none, none, read, read, write, write, write]);
    file.release(writing);
    assert.equal(spawnSync(program).status, 0);
    fs.closeSync(host);
  });

  it('that would wait for each other for good end with EDEADLK', async () => {
    const { client } = open();
    const { handle } = await client.create(ROOT, 'a');
    const other = await client.create(ROOT, 'b');
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 0, 100)), 0);
    assert.equal(await client.setlk(other.handle, client.lock(WRITE, 0, 0, 200)), 0);
    assert.equal(await client.setlk(handle, client.lock(READ, 5, 5, 300)), 0);
    const first = client.setlk(other.handle, client.lock(WRITE, 0, Infinity, 100), true);
    const second = client.setlk(handle, client.lock(WRITE, 5, 5, 200), true);
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 0, 300), true), -E.EDEADLK);
    // Without the one that was refused it ends well: 300 lets 200 go on, 200 lets 100 go on.
    await client.flush(handle, 300);
    assert.equal(await second, 0);
    await client.flush(other.handle, 200);
    await client.flush(handle, 200);
    assert.equal(await first, 0);
    const again = client.setlk(handle, client.lock(WRITE, 0, 0, 300), true);
    await client.flush(handle, 100);
    assert.equal(await again, 0);
  });

  it('that would wait in a circle longer than is looked for do wait, and nobody looks for an end of it', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    /** Each of so many owners holds a byte and asks for the next one's; what the last of them hears, if anything. */
    const closeCircle = async (owners: number): Promise<number | undefined> => {
      for (let i = 0; i < owners; i++) await client.setlk(handle, client.lock(WRITE, i, i, 100 + i));
      const asked = Array.from({ length: owners }, (_, i) => {
        const next = (i + 1) % owners;
        return client.setlk(handle, client.lock(WRITE, next, next, 100 + i), true);
      });
      return atOnce(asked[owners - 1]);
    };
    const beginAnew = (): void => {
      client.ring.runs = false;
      file.ringBeganAnew();
      client.ring.runs = true;
    };
    assert.equal(await closeCircle(LONGEST_CIRCLE), -E.EDEADLK);
    beginAnew();
    assert.equal(await closeCircle(LONGEST_CIRCLE + 1), undefined);
    const outside = client.setlk(handle, client.lock(WRITE, 0, 0, 99), true);
    assert.equal(await atOnce(outside), undefined);
    beginAnew();
    assert.equal(await outside, -E.EINTR);
  });

  it('that nobody waits for any more are in no circle', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.setlk(handle, client.lock(WRITE, 0, 0, 100));
    await client.setlk(handle, client.lock(WRITE, 10, 10, 200));
    const givenUp = client.setlk(handle, client.lock(WRITE, 10, 10, 100), true);
    assert.equal(file.interrupt(client.lastUnique, 0), true);
    assert.equal(await givenUp, -E.EINTR);
    const waiting = client.setlk(handle, client.lock(WRITE, 0, 0, 200), true);
    await client.flush(handle, 100);
    assert.equal(await waiting, 0);
  });

  it('that an owner waits for still are, when another of its threads has given up', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.setlk(handle, client.lock(WRITE, 0, 0, 100));
    for (const start of [10, 20]) await client.setlk(handle, client.lock(WRITE, start, start, 200));
    const first = client.setlk(handle, client.lock(WRITE, 10, 10, 100), true);
    const unique = client.lastUnique;
    const second = client.setlk(handle, client.lock(WRITE, 20, 20, 100), true);
    assert.equal(file.interrupt(unique, 0), true);
    assert.equal(await first, -E.EINTR);
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 0, 200), true), -E.EDEADLK);
    await client.flush(handle, 200);
    assert.equal(await second, 0);
  });

  /** Every second byte, so that no two become one. */
  const lockMany = async (client: Client, handle: number, count: number, type: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      assert.equal(await client.setlk(handle, client.lock(type, 2 * i, 2 * i, 100)), 0, `range ${i}`);
    }
  };

  it('are no more than so many in one file, which an unlock that splits one counts to', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const reading = check(client.open(node, linux.O_RDONLY));
    await lockMany(client, reading, MOST_RANGES_OF_A_FILE, READ);
    const held = file.descriptorCount;
    const far = 10 * MOST_RANGES_OF_A_FILE;
    assert.equal(await client.setlk(reading, client.lock(READ, far, far, 100)), -E.ENOLCK);
    assert.equal(await client.setlk(reading, client.lock(READ, far, far, 100), true), -E.ENOLCK);
    assert.equal(await client.setlk(handle, client.lock(READ, far, far, 200)), -E.ENOLCK);
    assert.equal(file.descriptorCount, held, 'who could not lock holds nothing open');
    const other = await client.create(ROOT, 'b');
    assert.equal(await client.setlk(other.handle, client.lock(WRITE, 0, 0, 200)), 0, 'another file');

    // What takes no more room is done: to lock two as one, or to give one up, which makes room for another.
    assert.equal(await client.setlk(reading, client.lock(READ, 0, 2, 100)), 0);
    assert.equal(await client.setlk(reading, client.lock(READ, far, far, 100)), 0);
    assert.equal(await client.setlk(reading, client.lock(UNLOCK, 1, 1, 100)), -E.ENOLCK, 'it would be two');
    assert.equal(await client.setlk(reading, client.lock(UNLOCK, 4, 4, 100)), 0);
    assert.equal(await client.setlk(reading, client.lock(UNLOCK, 1, 1, 100)), 0);

    // All of them move over to a description that can write, and others are told whose they are.
    assert.equal(await client.setlk(handle, client.lock(WRITE, far, far, 100)), 0);
    const lock = client.lock(WRITE, far - 1, Infinity, 200);
    assert.equal(file.getlk(reading, lock), 0);
    assert.deepEqual(lock, { ...client.lock(WRITE, far, far, 200), pid: 100 });

    await client.flush(reading, 100);
    await lockMany(client, reading, MOST_RANGES_OF_A_FILE, READ);
  });

  it('are no more than so many in all files', async () => {
    // The host's kernel would do, but takes its time.
    const { client } = open({}, false, (calls) => Object.assign(calls, { fcntlLock: () => 0 }));
    for (let i = 0; i < MOST_RANGES / MOST_RANGES_OF_A_FILE; i++) {
      await lockMany(client, (await client.create(ROOT, `file ${i}`)).handle, MOST_RANGES_OF_A_FILE, WRITE);
    }
    const { handle } = await client.create(ROOT, 'last');
    assert.equal(await client.setlk(handle, client.lock(WRITE, 0, 0, 100)), -E.ENOLCK);
    await client.flush(check(client.open(client.lookup(ROOT, 'file 3'), linux.O_RDWR)), 100);
    await lockMany(client, handle, MOST_RANGES_OF_A_FILE, WRITE);
    assert.equal(await client.setlk(handle, client.lock(WRITE, 1, 1, 100)), 0, 'it fills a gap');
  });

  it('flock waits for a holder outside of the daemon too', async () => {
    const { client, fs: file, folder } = open();
    const { handle } = await client.create(ROOT, 'a');
    const outside = fs.openSync(path.join(folder, 'a'), 'r+');
    const host = new LinuxCalls();
    assert.equal(host.flock(outside, linux.LOCK_EX | linux.LOCK_NB), 0);
    assert.equal(await client.outcome((c) => file.flock(handle, READ, false, c)), -E.EAGAIN);
    const waiting = client.outcome((c) => file.flock(handle, READ, true, c));
    assert.equal(host.flock(outside, linux.LOCK_UN), 0);
    assert.equal(await waiting, 0);
    fs.closeSync(outside);
  });

  it('flock is taken at once where nobody is in the way, for reading by several', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    const other = check(client.open(node, linux.O_RDWR));
    const flock = (of: number, type: number, wait = false): Promise<number> =>
      client.outcome((c) => file.flock(of, type, wait, c));
    const made = await callsOf(async () => {
      for (const each of [handle, other]) assert.equal(await flock(each, READ, true), 0);
    });
    assert.deepEqual(made, ['flock', 'flock']);
    assert.equal(await flock(other, WRITE), -E.EAGAIN);
    assert.equal(await flock(handle, UNLOCK), 0);
    assert.equal(await flock(other, WRITE), 0);
    assert.equal(await flock(handle, READ), -E.EAGAIN);
  });

  it('flock of a folder ends with the handle, though the inode keeps its descriptor', async () => {
    const { client, fs: file, folder } = open();
    fs.mkdirSync(path.join(folder, 'sub'));
    const node = client.lookup(ROOT, 'sub');
    const handle = check(file.opendir(node, 0));
    assert.equal(await client.outcome((c) => file.flock(handle, WRITE, false, c)), 0);
    const other = check(file.opendir(node, 0));
    assert.equal(await client.outcome((c) => file.flock(other, READ, false, c)), -E.EAGAIN);
    const waiting = client.outcome((c) => file.flock(other, READ, true, c));
    file.releasedir(handle);
    assert.equal(await atOnce(waiting), 0);
    const again = client.outcome((c) => file.flock(check(file.opendir(node, 0)), WRITE, true, c));
    assert.equal(await client.outcome((c) => file.flock(other, UNLOCK, false, c)), 0);
    assert.equal(await atOnce(again), 0);
  });
});

/** What a request has heard before any alarm can ring; undefined: nothing yet. */
async function atOnce(request: Promise<number>): Promise<number | undefined> {
  let heard: number | undefined;
  void request.then((result) => (heard = result));
  for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  return heard;
}
