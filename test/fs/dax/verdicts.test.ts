/**
 * Which files the host lets go through the window. What a kernel of the tests may not have, as fs-verity, is said by a
 * host that is otherwise, at the very call that tells of it.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { DAX_AREAS_SIZE, daxAreas } from '../../../src/fs/dax/areas';
import { PAGES_ONLY } from '../../../src/fs/dax/policy';
import { ROOT } from '../../../src/fs/fileSystem';
import type { HostCalls } from '../../../src/fs/hostCalls';
import * as linux from '../../../src/fs/linux';
import { openPassthrough, type PassthroughFileSystem } from '../../../src/fs/passthrough';
import { PASSTHROUGH_AREAS_SIZE, passthroughAreas } from '../../../src/fs/passthroughSetup';
import { LinuxCalls } from '../../../src/native/linuxCalls';
import { pinnedArena } from '../../../src/native/memory';
import { Errno } from '../../../src/protocol/errno';
import { CLIENT_AREA, Client } from '../client';
import { LaterCalls, TimerAlarm } from '../shared';
import { otherwise } from '../wrappedCalls';

describe('whether the host lets a file go through the DAX window', () => {
  const daxAt = CLIENT_AREA + PASSTHROUGH_AREAS_SIZE;
  const arena = pinnedArena(daxAt + DAX_AREAS_SIZE);
  let folder: string;
  let file: PassthroughFileSystem;
  let client: Client;
  let reasons: string[];
  /** STATX_ATTR_* that the host tells of each file. */
  let attributes: number;
  let access: number;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'verdicts-'));
    fs.writeFileSync(path.join(folder, 'a'), Buffer.alloc(4096, 1));
    reasons = [];
    attributes = 0;
    access = 0;
    const real: HostCalls = new LinuxCalls();
    const telling = otherwise(real, 'statx', (directory, name, flags, mask, into) => {
      const result = real.statx(directory, name, flags, mask, into);
      const at = into - arena.base + linux.Statx.attributes;
      arena.setU64(at, arena.getU64(at) + attributes);
      return result;
    });
    const idle = { size: 1 << 21, ready: false, map: () => undefined, unmap: () => undefined };
    const opened = openPassthrough(
      {
        calls: otherwise(telling, 'faccessat2', () => access),
        blocking: new LaterCalls(real),
        alarm: new TimerAlarm(),
        arena,
        areas: passthroughAreas(CLIENT_AREA),
        dax: {
          frontEnd: idle,
          changes: { watch: () => -1, end: () => undefined },
          policy: PAGES_ONLY,
          areas: daxAreas(daxAt),
          alarm: new TimerAlarm(),
          noted: ({ path: name, text }) => reasons.push(`${name}: ${text}`),
          now: () => 0,
        },
      },
      folder,
      {
        readOnly: false,
        xattr: false,
        writeback: false,
        allowDirectIo: false,
        canImpersonate: false,
        descriptors: 64,
        inodes: 64,
      },
    );
    if (typeof opened === 'number') assert.fail(`errno ${-opened}`);
    file = opened;
    client = new Client(file, arena, 0);
  });

  afterEach(() => {
    file.close();
    fs.rmSync(folder, { recursive: true });
  });

  /** Looks the file up, which fills the attributes that are told. */
  function told(): boolean {
    return file.window?.told(client.lookup(ROOT, 'a'), true) ?? assert.fail('there is no window');
  }

  it('one that nothing is said of', () => {
    assert.equal(told(), true);
    assert.deepEqual(reasons, []);
  });

  it('not one with fs-verity, which nobody can open for writing', () => {
    attributes = linux.STATX_ATTR_VERITY;
    assert.deepEqual([told(), told()], [false, false]);
    assert.deepEqual(reasons, ['a: the host lets nobody write to it (fs-verity)']);
  });

  it('not one that is append-only, until that is taken back', () => {
    attributes = linux.STATX_ATTR_APPEND;
    assert.equal(told(), false);
    assert.deepEqual(reasons, ['a: the host lets it only be appended to (chattr +a)']);
    attributes = 0;
    assert.equal(told(), true);
  });

  it('not one that the daemon may not write to, which is asked once for as long as the guest knows the file', () => {
    access = -Errno.EACCES;
    assert.equal(told(), false);
    assert.deepEqual(reasons, ['a: the daemon may not open it for reading and writing (EACCES)']);
    access = 0;
    assert.equal(told(), false);
    file.forget(client.lookup(ROOT, 'a'), Infinity);
    assert.equal(told(), true);
  });

  it('all, where an old kernel cannot say whether the daemon may write', () => {
    access = -Errno.ENOSYS;
    assert.equal(told(), true);
  });
});
