/** Where another takes the socket's place at the worst moment: inside of the very call after which it would count. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mock } from 'node:test';
import { listen, type Listening } from '../../src/daemon/listening';
import { close, connectUnix } from '../../src/native/descriptors';
import { need } from '../support/need';

describe('the place of the socket of a daemon', () => {
  let folder: string;
  let socketPath: string;
  let listening: Listening | undefined;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-listening-'));
    socketPath = path.join(folder, 'socket');
    listening = undefined;
  });

  afterEach(() => {
    mock.restoreAll();
    if (listening !== undefined) fs.closeSync(listening.fd);
    fs.rmSync(folder, { recursive: true });
  });

  /** Another one's file is at the path from now on; the socket has gone elsewhere. */
  function takePlace(make: () => void = () => fs.writeFileSync(socketPath, 'theirs')): void {
    fs.renameSync(socketPath, path.join(folder, 'moved'));
    make();
  }

  const forGroup = (): Listening => listen({ socketPath, socketGroup: 'nogroup' });
  const modeOf = (name: string): number => fs.statSync(path.join(folder, name)).mode & 0o7777;

  it('is given back at the end, and left to whoever has taken it', () => {
    listening = listen({ socketPath });
    takePlace();
    listening.remove();
    assert.equal(fs.readFileSync(socketPath, 'utf8'), 'theirs');
    fs.renameSync(path.join(folder, 'moved'), socketPath);
    listening.remove();
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('is left to another socket that has got the number of ours', () => {
    listening = listen({ socketPath });
    fs.utimesSync(socketPath, 1, 1);
    listening.remove();
    assert.deepEqual(fs.readdirSync(folder), ['socket']);
  });

  describe('left behind, when two daemons start at once', () => {
    let other: Listening | undefined;

    beforeEach(() => {
      other = undefined;
      fs.closeSync(listen({ socketPath }).fd);
    });
    afterEach(() => {
      if (other !== undefined) fs.closeSync(other.fd);
    });

    /** Just before this one takes it away, the other one does `act`. */
    function meanwhile(act: () => void): void {
      const real = fs.renameSync;
      mock.method(fs, 'renameSync', (...words: Parameters<typeof fs.renameSync>) => {
        mock.restoreAll();
        act();
        real(...words);
      });
    }

    it('is the one’s that was first, who is still found there', () => {
      meanwhile(() => (other = listen({ socketPath })));
      assert.throws(() => (listening = listen({ socketPath })), { code: 'socketUnusable' });
      assert.deepEqual(fs.readdirSync(folder), ['socket']);
      close(connectUnix(socketPath));
      other?.remove();
      assert.deepEqual(fs.readdirSync(folder), []);
    });

    it('may be gone by then, and is replaced', () => {
      meanwhile(() => fs.rmSync(socketPath));
      listening = listen({ socketPath });
      close(connectUnix(socketPath));
      assert.deepEqual(fs.readdirSync(folder), ['socket']);
    });

    it('stays what it is by then, if that is a file', () => {
      meanwhile(() => takePlace());
      assert.throws(() => (listening = listen({ socketPath })), { code: 'socketUnusable' });
      assert.equal(fs.readFileSync(socketPath, 'utf8'), 'theirs');
      assert.deepEqual(fs.readdirSync(folder), ['moved', 'socket']);
    });
  });

  for (const [what, make] of [
    ['a file', () => fs.writeFileSync(socketPath, 'theirs', { mode: 0o600 })],
    ['a link to a socket', () => fs.symlinkSync('moved', socketPath)],
  ] as const) {
    it(`taken by ${what} before the group gets it: that is not given to the group, and stays`, function () {
      need(this, 'root', process.geteuid?.() === 0, 'only root gives a socket to any group');
      const real = fs.openSync;
      mock.method(fs, 'openSync', (...words: Parameters<typeof fs.openSync>) => {
        if (words[0] === socketPath) {
          mock.restoreAll();
          takePlace(make);
        }
        return real(...words);
      });
      assert.throws(forGroup, { code: 'socketUnusable', message: /another file has taken its place$/ });
      assert.equal(modeOf('socket'), 0o600);
      assert.equal(fs.statSync(socketPath).gid, process.getegid?.());
      assert.equal(modeOf('moved'), 0o600, 'nor is that the group’s');
    });
  }

  it('taken while the group is refused it: what is there by then stays', function () {
    need(this, 'root', process.geteuid?.() === 0, 'only root gives a socket to any group');
    mock.method(fs, 'chownSync', () => {
      takePlace();
      throw new Error('EPERM: not for you');
    });
    assert.throws(forGroup, { code: 'socketGroupUnusable', message: /EPERM: not for you/ });
    assert.equal(fs.readFileSync(socketPath, 'utf8'), 'theirs');
  });

  it('is given back where the group is refused it', function () {
    need(this, 'root', process.geteuid?.() === 0, 'only root gives a socket to any group');
    mock.method(fs, 'chownSync', () => {
      throw new Error('EPERM: not for you');
    });
    assert.throws(forGroup, { code: 'socketGroupUnusable' });
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('is not made where nobody can be asked for the group', () => {
    const before = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      assert.throws(forGroup, { code: 'programNotRun', message: /getent cannot be started: no such file/ });
      assert.deepEqual(fs.readdirSync(folder), []);
    } finally {
      process.env['PATH'] = before;
    }
  });
});
