/**
 * Many requests at a time, through the debug adapter: held, listed, released in any order; and let go at once when the
 * debugger goes, however it does.
 */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Pending } from '../../driver/fuseClient';
import { lineOfOpcode } from '../../../src/debug/opcodeDocument';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import { AdapterProcess } from '../../debug/adapterProcess';
import { Attached } from './attached';

const MANY = 20;
const names = Array.from({ length: MANY }, (_, index) => (index % 2 === 0 ? 'file' : `missing${index}`));
const expected = names.map((name) => (name === 'file' ? 0 : -Errno.ENOENT));

describe('twenty requests held through the debug adapter', () => {
  let it_: Attached;
  let pending: Pending[];
  let threads: number[];

  async function holdTwenty(through?: (socket: string) => AdapterProcess): Promise<void> {
    it_ = await Attached.begin(through);
    await it_.breakOn('LOOKUP');
    pending = names.map((name) => it_.share.lookup(name));
    threads = [];
    while (threads.length < MANY) threads.push(await it_.stopped());
  }
  afterEach(() => it_.end());

  const errors = (): number[] => pending.map((one) => it_.share.errorOf(one));

  it('are threads, and listed with how long each has waited', async () => {
    await holdTwenty();
    const listed = (await it_.threads()).filter(({ id }) => threads.includes(id));
    assert.deepEqual(
      listed.map(({ name }) => name),
      pending.map(({ unique }, index) => `LOOKUP unique=${unique} /${names[index]}`),
    );
    const lines = (await it_.console('held')).split('\n');
    const rows = lines.map((line) => /^(.*) {2}at its entry, for (\d+\.\d) s$/.exec(line) ?? assert.fail(line));
    assert.deepEqual(
      rows.map(([, title]) => title),
      listed.map(({ name }) => name),
    );
    const waited = rows.map(([, , seconds]) => Number(seconds));
    assert.deepEqual(
      waited,
      [...waited].sort((a, b) => b - a),
      'the first has waited longest',
    );
    assert.ok(pending.every((one) => !it_.share.done(one)));
  });

  for (const [order, pick] of [
    ['in order', (all: number[]) => all],
    ['the last one first', (all: number[]) => [...all].reverse()],
    ['in no order', (all: number[]) => all.map((_, index) => all[(index * 7) % MANY])],
  ] as const) {
    it(`are released ${order}, each with its own reply`, async () => {
      await holdTwenty();
      for (const threadId of pick(threads)) {
        const at = threads.indexOf(threadId);
        assert.ok(!it_.share.done(pending[at]));
        await it_.dap.good('continue', { threadId });
        let event: Dap.ThreadEvent;
        do event = await it_.dap.event<Dap.ThreadEvent>('thread');
        while (event.body.reason !== 'exited');
        assert.equal(event.body.threadId, threadId);
        assert.equal(it_.share.errorOf(pending[at]), expected[at]);
      }
      assert.equal(await it_.console('held'), 'No request is held.');
    });
  }

  it('are answered, changed and stepped apart from each other', async () => {
    await holdTwenty();
    await it_.dap.good('goto', { threadId: threads[4], targetId: Errno.EACCES });
    await it_.stopped();
    const [{ id: frameId }] = await it_.frames(threads[6]);
    await it_.dap.good('setExpression', { expression: 'request.name', value: '"folder"', frameId });
    await it_.dap.good('next', { threadId: threads[8] });
    await it_.stopped();
    for (const threadId of [...threads].reverse()) await it_.dap.good('continue', { threadId });
    assert.deepEqual(
      errors(),
      expected.map((error, index) => (index === 4 ? -Errno.EACCES : error)),
    );
    const nodeids = [6, 8].map((index) => Buffer.from(it_.share.bodyOf(pending[index])).readBigUInt64LE(0));
    assert.notEqual(nodeids[0], nodeids[1], 'another one was looked up');
  });

  for (const command of ['disconnect', 'terminate']) {
    it(`are let go all at once on ${command}`, async () => {
      await holdTwenty();
      await it_.dap.good(command);
      assert.deepEqual(errors(), expected);
      assert.equal(it_.share.errorOf(it_.share.lookup('file')), 0, 'and nothing is held any more');
    });
  }

  it('are let go all at once when the adapter crashes', async () => {
    let adapter: AdapterProcess | undefined;
    await holdTwenty((socket) => (adapter = new AdapterProcess(socket)));
    adapter?.kill();
    assert.equal(await adapter?.ended(), null);
    assert.deepEqual(errors(), expected);
    assert.equal(it_.share.errorOf(it_.share.lookup('file')), 0, 'and nothing is held any more');
  });

  it('are let go all at once when the client of an adapter of its own goes without a word', async () => {
    let adapter: AdapterProcess | undefined;
    await holdTwenty((socket) => (adapter = new AdapterProcess(socket)));
    adapter?.hangUp();
    assert.equal(await adapter?.ended(), 0);
    assert.deepEqual(errors(), expected);
  });

  it('stand anywhere when the adapter crashes: at their entry, in the handler, at their reply', async () => {
    let adapter: AdapterProcess | undefined;
    await holdTwenty((socket) => (adapter = new AdapterProcess(socket)));
    await it_.dap.good('next', { threadId: threads[2] });
    await it_.stopped();
    await it_.dap.good('stepIn', { threadId: threads[5] });
    await it_.stopped();
    adapter?.kill();
    await adapter?.ended();
    assert.deepEqual(errors(), expected);
  });
});

describe('a million requests with a condition that never holds', function () {
  this.timeout(120_000);

  it('are all served, each is looked at, and none is held', async () => {
    const it_ = await Attached.begin();
    const million = 1_000_000;
    await it_.breakOn({ name: 'GETATTR', condition: 'pid == 1 && nodeid == 77' });
    // Says by itself that none went by unseen.
    const { breakpoints } = await it_.dap.good<Dap.SetBreakpointsResponse['body']>('setBreakpoints', {
      source: { sourceReference: 1 },
      breakpoints: [
        { line: lineOfOpcode(Opcode.GETATTR), hitCondition: `${million}`, logMessage: 'the last {opcode}' },
      ],
    });
    assert.deepEqual(
      breakpoints.map(({ verified, message }) => verified || message),
      [true],
    );
    const batch = 100;
    for (let served = 0; served < million; served += batch) {
      const pending = Array.from({ length: batch }, () => it_.share.getattr());
      for (const one of pending) if (it_.share.session.client.wait(one).error !== 0) assert.fail('an error');
    }
    let event: Dap.OutputEvent;
    do event = await it_.dap.event<Dap.OutputEvent>('output');
    while (!event.body.output.startsWith('the last'));
    assert.equal(event.body.output, 'the last GETATTR\n');
    assert.equal(await it_.console('held'), 'No request is held.');
    assert.ok(!it_.dap.lines.some((line) => line.startsWith('◇ stopped')));
    await it_.end();
  });
});
