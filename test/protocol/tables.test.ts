/** What holds for every table, whatever is in it. */
import assert from 'node:assert/strict';
import { Errno, errnoName } from '../../src/protocol/errno';
import { Opcode, opcodeByNumber, opcodes, sizeInSession } from '../../src/protocol/fuse/opcodes';
import * as fuse from '../../src/protocol/fuse/structs';
import { char, struct, u32, u64, type StructTable } from '../../src/protocol/struct';
import { Config, Feature, featureBits, featureNames } from '../../src/protocol/virtio/fs';
import * as ring from '../../src/protocol/virtio/ring';
import * as requests from '../../src/protocol/vhostUser/requests';
import * as vhostUser from '../../src/protocol/vhostUser/structs';

const tables = [...Object.values(fuse), ...Object.values(vhostUser), ...Object.values(ring), Config].filter(
  (value): value is StructTable => typeof value === 'object' && 'fields' in value,
);

describe('struct', () => {
  it('lays fields out one after the other', () => {
    const table = struct('example', 'An example.', [u64('a', 'A.'), u32('b', 'B.'), char('c', 'C.', { length: 4 })]);
    assert.deepEqual({ ...table.offset }, { a: 0, b: 8, c: 12 });
    assert.equal(table.size, 16);
    assert.equal(table.align, 8);
  });

  it('refuses what a compiler would have to pad, and a name given twice', () => {
    assert.throws(() => struct('hole', '', [u32('a', 'A.'), u64('b', 'B.')]), /not aligned/);
    assert.throws(() => struct('tail', '', [u64('a', 'A.'), u32('b', 'B.')]), /multiple/);
    assert.throws(() => struct('twice', '', [u32('a', 'A.'), u32('a', 'B.')]), /two rows/);
  });

  it('every table: no hole, no overlap, a sentence for each field', () => {
    assert.ok(tables.length > 70);
    for (const table of tables) {
      let at = 0;
      for (const field of table.fields) {
        assert.equal(field.at, at, `${table.name}.${field.name}`);
        assert.match(field.doc, /\.$/, `${table.name}.${field.name}`);
        if (field.validIf) assert.ok(field.validIf[0] in table.offset, `${table.name}.${field.name}`);
        at += field.size;
      }
      assert.equal(at, table.size, table.name);
      assert.ok(Object.isFrozen(table) && Object.isFrozen(table.offset));
    }
  });
});

describe('opcodes', () => {
  it('one row for each number, found by it', () => {
    assert.equal(opcodes.length, Object.keys(Opcode).length);
    for (const [name, number] of Object.entries(Opcode)) assert.equal(opcodeByNumber(number)?.name, name);
    assert.equal(opcodeByNumber(7), undefined);
    assert.equal(opcodeByNumber(4096), undefined);
  });

  it('payload sizes name real fields; compat sizes are smaller than the structure', () => {
    for (const row of opcodes) {
      const { inPayload } = row;
      if (inPayload?.kind === 'data') assert.ok(inPayload.size && inPayload.size in row.in[0].offset, row.name);
      if (inPayload?.kind === 'records') assert.ok(inPayload.count in row.in[0].offset, row.name);
      for (const compat of row.compat ?? []) assert.ok(compat.size < row[compat.of][compat.index].size, row.name);
      if (!row.reply) assert.deepEqual(row.out, [], row.name);
    }
  });

  it('sizes follow the session', () => {
    const size = (opcode: number, of: 'in' | 'out', minor: number, has: boolean): number => {
      const row = opcodeByNumber(opcode);
      assert.ok(row);
      return sizeInSession(row, of, 0, minor, () => has);
    };
    assert.equal(size(Opcode.INIT, 'out', 4, true), 8);
    assert.equal(size(Opcode.INIT, 'out', 22, true), 24);
    assert.equal(size(Opcode.INIT, 'out', 38, true), 64);
    assert.equal(size(Opcode.INIT, 'in', 38, false), 16);
    assert.equal(size(Opcode.SETXATTR, 'in', 38, false), 8);
    assert.equal(size(Opcode.SETXATTR, 'in', 38, true), 16);
    assert.equal(size(Opcode.LOOKUP, 'out', 8, true), 120);
    assert.equal(size(Opcode.LOOKUP, 'out', 31, true), 128);
    assert.equal(size(Opcode.MKNOD, 'in', 11, true), 8);
    assert.equal(size(Opcode.STATFS, 'out', 3, true), 48);
    assert.equal(size(Opcode.GETATTR, 'in', 8, true), 0);
  });
});

describe('virtio and vhost-user tables', () => {
  it('known sizes', () => {
    assert.equal(Config.size, 40);
    assert.equal(vhostUser.Header.size, 12);
    assert.equal(vhostUser.Memory.size + 8 * vhostUser.MemoryRegion.size, 264);
    assert.equal(vhostUser.SingleMemRegion.size, 40);
    assert.equal(vhostUser.Mmap.size, 40);
    assert.equal(vhostUser.Inflight.size, 24);
    assert.equal(vhostUser.InflightDesc.size, 16);
    assert.equal(vhostUser.InflightRegion.size, 16);
    assert.equal(vhostUser.ShmemConfig.size, 2056);
    assert.equal(ring.descBytes(128), 2048);
    assert.equal(ring.availBytes(128), 262);
    assert.equal(ring.usedBytes(128), 1030);
  });

  it('requests 1 to 44 and back-end requests 1 to 10, each with its row', () => {
    for (const [name, id] of Object.entries(requests.Request)) assert.equal(requests.requestRow(id)?.name, name);
    for (const [name, id] of Object.entries(requests.BackendRequest)) {
      assert.equal(requests.backendRequestRow(id)?.name, name);
    }
    assert.deepEqual(
      requests.requests.map((row) => row.id),
      Array.from({ length: 44 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      requests.backendRequests.map((row) => row.id),
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
  });

  it('feature words in names', () => {
    const offered = (1n << 32n) | (1n << 30n) | (1n << 41n);
    assert.deepEqual(featureNames(featureBits, offered), [
      'VHOST_USER_F_PROTOCOL_FEATURES',
      'VIRTIO_F_VERSION_1',
      'bit 41',
    ]);
    // What QEMU 11.1 and a back-end with a DAX window agree on.
    assert.deepEqual(featureNames(requests.protocolFeatureBits, 0x408629n), [
      'MQ',
      'REPLY_ACK',
      'BACKEND_REQ',
      'CONFIG',
      'BACKEND_SEND_FD',
      'CONFIGURE_MEM_SLOTS',
      'SHMEM_MAP',
    ]);
    assert.equal(Feature.VIRTIO_RING_F_EVENT_IDX, 29);
  });
});

describe('errno', () => {
  it('names and numbers', () => {
    assert.equal(Errno.ENOENT, 2);
    assert.equal(errnoName(-2), 'ENOENT');
    assert.equal(errnoName(95), 'EOPNOTSUPP');
    assert.equal(errnoName(0), 'OK');
    assert.equal(errnoName(-4000), 'errno 4000');
  });
});
