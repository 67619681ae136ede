/** A debug adapter that is talked to without VS Code, and the share that it debugs, whose daemon follows a script. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { DapLog } from './dapLog';
import { ScriptedDaemon } from './scriptedDaemon';

export type Body<Response extends Dap.Response> = Response['body'];

/** To be called in a `describe`: a new one for each of its tests. */
export function useAdapter(): AdapterSession {
  const at = new AdapterSession();
  beforeEach(() => at.begin());
  afterEach(() => at.end());
  return at;
}

class AdapterSession {
  daemon!: ScriptedDaemon;
  dap!: DapLog;

  async begin(): Promise<void> {
    this.daemon = await new ScriptedDaemon().listen();
    this.dap = new DapLog({ findShare: () => ({ title: 'work', debugSocket: this.daemon.path }) });
  }

  end(): void {
    this.dap.adapter.dispose();
    this.daemon.close();
  }

  /** What is answered, which may be an error. */
  async attach(args: object): Promise<Dap.Response> {
    await this.dap.good('initialize', { adapterID: 'virtiofs' });
    return this.dap.ask('attach', args);
  }

  /** Holds a request and resolves to its thread. */
  async hold(...args: Parameters<ScriptedDaemon['hold']>): Promise<number> {
    this.daemon.hold(...args);
    return (await this.dap.stopped()).threadId ?? 0;
  }

  /** The innermost frame. */
  async frame(threadId: number): Promise<Dap.StackFrame> {
    return (await this.dap.good<Body<Dap.StackTraceResponse>>('stackTrace', { threadId })).stackFrames[0];
  }

  async scope(threadId: number, name: string): Promise<number> {
    const { id } = await this.frame(threadId);
    const { scopes } = await this.dap.good<Body<Dap.ScopesResponse>>('scopes', { frameId: id });
    return scopes.find((one) => one.name === name)?.variablesReference ?? assert.fail(`no scope ${name}`);
  }

  async variables(variablesReference: number): Promise<Dap.Variable[]> {
    return (await this.dap.good<Body<Dap.VariablesResponse>>('variables', { variablesReference })).variables;
  }

  async inside(list: readonly Dap.Variable[], name: string): Promise<Dap.Variable[]> {
    return this.variables(list.find((one) => one.name === name)?.variablesReference ?? 0);
  }
}
