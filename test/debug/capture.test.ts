import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import fc from 'fast-check';
import { Debugging } from '../../src/debug/debugging';
import { lineOfOpcode } from '../../src/debug/opcodeDocument';
import * as starting from '../../src/debug/starting';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { CaptureBuilder } from '../trace/captureBuilder';
import { DapLog, nowhere } from './dapLog';

type Body<Response extends Dap.Response> = Response['body'];

/** A file is found, opened, read twice, renamed, closed; another one is not there. */
const sample = (): CaptureBuilder =>
  new CaptureBuilder()
    .init()
    .exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, generation: 1, attr: { mode: 0o100644, nlink: 1 } } })
    .exchange('OPEN', { nodeid: 2, in: { flags: 2 }, out: { fh: 3 } })
    .exchange('READ', {
      nodeid: 2,
      in: { fh: 3, size: 4096 },
      outPayload: 'SQLite format 3',
      hostCalls: [{ call: 'preadv2', arguments: [9, 0, 1, 0, 8], result: 15, duration: 3000 }],
    })
    .exchange('LOOKUP', { names: ['b.db'], error: 'ENOENT' })
    .exchange('RENAME', { nodeid: 1, in: { newdir: 1 }, names: ['a.db', 'c.db'] })
    .exchange('READ', { nodeid: 2, in: { fh: 3, size: 100, offset: 4096 }, outPayload: 100, latency: 5_000_000 })
    .exchange('SETUPMAPPING', { nodeid: 2, in: { fh: 3, len: 2 << 20, moffset: 4 << 20 } })
    .exchange('RELEASE', { nodeid: 2, in: { fh: 3 } });

describe('the debug adapter on a capture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'virtiofs-debug-'));
  const file = join(folder, 'a.fuse.pcapng');
  let dap: DapLog;

  after(() => rmSync(folder, { recursive: true }));

  async function begin(bytes: Uint8Array = sample().bytes(), client: object = {}): Promise<void> {
    writeFileSync(file, bytes);
    dap = new DapLog({}, [[file, 'CAPTURE']]);
    await dap.begin('launch', { capture: file }, client);
  }
  afterEach(() => dap.adapter.dispose());

  async function move(command: string): Promise<string> {
    await dap.good(command, { threadId: 1 });
    const { body } = await dap.event<Dap.StoppedEvent>('stopped');
    const { threads } = await dap.good<Body<Dap.ThreadsResponse>>('threads');
    return `${threads[0].name.split('  ')[0]}: ${body.description?.split(',')[0]}`;
  }

  async function start(): Promise<void> {
    await dap.good('configurationDone');
    await dap.event('stopped');
  }

  const value = async (expression: string): Promise<string> =>
    (await dap.good<Body<Dap.EvaluateResponse>>('evaluate', { expression })).result;

  it('announces that it goes back, and changes nothing', async () => {
    await begin(undefined, { supportsProgressReporting: true });
    await start();
    const { stackFrames } = await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId: 1 });
    await move('next');
    await move('next');
    await dap.good('stackTrace', { threadId: 1 });
    const { scopes } = await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: stackFrames[0].id });
    const request = scopes.find(({ name }) => name === 'Request')?.variablesReference;
    const { variables } = await dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference: request });
    const header = variables.find(({ name }) => name === 'fuse_in_header')?.variablesReference;
    for (const [command, args] of [
      ['setExpression', { expression: 'nodeid', value: '7' }],
      ['setVariable', { variablesReference: header, name: 'nodeid', value: '7' }],
      ['writeMemory', { memoryReference: 'request/1/0', data: 'AA==' }],
      ['readMemory', { memoryReference: '0x1000', count: 8 }],
      ['restartFrame', { frameId: stackFrames[0].id }],
      ['goto', { threadId: 1, targetId: 5 }],
      ['evaluate', { expression: 'held', context: 'repl' }],
      ['evaluate', { expression: 'fault errno=EIO READ', context: 'repl' }],
    ] as const) {
      assert.equal((await dap.ask(command, args)).success, false, command);
    }
    await dap.good('disconnect');
    dap.isGolden('capture');
  });

  it('steps forward and back over requests, their host calls and replies', async () => {
    await begin();
    await start();
    const forward: string[] = [];
    for (let i = 0; i < 6; i++) forward.push(await move('next'));
    assert.deepEqual(forward.slice(-3), ['OPEN #2 /a.db: entry', 'OPEN #2 /a.db: reply', 'READ #3 /a.db: entry']);
    const steps = [await move('stepIn'), await move('stepIn'), await move('stepBack'), await move('stepBack')];
    assert.deepEqual(steps, [
      'READ #3 /a.db: after a host call',
      'READ #3 /a.db: reply',
      'READ #3 /a.db: entry',
      'OPEN #2 /a.db: reply',
    ]);
    assert.match(await move('reverseContinue'), /beginning of the capture/);
    assert.match(await move('stepBack'), /beginning of the capture/);
    assert.match(await move('continue'), /end of the capture/);
    assert.match(await move('next'), /end of the capture/);
  });

  it('shows paths, inodes, handles and the DAX window as they were at that moment', async () => {
    await begin();
    await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }, { name: 'RELEASE' }] });
    await start();
    await move('continue');
    assert.deepEqual([await value('inode.path'), await value('handle(3).flags')], ['/a.db', 'O_RDWR']);
    await move('continue');
    assert.equal(await value('inode.path'), '/c.db');
    await move('continue');
    assert.equal(await value('share.open_handles'), '1');
    assert.equal(await value('share.DAX_window'), '1 mapped');
    await move('next');
    assert.equal(await value('share.open_handles'), '0');
    dap.note('and back');
    await move('reverseContinue');
    await move('reverseContinue');
    await move('reverseContinue');
    assert.equal(await value('inode.path'), '/a.db');
    assert.equal(await value('share.DAX_window'), '0 mapped');
    assert.equal(await value('inode(2).lookups'), '1');
    assert.equal((await dap.ask('evaluate', { expression: 'inode(9)' })).success, false);
  });

  it('stops at breakpoints both ways, counts hits, and writes log points', async () => {
    await begin();
    const { body } = await dap.ask('setBreakpoints', {
      source: { sourceReference: 1 },
      breakpoints: [
        { line: lineOfOpcode(Opcode.READ), hitCondition: '2' },
        { line: lineOfOpcode(Opcode.LOOKUP), logMessage: 'looked for {lookup.name} {{{error}}}' },
      ],
    });
    assert.deepEqual(
      (body as Body<Dap.SetBreakpointsResponse>).breakpoints.map(({ verified, message }) => [verified, message]),
      [
        [true, '1 place in the capture'],
        [true, 'at the reply, since its condition needs that; 2 places in the capture'],
      ],
    );
    await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'LOOKUP *.db', condition: 'error == ENOENT' }] });
    await dap.good('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'slow', condition: '1ms' }] });
    await start();
    const stops: string[] = [];
    for (const how of [
      'continue',
      'continue',
      'continue',
      'continue',
      'reverseContinue',
      'reverseContinue',
      'reverseContinue',
      'reverseContinue',
    ]) {
      stops.push((await move(how)).replace(/#\d+ /, ''));
    }
    assert.deepEqual(stops, [
      'LOOKUP /b.db: reply',
      'READ /c.db: entry',
      'READ /c.db: reply',
      'RELEASE /c.db: end of the capture',
      'READ /c.db: reply',
      'READ /c.db: entry',
      'LOOKUP /b.db: reply',
      'INIT #0: beginning of the capture',
    ]);
    dap.isGolden('captureBreakpoints');
  });

  it('writes what log points say once for each place on the way forward, stepped over, run over or stopped at', async () => {
    await begin();
    await dap.ask('setBreakpoints', {
      source: { sourceReference: 1 },
      breakpoints: [
        { line: lineOfOpcode(Opcode.INIT), logMessage: 'entry of {opcode}' },
        { line: lineOfOpcode(Opcode.LOOKUP), logMessage: 'reply {error}' },
        { line: lineOfOpcode(Opcode.OPEN), logMessage: 'entry of {opcode}' },
        { line: lineOfOpcode(Opcode.READ), logMessage: 'read {read.size}' },
        { line: lineOfOpcode(Opcode.RELEASE), logMessage: 'reply of {opcode} {error}' },
      ],
    });
    await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }] });
    let seen = dap.lines.length;
    const said = (): string[] => {
      const lines = dap.lines.slice(seen).filter((line) => line.startsWith('◇ output'));
      seen = dap.lines.length;
      return lines.map((line) => /"output":"(.*)\\n"/.exec(line)?.[1] ?? line);
    };
    await start();
    assert.deepEqual(said(), ['entry of INIT']);
    await move('next');
    assert.deepEqual(said(), []);
    await move('next');
    assert.deepEqual(said(), [], 'at its entry it has no reply');
    await move('next');
    assert.deepEqual(said(), ['reply OK']);
    await move('next');
    assert.deepEqual(said(), ['entry of OPEN']);
    await move('continue');
    assert.deepEqual(said(), ['read 4K'], 'of the place that is stopped at');
    await move('stepIn');
    await move('stepOut');
    await move('stepBack');
    await move('reverseContinue');
    assert.deepEqual(said(), [], 'going back');
    await move('continue');
    assert.deepEqual(said(), ['reply OK', 'entry of OPEN', 'read 4K'], 'what is gone over again');
    await move('continue');
    assert.deepEqual(said(), ['reply ENOENT', 'read 100']);
    await move('continue');
    assert.deepEqual(said(), ['reply of RELEASE OK']);
  });

  it('stops reading a capture when that is cancelled', async () => {
    writeFileSync(file, sample().bytes());
    dap = new DapLog();
    await dap.good('initialize', { adapterID: 'virtiofs', supportsProgressReporting: true });
    const launched = dap.ask('launch', { capture: file });
    const { body } = await dap.event<Dap.ProgressStartEvent>('progressStart');
    assert.equal(body.cancellable, true);
    await dap.good('cancel', { progressId: body.progressId });
    const { success, message, body: said } = await launched;
    assert.deepEqual([success, message], [false, 'cancelled']);
    assert.equal((said as { error: Dap.Message }).error.showUser, false, 'who has cancelled knows it');
    await dap.event('progressEnd');
    // One that is over, or that nobody knows.
    await dap.good('cancel', { progressId: body.progressId });
    await dap.good('cancel', { requestId: 2 });
    assert.equal((await dap.ask('threads')).success, true);
  });

  for (const command of ['disconnect', 'terminate']) {
    it(`ends what is under way on ${command}, also for a client that is shown no progress`, async () => {
      writeFileSync(file, sample().bytes());
      dap = new DapLog();
      await dap.good('initialize', { adapterID: 'virtiofs' });
      const launched = dap.ask('launch', { capture: file });
      await dap.good(command);
      const { success, message } = await launched;
      assert.deepEqual([success, message], [false, 'cancelled']);
      const debugging = new Debugging(nowhere, () => undefined);
      let cancelled = 0;
      debugging.events.progress('Reading', () => cancelled++);
      debugging.events.progress('Searching', () => cancelled++).end();
      await starting[command as 'disconnect' | 'terminate'](debugging, {});
      assert.equal(cancelled, 1);
    });
  }

  it('reads a file up to where it makes no sense, however much comes after that', async () => {
    writeFileSync(file, sample().bytes());
    truncateSync(file, 2 ** 40);
    dap = new DapLog();
    await dap.begin('launch', { capture: file });
    await start();
    const { threads } = await dap.good<Body<Dap.ThreadsResponse>>('threads');
    assert.match(threads[0].name, / #0 {2}\(of 9\)$/);
  });

  it('tells of a progress as often as its percentage is another', async () => {
    const told: number[] = [];
    const tell = (name: string, body: object | undefined): void => {
      if (name === 'progressUpdate') told.push((body as { percentage: number }).percentage);
    };
    const debugging = new Debugging(nowhere, tell);
    starting.initialize(debugging, { supportsProgressReporting: true });
    const { report } = debugging.events.progress('Reading', () => undefined);
    for (let done = 0; done <= 1000; done++) report(done / 100);
    assert.deepEqual(told, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('begins once', async () => {
    await begin();
    await start();
    assert.equal((await dap.ask('configurationDone')).message, 'debugNotNow');
  });

  it('gives long lists in pages to clients that ask for pages, and whole to others', async () => {
    const forgets = Array.from({ length: 400 }, (_, i) => ({ nodeid: i + 2, nlookup: 1 }));
    const builder = new CaptureBuilder({ snaplen: 8192 });
    builder.request('BATCH_FORGET', { in: { count: 400 }, forgets });
    const list = async (client: object): Promise<Dap.Variable> => {
      await begin(builder.bytes(), client);
      await start();
      const { stackFrames } = await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId: 1 });
      const { scopes } = await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: stackFrames[0].id });
      const request = scopes.find(({ name }) => name === 'Raw bytes')?.variablesReference;
      const { variables } = await dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference: request });
      return variables[0];
    };
    const part = async (args: object): Promise<string[]> =>
      (await dap.good<Body<Dap.VariablesResponse>>('variables', args)).variables.map(({ name }) => name);
    const paged = await list({ supportsVariablePaging: true });
    const { variablesReference, indexedVariables = 0 } = paged;
    assert.equal(indexedVariables, 256, '4096 bytes, 16 a line');
    const all = await part({ variablesReference });
    assert.equal(all.length, 256);
    assert.deepEqual(await part({ variablesReference, filter: 'indexed', start: 200, count: 100 }), all.slice(200));
    assert.deepEqual(await part({ variablesReference, filter: 'named' }), []);
    assert.deepEqual(await part({ variablesReference, start: -5, count: 2 }), all.slice(0, 2));
    assert.deepEqual(await part({ variablesReference, start: 999, count: 2 }), []);
    dap.adapter.dispose();
    assert.equal((await list({})).indexedVariables, undefined);
  });

  it('goes over both halves of a capture that keeps the newest, forward and back', async () => {
    const piece = (number: number): CaptureBuilder => new CaptureBuilder({ facts: { id: 'x', piece: number } });
    const older = piece(3)
      .init()
      .exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, generation: 1, attr: { mode: 0o100644, nlink: 1 } } })
      .exchange('OPEN', { nodeid: 2, in: { flags: 2 }, out: { fh: 3 } });
    writeFileSync(`${file}.old`, older.bytes());
    const newer = piece(4).exchange('READ', { nodeid: 2, in: { fh: 3, size: 4096 }, outPayload: 'SQLite format 3' });
    try {
      await begin(newer.bytes());
      await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }] });
      await start();
      const { threads } = await dap.good<Body<Dap.ThreadsResponse>>('threads');
      assert.match(threads[0].name, /^INIT #0 {2}\(of 4\)$/);
      assert.match(await move('continue'), /^READ #\d+ \/a\.db: entry$/);
      assert.deepEqual([await value('inode.path'), await value('handle(3).flags')], ['/a.db', 'O_RDWR']);
      assert.match(await move('stepBack'), /^OPEN #\d+ \/a\.db: reply$/);
      assert.match(await move('reverseContinue'), /beginning of the capture/);
      assert.ok(dap.lines.some((line) => line.includes('continues') && line.includes('.old')));
      // Of another capture: not its other half.
      dap.adapter.dispose();
      writeFileSync(`${file}.old`, piece(2).init().bytes());
      await begin(newer.bytes());
      await start();
      const alone = await dap.good<Body<Dap.ThreadsResponse>>('threads');
      assert.match(alone.threads[0].name, / #0 {2}\(of 1\)$/);
    } finally {
      rmSync(`${file}.old`);
    }
  });

  it('says what is no capture', async () => {
    for (const [bytes, code] of [
      [Buffer.alloc(0), 'captureEmpty'],
      [Buffer.from('#!/bin/sh\n'.repeat(100)), 'captureForeign'],
      [new CaptureBuilder().bytes(), 'captureWithoutRequests'],
    ] as const) {
      writeFileSync(file, bytes);
      dap = new DapLog();
      await dap.good('initialize', { adapterID: 'virtiofs' });
      assert.equal((await dap.ask('launch', { capture: file })).message, code);
    }
  });

  it('walks any capture from end to end and back, however it is cut or spoiled', async () => {
    const whole = sample().bytes();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        async (cut, spoiled) => {
          const bytes = whole.slice(0, cut);
          for (const [at, byte] of spoiled) if (at < cut) bytes[at] = byte;
          writeFileSync(file, bytes);
          dap = new DapLog();
          await dap.good('initialize', { adapterID: 'virtiofs' });
          if (!(await dap.ask('launch', { capture: file })).success) return;
          await dap.ask('configurationDone');
          for (const command of [
            'next',
            'stepIn',
            'next',
            'next',
            'continue',
            'stepBack',
            'stepBack',
            'stepBack',
            'reverseContinue',
          ]) {
            await dap.good(command, { threadId: 1 });
            const { stackFrames } = await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId: 1 });
            const { scopes } = await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: stackFrames[0].id });
            for (const { variablesReference } of scopes) await dap.good('variables', { variablesReference });
          }
          dap.adapter.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });
});
