/**
 * A guest and a front-end that lie about the DAX window: each gets an errno or is not listened to; nothing else
 * suffers.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { RemovemappingIn, RemovemappingOne, SetupmappingIn } from '../../src/protocol/fuse/structs';
import { pack } from '../driver/pack';
import { type Answer, DriverWindow } from '../driver/window';
import { Cell, ROOT, type Victim, needCell } from './cell';
import { heldDescriptors } from './oddDescriptors';
import { until } from './patience';

const PAGE = 4096;
const RANGE = 2 << 20;
const WINDOW = 8 << 20;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const EIO = -5;
const EBADF = -9;
const EINVAL = -22;

const ARGUMENTS = ['--tag', 'dax', '--dax', '8M', '--dax-policy', 'tails'];

describe('hostile use of the DAX window', function () {
  this.timeout(20_000);
  let cell: Cell;
  let victim: Victim;
  let window: DriverWindow;
  let file: bigint;

  before(function () {
    needCell(this);
  });
  beforeEach(async () => {
    cell = new Cell();
    fs.writeFileSync(`${cell.share}/file`, Buffer.alloc(3 * PAGE + 100, 'f'));
    victim = await cell.attack({
      arguments: ARGUMENTS,
      largest: 1 << 17,
      device: { regions: [32 << 20], memory: 'slots', window: true },
    });
    window = new DriverWindow(victim.device);
    file = victim.calls.lookup(ROOT, 'file').nodeid;
  });
  afterEach(async () => {
    if (!cell) return;
    window.serve();
    cell.checkHealth(victim);
    assert.equal(fs.statSync(`${cell.share}/file`).size, 3 * PAGE + 100, 'the host’s file is as long as before');
    assert.equal(window.grown, 0);
    await cell.close();
    window.close();
  });

  const setup = (values: Parameters<DriverWindow['setup']>[2], nodeid = file): number =>
    window.setup(victim.client, nodeid, values);

  it('SETUPMAPPING: out of bounds, out of line, without length, of what is no file', () => {
    const { calls } = victim;
    const folder = calls.mkdir(ROOT, 'folder').nodeid;
    const link = calls.symlink(ROOT, 'link', 'file').nodeid;
    const fifo = calls.mknod(ROOT, 'fifo', 0o010644).nodeid;
    for (const values of [
      { len: 0 },
      { len: RANGE, moffset: WINDOW },
      { len: RANGE, moffset: WINDOW - PAGE },
      { len: WINDOW + PAGE },
      { len: RANGE, moffset: 1 },
      { len: RANGE, foffset: 100 },
      { len: 100 },
      { len: RANGE, moffset: ALL_ONES - 4095n },
      { len: RANGE, foffset: ALL_ONES - 4095n },
      { len: RANGE, foffset: 2n ** 53n - 4096n },
      { len: RANGE, foffset: 2n ** 63n },
      { len: RANGE, flags: 4 },
      { len: RANGE, flags: 0xffff_fffc },
    ]) {
      assert.equal(
        setup(values),
        EINVAL,
        JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
      );
    }
    for (const nodeid of [ROOT, folder, link, fifo]) assert.equal(setup({ len: RANGE }, nodeid), EINVAL);
    assert.equal(setup({ len: RANGE, fh: 12345n }), EBADF);
    assert.equal(setup({ len: RANGE }, 999n), -116);
    assert.deepEqual(window.orders, []);
  });

  it('SETUPMAPPING far behind the end of the file shows zeros', () => {
    assert.equal(setup({ len: RANGE, foffset: 2 ** 40, moffset: RANGE }), 0);
    assert.ok(window.load(RANGE, RANGE).every((byte) => byte === 0));
  });

  it('SETUPMAPPING of every page by itself is refused before QEMU would end', () => {
    fs.writeFileSync(`${cell.share}/long`, Buffer.alloc(600 * PAGE));
    const long = victim.calls.lookup(ROOT, 'long').nodeid;
    let error = 0;
    let made = 0;
    for (; made < 600 && error === 0; made++) {
      error = setup({ len: PAGE, foffset: made * PAGE, moffset: made * PAGE }, long);
    }
    assert.equal(error, -28);
    assert.ok(made > 300 && window.mappings.length <= 400, `${window.mappings.length}`);
    assert.equal(window.remove(victim.client, long, [{ moffset: 0, len: WINDOW }]), 0);
    assert.equal(window.mappings.length, 0);
  });

  it('REMOVEMAPPING: counts that lie, slices that are none, more than there are', () => {
    const { client } = victim;
    assert.equal(setup({ len: RANGE }), 0);
    const one = { moffset: 0, len: RANGE };
    for (const [slices, count] of [
      [[one], 0],
      [[one], 2],
      [[one], 0xffff_ffff],
      [[one], 0x1000_0001],
      [[], 1],
      [Array.from({ length: 4097 }, () => one), 4097],
    ] as const) {
      assert.equal(window.remove(client, file, slices, count), EINVAL, `count ${count}`);
    }
    for (const slice of [
      { moffset: 0, len: 0 },
      { moffset: 100, len: PAGE },
      { moffset: 0, len: WINDOW + PAGE },
      { moffset: WINDOW, len: PAGE },
      { moffset: ALL_ONES - 4095n, len: 2 * PAGE },
      { moffset: 0, len: ALL_ONES },
      { moffset: 0, len: PAGE },
    ]) {
      assert.equal(window.remove(client, file, [one, slice]), EINVAL, 'nothing of it is done');
    }
    assert.equal(window.mappings.length, 2);
    assert.equal(window.remove(client, file, [one, one, one]), 0, 'the same thrice');
    assert.equal(window.remove(client, file, [one]), 0, 'nothing there');
    assert.equal(window.remove(client, file, []), 0);
    for (const bytes of [0, 3]) {
      assert.equal(client.call(Opcode.REMOVEMAPPING, file, [new Uint8Array(bytes)], { room: 0 }).error, EINVAL);
      assert.equal(client.call(Opcode.SETUPMAPPING, file, [new Uint8Array(bytes)], { room: 0 }).error, EINVAL);
    }
  });

  it('many at a time for one place, while the front-end takes its time', () => {
    const { client } = victim;
    const setups = Array.from({ length: 20 }, (_, i) =>
      client.start(
        Opcode.SETUPMAPPING,
        file,
        [pack(SetupmappingIn, { fh: ALL_ONES, len: RANGE, foffset: (i % 3) * RANGE })],
        {
          room: 0,
        },
      ),
    );
    const removal = client.start(
      Opcode.REMOVEMAPPING,
      file,
      [pack(RemovemappingIn, { count: 1 }), pack(RemovemappingOne, { moffset: 0, len: WINDOW })],
      { room: 0 },
    );
    for (const pending of [...setups, removal]) assert.ok([0, -16].includes(window.wait(client, pending).error));
    window.remove(client, file, [{ moffset: 0, len: WINDOW }]);
    assert.equal(window.mappings.length, 0);
  });

  it('a session that ends in the middle of it all', async () => {
    const { client, calls } = victim;
    for (let round = 0; round < 10; round++) {
      const pending = client.start(Opcode.SETUPMAPPING, file, [pack(SetupmappingIn, { fh: ALL_ONES, len: RANGE })], {
        room: 0,
      });
      calls.init();
      window.wait(client, pending);
      file = calls.lookup(ROOT, 'file').nodeid;
    }
    await until('all is unmapped', () => {
      window.serve();
      return window.mappings.length === 0;
    });
  });

  it('a front-end that answers anything', async () => {
    setup({ len: RANGE });
    window.remove(victim.client, file, [{ moffset: 0, len: RANGE }]);
    const held = heldDescriptors(victim.daemon.pid);
    const ways: Answer[] = ['well', 'refuse', 'lie', 'well', 'refuse', 'refuse', 'lie'];
    let turn = 0;
    window.answer = () => ways[turn++ % ways.length];
    for (let round = 0; round < 60; round++) {
      const moffset = (round % 4) * RANGE;
      assert.ok([0, EIO].includes(setup({ len: RANGE, foffset: (round % 2) * PAGE, moffset })));
      if (round % 3 === 0) window.remove(victim.client, file, [{ moffset: 0, len: WINDOW }]);
    }
    window.answer = () => 'lie';
    window.remove(victim.client, file, [{ moffset: 0, len: WINDOW }]);
    await until('every descriptor to be closed', () => {
      window.serve();
      return heldDescriptors(victim.daemon.pid) <= held;
    });
  });

  it('a front-end that speaks without being asked', () => {
    window.reply(9, 0n);
    window.reply(10, 1n);
    victim.calls.getattr(ROOT);
    // Which of the two is seen first, the words or the request, is not settled: a request may take them for its answer.
    assert.ok([-5, -19].includes(setup({ len: RANGE })));
    assert.equal(setup({ len: RANGE }), -19, 'and is not asked any more');
  });

  it('a front-end that gives one channel after the other', () => {
    const held = heldDescriptors(victim.daemon.pid);
    const others = Array.from({ length: 20 }, () => new DriverWindow(victim.device));
    assert.ok(heldDescriptors(victim.daemon.pid) <= held);
    assert.equal(others[19].setup(victim.client, file, { len: RANGE }), 0);
    assert.equal(others[19].load(0, 2).toString(), 'ff');
    others[19].remove(victim.client, file, [{ moffset: 0, len: RANGE }]);
    for (const other of others) other.close();
  });
});
