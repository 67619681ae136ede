import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { lineOfOpcode, opcodeAtLine, opcodeDocument } from '../../src/debug/opcodeDocument';
import { Opcode, opcodes } from '../../src/protocol/fuse/opcodes';
import { DapLog } from './dapLog';
import { lookup, open, read } from './samples';
import { ScriptedDaemon } from './scriptedDaemon';

type Body<Response extends Dap.Response> = Response['body'];

const line = (number: number): number => lineOfOpcode(number) ?? assert.fail(`no line for ${number}`);

describe('the debug adapter', () => {
  it('answers a request that nobody knows with an error', async () => {
    const dap = new DapLog();
    const response = await dap.ask('disassemble', { memoryReference: '0', instructionCount: 1 });
    assert.equal(response.success, false);
    for (const name of ['', 'constructor', '__proto__', 'toString']) {
      assert.equal((await dap.ask(name)).success, false);
    }
    dap.isGolden('unknownRequest');
  });

  it('is held against golden logs, and one that is missing fails', function () {
    if (process.env['UPDATE_GOLDEN'] === '1') this.skip();
    const dap = new DapLog();
    assert.throws(() => dap.isGolden('of nothing'), /there is no .*of nothing\.log/);
    assert.throws(() => dap.isGolden('unknownRequest'), assert.AssertionError);
  });

  it('answers what comes before launch, and a configuration that is not right, with what is wrong', async () => {
    const dap = new DapLog({}, [], true);
    await dap.good('initialize', { adapterID: 'virtiofs' });
    for (const [command, args] of [
      ['stackTrace', { threadId: 1 }],
      ['setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }] }],
      ['launch', {}],
      ['launch', { directory: 7 }],
      ['launch', { directory: '/srv', guest: 'vmware' }],
      ['launch', { capture: '/nowhere/a.fuse.pcapng' }],
      ['attach', { share: 'nothing' }],
      ['attach', { pid: -1 }],
      ['attach', { faults: 'all' }],
    ] as const) {
      assert.equal((await dap.ask(command, args)).success, false);
    }
    dap.isGolden('configuration');
  });
});

describe('the debug adapter on a share that runs', () => {
  let daemon: ScriptedDaemon;
  let dap: DapLog;

  beforeEach(async () => {
    daemon = await new ScriptedDaemon().listen();
    dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: daemon.path }) });
  });
  afterEach(() => {
    dap.adapter.dispose();
    daemon.close();
  });

  /** Holds a request and resolves to its thread. */
  async function hold(...args: Parameters<ScriptedDaemon['hold']>): Promise<number> {
    daemon.hold(...args);
    return (await dap.stopped()).threadId ?? 0;
  }

  /** The innermost frame. */
  async function frame(threadId: number): Promise<Dap.StackFrame> {
    return (await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId })).stackFrames[0];
  }

  async function scope(threadId: number, name: string): Promise<number> {
    const { id } = await frame(threadId);
    const { scopes } = await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: id });
    return scopes.find((one) => one.name === name)?.variablesReference ?? assert.fail(`no scope ${name}`);
  }

  async function variables(variablesReference: number): Promise<Dap.Variable[]> {
    return (await dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference })).variables;
  }

  async function inside(list: readonly Dap.Variable[], name: string): Promise<Dap.Variable[]> {
    return variables(list.find((one) => one.name === name)?.variablesReference ?? 0);
  }

  it('sets function breakpoints by opcode, glob and path, and says what is wrong with others', async () => {
    await dap.begin('attach', { share: 'work' });
    await dap.good('setFunctionBreakpoints', {
      breakpoints: [
        { name: 'FUSE_READ' },
        { name: '*XATTR' },
        { name: 'WRITE /etc/*', condition: 'write.size > 4K', hitCondition: '>= 3' },
        { name: 'OPEN,CREATE', condition: 'error == EACCES' },
        { name: 'RAED' },
        { name: '' },
        { name: 'FORGET' },
        { name: 'READ', condition: 'read.sise > 4K' },
        { name: 'READ', condition: 'path ~' },
        { name: 'READ', hitCondition: 'often' },
      ],
    });
    dap.note('what the daemon was given');
    await dap.good('evaluate', { expression: 'held', context: 'repl' });
    dap.isGolden('functionBreakpoints');
    assert.deepEqual(
      daemon.breakpoints.map(({ opcodes, path, phase }) => [opcodes, path, phase]),
      [
        ['FUSE_READ', undefined, 'entry'],
        ['*XATTR', undefined, 'entry'],
        ['WRITE', '/etc/*', 'entry'],
        ['OPEN,CREATE', undefined, 'reply'],
      ],
    );
  });

  it('sets line breakpoints in the opcodes document, with conditions, hit conditions and log messages', async () => {
    await dap.begin('attach', { share: 'work' });
    const { sources } = await dap.good<Body<Dap.LoadedSourcesResponse>>('loadedSources');
    await dap.good('setBreakpoints', {
      source: sources[0],
      breakpoints: [
        { line: line(Opcode.OPEN), condition: 'open.flags has O_CREAT' },
        { line: line(Opcode.READ), hitCondition: '% 10', logMessage: 'read of {read.size} at {path}' },
        { line: line(Opcode.WRITE), logMessage: 'written: {write.reply.size}' },
        { line: 1 },
        { line: 9999 },
        { line: line(Opcode.FORGET) },
        { line: line(Opcode.OPEN), condition: 'open.flags has O_KREAT' },
      ],
    });
    await dap.good('setBreakpoints', { source: { path: '/a.c' }, breakpoints: [{ line: 1 }] });
    dap.isGolden('lineBreakpoints');
    assert.deepEqual(
      daemon.breakpoints.map(({ opcodes, phase }) => `${opcodes} ${phase}`),
      ['OPEN entry', 'READ entry', 'WRITE reply'],
    );
  });

  it('gives the opcodes document, one line an opcode', async () => {
    await dap.begin('attach', {});
    const { content } = await dap.good<Body<Dap.SourceResponse>>('source', { sourceReference: 1 });
    assert.equal(content, opcodeDocument());
    const lines = content.split('\n');
    for (const row of opcodes) {
      assert.match(lines[line(row.number) - 1], new RegExp(`^ *${row.number} +${row.name} `));
      assert.equal(opcodeAtLine(line(row.number)), row);
    }
  });

  it('tells what log points say', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    daemon.tell('logpoint', { id: 1, text: 'read of 8 at "/a.db"', opcode: Opcode.READ, queue: 1, unique: '812' });
    const { body } = await dap.event<Dap.OutputEvent>('output');
    assert.deepEqual(body, { category: 'stdout', output: 'read of 8 at "/a.db"\n' });
  });

  it('sets exception filters with conditions, and explains an exception', async () => {
    await dap.begin('attach', {});
    await dap.good('setExceptionBreakpoints', {
      filters: ['violation'],
      filterOptions: [
        { filterId: 'anyErrno', condition: 'error != ENOENT' },
        { filterId: 'errno', condition: 'ENOSPC, EDQUOT && WRITE' },
        { filterId: 'errno' },
        { filterId: 'errno', condition: 'ENOSPACE' },
        { filterId: 'slow' },
        { filterId: 'slow', condition: '20ms && READ' },
        { filterId: 'slow', condition: 'soon' },
        { filterId: 'unknownOpcode', condition: 'nonsense' },
        { filterId: 'weather' },
      ],
    });
    await dap.good('configurationDone');
    const thread = await hold(lookup(), { kind: 'exception', ids: [2], text: 'any errno' }, 'reply');
    await dap.good('exceptionInfo', { threadId: thread });
    const other = await hold(read(), { ids: [] });
    assert.equal((await dap.ask('exceptionInfo', { threadId: other })).success, false);
    dap.isGolden('exceptions');
  });

  it('shows a held request: threads, stack, scopes, variables, its text', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    await dap.good('threads');
    await dap.good('stackTrace', { threadId: 1 });
    const { id, source } = await frame(thread);
    await dap.good('scopes', { frameId: id });
    const request = await variables(await scope(thread, 'Request'));
    await inside(request, 'fuse_read_in');
    for (const name of ['Inode', 'Handle', 'Credentials', 'Session', 'Descriptors'])
      await variables(await scope(thread, name));
    await inside(await variables(await scope(thread, 'Raw bytes')), 'request');
    await dap.good('source', { source, sourceReference: source?.sourceReference });
    await dap.good('loadedSources');
    dap.isGolden('held');
  });

  it('lists the texts of the requests that are still held, where one goes on while they are asked for', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    await hold(read());
    const kept = await hold(open());
    daemon.release(1, 'continued');
    const { sources } = await dap.good<Body<Dap.LoadedSourcesResponse>>('loadedSources');
    const { source } = await frame(kept);
    assert.deepEqual(
      sources.map(({ name }) => name),
      ['FUSE opcodes', source?.name],
    );
  });

  it('steps host call by host call, over, out, and continues', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    for (const command of ['stepIn', 'stepIn', 'next', 'stepIn', 'stepOut']) {
      await dap.good(command, { threadId: thread });
      await dap.stopped();
      await frame(thread);
    }
    const { source } = await frame(thread);
    await dap.good('source', { sourceReference: source?.sourceReference });
    await variables(await scope(thread, 'Reply'));
    await dap.good('continue', { threadId: thread });
    await dap.event('thread');
    assert.equal((await dap.ask('next', { threadId: thread })).success, false);
    dap.isGolden('stepping');
  });

  it('shows the queues as stopped while one request stands in its handler, and for which', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    const other = await hold(read(813));
    const states = async (): Promise<unknown> =>
      Promise.all(
        [1, 2].map(async (threadId) => {
          const { stackFrames } = await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId });
          return stackFrames.map(({ name }) => name);
        }),
      );
    assert.deepEqual(await states(), [[], []], 'queues are served while requests are held at their entry');
    dap.note('into the handler');
    await dap.good('stepIn', { threadId: thread });
    await dap.stopped();
    const waits = 'waits for READ #812 /a.db, which stands in its handler';
    assert.deepEqual(await states(), [[waits], [waits]]);
    assert.equal((await dap.ask('next', { threadId: 1 })).success, false);
    assert.deepEqual(await dap.good('scopes', { frameId: 2 * 8 + 1 }), { scopes: [] });
    dap.note('within the handler: nothing new of the queues');
    await dap.good('stepIn', { threadId: thread });
    await dap.stopped();
    dap.note('to the reply');
    await dap.good('stepOut', { threadId: thread });
    await dap.stopped();
    assert.deepEqual(await states(), [[], []]);
    dap.note('another one, and the queue is told to go on');
    await dap.good('stepIn', { threadId: other });
    await dap.stopped();
    await dap.good('continue', { threadId: 2 });
    await dap.event('thread');
    assert.deepEqual(await states(), [[], []]);
    dap.isGolden('queues');
  });

  it('shows the queues as stopped while the whole share is, and lets all go with them', async () => {
    await dap.begin('attach', { stopWorld: true });
    await dap.good('configurationDone');
    await hold(read());
    await hold(open());
    await dap.good('continue', { threadId: 2 });
    assert.equal(daemon.holding, 0);
    dap.isGolden('stopWorld');
  });

  it('goes on with a request that waits for another thread, and stops again when that is done', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    const held = { ...lastHeld(), phase: 'waiting' as const };
    daemon.tell('stepped', held);
    await dap.event('continued');
    assert.equal((await dap.ask('scopes', { frameId: thread * 8 + 1 })).success, true);
    daemon.tell('stepped', { ...held, phase: 'reply' });
    assert.equal((await dap.stopped()).threadId, thread);
  });

  const lastHeld = () => daemon.heldNow().at(-1) ?? assert.fail('nothing is held');

  it('changes the request before, the reply after, and its bytes', async () => {
    await dap.begin('attach', {}, { supportsInvalidatedEvent: true, supportsMemoryEvent: true });
    await dap.good('configurationDone');
    const thread = await hold(read());
    const { id } = await frame(thread);
    const request = await variables(await scope(thread, 'Request'));
    const args = request.find(({ name }) => name === 'fuse_read_in')?.variablesReference;
    await dap.good('setVariable', { variablesReference: args, name: 'size', value: '4' });
    await dap.good('setExpression', { expression: 'read.offset', value: '8K', frameId: id });
    for (const [expression, value] of [
      ['read.size', 'many'],
      ['read.size', '5G'],
      ['inode.path', '"/b"'],
      ['reply.error', 'EIO'],
      ['nothing', '1'],
    ]) {
      assert.equal((await dap.ask('setExpression', { expression, value, frameId: id })).success, false);
    }
    dap.note('by bytes');
    await dap.good('readMemory', { memoryReference: `request/${thread}/28`, offset: 8, count: 16 });
    await dap.good('writeMemory', {
      memoryReference: `request/${thread}/28`,
      offset: 8,
      data: Buffer.from([0, 32]).toString('base64'),
    });
    await dap.good('evaluate', { expression: 'read.offset', frameId: id });
    dap.note('the reply');
    await dap.good('stepOut', { threadId: thread });
    await dap.stopped();
    await dap.good('setExpression', { expression: 'reply.data', value: '"SQLITE 3"', frameId: id });
    await dap.good('evaluate', { expression: 'hex(reply.data)', frameId: id });
    await dap.good('setExpression', { expression: 'reply.error', value: 'EIO', frameId: id });
    await dap.stopped();
    await dap.good('evaluate', { expression: 'reply.error', frameId: id });
    dap.isGolden('changing');
  });

  it('sets names, which may become longer', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(lookup());
    await dap.good('setExpression', { expression: 'request.name', value: '"another.db"' });
    const { result } = await dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
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
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    const descriptors = await variables(await scope(thread, 'Descriptors'));
    const { memoryReference } = descriptors[1];
    await dap.good('readMemory', { memoryReference, count: 8 });
    await dap.good('readMemory', { memoryReference: '0x1ffe', count: 8 });
    await dap.good('readMemory', { memoryReference, count: 0 });
    assert.equal((await dap.ask('readMemory', { memoryReference: 'elsewhere', count: 8 })).success, false);
    assert.equal((await dap.ask('writeMemory', { memoryReference, data: 'AA==' })).success, false);
    dap.isGolden('memory');
  });

  it('answers a chosen errno without running the handler, and runs a handler again', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(open());
    const { source, line: at } = await frame(thread);
    const { targets } = await dap
      .ask('gotoTargets', { source, line: at })
      .then(({ body }) => body as Body<Dap.GotoTargetsResponse>);
    const eacces = targets.find(({ label }) => label.includes('EACCES')) ?? assert.fail('no EACCES');
    await dap.good('goto', { threadId: thread, targetId: eacces.id });
    await dap.stopped();
    const { id, name } = await frame(thread);
    assert.match(name, /EACCES/);
    assert.equal((await dap.ask('goto', { threadId: thread, targetId: 0 })).success, false);
    await dap.good('restartFrame', { frameId: id });
    assert.equal((await dap.stopped()).reason, 'restart');
    assert.equal((await dap.ask('restartFrame', { frameId: id })).success, false);
    dap.isGolden('goto');
  });

  it('evaluates fields, facts, filters and what is under the pointer', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const thread = await hold(read());
    const { id } = await frame(thread);
    for (const expression of [
      'read.size',
      'size',
      'request.offset',
      'fuse_in_header.uid',
      'path',
      'name',
      'READ',
      'inode.path',
      'inode(5).path',
      'inode()',
      'handle(3).flags',
      'handle(fh, nodeid).descriptor',
      'session.minor',
      'descriptors[0]',
      'hex(read.offset)',
      'hex(request)',
      'hex(size)',
      'read.size < 4K && path ~ "*.db"',
      'uid == 0',
      'reply',
    ]) {
      await dap.good('evaluate', { expression, frameId: id, context: 'watch' });
    }
    for (const expression of ['', 'sise', 'inode(77)', 'handle(9)', 'hex(path)', 'read.size ==']) {
      assert.equal((await dap.ask('evaluate', { expression, frameId: id })).success, false);
    }
    dap.note('hover');
    await dap.good('evaluate', { expression: 'size', frameId: id, context: 'hover' });
    await dap.good('evaluate', { expression: 'LOOKUP', frameId: id, context: 'hover' });
    assert.equal((await dap.ask('evaluate', { expression: 'zzz', frameId: id, context: 'hover' })).success, false);
    dap.isGolden('evaluate');
  });

  it('has commands in the console: held, set, answer, fault, help', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    const ask = (expression: string) => dap.ask('evaluate', { expression, context: 'repl' });
    await ask('held');
    await ask('read.size');
    await hold(read());
    for (const command of [
      'help',
      'held',
      'set read.size = 4K',
      'read.size',
      'set read.size',
      'set sise = 4',
      'fault errno=EIO READ *.db',
      'faults',
      'fault nonsense',
      'fault',
      'fault off',
      'answer ENOSUCH',
      'answer EIO',
    ]) {
      await ask(command);
    }
    await dap.stopped();
    await ask('reply.error');
    dap.isGolden('console');
  });

  it('completes commands, fields, values and errnos', async () => {
    await dap.begin('attach', {});
    const labels = async (text: string, column = text.length + 1): Promise<string[]> => {
      const { body } = await dap.ask('completions', { text, column });
      return (body as Body<Dap.CompletionsResponse>).targets.map(({ label }) => label);
    };
    assert.ok((await labels('he')).includes('held'));
    assert.ok((await labels('set read.s')).includes('read.size'));
    assert.deepEqual(await labels('answer EAC'), ['EACCES']);
    assert.ok((await labels('opcode == REA')).includes('READ'));
    const { body } = await dap.ask('completions', { text: 'opcode == REA', column: 14 });
    const [target] = (body as Body<Dap.CompletionsResponse>).targets;
    assert.deepEqual([target.start, target.length], [11, 3]);
  });

  it('counts the columns of completions as the client does', async () => {
    const starts = async (text: string, column: number, line: number, client: object): Promise<number[]> => {
      const fresh = new DapLog();
      await fresh.good('initialize', { adapterID: 'virtiofs', ...client });
      const { body } = await fresh.ask('completions', { text, column, line });
      fresh.adapter.dispose();
      const { targets } = body as Body<Dap.CompletionsResponse>;
      return targets.filter(({ label }) => label === 'EACCES').map(({ start = -1 }) => start);
    };
    assert.deepEqual(await starts('answer EAC', 11, 1, {}), [8]);
    assert.deepEqual(await starts('answer EAC', 11, 1, { columnsStartAt1: true }), [8]);
    assert.deepEqual(await starts('answer EAC', 10, 1, { columnsStartAt1: false }), [7]);
    assert.deepEqual(await starts('answer EAC', 10, 0, { columnsStartAt1: false, linesStartAt1: false }), [7]);
    // From the beginning of the text, also on its second line.
    assert.deepEqual(await starts('\nanswer EAC', 11, 2, {}), [9]);
    // VS Code sends columns from 1 and takes the start for an index.
    assert.deepEqual(await starts('answer EAC', 11, 1, { clientID: 'vscode', columnsStartAt1: true }), [7]);
  });

  it('holds the next request on pause, of one queue or any', async () => {
    await dap.begin('attach', {});
    await dap.good('configurationDone');
    await dap.good('pause', { threadId: 2 });
    await hold(read(), { kind: 'pause' });
    dap.isGolden('pause');
    assert.ok(daemon.asked.includes('pause'));
  });

  it('holds several requests, each a thread, and lets them go in any order', async () => {
    await dap.begin('attach', { stopWorld: true });
    await dap.good('configurationDone');
    const threads: number[] = [];
    for (let unique = 1; unique <= 20; unique++) threads.push(await hold(lookup(unique, `file${unique}`)));
    const { threads: listed } = await dap.good<Body<Dap.ThreadsResponse>>('threads');
    assert.equal(listed.length, 22);
    const shuffled = threads.map((_, i) => threads[(i * 7) % 20]);
    for (const threadId of shuffled) {
      await dap.good('continue', { threadId });
      let event: Dap.ThreadEvent;
      do event = await dap.event<Dap.ThreadEvent>('thread');
      while (event.body.reason !== 'exited');
      assert.equal(event.body.threadId, threadId);
    }
    assert.equal(daemon.holding, 0);
    assert.ok(daemon.asked.includes('setOptions'));
  });

  it('says what is held when it comes to a share where requests are held already', async () => {
    await dap.begin('attach', {});
    daemon.hold(read());
    await dap.stopped();
    await dap.good('configurationDone');
    assert.equal((await dap.good<Body<Dap.ThreadsResponse>>('threads')).threads.length, 3);
  });

  for (const command of ['disconnect', 'terminate']) {
    it(`lets go of everything on ${command}`, async () => {
      await dap.begin('attach', {});
      await dap.good('configurationDone');
      await hold(read());
      await dap.good(command);
      await daemon.left;
      assert.equal(daemon.holding, 0);
    });
  }

  it('lets go of everything when the client is gone without a word', async () => {
    await dap.begin('attach', {});
    await hold(read());
    dap.adapter.dispose();
    await daemon.left;
    assert.equal(daemon.holding, 0);
  });

  it('ends when the share does', async () => {
    await dap.begin('attach', {});
    await hold(read());
    daemon.tell('ended', { text: 'The share is over.' });
    await dap.event('terminated');
    await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }] });
    await dap.good('setExceptionBreakpoints', { filters: ['anyErrno'] });
    dap.isGolden('ended');
  });

  it('sets the faults of the configuration, and refuses wrong ones', async () => {
    assert.equal((await begun({ faults: ['nonsense'] })).success, false);
    const other = await new ScriptedDaemon().listen();
    try {
      dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: other.path }) });
      await dap.begin('attach', { faults: ['delay=20ms READ'] });
      const { result } = await dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
        expression: 'faults',
        context: 'repl',
      });
      assert.equal(result, 'delay=20ms READ  seen 0, done 0');
    } finally {
      dap.adapter.dispose();
      other.close();
    }
  });

  const begun = async (args: object): Promise<Dap.Response> => {
    await dap.good('initialize', { adapterID: 'virtiofs' });
    return dap.ask('attach', args);
  };

  it('says why where the daemon takes no debugger', async () => {
    daemon.close();
    const { body } = await begun({});
    assert.match(
      (body as { error: Dap.Message }).error.variables?.['text'] ?? '',
      /^The share "work" takes no debugger: nobody listens/,
    );
  });
});
