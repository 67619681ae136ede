/** What is typed to a debugger: expressions, commands of the console, completions. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type Body, useAdapter } from './adapterSession';
import { DapLog } from './dapLog';
import { read } from './samples';

describe('expressions and commands of the debug adapter', () => {
  const at = useAdapter();

  it('evaluates fields, facts, filters and what is under the pointer', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const thread = await at.hold(read());
    const { id } = await at.frame(thread);
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
      await at.dap.good('evaluate', { expression, frameId: id, context: 'watch' });
    }
    for (const expression of ['', 'sise', 'inode(77)', 'handle(9)', 'hex(path)', 'read.size ==']) {
      assert.equal((await at.dap.ask('evaluate', { expression, frameId: id })).success, false);
    }
    at.dap.note('hover');
    await at.dap.good('evaluate', { expression: 'size', frameId: id, context: 'hover' });
    await at.dap.good('evaluate', { expression: 'LOOKUP', frameId: id, context: 'hover' });
    assert.equal((await at.dap.ask('evaluate', { expression: 'zzz', frameId: id, context: 'hover' })).success, false);
    at.dap.isGolden('evaluate');
  });

  it('has commands in the console: held, set, answer, fault, help', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const ask = (expression: string) => at.dap.ask('evaluate', { expression, context: 'repl' });
    await ask('held');
    await ask('read.size');
    await at.hold(read());
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
    await at.dap.stopped();
    await ask('reply.error');
    at.dap.isGolden('console');
  });

  it('tells a client that wants to know of a request that a command has changed, and of no other', async () => {
    await at.dap.begin('attach', {}, { supportsInvalidatedEvent: true });
    await at.dap.good('configurationDone');
    const threadId = await at.hold(read());
    const size = (await at.inside(await at.variables(await at.scope(threadId, 'Request')), 'fuse_read_in')).find(
      ({ name }) => name === 'size',
    );
    assert.equal(size?.value, '8');
    const command = (expression: string) => at.dap.good('evaluate', { expression, context: 'repl' });
    const told = (): string[] => at.dap.lines.filter((line) => line.startsWith('◇ invalidated'));
    await command('held');
    assert.deepEqual(told(), []);
    await command('set read.size = 4K');
    assert.deepEqual(told().length, 1);
  });

  it('says of an expression over a request that has gone on that none is stopped', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    const threadId = await at.hold(read());
    const { id: frameId } = await at.frame(threadId);
    await at.dap.good('continue', { threadId });
    const { success, body } = await at.dap.ask('evaluate', { expression: 'size', frameId });
    assert.equal(success, false);
    assert.match(JSON.stringify(body), /no request is stopped/);
  });

  it('completes commands, fields, values and errnos', async () => {
    await at.dap.begin('attach', {});
    const labels = async (text: string, column = text.length + 1): Promise<string[]> => {
      const { body } = await at.dap.ask('completions', { text, column });
      return (body as Body<Dap.CompletionsResponse>).targets.map(({ label }) => label);
    };
    assert.ok((await labels('he')).includes('held'));
    assert.ok((await labels('set read.s')).includes('read.size'));
    assert.deepEqual(await labels('answer EAC'), ['EACCES']);
    assert.ok((await labels('opcode == REA')).includes('READ'));
    const { body } = await at.dap.ask('completions', { text: 'opcode == REA', column: 14 });
    const [target] = (body as Body<Dap.CompletionsResponse>).targets;
    assert.deepEqual([target.start, target.length], [11, 3]);
    // On the second line: the whole word before the cursor.
    const second = await at.dap.ask('completions', { text: '\nanswer EAC', column: 11, line: 2 });
    const [{ start, length }] = (second.body as Body<Dap.CompletionsResponse>).targets;
    assert.deepEqual([start, length], [9, 3]);
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
});
