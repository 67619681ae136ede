/** The debug adapter against a daemon as people run it: what test/debug proves with a scripted one holds there as well. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { Errno } from '../../../src/protocol/errno';
import { Attached } from './attached';

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
        : [`waits for OPEN #${pending.unique} /file, which stands in its handler`];
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
