/** A guest that is paused, as `virsh suspend` does it: its programs know nothing of it. */
import * as assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { CaptureReader } from '../../src/trace/captureReader';
import { agentFiles } from './agentGuest';
import { bootGuest, needGuests } from './bootGuest';

/** Waits for the lock; then says so, or the errno. */
const TAKE = `LC_ALL=C perl -e 'open(my $file, "+<", "file") or die; print flock($file, 2) ? "locked" : $! + 0'`;

describe('a guest that is paused', function () {
  this.timeout(120_000);

  before(async function () {
    await needGuests(this);
  });

  it('goes on waiting for a lock, and takes none meanwhile', async () => {
    const folder = fs.mkdtempSync('/dev/shm/virtiofs-paused-');
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    const holder = spawn('flock', [file, '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const reader = new CaptureReader();
    const guest = await bootGuest('qemu-7.x', {
      shares: [
        {
          directory: folder,
          tag: 'test',
          daemonOptions: ['--xattr'],
          onTrace: (stream) => stream.on('data', (chunk: Buffer) => reader.push(chunk)),
        },
      ],
      extraFiles: agentFiles(),
    });
    try {
      await once(holder.stdout, 'data');
      const taken = guest.run(`cd /mnt/test; ${TAKE}`, { timeoutMs: 60_000 });
      const asks = (): boolean => reader.columns.opcode.subarray(0, reader.count).includes(Opcode.SETLKW);
      while (!asks()) await sleep(20);
      await guest.qmp?.execute('stop');
      holder.stdin.end();
      await once(holder, 'close');
      await sleep(300);
      assert.equal(spawnSync('flock', ['-n', file, 'true']).status, 0, 'nobody has it');
      await guest.qmp?.execute('cont');
      assert.equal((await taken).output.toString(), 'locked');
    } finally {
      holder.kill();
      await guest.close();
      fs.rmSync(folder, { recursive: true });
    }
  });
});
