/**
 * The tables against the kernel's own headers, by way of a C compiler: every offset, every size, every number.
 *
 * The headers are those of the system, or those in the folder that VIRTIOFS_KERNEL_HEADERS names (one that has
 * linux/fuse.h). What is newer than the headers is left out of the comparison, and only that.
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

const folder = process.env.VIRTIOFS_KERNEL_HEADERS ?? '/usr/include';
const header = join(folder, 'linux/fuse.h');

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
  for (const name of macros().keys())
    lines.push(`#ifdef ${name}`, `printf("${name} %llu\\n", (unsigned long long)(${name}));`, '#endif');
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

/** Every number of the tables that has a macro in the headers, by the macro's name. */
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

describe("the tables and the kernel's headers", function () {
  this.timeout(60_000);
  let text = '';
  let minor = 0;
  const found = new Map<string, bigint>();

  before(function () {
    const lacking = !existsSync(header) ? `no ${header}` : spawnSync('cc', ['--version']).error ? 'no C compiler' : '';
    if (lacking && process.env.CI === 'true') throw new Error(`${lacking}: install gcc and linux-libc-dev`);
    if (lacking) {
      console.log(`      skipped: ${lacking} (install gcc and linux-libc-dev)`);
      this.skip();
    }
    text = readFileSync(header, 'utf8');
    minor = Number(/FUSE_KERNEL_MINOR_VERSION (\d+)/.exec(text)?.[1]);
    const place = mkdtempSync(join(tmpdir(), 'virtiofs-headers-'));
    try {
      writeFileSync(join(place, 'offsets.c'), source(text, minor));
      const include = folder === '/usr/include' ? [] : ['-isystem', folder];
      const compiled = spawnSync('cc', ['-w', ...include, '-o', join(place, 'offsets'), join(place, 'offsets.c')]);
      assert.equal(compiled.status, 0, String(compiled.stderr));
      for (const line of spawnSync(join(place, 'offsets')).stdout.toString().trim().split('\n')) {
        const [key, value] = line.split(' ');
        found.set(key, BigInt(value));
      }
    } finally {
      rmSync(place, { recursive: true });
    }
  });

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

  it('no structure of the header is missing', () => {
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

  it('no INIT flag, FOPEN flag or other flag of the header is missing', () => {
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

/** A macro of type int that is negative as 64 bits, such as 1 << 31, counts as its 32 bits. */
function mask(value: bigint): bigint {
  return value >= 0xffff_ffff_8000_0000n ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
}

function enumOf(text: string, name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  return Object.fromEntries([...body.matchAll(/(\w+)\s*=\s*(\d+)/g)].map((m) => [m[1], Number(m[2])]));
}
