/** What the daemon tells of itself to whoever asks: counters, a line a second, beside the socket for captures. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createConnection } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseCounters } from '../../src/control/counters';
import { runningShares } from '../../src/control/runningShares';
import { CounterBoard } from '../../src/daemon/counterBoard';
import { DaemonProcess, ROOT, Session } from './daemonProcess';

describe('the counters of a daemon', () => {
  it('are counted by queue in shared memory', () => {
    const writer = new CounterBoard(2);
    const reader = new CounterBoard(writer.block);
    writer.taken(1);
    writer.taken(1);
    writer.answered(1);
    writer.errors = 3;
    const { time, ...counts } = reader.read();
    assert.deepEqual(counts, {
      errors: 3,
      queues: [
        { taken: 0, answered: 0 },
        { taken: 2, answered: 1 },
      ],
    });
    assert.ok(reader.read().time >= time);
  });

  it('are told to whoever connects, and go with the daemon', async () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'counters-'));
    const shares = path.join(home, 'virtiofs-studio');
    fs.mkdirSync(path.join(home, 'share'));
    fs.writeFileSync(path.join(home, 'share', 'file'), 'hello');
    const socket = path.join(home, 'socket');
    const before = process.env['XDG_RUNTIME_DIR'];
    process.env['XDG_RUNTIME_DIR'] = home;
    const daemon = new DaemonProcess([`--socket-path=${socket}`, `--shared-dir=${home}/share`]);
    try {
      const session = await Session.begin(socket);
      const [share] = runningShares(shares);
      const said = createConnection(share.counters).setEncoding('utf8');
      let text = '';
      said.on('data', (more: string) => (text += more));
      session.calls.lookup(ROOT, 'file');
      assert.throws(() => session.calls.lookup(ROOT, 'none'), /ENOENT/);
      const latest = () => parseCounters(text.split('\n').at(-2) ?? '');
      while ((latest()?.errors ?? 0) < 1) await once(said, 'data');
      const { queues = [], errors } = latest() ?? {};
      assert.equal(errors, 1);
      // INIT and the two look-ups.
      assert.deepEqual(queues[1], { taken: 3, answered: 3 });
      session.end();
      assert.equal(await daemon.exit(), 0);
      assert.deepEqual(fs.readdirSync(shares), [], 'no socket');
    } finally {
      if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
      else process.env['XDG_RUNTIME_DIR'] = before;
      await daemon.stop();
      fs.rmSync(home, { recursive: true });
    }
  });
});
