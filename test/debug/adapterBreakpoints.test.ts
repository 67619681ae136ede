/** What a debugger sets: breakpoints on opcodes and lines, log points, exceptions, faults. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { lineOfOpcode, opcodeAtLine, opcodeDocument } from '../../src/debug/opcodeDocument';
import { Opcode, opcodes } from '../../src/protocol/fuse/opcodes';
import { type Body, useAdapter } from './adapterSession';
import { DapLog } from './dapLog';
import { lookup, read } from './samples';
import { ScriptedDaemon } from './scriptedDaemon';

const line = (number: number): number => lineOfOpcode(number) ?? assert.fail(`no line for ${number}`);

describe('breakpoints of the debug adapter', () => {
  const at = useAdapter();

  it('sets function breakpoints by opcode, glob and path, and says what is wrong with others', async () => {
    await at.dap.begin('attach', { share: 'work' });
    await at.dap.good('setFunctionBreakpoints', {
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
    at.dap.note('what the daemon was given');
    await at.dap.good('evaluate', { expression: 'held', context: 'repl' });
    at.dap.isGolden('functionBreakpoints');
    assert.deepEqual(
      at.daemon.breakpoints.map(({ opcodes, path, phase }) => [opcodes, path, phase]),
      [
        ['FUSE_READ', undefined, 'entry'],
        ['*XATTR', undefined, 'entry'],
        ['WRITE', '/etc/*', 'entry'],
        ['OPEN,CREATE', undefined, 'reply'],
      ],
    );
  });

  it('sets line breakpoints in the opcodes document, with conditions, hit conditions and log messages', async () => {
    await at.dap.begin('attach', { share: 'work' });
    const { sources } = await at.dap.good<Body<Dap.LoadedSourcesResponse>>('loadedSources');
    await at.dap.good('setBreakpoints', {
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
    await at.dap.good('setBreakpoints', { source: { path: '/a.c' }, breakpoints: [{ line: 1 }] });
    at.dap.isGolden('lineBreakpoints');
    assert.deepEqual(
      at.daemon.breakpoints.map(({ opcodes, phase }) => `${opcodes} ${phase}`),
      ['OPEN entry', 'READ entry', 'WRITE reply'],
    );
  });

  it('gives the opcodes document, one line an opcode', async () => {
    await at.dap.begin('attach', {});
    const { content } = await at.dap.good<Body<Dap.SourceResponse>>('source', { sourceReference: 1 });
    assert.equal(content, opcodeDocument());
    const lines = content.split('\n');
    for (const row of opcodes) {
      assert.match(lines[line(row.number) - 1], new RegExp(`^ *${row.number} +${row.name} `));
      assert.equal(opcodeAtLine(line(row.number)), row);
    }
  });

  it('tells what log points say', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    at.daemon.tell('logpoint', { id: 1, text: 'read of 8 at "/a.db"', opcode: Opcode.READ, queue: 1, unique: '812' });
    const { body } = await at.dap.event<Dap.OutputEvent>('output');
    assert.deepEqual(body, { category: 'stdout', output: 'read of 8 at "/a.db"\n' });
  });

  it('sets exception filters with conditions, and explains an exception', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('setExceptionBreakpoints', {
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
    await at.dap.good('configurationDone');
    const thread = await at.hold(lookup(), { kind: 'exception', ids: [2], text: 'any errno' }, 'reply');
    await at.dap.good('exceptionInfo', { threadId: thread });
    const other = await at.hold(read(), { ids: [] });
    assert.equal((await at.dap.ask('exceptionInfo', { threadId: other })).success, false);
    at.dap.isGolden('exceptions');
  });

  it('sets the faults of the configuration, and refuses wrong ones', async () => {
    assert.equal((await at.attach({ faults: ['nonsense'] })).success, false);
    const other = await new ScriptedDaemon().listen();
    try {
      at.dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: other.path }) });
      await at.dap.begin('attach', { faults: ['delay=20ms READ'] });
      const { result } = await at.dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
        expression: 'faults',
        context: 'repl',
      });
      assert.equal(result, 'delay=20ms READ  seen 0, done 0');
    } finally {
      at.dap.adapter.dispose();
      other.close();
    }
  });
});
