import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { trouble } from '../../src/base/catalogue';
import type { LaunchPlan } from '../../src/debug/configuration';
import type { Launched } from '../../src/debug/surroundings';
import { DapLog } from './dapLog';
import { read } from './samples';
import { ScriptedDaemon } from './scriptedDaemon';

/** A guest that does what the test says. */
class ScriptedGuest implements Launched {
  readonly tag = 'work';
  inspectorPort: number | undefined;
  readonly up: Promise<void>;
  readonly ended: Promise<string>;
  readonly ran: string[] = [];
  begins = 0;
  stops = 0;
  isUp!: () => void;
  isNotUp!: (why: Error) => void;
  end!: (how: string) => void;
  result = { status: 0, output: '' };

  constructor(readonly debugSocket: string) {
    this.up = new Promise((resolve, reject) => {
      this.isUp = resolve;
      this.isNotUp = reject;
    });
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  begin(): void {
    this.begins++;
  }

  run(script: string): Promise<{ status: number; output: string }> {
    this.ran.push(script);
    return Promise.resolve(this.result);
  }

  stop(): Promise<void> {
    this.stops++;
    this.end('exit code 0');
    return Promise.resolve();
  }
}

describe('launching with the debug adapter', () => {
  let daemon: ScriptedDaemon;
  let guest: ScriptedGuest;
  let dap: DapLog;
  let plan: LaunchPlan | undefined;

  beforeEach(async () => {
    daemon = await new ScriptedDaemon().listen();
    guest = new ScriptedGuest(daemon.path);
    dap = new DapLog({
      launch: (wanted, told) => {
        plan = wanted;
        told('fetching guest tools');
        return Promise.resolve(guest);
      },
    });
  });
  afterEach(() => {
    dap.adapter.dispose();
    daemon.close();
  });

  it('shares the folder, runs the command when breakpoints are set and the guest is up, and ends with its status', async () => {
    guest.result = { status: 3, output: 'cat: a.db: Input/output error\n' };
    guest.inspectorPort = 9333;
    const args = {
      directory: '/srv/work',
      guest: 'uml',
      command: 'cat a.db',
      options: ['--cache', 'never'],
      inspectDaemon: true,
    };
    await dap.begin('launch', args, { supportsProgressReporting: true });
    assert.deepEqual(plan, { ...args, tag: undefined, readOnly: false });
    guest.isUp();
    await dap.good('setFunctionBreakpoints', { breakpoints: [{ name: 'OPEN' }] });
    assert.deepEqual([guest.begins, guest.ran], [0, []]);
    await dap.good('configurationDone');
    assert.equal(guest.begins, 1);
    const { body } = await dap.event<Dap.ExitedEvent>('exited');
    assert.equal(body.exitCode, 3);
    await dap.event('terminated');
    assert.deepEqual([guest.ran, guest.stops], [['cat a.db'], 1]);
    dap.isGolden('launch');
  });

  it('without debugging: the guest runs, the command in it, and nothing is set that would hold a request', async () => {
    guest.result = { status: 3, output: '' };
    const args = { directory: '/srv/work', command: 'cat a.db', inspectDaemon: true, faults: ['delay=20ms READ'] };
    await dap.begin('launch', { ...args, noDebug: true });
    assert.equal(plan?.inspectDaemon, false);
    const verdict = { verified: false, message: 'this session runs without debugging' };
    const source = { name: 'FUSE opcodes' };
    for (const [request, what] of [
      ['setBreakpoints', { source, breakpoints: [{ line: 1, logMessage: 'once' }] }],
      ['setFunctionBreakpoints', { breakpoints: [{ name: 'OPEN' }] }],
      ['setExceptionBreakpoints', { filters: ['errno'] }],
    ] as const) {
      const { breakpoints } = await dap.good<Dap.SetBreakpointsResponse['body']>(request, what);
      assert.deepEqual(
        breakpoints.map(({ verified, message }) => ({ verified, message })),
        [verdict],
      );
    }
    await dap.good('configurationDone');
    const refused = await dap.ask('pause', { threadId: 1 });
    assert.equal(refused.message, 'debuggingOff');
    guest.isUp();
    assert.equal((await dap.event<Dap.ExitedEvent>('exited')).body.exitCode, 3);
    await dap.event('terminated');
    assert.deepEqual(
      daemon.asked.filter((name) => /^set|pause/.test(name)),
      ['setFaults'],
    );
  });

  it('stops a guest that comes when the client has gone, and lets a share go that is found then', async () => {
    const stopped = new Promise<void>((resolve) => {
      const { stop } = guest;
      guest.stop = () => stop.call(guest).then(resolve);
    });
    await dap.good('initialize', { adapterID: 'virtiofs' });
    void dap.ask('launch', { directory: '/srv/work' });
    dap.adapter.dispose();
    await stopped;
    dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: daemon.path }) });
    await dap.good('initialize', { adapterID: 'virtiofs' });
    void dap.ask('attach', {});
    dap.adapter.dispose();
    await daemon.left;
    // The share takes one debugger at a time, and takes the next one.
    dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: daemon.path }) });
    await dap.begin('attach', {});
  });

  it('refuses a second launch or attach in a session, and takes one after another that was refused', async () => {
    await dap.good('initialize', { adapterID: 'virtiofs' });
    assert.equal((await dap.ask('launch', { directory: 7 })).message, 'debugConfigurationBad');
    await dap.good('launch', { directory: '/srv/work' });
    assert.equal((await dap.ask('launch', { directory: '/srv/work' })).message, 'debugNotNow');
    assert.equal((await dap.ask('attach', {})).message, 'debugNotNow');
  });

  it('says why the guest does not come up', async () => {
    await dap.begin('launch', { directory: '/srv/work', command: 'true' });
    await dap.good('configurationDone');
    guest.isNotUp(trouble('debugGuestEnded', 'no memory'));
    await dap.event('terminated');
    dap.isGolden('launchFailed');
  });

  it('stops the guest on disconnect, unless it is to go on', async () => {
    await dap.begin('launch', { directory: '/srv/work' });
    await dap.good('disconnect', { terminateDebuggee: false });
    assert.deepEqual([guest.begins, guest.stops], [1, 0]);
    await daemon.left;
  });

  it('lets the guest start when the client goes without a word', async () => {
    await dap.begin('launch', { directory: '/srv/work' });
    dap.adapter.dispose();
    assert.deepEqual([guest.begins, guest.stops], [1, 0]);
  });

  it('never starts a guest that is stopped before breakpoints are set', async () => {
    const order: string[] = [];
    guest.begin = () => void order.push('begin');
    guest.stop = () => {
      order.push('stop');
      return Promise.resolve();
    };
    await dap.begin('launch', { directory: '/srv/work' });
    await dap.good('disconnect', { terminateDebuggee: true });
    assert.equal(order[0], 'stop');
  });

  for (const command of ['disconnect', 'terminate']) {
    it(`releases what is held and stops the guest on ${command}`, async () => {
      await dap.begin('launch', { directory: '/srv/work' });
      await dap.good('configurationDone');
      daemon.hold(read());
      await dap.stopped();
      await dap.good(command);
      await daemon.left;
      assert.deepEqual([guest.stops, daemon.holding], [1, 0]);
    });
  }

  it('stops the guest when nobody listens for a debugger', async () => {
    daemon.close();
    await dap.good('initialize', { adapterID: 'virtiofs' });
    assert.equal((await dap.ask('launch', { directory: '/srv/work' })).message, 'debuggerUnreached');
    assert.equal(guest.stops, 1);
  });
});
