/** Sockets that pass descriptors, eventfds, epoll: against the real kernel, within this process. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  Epoll,
  MAX_DESCRIPTORS,
  accept,
  close,
  connectUnix,
  drain,
  eventfd,
  fileSize,
  isLastingMemory,
  isLeftBehind,
  isListening,
  listenUnix,
  memfd,
  readableBytes,
  receive,
  send,
  setNonBlocking,
  signal,
} from '../../src/native/descriptors';
import { NativeError } from '../../src/native/libc';
import { NativeArena } from './nativeArena';

const EAGAIN = 11;
const EBADF = 9;
const EPIPE = 32;

const openNow = (): number => fs.readdirSync('/proc/self/fd').length;
const inode = (fd: number): number => fs.fstatSync(fd).ino;

const TMPFS = 0x01021994;

describe('native descriptors', () => {
  const native = new NativeArena();
  let folder: string;
  let left: number;
  let right: number;
  let before: number;

  beforeEach(() => {
    before = openNow();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'native-'));
    const listening = listenUnix(path.join(folder, 'socket'));
    left = connectUnix(path.join(folder, 'socket'));
    right = accept(listening);
    close(listening);
    assert.ok(right >= 0);
  });

  afterEach(() => {
    close(left);
    close(right);
    fs.rmSync(folder, { recursive: true });
    assert.equal(openNow(), before, 'no descriptor is left');
  });

  describe('sockets', () => {
    it('carry bytes', () => {
      native.put(0, 'hello');
      assert.equal(send(left, native.at(0), 5), 5);
      assert.equal(readableBytes(right), 5);
      assert.deepEqual(receive(right, native.at(100), 3, false), { length: 3, descriptors: [], truncated: false });
      assert.equal(receive(right, native.at(103), 10, false).length, 2);
      assert.equal(native.get(100, 5), 'hello');
      assert.equal(receive(right, native.at(0), 1, false).length, -EAGAIN, 'nothing there is no wait');
    });

    it('carry descriptors, which are then the receiver’s own and close-on-exec', () => {
      const files = Array.from({ length: 8 }, (_, index) => memfd(`file ${index}`, 4096));
      assert.equal(send(left, native.at(0), 4, files), 4);
      const got = receive(right, native.at(0), 4, true);
      assert.deepEqual(got.descriptors.map(inode), files.map(inode), 'in their order');
      assert.equal(got.truncated, false);
      for (const fd of got.descriptors) {
        assert.ok(!files.includes(fd));
        assert.match(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'), /^flags:\s+02\d{6}$/m);
      }
      for (const fd of [...files, ...got.descriptors]) close(fd);
    });

    it('descriptors come with the first byte of their message', () => {
      const file = memfd('file', 1);
      send(left, native.at(0), 4);
      send(left, native.at(0), 12, [file]);
      assert.deepEqual(receive(right, native.at(0), 4, true).descriptors, []);
      const got = receive(right, native.at(0), 2, true);
      assert.equal(got.descriptors.length, 1);
      assert.deepEqual(receive(right, native.at(0), 10, true), { length: 10, descriptors: [], truncated: false });
      for (const fd of [file, ...got.descriptors]) close(fd);
    });

    it('more descriptors than are taken: told as truncated, none is leaked', () => {
      const file = memfd('file', 1);
      send(left, native.at(0), 1, Array<number>(MAX_DESCRIPTORS + 8).fill(file));
      const got = receive(right, native.at(0), 1, true);
      assert.equal(got.truncated, true);
      assert.equal(got.descriptors.length, MAX_DESCRIPTORS);
      for (const fd of [file, ...got.descriptors]) close(fd);
    });

    it('the end of the other side is 0, and -EPIPE for who writes', () => {
      close(left);
      assert.equal(receive(right, native.at(0), 1, true).length, 0);
      assert.equal(send(right, native.at(0), 1), -EPIPE, 'and no SIGPIPE');
      left = eventfd();
    });

    it('errors are negative errnos in the loop, exceptions at set-up', () => {
      assert.equal(receive(-1, native.at(0), 1, false).length, -EBADF);
      assert.equal(send(-1, native.at(0), 1), -EBADF);
      assert.equal(accept(-1), -EBADF);
      const failed = (errno: number) => (error: unknown) => error instanceof NativeError && error.errno === errno;
      assert.throws(() => listenUnix(path.join(folder, 'socket')), failed(98), 'EADDRINUSE');
      assert.throws(() => connectUnix(path.join(folder, 'none')), failed(2), 'ENOENT');
      assert.throws(() => listenUnix(`/${'x'.repeat(107)}`), RangeError);
    });

    it('a path of 107 bytes is the longest', () => {
      const longest = path.join(folder, 'x'.repeat(107 - folder.length - 1));
      close(listenUnix(longest));
      assert.ok(fs.statSync(longest).isSocket());
    });

    it('know whether they listen', () => {
      const listening = listenUnix(path.join(folder, 'another'));
      const file = memfd('file', 1);
      assert.deepEqual([listening, left, file, -1, 99_999].map(isListening), [true, false, false, false, false]);
      close(listening);
      close(file);
    });

    it('know whether the file of one was left behind, which who listens does not notice', () => {
      const place = path.join(folder, 'another');
      const listening = listenUnix(place);
      assert.equal(setNonBlocking(listening), 0);
      assert.deepEqual(
        [1, 2, 3, 4].map(() => isLeftBehind(place)),
        [false, false, false, false],
      );
      assert.equal(accept(listening), -EAGAIN);
      close(listening);
      assert.equal(isLeftBehind(place), true);
      assert.equal(isLeftBehind(path.join(folder, 'none')), false, 'nothing is known of it');
    });
  });

  describe('eventfds and epoll', () => {
    let epoll: Epoll;
    let event: number;

    beforeEach(() => {
      epoll = new Epoll(4);
      event = eventfd();
    });

    afterEach(() => {
      epoll.close();
      close(event);
    });

    it('an edge is told once for each signal, though nobody reads', () => {
      epoll.add(event, EPOLLIN | EPOLLET, 7);
      assert.equal(epoll.wait(0), 0);
      for (let round = 0; round < 3; round++) {
        assert.equal(signal(event), 0);
        assert.equal(epoll.wait(0), 1);
        assert.deepEqual([epoll.key(0), epoll.flags(0)], [7, EPOLLIN]);
        assert.equal(epoll.wait(0), 0);
      }
    });

    it('a level is told until it is drained', () => {
      epoll.add(event, EPOLLIN, 1);
      signal(event);
      signal(event);
      assert.deepEqual([epoll.wait(0), epoll.wait(0)], [1, 1]);
      drain(event);
      assert.equal(epoll.wait(0), 0);
      drain(event);
    });

    it('several at once, each with its key; no more than there is room for', () => {
      const events = Array.from({ length: 6 }, () => eventfd());
      events.forEach((fd, index) => epoll.add(fd, EPOLLIN, 0x1000_0000 + index));
      events.forEach((fd) => signal(fd));
      const keys = new Set<number>();
      for (let round = 0; round < 3; round++) {
        const count = epoll.wait(0);
        assert.ok(count <= 4);
        for (let index = 0; index < count; index++) {
          keys.add(epoll.key(index));
          drain(events[epoll.key(index) - 0x1000_0000]);
        }
      }
      assert.equal(keys.size, 6);
      events.forEach(close);
    });

    it('what is removed is silent; what is no descriptor is an exception', () => {
      epoll.add(event, EPOLLIN, 1);
      signal(event);
      epoll.remove(event);
      assert.equal(epoll.wait(0), 0);
      assert.throws(() => epoll.add(-1, EPOLLIN, 1), NativeError);
    });

    it('waits as long as it is told', () => {
      const began = performance.now();
      assert.equal(epoll.wait(30), 0);
      assert.ok(performance.now() - began >= 29);
    });

    it('a socket whose other end has gone is told', () => {
      epoll.add(right, EPOLLIN, 3);
      close(left);
      left = eventfd();
      assert.equal(epoll.wait(0), 1);
      assert.ok((epoll.flags(0) & EPOLLHUP) !== 0);
    });

    it('User Mode Linux’s calls: eight bytes on a socket; a full one is -EAGAIN, not a wait', () => {
      setNonBlocking(left);
      assert.equal(signal(left), 0);
      assert.equal(readableBytes(right), 8);
      setNonBlocking(right);
      drain(right);
      assert.equal(readableBytes(right), 0);
      let result = 0;
      while (result === 0) result = signal(left);
      assert.equal(result, -EAGAIN);
    });
  });

  it('sizes of files; -1 for what has none', () => {
    const file = memfd('file', 12_345);
    assert.equal(fileSize(file), 12_345);
    assert.equal(fileSize(left), -1);
    assert.equal(fileSize(-1), -1);
    close(file);
  });

  it('memory that lasts: without a name, and no file that others may shorten by its name', () => {
    const file = memfd('file', 4096);
    assert.equal(isLastingMemory(file), true);
    close(file);
    for (const folder of ['/dev/shm', '/var/tmp']) {
      const named = path.join(fs.mkdtempSync(path.join(folder, 'lasting-')), 'file');
      const fd = fs.openSync(named, 'w+');
      assert.equal(isLastingMemory(fd), false, named);
      fs.rmSync(path.dirname(named), { recursive: true });
      assert.equal(isLastingMemory(fd), fs.statfsSync(folder).type === TMPFS, 'once it has no name');
      fs.closeSync(fd);
    }
    assert.equal(isLastingMemory(left), false);
    assert.equal(isLastingMemory(-1), false);
  });
});
