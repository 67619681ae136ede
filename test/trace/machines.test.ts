/** A capture from arm64, where four open(2) flags have other numbers: whoever names flags names the right ones. */
import assert from 'node:assert/strict';
import { tableOn } from '../../src/protocol/flagTable';
import { asOpenFlags, OpenFlag, openFlags } from '../../src/protocol/fuse/flags';
import { machineOf, type Machine } from '../../src/protocol/machine';
import { printFlags } from '../../src/protocol/print';
import type { Capture } from '../../src/trace/capture';
import { filteredCapture } from '../../src/trace/export/pcapng';
import { fieldColumns } from '../../src/trace/fieldColumns';
import { compileFilter, select } from '../../src/trace/filter/filter';
import { findings } from '../../src/trace/findings/findings';
import { hostCallLine } from '../../src/trace/hostCallLine';
import { Inodes } from '../../src/trace/inodes/inodes';
import { jsonRow } from '../../src/trace/jsonRow';
import { whatOf } from '../../src/trace/line';
import { CaptureBuilder } from './captureBuilder';
import { read } from './readWhole';

/** O_RDWR with O_DIRECT of arm64, which is O_DIRECTORY of x86-64, and with O_DIRECT of x86-64. */
const DIRECT_OF_ARM = 0o200002;
const DIRECT_OF_X86 = 0o040002;

/** Row 1: O_DIRECT of arm64 is asked for; row 2: that of x86-64. On the host each is opened with the other one. */
function builder(machine?: Machine): CaptureBuilder {
  const made = new CaptureBuilder(machine === undefined ? {} : { machine }).init();
  const openat = (flags: number) => ({ call: 'openat', arguments: [4, 0, flags, 0], texts: ['a'], result: 9 });
  made.exchange('OPEN', {
    nodeid: 2,
    in: { flags: DIRECT_OF_ARM },
    out: { fh: 1 },
    hostCalls: [openat(DIRECT_OF_X86)],
  });
  made.exchange('OPEN', {
    nodeid: 3,
    in: { flags: DIRECT_OF_X86 },
    out: { fh: 2 },
    hostCalls: [openat(DIRECT_OF_ARM)],
  });
  return made;
}

function rowsOf(capture: Capture & { readonly count: number }, text: string): number[] {
  const filter = compileFilter(text);
  assert.ok(filter.ok, text);
  return [...select(capture, filter.value)];
}

describe('open flags of arm64', () => {
  it('are those of its kernel, and no name is another one there', () => {
    const other = openFlags.arm64;
    assert.ok(other);
    const { DIRECTORY, NOFOLLOW, DIRECT, LARGEFILE, TMPFILE, CREAT, SYNC } = other.value;
    assert.deepEqual(
      [DIRECTORY, NOFOLLOW, DIRECT, LARGEFILE, TMPFILE, CREAT, SYNC],
      [0o40000, 0o100000, 0o200000, 0o400000, 0o20040000, OpenFlag.CREAT, OpenFlag.SYNC],
    );
    for (const { name, value } of other.bits) {
      assert.equal(asOpenFlags(value, 'arm64'), OpenFlag[name as keyof typeof OpenFlag], name);
      assert.equal(asOpenFlags(value, 'x86-64'), value);
    }
    assert.equal(tableOn(openFlags, 'x86-64'), openFlags);
    assert.equal(printFlags(tableOn(openFlags, 'arm64'), 0o20040002), 'O_RDWR|O_TMPFILE');
    assert.deepEqual(['arm64', 'arm', 'x64', 'riscv64'].map(machineOf), ['arm64', 'arm64', 'x86-64', 'x86-64']);
  });

  it('are named as such in lines, host calls and columns', () => {
    const capture = builder('arm64').capture();
    assert.equal(whatOf(capture, 1), 'OPEN nodeid=2 flags=O_RDWR|O_DIRECT -> fh=1');
    assert.equal(whatOf(capture, 2), 'OPEN nodeid=3 flags=O_RDWR|O_DIRECTORY -> fh=2');
    assert.equal(hostCallLine(capture.hostCalls(1)[0]), 'openat(4, "a", O_RDWR|O_DIRECTORY, 0000) = 9');
    const columns = fieldColumns('open.flags,flags');
    assert.ok('names' in columns);
    assert.equal(columns.text(capture, 1), 'O_RDWR|O_DIRECT\tO_RDWR|O_DIRECT');
  });

  it('are those of x86-64 in a capture that says nothing', () => {
    const capture = builder().capture();
    assert.equal(whatOf(capture, 1), 'OPEN nodeid=2 flags=O_RDWR|O_DIRECTORY -> fh=1');
    assert.deepEqual(
      [rowsOf(capture, 'open.flags has O_DIRECT'), rowsOf(capture, 'flags has O_DIRECTORY')],
      [[2], [1]],
    );
    assert.equal(hostCallLine(capture.hostCalls(1)[0]), 'openat(4, "a", O_RDWR|O_DIRECT, 0000) = 9');
  });

  it('stay numbers in JSON, as they were sent', () => {
    const row = JSON.parse(jsonRow(builder('arm64').capture(), 1)) as { request: { fuse_open_in: { flags: number } } };
    assert.equal(row.request.fuse_open_in.flags, DIRECT_OF_ARM);
  });

  it('are what constants of filters stand for, and numbers are what was sent', () => {
    const capture = builder('arm64').capture();
    const cases: readonly [string, number[]][] = [
      ['open.flags has O_DIRECT', [1]],
      ['flags has O_DIRECTORY', [2]],
      ['open.flags == O_RDWR|O_DIRECT', [1]],
      ['open.flags & O_DIRECT|O_NOFOLLOW', [1]],
      ['!(open.flags has O_DIRECT) && open', [2]],
      [`open.flags == ${DIRECT_OF_ARM}`, [1]],
      ['open.flags & 0x4000', [2]],
    ];
    for (const [text, rows] of cases) assert.deepEqual(rowsOf(capture, text), rows, text);
  });

  it('are what findings and inodes look at', () => {
    const capture = builder('arm64').capture();
    const [finding] = findings(capture, { codes: ['direct-io-refused'] });
    assert.deepEqual([...finding.rows], [1]);
    const inodes = new Inodes(capture);
    inodes.advance(capture.count, () => false);
    assert.equal(inodes.opened(1, 2)[0].flags, OpenFlag.RDWR | OpenFlag.DIRECT);
  });

  it('are still those of arm64 in an export', () => {
    const capture = builder('arm64').capture();
    const exported = read(Buffer.concat([...filteredCapture(capture, Uint32Array.of(1), 'test')]));
    assert.equal(whatOf(exported, 1), 'OPEN nodeid=2 flags=O_RDWR|O_DIRECT -> fh=1');
  });
});
