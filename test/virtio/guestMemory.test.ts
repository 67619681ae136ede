/** Translation of guest addresses: what lies in which region, where it ends, and what is never translated. */
import assert from 'node:assert/strict';
import { Arena } from '../../src/base/arena';
import { GuestMemory, WINDOW_SIZE, type Region } from '../../src/virtio/guestMemory';
import { PlainHost } from './ringBench';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Enough for a region of more than one window; only pages that are touched cost anything. */
const plain = new Uint8Array(WINDOW_SIZE + 8 * MIB);

function memory(...regions: Region[]): GuestMemory {
  const result = new GuestMemory(new PlainHost(plain, new Arena(new ArrayBuffer(8), 0)));
  result.setRegions(regions);
  return result;
}

/** As QEMU has it: below the hole for devices, and above 4 GiB. */
const low: Region = { guestBase: 0, size: 3 * MIB, userBase: 0x7f80_0000_0000, hostBase: MIB };
const high: Region = { guestBase: 4 * GIB, size: MIB, userBase: 0x7f80_0030_0000, hostBase: 5 * MIB };

describe('guest memory', () => {
  it('translates the first and the last byte of each region', () => {
    const guest = memory(low, high);
    for (const region of [low, high]) {
      assert.equal(guest.translate(region.guestBase), region.hostBase);
      assert.equal(guest.run, region.size);
      assert.equal(guest.translate(region.guestBase + region.size - 1), region.hostBase + region.size - 1);
      assert.equal(guest.run, 1);
    }
  });

  it('refuses what is in no region, also directly after a hit', () => {
    const guest = memory(low, high);
    for (const address of [3 * MIB, 4 * GIB - 1, 4 * GIB + MIB, 2 ** 52, 2 ** 53, 2 ** 64, Infinity, NaN, -1]) {
      assert.equal(guest.translate(low.guestBase), low.hostBase);
      assert.equal(guest.translate(address), -1, `${address}`);
      assert.equal(guest.run, 0);
    }
  });

  it('stays as it was where there can be no view of a new region', () => {
    const host = new PlainHost(plain, new Arena(new ArrayBuffer(8), 0));
    const guest = new GuestMemory(host);
    guest.setRegions([low]);
    const noRoom = new RangeError('no room');
    host.view = () => {
      throw noRoom;
    };
    assert.throws(() => guest.setRegions([low, high]), noRoom);
    assert.equal(guest.translate(low.guestBase), low.hostBase);
    assert.equal(guest.translate(high.guestBase), -1);
    assert.equal(guest.translateUser(high.userBase, 1), -1);
  });

  it('finds nothing in an empty table, and nothing of an old one', () => {
    const guest = memory();
    assert.equal(guest.translate(0), -1);
    guest.setRegions([low]);
    assert.equal(guest.translate(4096), low.hostBase + 4096);
    guest.setRegions([]);
    assert.equal(guest.translate(4096), -1);
    assert.equal(guest.translateUser(low.userBase, 1), -1);
  });

  it('uses the new place of a region after a change of the table', () => {
    const guest = memory(low);
    assert.equal(guest.translate(4096), low.hostBase + 4096);
    guest.setRegions([{ ...low, hostBase: 6 * MIB }]);
    assert.equal(guest.translate(4096), 6 * MIB + 4096);
  });

  it('a run ends with its region even when the next one follows directly', () => {
    const guest = memory(low, { ...high, guestBase: 3 * MIB });
    assert.equal(guest.translate(3 * MIB - 10), low.hostBase + 3 * MIB - 10);
    assert.equal(guest.run, 10);
    assert.equal(guest.translate(3 * MIB), high.hostBase);
  });

  it('translates addresses of the front-end when the whole length is in one region', () => {
    const guest = memory(low, high);
    assert.equal(guest.translateUser(low.userBase, 3 * MIB), low.hostBase);
    assert.equal(guest.translateUser(low.userBase + 3 * MIB - 16, 16), low.hostBase + 3 * MIB - 16);
    assert.equal(guest.translateUser(low.userBase + 3 * MIB - 16, 17), -1, 'one byte too long');
    assert.equal(guest.translateUser(high.userBase, 16), high.hostBase);
    for (const user of [0, low.userBase - 1, 2 ** 53, 2 ** 63]) assert.equal(guest.translateUser(user, 1), -1);
  });

  it('translates where a touch can fault for data alone, from the first to the last byte and no further', () => {
    const shaky: Region = { ...high, mayFault: true };
    const guest = memory(low, shaky);
    for (const [at, run] of [
      [0, MIB],
      [MIB - 1, 1],
    ]) {
      assert.equal(guest.translate(shaky.guestBase + at), -1, 'nothing of ours reads it');
      assert.equal(guest.translateData(shaky.guestBase + at), shaky.hostBase + at);
      assert.equal(guest.run, run);
    }
    for (const address of [shaky.guestBase - 1, shaky.guestBase + MIB, 3 * MIB, 2 ** 53, Infinity, NaN, -1]) {
      assert.equal(guest.translateData(address), -1, `${address}`);
    }
    assert.equal(guest.translateData(low.guestBase + 1), low.hostBase + 1);
    assert.equal(guest.translateUser(shaky.userBase, 1), -1, 'rings do not lie there');
  });

  it('cuts a large region into windows, each with its views', () => {
    const guest = memory({ ...low, size: WINDOW_SIZE + MIB });
    assert.equal(guest.translate(WINDOW_SIZE - 8), low.hostBase + WINDOW_SIZE - 8);
    assert.equal(guest.run, 8, 'no run goes over the end of a window');
    assert.equal(guest.translate(WINDOW_SIZE + 4096), low.hostBase + WINDOW_SIZE + 4096);
    assert.deepEqual([guest.run, guest.offset(WINDOW_SIZE + 4096)], [MIB - 4096, 4096]);
    plain.set([0x78, 0x56, 0x34, 0x12], low.hostBase + WINDOW_SIZE + 4096);
    assert.equal(guest.bytes[guest.offset(WINDOW_SIZE + 4096)], 0x78);
    assert.equal(guest.words[guest.offset(WINDOW_SIZE + 4096) >>> 2], 0x12345678);
    assert.equal(guest.translateUser(low.userBase + WINDOW_SIZE - 8, 16), low.hostBase + WINDOW_SIZE - 8);
  });

  it('keeps no view of a table that has been replaced', () => {
    const guest = memory(low);
    guest.translate(0);
    guest.setRegions([]);
    assert.deepEqual([guest.words.length, guest.bytes.length], [0, 0]);
  });
});
