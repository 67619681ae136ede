/** What the views turn to by themselves. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  announceShare,
  openSharesFolder,
  runningShares,
  socketOf,
  withdrawShare,
} from '../../../src/control/runningShares';
import { Captures } from '../../../src/ui/captures/captures';
import { CaptureBuilder } from '../../trace/captureBuilder';

describe('what the views turn to', () => {
  /** Processes that are there: those of this run, and init. */
  const [FIRST, SECOND, THIRD] = [process.pid, process.ppid, 1];
  const before = process.env['XDG_RUNTIME_DIR'];
  let base: string;
  let folder: string;
  let captures: Captures;
  const servers = new Map<number, { readonly server: Server; readonly sockets: Socket[] }>();
  let clock: number;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'virtiofs-captures-'));
    process.env['XDG_RUNTIME_DIR'] = base;
    folder = join(base, 'virtiofs-studio');
    openSharesFolder(folder);
    captures = new Captures(() => ({ memory: 16 << 20 }));
    clock = Date.UTC(2026, 0);
  });

  afterEach(() => {
    captures.dispose();
    for (const pid of [...servers.keys()]) end(pid);
    rmSync(base, { recursive: true });
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
  });

  async function begin(pid: number, tag: string): Promise<void> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(new CaptureBuilder().init().bytes());
    });
    servers.set(pid, { server, sockets });
    await new Promise<void>((listening) => server.listen(socketOf(pid, folder), listening));
    announceShare({ pid, tag, directory: join(base, tag), started: new Date(clock++).toISOString() }, folder);
  }

  function end(pid: number): void {
    withdrawShare(pid, folder);
    const { server, sockets } = servers.get(pid) ?? {};
    servers.delete(pid);
    for (const socket of sockets ?? []) socket.destroy();
    server?.close();
  }

  const until = async (phase: string): Promise<void> => {
    while (captures.active?.phase !== phase) await new Promise((soon) => setTimeout(soon, 5));
  };

  const turnsTo = (...own: number[]): string | undefined => {
    captures.look(new Set(own));
    return captures.active?.title;
  };

  /** The views have had the requests of "first", which is over. */
  async function watched(own: readonly number[] = [FIRST]): Promise<void> {
    await begin(FIRST, 'first');
    assert.equal(turnsTo(...own), 'first');
    await until('live');
    end(FIRST);
    await until('ended');
  }

  it('is a share that runs, while there is nothing to look at', async () => {
    assert.equal(turnsTo(), undefined);
    await begin(FIRST, 'first');
    assert.equal(turnsTo(), 'first');
    await begin(SECOND, 'second');
    assert.equal(turnsTo(SECOND), 'first', 'which lives');
  });

  it('is another share that this window starts after the one that was watched is over', async () => {
    await watched();
    await begin(SECOND, 'second');
    assert.equal(turnsTo(), 'first', 'not one that was started elsewhere');
    assert.equal(turnsTo(SECOND), 'second');
    assert.deepEqual(
      captures.all.map(({ title }) => title),
      ['first', 'second'],
    );
  });

  it('is none that this window had started before, and each only once', async () => {
    await begin(THIRD, 'third');
    await begin(FIRST, 'first');
    captures.watch(sharesNamed('first'));
    await until('live');
    assert.equal(turnsTo(THIRD, FIRST), 'first');
    end(FIRST);
    await until('ended');
    assert.equal(turnsTo(THIRD), 'first', 'what was there to be chosen all the time');
    await begin(SECOND, 'second');
    assert.equal(turnsTo(THIRD, SECOND), 'second');
    captures.activate(captures.all[0]);
    assert.equal(turnsTo(THIRD, SECOND), 'first', 'a person has gone back to it');
  });

  it('is the share that was watched, when it runs again', async () => {
    await watched();
    await begin(SECOND, 'first');
    assert.equal(turnsTo(), 'first');
    assert.equal(captures.all.length, 1);
    await until('live');
  });

  it('is not turned away from a file that a person has opened', async () => {
    const file = join(base, 'some.fuse.pcapng');
    writeFileSync(file, new CaptureBuilder().init().bytes());
    captures.openFile(file);
    await begin(SECOND, 'second');
    assert.equal(turnsTo(SECOND), 'some.fuse.pcapng');
  });

  const sharesNamed = (tag: string) => {
    const found = runningShares(folder).find((share) => share.tag === tag);
    assert.ok(found);
    return found;
  };
});
