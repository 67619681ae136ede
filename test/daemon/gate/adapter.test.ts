/** The debug adapter against a daemon as people run it: what test/debug proves with a scripted one holds there as well. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { Errno } from '../../../src/protocol/errno';
import { DapLog } from '../../debug/dapLog';
import { Debugged } from './debugged';

type Body<Response extends Dap.Response> = Response['body'];

describe('the debug adapter and a daemon', () => {
  let share: Debugged;
  let dap: DapLog;

  beforeEach(async () => {
    share = await Debugged.begin();
    // One debugger at a time.
    share.client.close();
    await share.client.over;
    dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: share.socket }) });
    await attach();
  });
  afterEach(async () => {
    dap.adapter.dispose();
    await share.end();
  });

  /** The daemon may not have seen yet that the debugger before has gone. */
  async function attach(): Promise<void> {
    await dap.good('initialize', { adapterID: 'virtiofs' });
    const end = Date.now() + 5000;
    while (!(await dap.ask('attach', {})).success) assert.ok(Date.now() < end, 'the daemon takes a debugger');
    await dap.event('initialized');
  }

  async function breakOn(name: string, condition?: string): Promise<void> {
    const { breakpoints } = await dap.good<Body<Dap.SetFunctionBreakpointsResponse>>('setFunctionBreakpoints', {
      breakpoints: [{ name, ...(condition === undefined ? {} : { condition }) }],
    });
    assert.deepEqual(
      breakpoints.map(({ verified, message }) => verified || message),
      [true],
    );
    await dap.good('configurationDone');
  }

  const stopped = async (): Promise<number> => (await dap.event<Dap.StoppedEvent>('stopped')).body.threadId ?? 0;

  async function frames(threadId: number): Promise<Dap.StackFrame[]> {
    return (await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId })).stackFrames;
  }

  async function value(expression: string, frameId: number): Promise<string> {
    return (await dap.good<Body<Dap.EvaluateResponse>>('evaluate', { expression, frameId })).result;
  }

  it('steps through the host calls of an open, and lets it go', async () => {
    const { nodeid } = share.session.calls.lookup(1n, 'file');
    await breakOn('OPEN');
    const pending = share.start(14, nodeid, [new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0])], { room: 16 });
    const thread = await stopped();
    const names: string[] = [];
    for (let i = 0; i < 40 && !names.at(-1)?.startsWith('reply'); i++) {
      await dap.good('stepIn', { threadId: thread });
      await stopped();
      names.push((await frames(thread))[0].name);
    }
    assert.ok(
      names.some((name) => name.startsWith('host call openat(')),
      names.join('\n'),
    );
    assert.match(names.at(-1) ?? '', /^reply -> fh=/);
    const [frame] = await frames(thread);
    assert.equal(await value('path', frame.id), '"/file"');
    const { result } = await dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
      expression: 'calls',
      frameId: frame.id,
    });
    assert.ok(Number(result) >= 1, result);
    await dap.good('continue', { threadId: thread });
    assert.equal(share.errorOf(pending), 0);
  });

  it('changes the size of a read before, the data after', async () => {
    const { nodeid, fh } = share.open();
    await breakOn('READ', 'read.size > 8');
    const pending = share.read(nodeid, fh, 64);
    const thread = await stopped();
    const [frame] = await frames(thread);
    await dap.good('setExpression', { expression: 'read.size', value: '8', frameId: frame.id });
    await dap.good('stepOut', { threadId: thread });
    await stopped();
    const [reply] = await frames(thread);
    assert.equal(await value('hex(reply.data)', reply.id), '61 62 63 64 61 62 63 64');
    const { variablesReference } = (await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: reply.id }))
      .scopes[1];
    const { variables } = await dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference });
    const { memoryReference } = variables.find(({ name }) => name === 'data') ?? assert.fail('no data');
    await dap.good('writeMemory', { memoryReference, data: Buffer.from('ABCD').toString('base64') });
    await dap.good('continue', { threadId: thread });
    assert.equal(Buffer.from(share.bodyOf(pending)).toString(), 'ABCDabcd');
  });

  it('answers a chosen errno, and shows what the guest will see', async () => {
    await breakOn('LOOKUP *le');
    const pending = share.lookup('file');
    const thread = await stopped();
    await dap.good('goto', { threadId: thread, targetId: Errno.EACCES });
    await stopped();
    const [frame] = await frames(thread);
    assert.equal(await value('reply.error', frame.id), 'EACCES');
    await dap.good('continue', { threadId: thread });
    assert.equal(share.errorOf(pending), -Errno.EACCES);
  });

  it('runs a handler again', async () => {
    await breakOn('GETATTR');
    const pending = share.getattr();
    const thread = await stopped();
    await dap.good('stepOut', { threadId: thread });
    await stopped();
    const frame =
      (await frames(thread)).find(({ canRestart }) => canRestart === true) ?? assert.fail('no frame restarts');
    await dap.good('restartFrame', { frameId: frame.id });
    await stopped();
    assert.match((await frames(thread))[0].name, /^request GETATTR/);
    await dap.good('continue', { threadId: thread });
    assert.equal(share.errorOf(pending), 0);
  });

  it('reads descriptors and guest memory: what is there is what was sent', async () => {
    await breakOn('LOOKUP');
    const pending = share.lookup('file');
    const thread = await stopped();
    const [frame] = await frames(thread);
    const { memoryReference } = await dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
      expression: 'descriptors[0]',
      frameId: frame.id,
    });
    const { data } = await dap.good<{ data: string }>('readMemory', { memoryReference, count: 4 });
    const { data: own } = await dap.good<{ data: string }>('readMemory', {
      memoryReference: `request/${thread}/0`,
      count: 4,
    });
    assert.equal(data, own);
    await dap.good('continue', { threadId: thread });
    assert.equal(share.errorOf(pending), 0);
  });

  it('stops at exceptions: an errno, named', async () => {
    await dap.good('setExceptionBreakpoints', {
      filters: [],
      filterOptions: [{ filterId: 'errno', condition: 'ENOENT && LOOKUP' }],
    });
    await dap.good('configurationDone');
    const pending = share.lookup('nothing');
    const thread = await stopped();
    const { exceptionId } = await dap.good<Body<Dap.ExceptionInfoResponse>>('exceptionInfo', { threadId: thread });
    assert.equal(exceptionId, 'ENOENT');
    await dap.good('continue', { threadId: thread });
    assert.equal(share.errorOf(pending), -Errno.ENOENT);
  });

  it('makes faults from the console', async () => {
    await dap.good('configurationDone');
    await dap.good('evaluate', { expression: 'fault errno=EIO LOOKUP', context: 'repl' });
    assert.equal(share.errorOf(share.lookup('file')), -Errno.EIO);
    await dap.good('evaluate', { expression: 'fault off', context: 'repl' });
    assert.equal(share.errorOf(share.lookup('file')), 0);
  });

  it('writes log points with fields in them', async () => {
    const { breakpoints } = await dap.good<Body<Dap.SetBreakpointsResponse>>('setBreakpoints', {
      source: { sourceReference: 1 },
      breakpoints: [{ line: 3, logMessage: 'looking for {lookup.name}' }],
    });
    assert.deepEqual(
      breakpoints.map(({ verified, message }) => verified || message),
      [true],
    );
    await dap.good('configurationDone');
    assert.equal(share.errorOf(share.lookup('file')), 0);
    let event: Dap.OutputEvent;
    do event = await dap.event<Dap.OutputEvent>('output');
    while (!event.body.output.includes('looking for'));
    assert.match(event.body.output, /^looking for "?file"?\n$/);
  });

  it('lets all go when it is gone', async () => {
    await breakOn('GETATTR,LOOKUP');
    const pending = [share.getattr(), share.lookup('file'), share.getattr()];
    for (let i = 0; i < 3; i++) await stopped();
    dap.adapter.dispose();
    assert.deepEqual(
      pending.map((one) => share.errorOf(one)),
      [0, 0, 0],
    );
  });
});
