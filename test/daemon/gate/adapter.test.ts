/**
 * The debug adapter against a daemon as people run it: what test/debug proves with a scripted one holds there as well.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import type { Pending } from '../../driver/fuseClient';
import { Attached } from './attached';
import type { Debugged } from './debugged';

type Body<Response extends Dap.Response> = Response['body'];

describe('the debug adapter and a daemon', () => {
  let it_: Attached;

  beforeEach(async () => {
    it_ = await Attached.begin();
  });
  afterEach(() => it_.end());

  it('steps through the host calls of an open, and lets it go', async () => {
    const { nodeid } = it_.share.session.calls.lookup(1n, 'file');
    await it_.breakOn('OPEN');
    const pending = it_.share.start(14, nodeid, [new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0])], { room: 16 });
    const thread = await it_.stopped();
    const names: string[] = [];
    const queue = 2;
    assert.deepEqual(await it_.frames(queue), []);
    for (let i = 0; i < 40 && !names.at(-1)?.startsWith('reply'); i++) {
      await it_.dap.good('stepIn', { threadId: thread });
      await it_.stopped();
      names.push((await it_.frames(thread))[0].name);
      const waits = names[i].startsWith('reply')
        ? []
        : [`waits for OPEN unique=${pending.unique} /file, which stands in its handler`];
      assert.deepEqual(
        (await it_.frames(queue)).map(({ name }) => name),
        waits,
      );
    }
    assert.ok(
      names.some((name) => name.startsWith('host call openat(')),
      names.join('\n'),
    );
    assert.match(names.at(-1) ?? '', /^reply -> fh=/);
    const [frame] = await it_.frames(thread);
    assert.equal(await it_.value('path', frame.id), '"/file"');
    const { result } = await it_.dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
      expression: 'calls',
      frameId: frame.id,
    });
    assert.ok(Number(result) >= 1, result);
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), 0);
  });

  it('changes the size of a read before, the data after', async () => {
    const { nodeid, fh } = it_.share.open();
    await it_.breakOn({ name: 'READ', condition: 'read.size > 8' });
    const pending = it_.share.read(nodeid, fh, 64);
    const thread = await it_.stopped();
    const [frame] = await it_.frames(thread);
    await it_.dap.good('setExpression', { expression: 'read.size', value: '8', frameId: frame.id });
    await it_.dap.good('stepOut', { threadId: thread });
    await it_.stopped();
    const [reply] = await it_.frames(thread);
    assert.equal(await it_.value('hex(reply.data)', reply.id), '61 62 63 64 61 62 63 64');
    const { variablesReference } = (await it_.dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: reply.id }))
      .scopes[1];
    const { variables } = await it_.dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference });
    const { memoryReference } = variables.find(({ name }) => name === 'data') ?? assert.fail('no data');
    await it_.dap.good('writeMemory', { memoryReference, data: Buffer.from('ABCD').toString('base64') });
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(Buffer.from(it_.share.bodyOf(pending)).toString(), 'ABCDabcd');
  });

  it('answers a chosen errno, and shows what the guest will see', async () => {
    await it_.breakOn('LOOKUP *le');
    const pending = it_.share.lookup('file');
    const thread = await it_.stopped();
    await it_.dap.good('goto', { threadId: thread, targetId: Errno.EACCES });
    await it_.stopped();
    const [frame] = await it_.frames(thread);
    assert.equal(await it_.value('reply.error', frame.id), 'EACCES');
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), -Errno.EACCES);
  });

  it('runs a handler again', async () => {
    await it_.breakOn('GETATTR');
    const pending = it_.share.getattr();
    const thread = await it_.stopped();
    await it_.dap.good('stepOut', { threadId: thread });
    await it_.stopped();
    const frame =
      (await it_.frames(thread)).find(({ canRestart }) => canRestart === true) ?? assert.fail('no frame restarts');
    await it_.dap.good('restartFrame', { frameId: frame.id });
    await it_.stopped();
    assert.match((await it_.frames(thread))[0].name, /^request GETATTR/);
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), 0);
  });

  it('reads descriptors and guest memory: what is there is what was sent', async () => {
    await it_.breakOn('LOOKUP');
    const pending = it_.share.lookup('file');
    const thread = await it_.stopped();
    const [frame] = await it_.frames(thread);
    const { memoryReference } = await it_.dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
      expression: 'descriptors[0]',
      frameId: frame.id,
    });
    const { data } = await it_.dap.good<{ data: string }>('readMemory', { memoryReference, count: 4 });
    const { data: own } = await it_.dap.good<{ data: string }>('readMemory', {
      memoryReference: `request/${thread}/0`,
      count: 4,
    });
    assert.equal(data, own);
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), 0);
  });

  it('stops at exceptions: an errno, named', async () => {
    await it_.dap.good('setExceptionBreakpoints', {
      filters: [],
      filterOptions: [{ filterId: 'errno', condition: 'ENOENT && LOOKUP' }],
    });
    await it_.dap.good('configurationDone');
    const pending = it_.share.lookup('nothing');
    const thread = await it_.stopped();
    const { exceptionId } = await it_.dap.good<Body<Dap.ExceptionInfoResponse>>('exceptionInfo', { threadId: thread });
    assert.equal(exceptionId, 'ENOENT');
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), -Errno.ENOENT);
  });

  for (const [filterId, condition, send, shown] of [
    ['anyErrno', 'path ~ "noth*"', (share) => share.lookup('nothing'), /^ENOENT LOOKUP unique=\d+ \/nothing: ENOENT\n/],
    [
      'violation',
      '',
      (share) => share.start(Opcode.GETATTR, 1n, [], { room: 104 }),
      /^EINVAL .*shorter than its arguments/s,
    ],
    ['slow', '1ns && GETATTR', (share) => share.getattr(), /^Slow requests .*it took \d+\.\d ms/s],
    ['unknownOpcode', '', (share) => share.start(99, 1n, []), /^ENOSYS opcode 99 /],
  ] satisfies [string, string, (share: Debugged) => Pending, RegExp][]) {
    it(`stops at exceptions: ${filterId}`, async () => {
      await it_.dap.good('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId, condition }] });
      await it_.dap.good('configurationDone');
      assert.equal(it_.share.errorOf(it_.share.lookup('file')), 0);
      const pending = send(it_.share);
      const thread = await it_.stopped();
      const { exceptionId, description = '' } = await it_.dap.good<Body<Dap.ExceptionInfoResponse>>('exceptionInfo', {
        threadId: thread,
      });
      assert.match(`${exceptionId} ${description}`, shown);
      assert.ok(!it_.share.done(pending));
      await it_.dap.good('continue', { threadId: thread });
      it_.share.errorOf(pending);
    });
  }

  it('holds the next request of a queue on pause, and only that', async () => {
    await it_.dap.good('configurationDone');
    await it_.dap.good('pause', { threadId: 2 });
    const [first, second] = [it_.share.getattr(), it_.share.getattr()];
    const { reason, threadId } = await it_.dap.stopped();
    assert.equal(reason, 'pause');
    assert.equal(it_.share.errorOf(second), 0);
    assert.ok(!it_.share.done(first));
    await it_.dap.good('continue', { threadId });
    assert.equal(it_.share.errorOf(first), 0);
  });

  it('sets a field in the Variables view, before the handler', async () => {
    const { nodeid, fh } = it_.share.open();
    await it_.breakOn('READ');
    const pending = it_.share.read(nodeid, fh, 64, 0);
    const thread = await it_.stopped();
    const [frame] = await it_.frames(thread);
    const { scopes } = await it_.dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: frame.id });
    const inside = async (variablesReference: number): Promise<Dap.Variable[]> =>
      (await it_.dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference })).variables;
    const [, args] = await inside(scopes[0].variablesReference);
    const set = { variablesReference: args.variablesReference, name: 'size', value: '3' };
    await it_.dap.good('setVariable', set);
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.bodyOf(pending).length, 3);
  });

  it('says what the daemon refuses of bytes that are written', async () => {
    await it_.breakOn('LOOKUP');
    const pending = it_.share.lookup('file');
    const thread = await it_.stopped();
    const write = (at: number, bytes: number[]) =>
      it_.dap.ask('writeMemory', {
        memoryReference: `request/${thread}/0`,
        offset: at,
        data: Buffer.from(bytes).toString('base64'),
      });
    for (const [at, what] of [
      [wire.InHeader.offset.unique, /"unique" is how/],
      [wire.InHeader.offset.len, /"len" would be/],
    ] as const) {
      const { success, body } = await write(at, [255, 255]);
      assert.equal(success, false);
      assert.match((body as { error: Dap.Message }).error.variables?.['text'] ?? '', what);
    }
    assert.ok((await write(wire.InHeader.size, [0x66])).success, 'what it may have');
    await it_.dap.good('continue', { threadId: thread });
    assert.equal(it_.share.errorOf(pending), 0);
  });

  it('makes the faults of launch.json, as long as it is there', async () => {
    await it_.end();
    it_ = await Attached.begin(undefined, { faults: ['errno=EDQUOT LOOKUP file', 'errno=EIO GETATTR'] });
    await it_.dap.good('configurationDone');
    assert.equal(it_.share.errorOf(it_.share.lookup('file')), -Errno.EDQUOT);
    assert.equal(it_.share.errorOf(it_.share.getattr()), -Errno.EIO);
    assert.match(await it_.console('faults'), /^errno=EDQUOT LOOKUP file {2}seen 1, done 1$/m);
    await it_.dap.good('disconnect');
    for (let tries = 0; it_.share.errorOf(it_.share.lookup('file')) !== 0; tries++) {
      assert.ok(tries < 500, 'the faults go with it');
      await sleep(10);
    }
  });

  it('makes faults from the console', async () => {
    await it_.dap.good('configurationDone');
    await it_.console('fault errno=EIO LOOKUP');
    assert.equal(it_.share.errorOf(it_.share.lookup('file')), -Errno.EIO);
    await it_.console('fault off');
    assert.equal(it_.share.errorOf(it_.share.lookup('file')), 0);
  });

  it('writes log points with fields in them', async () => {
    const { breakpoints } = await it_.dap.good<Body<Dap.SetBreakpointsResponse>>('setBreakpoints', {
      source: { sourceReference: 1 },
      breakpoints: [{ line: 3, logMessage: 'looking for {lookup.name}' }],
    });
    assert.deepEqual(
      breakpoints.map(({ verified, message }) => verified || message),
      [true],
    );
    await it_.dap.good('configurationDone');
    assert.equal(it_.share.errorOf(it_.share.lookup('file')), 0);
    let event: Dap.OutputEvent;
    do event = await it_.dap.event<Dap.OutputEvent>('output');
    while (!event.body.output.includes('looking for'));
    assert.match(event.body.output, /^looking for "?file"?\n$/);
  });

  it('lets all go when it is gone', async () => {
    await it_.breakOn('GETATTR,LOOKUP');
    const pending = [it_.share.getattr(), it_.share.lookup('file'), it_.share.getattr()];
    for (let i = 0; i < 3; i++) await it_.stopped();
    it_.dap.adapter.dispose();
    assert.deepEqual(
      pending.map((one) => it_.share.errorOf(one)),
      [0, 0, 0],
    );
  });
});
