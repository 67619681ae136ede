/** What a debugger shows of a request that is held, and does with it. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type Body, useAdapter } from './adapterSession';
import { lookup, open, read } from './samples';

describe('a held request in the debug adapter', () => {
  const at = useAdapter();

  it('shows a held request: threads, stack, scopes, variables, its text', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    await at.dap.good('threads');
    await at.dap.good('stackTrace', { threadId: 1 });
    const { id, source } = await at.frame(thread);
    await at.dap.good('scopes', { frameId: id });
    const request = await at.variables(await at.scope(thread, 'Request'));
    await at.inside(request, 'fuse_read_in');
    for (const name of ['Inode', 'Handle', 'Credentials', 'Session', 'Descriptors'])
      await at.variables(await at.scope(thread, name));
    await at.inside(await at.variables(await at.scope(thread, 'Raw bytes')), 'request');
    await at.dap.good('source', { source, sourceReference: source?.sourceReference });
    await at.dap.good('loadedSources');
    at.dap.isGolden('held');
  });

  it('lists the texts of the requests that are still held, where one goes on while they are asked for', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    await at.hold(read());
    const kept = await at.hold(open());
    at.daemon.release(1, 'continued');
    const { sources } = await at.dap.good<Body<Dap.LoadedSourcesResponse>>('loadedSources');
    const { source } = await at.frame(kept);
    assert.deepEqual(
      sources.map(({ name }) => name),
      ['FUSE opcodes', source?.name],
    );
  });

  it('steps host call by host call, over, out, and continues', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    for (const command of ['stepIn', 'stepIn', 'next', 'stepIn', 'stepOut']) {
      await at.dap.good(command, { threadId: thread });
      await at.dap.stopped();
      await at.frame(thread);
    }
    const { source } = await at.frame(thread);
    await at.dap.good('source', { sourceReference: source?.sourceReference });
    await at.variables(await at.scope(thread, 'Reply'));
    await at.dap.good('continue', { threadId: thread });
    await at.dap.event('thread');
    assert.equal((await at.dap.ask('next', { threadId: thread })).success, false);
    at.dap.isGolden('stepping');
  });

  it('shows the queues as stopped while one request stands in its handler, and for which', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const other = await at.hold(read(813));
    const states = async (): Promise<unknown> =>
      Promise.all(
        [1, 2].map(async (threadId) => {
          const { stackFrames } = await at.dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId });
          return stackFrames.map(({ name }) => name);
        }),
      );
    assert.deepEqual(await states(), [[], []], 'queues are served while requests are held at their entry');
    at.dap.note('into the handler');
    await at.dap.good('stepIn', { threadId: thread });
    await at.dap.stopped();
    const waits = 'waits for READ unique=812 /a.db, which stands in its handler';
    assert.deepEqual(await states(), [[waits], [waits]]);
    assert.equal((await at.dap.ask('next', { threadId: 1 })).success, false);
    assert.deepEqual(await at.dap.good('scopes', { frameId: 2 * 8 + 1 }), { scopes: [] });
    at.dap.note('within the handler: nothing new of the queues');
    await at.dap.good('stepIn', { threadId: thread });
    await at.dap.stopped();
    at.dap.note('to the reply');
    await at.dap.good('stepOut', { threadId: thread });
    await at.dap.stopped();
    assert.deepEqual(await states(), [[], []]);
    at.dap.note('another one, and the queue is told to go on');
    await at.dap.good('stepIn', { threadId: other });
    await at.dap.stopped();
    await at.dap.good('continue', { threadId: 2 });
    await at.dap.event('thread');
    assert.deepEqual(await states(), [[], []]);
    at.dap.isGolden('queues');
  });

  it('shows the queues as stopped while the whole share is, and lets all go with them', async () => {
    await at.dap.begin('attach', { stopWorld: true });
    await at.dap.good('configurationDone');
    await at.hold(read());
    await at.hold(open());
    await at.dap.good('continue', { threadId: 2 });
    assert.equal(at.daemon.holding, 0);
    at.dap.isGolden('stopWorld');
  });

  it('goes on with a request that waits for another thread, and stops again when that is done', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const held = { ...lastHeld(), phase: 'waiting' as const };
    at.daemon.tell('stepped', held);
    await at.dap.event('continued');
    assert.equal((await at.dap.ask('scopes', { frameId: thread * 8 + 1 })).success, true);
    at.daemon.tell('stepped', { ...held, phase: 'reply' });
    assert.equal((await at.dap.stopped()).threadId, thread);
  });

  const lastHeld = () => at.daemon.heldNow().at(-1) ?? assert.fail('nothing is held');

  it('changes the request before, the reply after, and its bytes', async () => {
    await at.dap.begin('attach', {}, { supportsInvalidatedEvent: true, supportsMemoryEvent: true });
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const { id } = await at.frame(thread);
    const request = await at.variables(await at.scope(thread, 'Request'));
    const args = request.find(({ name }) => name === 'fuse_read_in')?.variablesReference;
    await at.dap.good('setVariable', { variablesReference: args, name: 'size', value: '4' });
    await at.dap.good('setExpression', { expression: 'read.offset', value: '8K', frameId: id });
    for (const [expression, value] of [
      ['read.size', 'many'],
      ['read.size', '5G'],
      ['inode.path', '"/b"'],
      ['reply.error', 'EIO'],
      ['nothing', '1'],
    ]) {
      assert.equal((await at.dap.ask('setExpression', { expression, value, frameId: id })).success, false);
    }
    at.dap.note('by bytes');
    await at.dap.good('readMemory', { memoryReference: `request/${thread}/28`, offset: 8, count: 16 });
    await at.dap.good('writeMemory', {
      memoryReference: `request/${thread}/28`,
      offset: 8,
      data: Buffer.from([0, 32]).toString('base64'),
    });
    await at.dap.good('evaluate', { expression: 'read.offset', frameId: id });
    at.dap.note('the reply');
    await at.dap.good('stepOut', { threadId: thread });
    await at.dap.stopped();
    await at.dap.good('setExpression', { expression: 'reply.data', value: '"SQLITE 3"', frameId: id });
    await at.dap.good('evaluate', { expression: 'hex(reply.data)', frameId: id });
    await at.dap.good('setExpression', { expression: 'reply.error', value: 'EIO', frameId: id });
    await at.dap.stopped();
    await at.dap.good('evaluate', { expression: 'reply.error', frameId: id });
    at.dap.isGolden('changing');
  });

  it('has the same numbers for what is in a request while that is held, also when it is changed', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const scope = await at.scope(thread, 'Request');
    const struct = (await at.variables(scope)).find(({ name }) => name === 'fuse_read_in')?.variablesReference ?? 0;
    await at.dap.good('setVariable', { variablesReference: struct, name: 'size', value: '4' });
    await at.dap.good('setVariable', { variablesReference: struct, name: 'offset', value: '8K' });
    const values = async (): Promise<string[]> =>
      (await at.variables(struct)).filter(({ name }) => /^(size|offset)$/.test(name)).map(({ value }) => value);
    assert.deepEqual(await values(), ['8192', '4']);
    assert.ok((await at.variables(scope)).length > 1);
    await at.dap.good('continue', { threadId: thread });
    assert.equal((await at.dap.ask('variables', { variablesReference: struct })).success, false);
  });

  it('sets names, which may become longer', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(lookup());
    await at.dap.good('setExpression', { expression: 'request.name', value: '"another.db"' });
    const { result } = await at.dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
      expression: 'hex(request)',
      frameId: thread * 8 + 2,
    });
    assert.ok(result.startsWith('33 00 00 00'), result);
    assert.ok(
      result.endsWith(
        Buffer.from('another.db\0')
          .toString('hex')
          .replaceAll(/(..)(?!$)/g, '$1 '),
      ),
      result,
    );
  });

  it('reads guest memory for the hex editor, up to where it ends, and does not write it', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const descriptors = await at.variables(await at.scope(thread, 'Descriptors'));
    const { memoryReference } = descriptors[1];
    await at.dap.good('readMemory', { memoryReference, count: 8 });
    await at.dap.good('readMemory', { memoryReference: '0x1ffe', count: 8 });
    await at.dap.good('readMemory', { memoryReference, count: 0 });
    assert.equal((await at.dap.ask('readMemory', { memoryReference: 'elsewhere', count: 8 })).success, false);
    assert.equal((await at.dap.ask('writeMemory', { memoryReference, data: 'AA==' })).success, false);
    at.dap.isGolden('memory');
  });

  it('reads no more than 1 MiB at a time, and from the beginning of a message at the earliest', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold({ ...read(), request: Buffer.concat([read().request, Buffer.alloc(2 << 20)]) });
    const readAt = (offset: number, count: number): Promise<Body<Dap.ReadMemoryResponse>> =>
      at.dap.good('readMemory', { memoryReference: `request/${thread}/28`, offset, count });
    const most = await readAt(0, (1 << 20) + 5);
    assert.equal(Buffer.from(most?.data ?? '', 'base64').length, 1 << 20);
    assert.equal(most?.unreadableBytes, 5);
    assert.equal((await readAt(-41, 4))?.address, '0x0');
    assert.equal((await readAt(0, -1))?.data, '');
  });

  it('shows the frames that are asked for, and how many there are; lines and columns from where the client counts', async () => {
    await at.dap.good('initialize', { adapterID: 'virtiofs', linesStartAt1: false, columnsStartAt1: false });
    await at.dap.good('attach', {});
    await at.dap.event('initialized');
    await at.dap.good('configurationDone');
    const threadId = await at.hold(read());
    const frames = (args: object): Promise<Body<Dap.StackTraceResponse>> =>
      at.dap.good('stackTrace', { threadId, ...args });
    const { stackFrames, totalFrames } = await frames({});
    assert.deepEqual(
      stackFrames.map(({ line, column }) => [line, column]),
      [
        [8, 0],
        [4, 0],
      ],
    );
    const second = await frames({ startFrame: 1, levels: 1 });
    assert.deepEqual([second.stackFrames, second.totalFrames], [stackFrames.slice(1), totalFrames]);
  });

  it('gives the text of a source by the number in it, or beside it; none by a path that it has not given', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const { source } = await at.frame(await at.hold(read()));
    const text = async (args: object): Promise<string> =>
      (await at.dap.good<Body<Dap.SourceResponse>>('source', args)).content;
    const { sourceReference = 0 } = source ?? {};
    assert.match(await text({ source, sourceReference: 0 }), /READ/);
    assert.equal(await text({ sourceReference }), await text({ source, sourceReference: 0 }));
    const elsewhere = { source: { path: '/elsewhere', sourceReference: 1 }, sourceReference: 1 };
    assert.equal((await at.dap.ask('source', elsewhere)).success, false);
  });

  it('writes nothing before the beginning of a message', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const memoryReference = `request/${thread}/28`;
    const write = (offset: number): Promise<Dap.Response> =>
      at.dap.ask('writeMemory', { memoryReference, offset, data: 'AA==' });
    assert.equal((await write(-41)).success, false);
    assert.equal((await write(-1)).success, true);
  });

  it('answers a chosen errno without running the handler, and runs a handler again', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(open());
    const { source, line } = await at.frame(thread);
    const { targets } = await at.dap
      .ask('gotoTargets', { source, line })
      .then(({ body }) => body as Body<Dap.GotoTargetsResponse>);
    const eacces = targets.find(({ label }) => label.includes('EACCES')) ?? assert.fail('no EACCES');
    await at.dap.good('goto', { threadId: thread, targetId: eacces.id });
    await at.dap.stopped();
    const { id, name } = await at.frame(thread);
    assert.match(name, /EACCES/);
    assert.equal((await at.dap.ask('goto', { threadId: thread, targetId: 0 })).success, false);
    await at.dap.good('restartFrame', { frameId: id });
    assert.equal((await at.dap.stopped()).reason, 'restart');
    assert.equal((await at.dap.ask('restartFrame', { frameId: id })).success, false);
    at.dap.isGolden('goto');
  });
});
