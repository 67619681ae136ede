/** The debug adapter's session: how it begins, holds and lets go, and ends. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { ErrorCodes } from 'vscode-jsonrpc/node';
import { type Body, useAdapter } from './adapterSession';
import { DapLog } from './dapLog';
import { lookup, read } from './samples';

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
  const at = useAdapter();

  it('holds the next request on pause, of one queue or any', async () => {
    await at.dap.begin('attach', {});
    await at.dap.good('configurationDone');
    await at.dap.good('pause', { threadId: 2 });
    await at.hold(read(), { kind: 'pause' });
    at.dap.isGolden('pause');
    assert.ok(at.daemon.asked.includes('pause'));
  });

  it('holds several requests, each a thread, and lets them go in any order', async () => {
    await at.dap.begin('attach', { stopWorld: true });
    await at.dap.good('configurationDone');
    const threads: number[] = [];
    for (let unique = 1; unique <= 20; unique++) threads.push(await at.hold(lookup(unique, `file${unique}`)));
    const { threads: listed } = await at.dap.good<Body<Dap.ThreadsResponse>>('threads');
    assert.equal(listed.length, 22);
    const shuffled = threads.map((_, i) => threads[(i * 7) % 20]);
    for (const threadId of shuffled) {
      await at.dap.good('continue', { threadId });
      let event: Dap.ThreadEvent;
      do event = await at.dap.event<Dap.ThreadEvent>('thread');
      while (event.body.reason !== 'exited');
      assert.equal(event.body.threadId, threadId);
    }
    assert.equal(at.daemon.holding, 0);
    assert.ok(at.daemon.asked.includes('setOptions'));
  });

  it('says what is held when it comes to a share where requests are held already', async () => {
    await at.dap.begin('attach', {});
    at.daemon.hold(read());
    await at.dap.stopped();
    await at.dap.good('configurationDone');
    assert.equal((await at.dap.good<Body<Dap.ThreadsResponse>>('threads')).threads.length, 3);
  });

  for (const command of ['disconnect', 'terminate']) {
    it(`lets go of everything on ${command}`, async () => {
      await at.dap.begin('attach', {});
      await at.dap.good('configurationDone');
      await at.hold(read());
      await at.dap.good(command);
      await at.daemon.left;
      assert.equal(at.daemon.holding, 0);
    });
  }

  it('lets go of everything when the client is gone without a word', async () => {
    await at.dap.begin('attach', {});
    await at.hold(read());
    at.dap.adapter.dispose();
    await at.daemon.left;
    assert.equal(at.daemon.holding, 0);
  });

  it('ends when the share does', async () => {
    await at.dap.begin('attach', {});
    await at.hold(read());
    at.daemon.tell('ended', { text: 'The share is over.' });
    await at.dap.event('terminated');
    await at.dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'READ' }] });
    await at.dap.good('setExceptionBreakpoints', { filters: ['anyErrno'] });
    at.dap.isGolden('ended');
  });

  describe('says why the share is not debugged, and what to do', () => {
    const said = async (): Promise<string> => {
      const { body } = await at.attach({});
      return (body as { error: Dap.Message }).error.variables?.['text'] ?? '';
    };

    it('where nobody listens', async () => {
      at.daemon.close();
      assert.match(await said(), /"work" cannot be reached: nobody listens\. The share may just have ended/);
    });

    it('where another debugger is first', async () => {
      at.daemon.refuses('hello', ErrorCodes.InvalidRequest, 'another debugger is connected to this share');
      assert.match(await said(), /^The share "work" takes no debugger: another debugger .* end the other one/);
    });

    it('where the daemon is of another version', async () => {
      at.daemon.refuses('hello', ErrorCodes.InvalidParams, 'this daemon speaks version 99 of the debug protocol');
      const text = await said();
      assert.match(text, /speaks version 99 .* another version of Virtio-FS Studio: start it anew/);
      assert.doesNotMatch(text, /other one/);
    });
  });
});
