/**
 * The debug adapter in a process of its own, as editors other than VS Code run adapters: DAP over its standard input
 * and output. It can be killed, which one in this process cannot.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { AdapterEnd } from './dapLog';

const HEAD = /^Content-Length: (\d+)\r\n\r\n/;

export class AdapterProcess implements AdapterEnd {
  private readonly child: ChildProcess;
  private unread = Buffer.alloc(0);
  private listener: (message: Dap.ProtocolMessage) => void = () => undefined;

  constructor(debugSocket: string) {
    const program = path.join(__dirname, 'adapterProgram.js');
    this.child = spawn(process.execPath, [program, debugSocket], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout?.on('data', (bytes: Buffer) => this.take(bytes));
    // One that was killed takes nothing any more.
    this.child.stdin?.on('error', () => undefined);
  }

  onDidSendMessage(listener: (message: Dap.ProtocolMessage) => void): void {
    this.listener = listener;
  }

  handleMessage(message: Dap.ProtocolMessage): void {
    const text = JSON.stringify(message);
    this.child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  private take(bytes: Buffer): void {
    this.unread = Buffer.concat([this.unread, bytes]);
    for (let head = HEAD.exec(this.unread.toString('latin1', 0, 64)); head;) {
      const end = head[0].length + Number(head[1]);
      if (this.unread.length < end) return;
      this.listener(JSON.parse(this.unread.toString('utf8', head[0].length, end)) as Dap.ProtocolMessage);
      this.unread = this.unread.subarray(end);
      head = HEAD.exec(this.unread.toString('latin1', 0, 64));
    }
  }

  /** Its client has gone: nothing more comes through its standard input. */
  hangUp(): void {
    this.child.stdin?.end();
  }

  /** Resolves to its exit code; null when a signal has ended it. */
  async ended(): Promise<number | null> {
    const { exitCode, signalCode } = this.child;
    if (exitCode === null && signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  dispose(): void {
    this.kill();
  }
}
