import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { CounterReader } from '../../src/ui/counterReader';

describe('the reader of a share’s counters', () => {
  let folder: string;
  let server: Server;
  let reader: CounterReader | undefined;
  let readings: number;
  let heard: (() => void) | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-counters-'));
    readings = 0;
  });
  afterEach(() => {
    reader?.dispose();
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** The daemon's end of the connection. */
  async function connected(): Promise<Socket> {
    const path = join(folder, 'socket');
    server = createServer().listen(path);
    await once(server, 'listening');
    const connection = once(server, 'connection');
    reader = new CounterReader(path, () => {
      readings++;
      heard?.();
    });
    const [socket] = (await connection) as [Socket];
    return socket;
  }
  const line = (time: number, taken: number): string =>
    `${JSON.stringify({ time, errors: 0, queues: [{ taken, answered: taken }] })}\n`;
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      heard = () => readings >= count && resolve();
      heard();
    });

  it('goes by the daemon’s clock: lines that come late, and together, tell the same rates', async () => {
    const daemon = await connected();
    daemon.write(line(1000, 10) + line(2000, 110) + line(4000, 410));
    await until(3);
    assert.equal(reader?.activity?.perSecond, 150);
    assert.equal(reader?.activity?.total, 410);
    daemon.destroy();
  });

  it('says nothing of a moment that is too short for a rate', async () => {
    const daemon = await connected();
    daemon.write(line(1000, 0) + line(1004, 40) + line(2000, 100));
    await until(2);
    assert.equal(readings, 2);
    assert.equal(reader?.activity?.perSecond, 100);
    daemon.destroy();
  });

  it('leaves who says no counters, and has no rate then', async () => {
    const daemon = await connected();
    const left = once(daemon, 'close');
    daemon.resume();
    daemon.write(`${line(1000, 0)}nonsense\n`);
    await left;
    assert.equal(readings, 1);
    // Its own end is told of it a little later.
    while (reader?.activity !== undefined) await immediate();
  });
});
