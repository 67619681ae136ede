/**
 * O_DIRECT of a guest that reaches a disk of the host, which takes whole blocks alone: the guest's programs are held to
 * that as they would be there, and lose nothing that they would not lose there.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { onPath } from '../../src/vm/onPath';
import { fails } from '../conformance/case';
import { pattern } from '../conformance/data';
import { O } from '../conformance/posix';
import { need } from '../support/need';
import { type AgentGuest, startAgentGuest } from './agentGuest';
import { needGuests } from './bootGuest';

const { O_DIRECT, O_RDWR, O_CREAT } = fs.constants;

/** Whether part of a block is refused there. */
function wantsWholeBlocks(folder: string): boolean {
  const file = path.join(folder, 'probe');
  const content = Buffer.alloc(1000);
  try {
    const fd = fs.openSync(file, O_DIRECT | O_RDWR | O_CREAT);
    try {
      fs.writeSync(fd, content);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EINVAL';
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return false; // It has no O_DIRECT at all.
  } finally {
    fs.rmSync(file, { force: true });
  }
}

for (const more of [[], ['--writeback']]) {
  describe(['a guest that has O_DIRECT of a disk', ...more].join(', '), function () {
    this.timeout(180_000);
    let folder: string;
    let guest: AgentGuest | undefined;

    before(async function () {
      need(this, 'perl', onPath('perl') !== undefined, 'the system calls are made through perl');
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-direct-'));
      need(this, 'a disk', wantsWholeBlocks(folder), `O_DIRECT in ${os.tmpdir()} takes anything, or is not there`);
      await needGuests(this);
      guest = await startAgentGuest('uml-7.x', ['--allow-direct-io', ...more], undefined, folder);
    });

    after(async () => {
      await guest?.close();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    const onHost = (name: string): Buffer => fs.readFileSync(path.join(folder, name));

    it('is refused parts of blocks', async () => {
      const { root } = guest ?? assert.fail();
      const fd = await root.open('parts', O.CREAT | O.RDWR | O_DIRECT, 0o644);
      await fails('EINVAL', root.pwrite(fd, pattern(1000), 0));
      await fails('EINVAL', root.pwrite(fd, pattern(4096), 100));
      await root.close(fd);
      assert.equal(onHost('parts').length, 0);
    });

    it('has to the last byte what is stored through a mapping', async () => {
      const { root } = guest ?? assert.fail();
      const fd = await root.open('mapped', O.CREAT | O.RDWR | O_DIRECT, 0o644);
      await root.ftruncate(fd, 5000);
      const mapping = (await root.map?.(fd, 5000)) ?? assert.fail('no mapping');
      await mapping.store(0, pattern(5000));
      await mapping.sync();
      assert.ok(onHost('mapped').equals(pattern(5000)));
      await mapping.unmap();
      await root.close(fd);
    });

    it('has what was written beside it without', async () => {
      const { root } = guest ?? assert.fail();
      const plain = await root.open('both', O.CREAT | O.RDWR, 0o644);
      const direct = await root.open('both', O.RDWR | O_DIRECT);
      assert.equal(await root.pwrite(plain, pattern(5000), 0), 5000);
      await root.close(plain);
      await root.fsync(direct);
      await root.close(direct);
      assert.ok(onHost('both').equals(pattern(5000)));
    });
  });
}
