import * as assert from 'node:assert/strict';
import { encodeStruct } from '../../../src/protocol/encode';
import { FopenFlag, InitFlag, initFlags, OpenFlag } from '../../../src/protocol/fuse/flags';
import { Request } from '../../../src/protocol/vhostUser/requests';
import { VringState } from '../../../src/protocol/vhostUser/structs';
import { CaptureBuilder, type FieldValues } from '../captureBuilder';
import { entryOut, only, silent, usualFlags } from './scene';

const PAGE = 4096;

function begun(init: FieldValues = {}, flags: readonly string[] = usualFlags): CaptureBuilder {
  const built = new CaptureBuilder();
  const out = { major: 7, minor: 46, max_write: 1 << 20, max_pages: 256, flags: flagsOf(flags), ...init };
  return built.init({ flags, out }).exchange('LOOKUP', { names: ['big'], out: entryOut({ nodeid: 2 }) });
}

/** INIT's first word for these names, INIT_EXT with them. */
const flagsOf = (names: readonly string[]): number =>
  initFlags.bits.reduce((bits, { name, value }) => (names.includes(name) ? bits | value : bits), InitFlag.INIT_EXT) >>>
  0;

interface Run {
  readonly opcode?: 'READ' | 'WRITE';
  readonly size: number;
  readonly count: number;
  /** From one request to the next; the size unless said. */
  readonly step?: number;
  readonly fh?: number;
  readonly flags?: number;
  readonly changed?: boolean;
}

function run(
  built: CaptureBuilder,
  { opcode = 'READ', size, count, step = size, fh = 1, flags = 0, changed = false }: Run,
): CaptureBuilder {
  for (let i = 0; i < count; i++) {
    const request = { fh, offset: i * step, size, flags };
    if (opcode === 'READ') built.exchange('READ', { nodeid: 2, in: request, outPayload: Math.min(size, 64), changed });
    else built.exchange('WRITE', { nodeid: 2, in: request, payload: Math.min(size, 64), out: { size }, changed });
  }
  return built;
}

const queueSize = (built: CaptureBuilder, num: number, index = 1): CaptureBuilder =>
  built.vhostUser(Request.SET_VRING_NUM, { payload: encodeStruct(VringState, { index, num }) });

describe('findings: small-io', () => {
  it('a file that is read in small pieces from front to back', () => {
    const finding = only(run(begun(), { size: PAGE, count: 400 }), 'small-io');
    assert.equal(finding.total, 400);
    assert.equal(finding.rows[0], 2, 'the first of the run is its first proof');
    assert.match(finding.text, /1 run from front to back, are 100 % of all requests: "\/big"/);
    assert.match(finding.text, /of READ: to 4K: 400; of WRITE: none/);
  });

  it('names O_DIRECT, O_SYNC and FOPEN_DIRECT_IO where they are the cause', () => {
    const direct = run(begun(), { size: PAGE, count: 400, flags: OpenFlag.DIRECT });
    assert.match(only(direct, 'small-io').text, /100 % are of files opened with O_DIRECT/);
    const sync = run(begun(), { opcode: 'WRITE', size: PAGE, count: 400, flags: OpenFlag.SYNC });
    assert.match(only(sync, 'small-io').text, /100 % of files opened with O_SYNC or O_DSYNC/);
    assert.match(only(sync, 'small-io').text, /WRITEBACK_CACHE was not agreed on/);
    const uncached = begun().exchange('OPEN', { nodeid: 2, out: { fh: 1, open_flags: FopenFlag.DIRECT_IO } });
    assert.match(only(run(uncached, { size: PAGE, count: 400 }), 'small-io').text, /FOPEN_DIRECT_IO \(--cache=never\)/);
  });

  it('counts runs of several files, but none that is short', () => {
    const built = begun();
    for (let fh = 1; fh <= 10; fh++) run(built, { size: 512, count: 40, fh });
    for (let fh = 11; fh <= 20; fh++) run(built, { size: 512, count: 20, fh });
    const finding = only(built, 'small-io');
    assert.equal(finding.total, 400);
    assert.match(finding.text, /in 10 runs/);
  });

  describe('is silent', () => {
    it('when a fault changed the pieces', () => silent(run(begun(), { size: PAGE, count: 400, changed: true })));
    it('when pieces are large', () => silent(run(begun(), { size: 32 << 10, count: 400 })));
    it('when small pieces are here and there (a database)', () => {
      silent(run(begun(), { size: PAGE, count: 400, step: 5 * PAGE }));
    });
    it('when there are few', () => silent(run(begun(), { size: PAGE, count: 200 })));
    it('when they are few among many others', () => {
      const built = run(begun(), { size: PAGE, count: 300 });
      for (let i = 0; i < 1500; i++) built.exchange('GETATTR', { nodeid: 9, out: { attr_valid: 1 } });
      silent(built);
    });
    it('when reads and writes take turns', () => {
      const built = begun();
      for (let i = 0; i < 200; i++) {
        built.exchange('READ', { nodeid: 2, in: { fh: 1, offset: 2 * i * PAGE, size: PAGE } });
        built.exchange('WRITE', { nodeid: 2, in: { fh: 1, offset: (2 * i + 1) * PAGE, size: PAGE }, payload: 8 });
      }
      silent(built);
    });
  });
});

describe('findings: queue-size-caps', () => {
  const CAP = 124 * PAGE;

  it('requests of exactly the ring less four, as QEMU has it unless told', () => {
    const finding = only(run(queueSize(begun(), 128), { size: CAP, count: 20 }), 'queue-size-caps');
    assert.equal(finding.total, 20);
    assert.match(finding.text, /exactly 496K \(124 pages\).*queue has 128 descriptors \(SET_VRING_NUM\)/);
    assert.match(finding.remedy, /queue-size=1024/);
  });

  it('without the control messages: their size tells the ring', () => {
    assert.match(only(run(begun(), { size: 60 * PAGE, count: 20 }), 'queue-size-caps').text, /queue of 64 descriptors/);
  });

  it('max_write and max_pages of INIT', () => {
    const write = run(begun({ max_write: 256 << 10 }), { opcode: 'WRITE', size: 256 << 10, count: 20 });
    const finding = only(write, 'queue-size-caps');
    assert.match(finding.text, /max_write is 256K \(INIT\)/);
    assert.match(finding.remedy, /the daemon sets the limit/);
    const pages = run(begun({ max_pages: 64 }), { size: 256 << 10, count: 20 });
    assert.match(only(pages, 'queue-size-caps').text, /max_pages is 64/);
  });

  describe('is silent', () => {
    it('when a fault changed them', () => {
      silent(run(queueSize(begun(), 128), { size: CAP, count: 20, changed: true }));
    });
    it('with a large ring', () => silent(run(queueSize(begun(), 1024), { size: 1 << 20, count: 20 })));
    it('when the size only happens, with a large ring', () => {
      silent(run(queueSize(begun(), 1024), { size: CAP, count: 20 }));
    });
    it('when a program writes 48K at a time, and the ring is not known', () => {
      silent(run(begun(), { opcode: 'WRITE', size: 12 * PAGE, count: 20 }));
    });
    it('when requests stay below the cap', () => silent(run(queueSize(begun(), 128), { size: 128 << 10, count: 20 })));
    it('when requests of that size do not follow each other', () => {
      silent(run(queueSize(begun(), 128), { size: CAP, count: 20, step: 2 * CAP }));
    });
    it('when there are few', () => silent(run(queueSize(begun(), 128), { size: CAP, count: 5 })));
    it('for reads that readahead makes of 128K, though max_pages is 32', () => {
      silent(run(begun({ max_pages: 32 }), { size: 128 << 10, count: 20 }));
    });
    it('for the hiprio queue, which is small', () => {
      silent(run(queueSize(queueSize(begun(), 128, 0), 1024), { size: CAP, count: 20 }));
    });
  });
});
