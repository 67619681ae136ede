/**
 * The tables against the kernel's own headers, by way of a C compiler: every offset, every size, every number.
 *
 * The headers are those of the system, or those in the folder that VIRTIOFS_KERNEL_HEADERS names (one that has
 * linux/fuse.h); and those of a newer kernel, fetched as guests are. What is newer than some headers is left out of the
 * comparison with these, and only that; what neither has is listed below.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnos } from '../../src/protocol/errno';
import type { EnumTable, FlagTable } from '../../src/protocol/flagTable';
import * as flags from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import * as structs from '../../src/protocol/fuse/structs';
import type { StructTable } from '../../src/protocol/struct';
import { Config } from '../../src/protocol/virtio/fs';
import * as ring from '../../src/protocol/virtio/ring';
import { featureBits } from '../../src/protocol/virtio/fs';
import { Iotlb, VringAddr, VringState } from '../../src/protocol/vhostUser/structs';
import { cached, cacheFolder } from '../../src/vm/cacheFolder';
import { aptIsHere, fetchPackages } from '../../src/vm/privateApt';
import { need } from '../support/need';

/** By what they are called here: the folders with the headers, the first of which has linux/fuse.h. */
const headers: Readonly<Record<string, (context: Mocha.Context) => Promise<readonly string[]>>> = {
  system: (context) => {
    const folder = process.env.VIRTIOFS_KERNEL_HEADERS ?? '/usr/include';
    need(context, 'headers', existsSync(join(folder, 'linux/fuse.h')), `none in ${folder} (install linux-libc-dev)`);
    return Promise.resolve([folder]);
  },
  newer: async (context) => {
    const name = 'headers-trixie-backports';
    const root = cacheFolder();
    const isThere = root !== undefined && (existsSync(join(root, name)) || aptIsHere());
    need(context, 'newer headers', isThere, 'no apt to fetch them with');
    const suites = ['trixie-backports', 'trixie'];
    const folder = await cached(name, async (scratch, lock) => {
      await fetchPackages({ suites, packages: ['linux-libc-dev'] }, scratch, () => {}, undefined, lock);
    });
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    return ['usr/include', `usr/include/${machine}-linux-gnu`].map((each) => join(folder, each));
  },
};

/** Numbers that no header for user space has, and who has them. */
const nowhere: readonly string[] = [
  'O_ASYNC', // libc, for FASYNC.
  'O___FMODE_EXEC', // The kernel's own fs.h.
  'VIRTIO_FS_F_NOTIFICATION', // The virtio specification.
  'VHOST_USER_F_PROTOCOL_FEATURES', // The vhost-user specification.
];

const isStruct = (value: unknown): value is StructTable =>
  typeof value === 'object' && value !== null && 'fields' in value;
const isFlags = (value: unknown): value is FlagTable => typeof value === 'object' && value !== null && 'bits' in value;
const isEnum = (value: unknown): value is EnumTable =>
  typeof value === 'object' && value !== null && 'byValue' in value;

const fuseStructs = Object.values(structs).filter(isStruct);
const otherStructs: StructTable[] = [
  Config,
  ring.Desc,
  ring.Avail,
  ring.Used,
  ring.UsedElem,
  VringState,
  VringAddr,
  Iotlb,
];

/** INIT flags of the high word as the header has them, in one word of 64 bits. */
const highWord = flags.initFlags2;
/** Not in any header for user space: the kernel's FMODE_EXEC, getdents' types, access' mask and its zero. */
const elsewhere: readonly (FlagTable | EnumTable)[] = [flags.direntTypes, flags.accessFlags];

function source(text: string, minor: number): string {
  const lines: string[] = [];
  const say = (key: string, expression: string): unknown =>
    lines.push(`printf("${key} %llu\\n", (unsigned long long)(${expression}));`);
  for (const table of [...fuseStructs, ...otherStructs]) {
    if (table.name.startsWith('fuse_') && !text.includes(`struct ${table.name} {`)) continue;
    say(`${table.name}`, `sizeof(struct ${table.name})`);
    for (const field of table.fields) {
      if ((field.since ?? 0) > minor) continue;
      if (field.show === 'padding' && (minor < flags.KERNEL_MINOR_VERSION || !table.name.startsWith('fuse_'))) continue;
      say(`${table.name}.${field.name}`, `offsetof(struct ${table.name}, ${field.name})`);
      say(`${table.name}.${field.name}#`, `sizeof(((struct ${table.name} *)0)->${field.name})`);
    }
  }
  for (const name of macros().keys()) {
    const isEnumerator = new RegExp(`^\\s*${name}\\s*=`, 'm').test(text);
    if (!isEnumerator) lines.push(`#ifdef ${name}`);
    say(name, name);
    if (!isEnumerator) lines.push('#endif');
  }
  return `#include <linux/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/xattr.h>
#include <linux/fsverity.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_fs.h>
#include <linux/vhost_types.h>
#include <linux/fuse.h>
#include <stddef.h>
extern int printf(const char *, ...);
int main(void) {
${lines.join('\n')}
return 0;
}
`;
}

/** Every number of the tables that has a macro or an enumerator in the headers, by the name of that. */
function macros(): Map<string, bigint> {
  const all = new Map<string, bigint>();
  for (const table of Object.values(flags)) {
    if (!isFlags(table) && !isEnum(table)) continue;
    if (elsewhere.includes(table)) continue;
    const rows = isFlags(table) ? table.bits : table.rows;
    for (const row of rows) {
      const value = BigInt(row.value) << (table === highWord ? 32n : 0n);
      all.set(table.prefix + row.name, value);
    }
  }
  for (const row of errnos.rows) all.set(row.name, BigInt(row.value));
  for (const feature of featureBits) all.set(feature.name, BigInt(feature.bit));
  for (const table of [ring.descFlags, ring.availFlags, ring.usedFlags]) {
    for (const bit of table.bits) all.set(table.prefix + bit.name, BigInt(bit.value));
  }
  all.set('S_IFMT', BigInt(flags.S_IFMT));
  all.set('FUSE_ROOT_ID', BigInt(flags.ROOT_ID));
  return all;
}

/** By header: what the compiler says of each name. */
const answers = new Map<string, ReadonlyMap<string, bigint>>();

function ask(folders: readonly string[], text: string, minor: number): Map<string, bigint> {
  const place = mkdtempSync(join(tmpdir(), 'virtiofs-headers-'));
  try {
    writeFileSync(join(place, 'offsets.c'), source(text, minor));
    const include = folders.filter((each) => each !== '/usr/include').flatMap((each) => ['-isystem', each]);
    const compiled = spawnSync('cc', ['-w', ...include, '-o', join(place, 'offsets'), join(place, 'offsets.c')]);
    assert.equal(compiled.status, 0, String(compiled.stderr));
    const lines = spawnSync(join(place, 'offsets')).stdout.toString().trim().split('\n');
    return new Map(lines.map((line) => [line.split(' ')[0], BigInt(line.split(' ')[1])]));
  } finally {
    rmSync(place, { recursive: true });
  }
}

for (const [name, foldersOf] of Object.entries(headers)) {
  describe(`the tables and the kernel's headers: ${name}`, function () {
    this.timeout(120_000);
    let text = '';
    let minor = 0;
    let found: ReadonlyMap<string, bigint> = new Map();

    before(async function () {
      need(this, 'a C compiler', !spawnSync('cc', ['--version']).error, 'no cc (install gcc)');
      const folders = await foldersOf(this);
      text = readFileSync(join(folders[0], 'linux/fuse.h'), 'utf8');
      minor = Number(/FUSE_KERNEL_MINOR_VERSION (\d+)/.exec(text)?.[1]);
      found = ask(folders, text, minor);
      answers.set(name, found);
    });

    /** Then it has more than the tables. */
    function skipIfNewer(context: Mocha.Context): void {
      if (minor <= flags.KERNEL_MINOR_VERSION) return;
      console.log(`      skipped: FUSE 7.${minor} of the headers is newer than the tables`);
      context.skip();
    }

    it('every field lies where the compiler puts it', () => {
      let compared = 0;
      for (const table of [...fuseStructs, ...otherStructs]) {
        const size = found.get(table.name);
        if (size === undefined) {
          assert.ok(minor < flags.KERNEL_MINOR_VERSION, `${table.name} is in no header of 7.${minor}`);
          continue;
        }
        assert.equal(BigInt(table.size), size, `sizeof(${table.name})`);
        for (const field of table.fields) {
          const at = found.get(`${table.name}.${field.name}`);
          if (at === undefined) continue;
          assert.equal(BigInt(field.at), at, `offsetof(${table.name}, ${field.name})`);
          assert.equal(
            BigInt(field.size),
            found.get(`${table.name}.${field.name}#`),
            `size of ${table.name}.${field.name}`,
          );
          compared++;
        }
      }
      assert.ok(compared > 200, `only ${compared} fields compared`);
    });

    it('no structure of the header is missing', function () {
      skipIfNewer(this);
      const left = /^(cuse_|fuse_uring_|fuse_backing_map$)/;
      const names = [...text.matchAll(/^struct (\w+) \{/gm)].map((m) => m[1]).filter((name) => !left.test(name));
      const known = new Set(fuseStructs.map((table) => table.name));
      assert.deepEqual(
        names.filter((name) => !known.has(name)),
        [],
      );
    });

    it('every flag and number has the value of its macro', () => {
      let compared = 0;
      for (const [name, value] of macros()) {
        const real = found.get(name);
        if (real === undefined) continue;
        assert.equal(value, real & mask(real), name);
        compared++;
      }
      assert.ok(compared > 300, `only ${compared} numbers compared`);
    });

    it('the opcodes are those of enum fuse_opcode, with no gap', () => {
      const real = enumOf(text, 'fuse_opcode');
      for (const [name, value] of Object.entries(real)) {
        if (/^CUSE_|BSWAP/.test(name)) continue;
        assert.equal((Opcode as Record<string, number>)[name.replace('FUSE_', '')], value, name);
      }
      for (const [name, value] of Object.entries(Opcode)) {
        if (minor < flags.KERNEL_MINOR_VERSION && !(`FUSE_${name}` in real)) continue;
        assert.equal(real[`FUSE_${name}`], value, name);
      }
    });

    it('the notifications are those of enum fuse_notify_code', () => {
      for (const [name, value] of Object.entries(enumOf(text, 'fuse_notify_code'))) {
        assert.equal((flags.NotifyCode as Record<string, number>)[name.replace('FUSE_NOTIFY_', '')], value, name);
      }
    });

    it('no INIT flag, FOPEN flag or other flag of the header is missing', function () {
      skipIfNewer(this);
      const known = macros();
      const aliases =
        /^(FUSE_WRITE_KILL_PRIV|FUSE_DIRECT_IO_RELAX|CUSE_|FUSE_URING_|FUSE_UNIQUE_RESEND|FUSE_IOCTL_MAX_IOV)/;
      const names = [...text.matchAll(/^#define\s+(\w+)\s+\(1(?:ULL|ull)? << \d+\)/gm)].map((m) => m[1]);
      assert.deepEqual(
        names.filter((name) => !known.has(name) && !aliases.test(name)),
        [],
      );
    });
  });
}

describe("the tables and the kernel's headers: together", () => {
  it('have every number but those that are listed here', function () {
    need(this, 'both headers', answers.size === Object.keys(headers).length, 'see above');
    const inNone = (name: string): boolean => [...answers.values()].every((found) => !found.has(name));
    assert.deepEqual(
      [...macros().keys()].filter((name) => inNone(name) && !nowhere.includes(name)),
      [],
    );
  });
});

/** A macro of type int that is negative as 64 bits, such as 1 << 31, counts as its 32 bits. */
function mask(value: bigint): bigint {
  return value >= 0xffff_ffff_8000_0000n ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
}

function enumOf(text: string, name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  return Object.fromEntries([...body.matchAll(/(\w+)\s*=\s*(\d+)/g)].map((m) => [m[1], Number(m[2])]));
}
