import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { Trouble, trouble } from '../../src/base/catalogue';
import type { ShareFact } from '../../src/control/launcher';
import { LauncherLink, type Requested } from '../../src/cli/launcherLink';
import { ControlHost } from '../../src/ui/controlHost';

describe('the control channel between launcher and editor', () => {
  let host: ControlHost;
  beforeEach(async () => (host = await ControlHost.open()));
  afterEach(() => host.dispose());

  const nothing: Requested = {
    stop: () => {},
    restart: () => {},
    run: () => Promise.reject(trouble('guestNotThere')),
  };

  it('is in a folder that only its user may enter, and leaves nothing once it is connected', async () => {
    const folder = dirname(host.path);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    const link = await LauncherLink.open(host.path, nothing);
    const gone = once(host.events, 'gone');
    link.state({ kind: 'up', release: '7.2' });
    await once(host.events, 'state');
    assert.equal(existsSync(folder), false);
    await link.close();
    await gone;
  });

  it('leaves nothing either when nobody connects', () => {
    host.dispose();
    assert.equal(existsSync(dirname(host.path)), false);
  });

  it('removes what an editor that was killed has left', async () => {
    const dead = spawnSync('true').pid;
    const left = mkdtempSync(join(dirname(dirname(host.path)), `virtiofs-control-${dead}-`));
    const other = await ControlHost.open();
    other.dispose();
    assert.equal(existsSync(left), false);
    assert.equal(existsSync(host.path), true, 'not what is in use');
  });

  it('carries the last word of a launcher that ends', async () => {
    const link = await LauncherLink.open(host.path, nothing);
    const said: unknown[] = [];
    host.events.on('state', (state) => said.push(state.kind));
    const gone = once(host.events, 'gone');
    link.state({ kind: 'failed', code: 'guestNotUp', text: 'x'.repeat(100_000), remedy: '' });
    await link.close();
    await gone;
    assert.deepEqual(said, ['failed']);
  });

  it('takes requests, and says why one is refused', async () => {
    const asked: unknown[] = [];
    const link = await LauncherLink.open(host.path, {
      stop: () => void asked.push('stop'),
      restart: (words) => {
        if (words?.includes('bad')) throw trouble('shareWordsBad', 'no such word');
        asked.push(words);
      },
      run: (script) => Promise.resolve({ status: 3, output: script }),
    });
    link.state({ kind: 'up', release: '7.2' });
    await once(host.events, 'state');
    await host.stop();
    await host.restart();
    await host.restart(['--guest', 'uml']);
    assert.deepEqual(asked, ['stop', undefined, ['--guest', 'uml']]);
    assert.deepEqual(await host.run('ls'), { status: 3, output: 'ls' });
    await assert.rejects(host.restart(['bad']), /no such word/);
    await link.close();
  });

  describe('holds a guest back whose daemons are there', () => {
    const share: ShareFact = {
      tag: 'work',
      directory: '/srv/work',
      readOnly: false,
      mountPoint: '/mnt/work',
      mountCommand: 'mount -t virtiofs work /mnt/work',
      daemon: { pid: 7, argv: ['daemon'] },
      captureSocket: '/run/7.capture',
      countersSocket: '/run/7.counters',
    };
    let link: LauncherLink;
    let giveUp: AbortController;
    let mayStart: Promise<void>;
    let started: boolean;

    beforeEach(async () => {
      link = await LauncherLink.open(host.path, nothing);
      giveUp = new AbortController();
      started = false;
      const told = once(host.events, 'daemons');
      mayStart = link.mayStart([share], giveUp.signal).then(() => void (started = true));
      assert.deepEqual(await told, [[share]]);
      // Said later and heard: an answer would have come by now.
      link.state({ kind: 'preparing', step: 'daemons', text: '' });
      await once(host.events, 'state');
      await host.stop();
      assert.equal(started, false);
    });
    afterEach(() => link.close());

    it('until it is let start', async () => {
      host.letStart();
      await mayStart;
    });
    it('until the editor goes', async () => {
      host.dispose();
      await mayStart;
    });
    it('until it is given up', async () => {
      giveUp.abort();
      await mayStart;
    });
    it('and no other one after that', async () => {
      host.letStart();
      await mayStart;
      await link.mayStart([share], giveUp.signal);
    });
  });

  it('believes nothing that is not what it should be', async () => {
    const socket = createConnection(host.path);
    await once(socket, 'connect');
    const said: unknown[] = [];
    host.events.on('state', (state) => said.push(state));
    let id = 0;
    const send = (method: string, params: unknown): void => {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        method,
        params,
        ...(method === 'launcher/daemons' && { id: ++id }),
      });
      socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    };
    send('launcher/state', { kind: 'up' });
    send('launcher/facts', { launcher: 'me' });
    host.events.on('daemons', (shares) => said.push(shares));
    send('launcher/daemons', { shares: [{ tag: 'work' }] });
    send('launcher/nonsense', {});
    send('launcher/state', { kind: 'up', release: '7.2' });
    await once(host.events, 'state');
    assert.deepEqual(said, [{ kind: 'up', release: '7.2' }]);
    socket.destroy();
    await once(host.events, 'gone');
  });

  it('takes one launcher and no other', async () => {
    const link = await LauncherLink.open(host.path, nothing);
    link.state({ kind: 'up', release: '7.2' });
    await once(host.events, 'state');
    await assert.rejects(LauncherLink.open(host.path, nothing), Trouble);
    await link.close();
  });

  it('that nobody listens at is an error of the launcher', async () => {
    host.dispose();
    await assert.rejects(
      LauncherLink.open(host.path, nothing),
      (error) => error instanceof Trouble && error.code === 'controlUnusable',
    );
  });

  it('is not needed: without one everything that is told goes nowhere', async () => {
    const link = await LauncherLink.open(undefined, nothing);
    link.state({ kind: 'up', release: '7.2' });
    await link.close();
  });
});
