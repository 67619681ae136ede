/**
 * The debugger on guests as they are: the adapter (without VS Code) holds, shows, steps and changes what a program in
 * the guest has asked for, and the program sees it.
 */
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { debugSocketOf } from '../../src/control/runningShares';
import { DapLog } from '../debug/dapLog';
import { bootGuest, needGuests, output, type GuestName, type TestGuest } from './bootGuest';

type Body<Response extends Dap.Response> = Response['body'];

const CATS = 20;
const cats = Array.from({ length: CATS }, (_, index) => index + 1);

for (const name of ['uml-7.x', 'qemu-7.x'] satisfies GuestName[]) {
  describe(`debugging a guest: ${name}`, function () {
    this.timeout(180_000);
    let guest: TestGuest;
    let dap: DapLog;

    before(async function () {
      await needGuests(this);
      guest = await bootGuest(name);
      fs.writeFileSync(path.join(guest.folder, 'hello'), 'from the host\n');
      for (const cat of cats) fs.writeFileSync(path.join(guest.folder, `cat${cat}`), `this is ${cat}\n`);
    });
    after(() => guest.close());

    beforeEach(async () => {
      const debugSocket = debugSocketOf(guest.backEnds[0].process.pid ?? 0);
      dap = new DapLog({ findShare: () => ({ title: 'test', debugSocket }) });
      await dap.good('initialize', { adapterID: 'virtiofs' });
      // The daemon may not have seen yet that the debugger before has gone.
      for (let tries = 0; !(await dap.ask('attach', {})).success; tries++) {
        assert.ok(tries < 100, 'the daemon takes a debugger');
        await sleep(50);
      }
      await dap.event('initialized');
    });
    afterEach(() => dap.adapter.dispose());

    async function breakOn(what: string): Promise<void> {
      const { breakpoints } = await dap.good<Body<Dap.SetFunctionBreakpointsResponse>>('setFunctionBreakpoints', {
        breakpoints: [{ name: what }],
      });
      assert.ok(breakpoints[0].verified, breakpoints[0].message);
      await dap.good('configurationDone');
    }
    const stopped = async (): Promise<number> => (await dap.stopped()).threadId ?? 0;
    const frames = async (threadId: number): Promise<Dap.StackFrame[]> =>
      (await dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId })).stackFrames;
    const value = async (expression: string, frameId: number): Promise<string> =>
      (await dap.good<Body<Dap.EvaluateResponse>>('evaluate', { expression, frameId })).result;

    it("breaks on a program's open, shows it, steps through its host calls; the program fails with the errno set", async () => {
      await breakOn('OPEN hello');
      const ran = guest.run('cat hello', { timeoutMs: 60_000 });
      const threadId = await stopped();
      const [frame] = await frames(threadId);
      assert.match(frame.name, /^request OPEN /);
      const { scopes } = await dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: frame.id });
      const shown: Record<string, string[]> = {};
      for (const { name: scope, variablesReference } of scopes) {
        const { variables } = await dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference });
        shown[scope] = variables.map((one) => one.name);
      }
      for (const scope of ['Request', 'Inode', 'Credentials', 'Session', 'Descriptors', 'Raw bytes']) {
        assert.ok(shown[scope]?.length > 0, `${scope}: ${JSON.stringify(shown)}`);
      }
      assert.equal(await value('inode.path', frame.id), '/hello');
      assert.equal(await value('uid', frame.id), '0');
      assert.ok(Number(await value('pid', frame.id)) > 0);
      assert.match(await value('open.flags', frame.id), /O_RDONLY|^0|O_LARGEFILE/);

      const names: string[] = [];
      for (let stop = 0; stop < 60 && !names.at(-1)?.startsWith('reply'); stop++) {
        await dap.good('stepIn', { threadId });
        await stopped();
        names.push((await frames(threadId))[0].name);
      }
      assert.ok(
        names.some((one) => /^host call openat\(.*\) = \d+$/.test(one)),
        names.join('\n'),
      );
      assert.match(names.at(-1) ?? '', /^reply -> fh=/);

      const [reply] = await frames(threadId);
      await dap.good('setExpression', { expression: 'reply.error', value: 'EACCES', frameId: reply.id });
      await dap.good('continue', { threadId });
      const { status, output: printed } = await ran;
      assert.notEqual(status, 0);
      assert.match(printed.toString(), /hello'?: Permission denied/);
      dap.adapter.dispose();
      assert.equal(await output(guest, 'cat hello'), 'from the host\n');
    });

    it('holds twenty programs at once, and lets them go on in no order', async () => {
      await breakOn('OPEN cat*');
      const script = `for i in $(seq ${CATS}); do ( cat cat$i >/dev/null && touch done$i ) & done; wait; echo all`;
      const ran = guest.run(script, { timeoutMs: 120_000 });
      const held = new Map<number, number>();
      while (held.size < CATS) {
        const threadId = await stopped();
        const { threads } = await dap.good<Body<Dap.ThreadsResponse>>('threads');
        const title = threads.find(({ id }) => id === threadId)?.name ?? '';
        held.set(Number(/ \/cat(\d+)$/.exec(title)?.[1]), threadId);
      }
      assert.deepEqual(
        [...held.keys()].sort((a, b) => a - b),
        cats,
      );
      const { result } = await dap.good<Body<Dap.EvaluateResponse>>('evaluate', {
        expression: 'held',
        context: 'repl',
      });
      assert.equal(result.split('\n').length, CATS);
      const finished = (cat: number): boolean => fs.existsSync(path.join(guest.folder, `done${cat}`));
      const order = cats.map((_, index) => cats[(index * 7) % CATS]);
      for (const [index, cat] of order.entries()) {
        await dap.good('continue', { threadId: held.get(cat) });
        for (let tries = 0; !finished(cat); tries++) {
          assert.ok(tries < 2000, `cat ${cat} goes on`);
          await sleep(10);
        }
        assert.deepEqual(order.slice(index + 1).filter(finished), [], 'the others still wait');
      }
      const { status, output: printed } = await ran;
      assert.deepEqual([status, printed.toString()], [0, 'all\n']);
    });

    it('lets all twenty go on when the debugger disconnects', async () => {
      await breakOn('GETATTR,OPEN,LOOKUP cat*');
      const script = `for i in $(seq ${CATS}); do cat cat$i >/dev/null & done; wait; echo all`;
      const ran = guest.run(script, { timeoutMs: 120_000 });
      for (let stops = 0; stops < CATS; stops++) await stopped();
      await dap.good('disconnect');
      const { status, output: printed } = await ran;
      assert.deepEqual([status, printed.toString()], [0, 'all\n']);
    });

    it('is stopped while requests are held, and nothing of it stays', async () => {
      await breakOn('OPEN cat*');
      const ran = guest.run('cat cat1').catch(() => 'gone');
      await stopped();
      const daemon = guest.backEnds[0].process;
      await guest.stop();
      await dap.event('terminated');
      assert.equal(await ran, 'gone');
      assert.ok(daemon.exitCode !== null || daemon.signalCode !== null, 'its daemon has ended');
    });
  });
}
