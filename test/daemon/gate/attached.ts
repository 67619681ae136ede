/**
 * A share under a debugger as people debug it: the daemon as a process, the driver as its guest, DAP in front of both.
 */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { DapLog, type AdapterEnd } from '../../debug/dapLog';
import { Debugged } from './debugged';

type Body<Response extends Dap.Response> = Response['body'];

export class Attached {
  private constructor(
    readonly share: Debugged,
    readonly dap: DapLog,
  ) {}

  /** `through`: an adapter that is not in this process. `args`: of `attach`. */
  static async begin(through?: (debugSocket: string) => AdapterEnd, args: object = {}): Promise<Attached> {
    const share = await Debugged.begin();
    // One debugger at a time.
    share.client.close();
    await share.client.over;
    const { socket } = share;
    const dap = new DapLog(through?.(socket) ?? { findShare: () => ({ title: 'work', debugSocket: socket }) });
    const attached = new Attached(share, dap);
    await attached.attach(args);
    return attached;
  }

  /** The daemon may not have seen yet that the debugger before has gone. */
  private async attach(args: object): Promise<void> {
    await this.dap.good('initialize', { adapterID: 'virtiofs' });
    const end = Date.now() + 5000;
    while (!(await this.dap.ask('attach', args)).success) assert.ok(Date.now() < end, 'the daemon takes a debugger');
    await this.dap.event('initialized');
  }

  async breakOn(...breakpoints: readonly (string | Dap.FunctionBreakpoint)[]): Promise<void> {
    const wanted = breakpoints.map((one) => (typeof one === 'string' ? { name: one } : one));
    const answer = await this.dap.good<Body<Dap.SetFunctionBreakpointsResponse>>('setFunctionBreakpoints', {
      breakpoints: wanted,
    });
    for (const { verified, message } of answer.breakpoints) assert.ok(verified, message);
    await this.dap.good('configurationDone');
  }

  /** The thread that stops next. */
  async stopped(): Promise<number> {
    return (await this.dap.stopped()).threadId ?? 0;
  }

  async frames(threadId: number): Promise<Dap.StackFrame[]> {
    return (await this.dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId })).stackFrames;
  }

  async value(expression: string, frameId: number): Promise<string> {
    return (await this.dap.good<Body<Dap.EvaluateResponse>>('evaluate', { expression, frameId })).result;
  }

  /** What the debug console says. */
  async console(expression: string): Promise<string> {
    return (await this.dap.good<Body<Dap.EvaluateResponse>>('evaluate', { expression, context: 'repl' })).result;
  }

  async threads(): Promise<Dap.Thread[]> {
    return (await this.dap.good<Body<Dap.ThreadsResponse>>('threads')).threads;
  }

  async end(): Promise<void> {
    this.dap.adapter.dispose();
    await this.share.end();
  }
}
