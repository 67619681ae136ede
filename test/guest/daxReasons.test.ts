/**
 * Why files are not in the DAX window of a real guest, as `virtiofs-studio dax` tells it of the capture.
 *
 * Not here: fs-verity (test/fs/dax/verdicts.test.ts) and what a front-end refuses (test/daemon/window), for which host
 * or front-end have to be otherwise.
 */
import * as assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { WindowWhat } from '../../src/trace/packet';
import { fetchToolbox } from '../../src/vm/toolbox';
import { need } from '../support/need';
import { needGuests, output } from './bootGuest';
import { bootDax, freshFolder, MIB, PRELUDE } from './daxGuest';
import { CLI } from './shareProcess';

const KIB = 1024;
const TIB = 1024 ** 4;
const POLICY = 'pages,>=16K,<=4T,*.db';

/** By file: its size, and why it is not in the window under POLICY. */
const refused: Readonly<Record<string, readonly [size: number, reason: string]>> = {
  'empty.db': [0, 'it is empty'],
  'odd.db': [16 * KIB + 1, 'its size is not a multiple of 4096 (--dax-policy tails serves it)'],
  'small.db': [12 * KIB, 'it is smaller than 16K (--dax-policy)'],
  'large.db': [4 * TIB + 4096, 'it is larger than 4T (--dax-policy)'],
  'other.txt': [16 * KIB, 'no pattern of --dax-policy names it'],
  'holes.db': [4 * TIB, 'it has holes, and the disk has no room to fill them'],
};
/** The same for what an administrator can set: by chattr(1), which not every file system has. */
const attributes: Readonly<Record<string, readonly [attribute: string, reason: string]>> = {
  'append.db': ['a', 'the host lets it only be appended to (chattr +a)'],
  'fixed.db': ['i', 'the daemon may not open it for reading and writing (EPERM)'],
};

for (const [release, box] of Object.entries({ '7.x': undefined, '6.12': 'trixie' } as const)) {
  describe(`why files are not in the DAX window of Linux ${release}`, function () {
    this.timeout(120_000);
    let folder: string;
    let place: string;
    const reasons = new Map<string, string>();
    let mapped: string[];
    /** Why an attribute cannot be set, by file. */
    const faults = new Map<string, string>();

    before(async function () {
      assert.ok(fs.existsSync(CLI), 'dist/cli.js is not built');
      await needGuests(this);
      const kernel = box && (await fetchToolbox(box, () => {})).kernel;
      folder = freshFolder();
      place = freshFolder();
      const make = (name: string, size: number, filled = 16 * KIB): void => {
        fs.writeFileSync(path.join(folder, name), Buffer.alloc(Math.min(size, filled), 'x'));
        fs.truncateSync(path.join(folder, name), size);
      };
      make('taken.db', 16 * KIB);
      for (const [name, [size]] of Object.entries(refused)) make(name, size);
      for (const [name, [attribute]] of Object.entries(attributes)) {
        make(name, 16 * KIB);
        const { status, stderr, error } = spawnSync('chattr', [`+${attribute}`, path.join(folder, name)]);
        if (status !== 0) faults.set(name, error?.message ?? String(stderr).trim());
      }

      const capture = path.join(place, 'capture');
      const daemonOptions = ['--xattr', `--capture=${capture}`];
      const dax = { bytes: 8 * MIB, policy: POLICY };
      const guest = await bootDax(folder, { dax, daemonOptions }, { ...(kernel && { kernel }) });
      try {
        // Each is opened, and read to its first page.
        await output(
          guest,
          `${PRELUDE}for f in *; do head -c 4096 $f >/dev/null; done; mapped cat taken.db >/dev/null`,
        );
      } finally {
        await guest.close();
      }
      const text = execFileSync(process.execPath, [CLI, 'dax', '--json', capture], { encoding: 'utf8' });
      const { notes, files } = JSON.parse(text) as {
        notes: { path: string; what: number; text: string }[];
        files: { path: string; maps: number }[];
      };
      for (const note of notes) {
        assert.equal(note.what, WindowWhat.REFUSED, note.text);
        assert.ok(!reasons.has(note.path), `${note.path} is told of twice`);
        reasons.set(note.path, note.text);
      }
      mapped = files.filter(({ maps }) => maps > 0).map((each) => each.path);
    });

    after(() => {
      if (folder === undefined) return;
      for (const [name, [attribute]] of Object.entries(attributes)) {
        spawnSync('chattr', [`-${attribute}`, path.join(folder, name)]);
      }
      for (const each of [folder, place]) fs.rmSync(each, { recursive: true, force: true });
    });

    for (const [name, [size, reason]] of Object.entries(refused)) {
      it(`${name} of ${size} bytes: ${reason}`, () => assert.equal(reasons.get(name), reason));
    }

    for (const [name, [attribute, reason]] of Object.entries(attributes)) {
      it(`${name} with chattr +${attribute}: ${reason}`, function () {
        need(this, `chattr +${attribute}`, !faults.has(name), faults.get(name) ?? '');
        assert.equal(reasons.get(name), reason);
      });
    }

    it('and of the one that is in it, and of no other, nothing is told', () => {
      assert.deepEqual(mapped, ['/taken.db']);
      const told = [...Object.keys(refused), ...Object.keys(attributes)].filter((name) => !faults.has(name));
      assert.deepEqual([...reasons.keys()].sort(), told.sort());
    });
  });
}
