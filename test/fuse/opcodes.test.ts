import assert from 'node:assert/strict';
import { refusedOpcodes } from '../../src/fuse/refused';
import { argumentBytes, NOT_SERVED, replyBytes } from '../../src/fuse/shapes';
import { opcodes, Opcode } from '../../src/protocol/fuse/opcodes';
import { Workbench, request } from './workbench';

const ENOSYS = 38;

/** A request of the right length for its opcode, all zero behind the header. */
function blank(opcode: number): Uint8Array {
  const names = opcode === Opcode.BATCH_FORGET ? 0 : 8;
  return request({ opcode }, new Uint8Array(argumentBytes[opcode] === NOT_SERVED ? 64 : argumentBytes[opcode] + names));
}

/** Served where there is a DAX window, which this file system has not. */
const ofTheWindow: readonly string[] = ['SETUPMAPPING', 'REMOVEMAPPING'];

describe('FUSE opcodes', () => {
  it('are all either served or refused with a reason', () => {
    for (const row of opcodes) {
      const bench = Workbench.started();
      const { error } = bench.send(blank(row.number), 4096);
      assert.equal(
        error === -ENOSYS,
        (row.name in refusedOpcodes || ofTheWindow.includes(row.name)) && row.reply,
        row.name,
      );
    }
    for (const why of Object.values(refusedOpcodes)) assert.ok(why.length > 10);
  });

  it('answer ENOSYS when there is no such opcode, and say why in the refusal', () => {
    for (const opcode of [0, 7, 19, 54, 63, 64, 4096, 0xffff_ffff]) {
      const bench = Workbench.started();
      assert.equal(bench.send(request({ opcode })).error, -ENOSYS);
      assert.deepEqual(bench.server.lastRefusal, { opcode, error: ENOSYS, reason: 'There is no such opcode.' });
    }
    const bench = Workbench.started();
    bench.send(request({ opcode: Opcode.POLL }, new Uint8Array(24)));
    assert.match(bench.server.lastRefusal.reason, /always ready/);
  });

  it('know how long their structures are', () => {
    assert.equal(argumentBytes[Opcode.READ], 40);
    assert.equal(argumentBytes[Opcode.WRITE], 40);
    assert.equal(argumentBytes[Opcode.SETXATTR], 8);
    assert.equal(argumentBytes[Opcode.INIT], 16);
    assert.equal(argumentBytes[Opcode.BMAP], NOT_SERVED);
    assert.equal(replyBytes[Opcode.CREATE], 144);
    assert.equal(replyBytes[Opcode.GETATTR], 104);
  });

  it('are done nothing for when their reply would not fit', () => {
    for (const row of opcodes) {
      if (argumentBytes[row.number] === NOT_SERVED || replyBytes[row.number] === 0) continue;
      const bench = Workbench.started();
      const reply = bench.send(blank(row.number), 16 + replyBytes[row.number] - 1);
      assert.equal(reply.error, -22, row.name);
      assert.equal(bench.send(blank(row.number), 8).used, 0, row.name);
      assert.deepEqual(bench.fs.log, [], row.name);
    }
  });
});
