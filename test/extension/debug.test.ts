import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import { DebugConfigurations, runningConfigurations } from '../../src/ui/debug/configurations';
import { opcodesUri } from '../../src/ui/debug/documents';
import { lineOfOpcode } from '../../src/debug/opcodeDocument';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { CaptureBuilder } from '../trace/captureBuilder';
import { endAll, extension, insides, isUp, sample, share, until } from './machine';

/** What VS Code and the adapter say to each other, as a tracker sees it. */
class Watched implements vscode.DebugAdapterTracker {
  readonly stops: Dap.StoppedEvent['body'][] = [];
  /** Of queues, which wait for a request that is stopped. */
  readonly waits: Dap.StoppedEvent['body'][] = [];
  readonly events: Dap.Event[] = [];
  readonly messages: Dap.ProtocolMessage[] = [];
  readonly failures: string[] = [];

  /** Commands that have been answered well. */
  readonly answered = new Set<string>();

  onDidSendMessage(message: Dap.ProtocolMessage): void {
    this.messages.push(message);
    if (message.type === 'event') {
      const event = message as Dap.Event;
      this.events.push(event);
      if (event.event === 'stopped') {
        const { body } = event as Dap.StoppedEvent;
        (body.preserveFocusHint === true ? this.waits : this.stops).push(body);
      }
    } else if (message.type === 'response') {
      const { success, command } = message as Dap.Response;
      if (success) this.answered.add(command);
      else this.failures.push(JSON.stringify(message));
    }
  }

  /** Of a share that runs: before that the breakpoints may not have been told yet, whatever VS Code says of it. */
  isSetUp(): Promise<void> {
    return until('the session is set up', 60, () => this.answered.has('configurationDone'));
  }

  /** The thread of the stop after `count` others. */
  async stopped(count: number): Promise<number> {
    await until(
      `stop ${count + 1}`,
      60,
      () => this.stops.length > count,
      () => this.ended(),
    );
    return this.stops[count].threadId ?? 0;
  }

  private ended(): string | undefined {
    return this.events.some(({ event }) => event === 'terminated')
      ? `the session ended: ${this.failures.join('\n')}`
      : undefined;
  }
}

/** A capture with one file opened and read, in a folder of its own. */
function capture(): { scratch: string; file: string } {
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-debug-'));
  const file = join(scratch, 'a.fuse.pcapng');
  const built = new CaptureBuilder()
    .init()
    .exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, generation: 1, attr: { mode: 0o100644, nlink: 1 } } })
    .exchange('OPEN', { nodeid: 2, in: { flags: 2 }, out: { fh: 3 } })
    .exchange('READ', { nodeid: 2, in: { fh: 3, size: 4096 }, outPayload: 'SQLite format 3' });
  writeFileSync(file, built.bytes());
  return { scratch, file };
}

describe('debugging in VS Code', function () {
  this.timeout(240_000);
  let watched: Watched;
  let tracking: vscode.Disposable;

  before(async () => {
    await insides();
  });
  beforeEach(() => {
    watched = new Watched();
    tracking = vscode.debug.registerDebugAdapterTrackerFactory('virtiofs', {
      createDebugAdapterTracker: () => watched,
    });
  });
  afterEach(async () => {
    tracking.dispose();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    // The JavaScript debugger has sessions of its own below ours; each is over when it says so.
    for (let tries = 0; tries < 10 && vscode.debug.activeDebugSession !== undefined; tries++) {
      await Promise.race([vscode.debug.stopDebugging(), sleep(2000)]);
      await sleep(200);
    }
    // That of VS Code 1.100 keeps one whose program has gone.
    assert.notEqual(vscode.debug.activeDebugSession?.type, 'virtiofs');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await endAll();
  });

  const session = (): vscode.DebugSession => vscode.debug.activeDebugSession ?? assert.fail('no session');
  const ask = async <Response extends Dap.Response>(command: string, args?: object): Promise<Response['body']> =>
    (await session().customRequest(command, args)) as Response['body'];
  const frames = async (threadId: number): Promise<Dap.StackFrame[]> =>
    (await ask<Dap.StackTraceResponse>('stackTrace', { threadId })).stackFrames;

  /** Threads of requests that are not held any more, in order. */
  const exited = (): number[] =>
    watched.events
      .filter((event): event is Dap.ThreadEvent => event.event === 'thread' && event.body.reason === 'exited')
      .map(({ body }) => body.threadId);

  /** The text that is shown for the stopped request, once it says so. */
  async function shows(pattern: RegExp): Promise<vscode.TextEditor> {
    const editor = (): vscode.TextEditor | undefined =>
      vscode.window.visibleTextEditors.find(({ document }) => document.languageId === 'fuse-request');
    await until(`an editor shows ${pattern}`, 20, () => pattern.test(editor()?.document.getText() ?? ''));
    return editor() ?? assert.fail();
  }

  it("breaks on a guest's open, steps through its system calls, changes the errno, and the guest's program fails with it", async () => {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('OPEN hello.txt')]);
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const started = await vscode.debug.startDebugging(folder, {
      type: 'virtiofs',
      request: 'launch',
      name: 'guest',
      directory: sample().fsPath,
      guest: 'uml',
    });
    assert.ok(started, watched.failures.join('\n'));
    const { vms } = await insides();
    const [vm] = vms.all;
    await isUp(vm);
    const ran = vm.run('cat hello.txt');
    const thread = await watched.stopped(0);
    await shows(/^# OPEN unique=\d+ "\/hello\.txt"/);
    assert.match((await frames(thread))[0].name, /^request OPEN /);

    const names: string[] = [];
    for (let stop = 1; stop < 40 && !names.at(-1)?.startsWith('reply'); stop++) {
      await ask('stepIn', { threadId: thread });
      await watched.stopped(stop);
      names.push((await frames(thread))[0].name);
      assert.equal(vscode.debug.activeStackItem?.threadId ?? thread, thread, 'the request is what is looked at');
    }
    // Both queues have waited, and are served again.
    assert.deepEqual(
      watched.waits.map(({ threadId }) => threadId),
      [1, 2],
    );
    const served = watched.events.filter(({ event }) => event === 'continued') as Dap.ContinuedEvent[];
    assert.deepEqual(
      served.map(({ body }) => body.threadId),
      [1, 2],
    );
    assert.ok(
      names.some((name) => name.startsWith('host call openat(')),
      names.join('\n'),
    );
    assert.match(names.at(-1) ?? '', /^reply -> fh=/);
    const editor = await shows(/\n {2}openat\([^\n]*\) = \d+/);
    await until('the current line is that of the reply', 10, () => {
      const line = editor.document.lineAt(editor.selection.active.line).text;
      return line.startsWith('reply');
    });

    const [frame] = await frames(thread);
    await ask('setExpression', { expression: 'reply.error', value: 'EACCES', frameId: frame.id });
    await shows(/error {2}= EACCES/);
    await ask('continue', { threadId: thread });
    const { status, output } = await ran;
    assert.equal(status, 1);
    assert.match(output, /hello\.txt'?: Permission denied/);
  });

  it('meets the first request of a guest that it has started', async () => {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('INIT')]);
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const configuration = { type: 'virtiofs', request: 'launch', directory: sample().fsPath, guest: 'uml' };
    const started = await vscode.debug.startDebugging(folder, { ...configuration, name: 'mount' });
    assert.ok(started, watched.failures.join('\n'));
    const thread = await watched.stopped(0);
    assert.match((await frames(thread))[0].name, /^request INIT /);
    const configured = watched.messages.findIndex(
      (message) => message.type === 'response' && (message as Dap.Response).command === 'configurationDone',
    );
    const connected = watched.messages.findIndex((message) =>
      JSON.stringify(message).includes('front-end has connected'),
    );
    assert.ok(configured >= 0 && connected > configured, `${configured}, ${connected}`);
    await ask('continue', { threadId: thread });
    const { vms } = await insides();
    await isUp(vms.all[0]);
  });

  it('holds at line breakpoints of the opcodes document, and lets all go when it is stopped', async () => {
    const vm = await share();
    await isUp(vm);
    await vscode.commands.executeCommand('virtiofs.showOpcodes');
    const line = (lineOfOpcode(Opcode.MKDIR) ?? 0) - 1;
    // As VS Code asks for what can be written in the condition of a breakpoint on that line.
    const offered = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      opcodesUri,
      new vscode.Position(line, 0),
    );
    const labels = offered.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.match(labels[0], /^mkdir\./);
    for (const label of ['mkdir.mode', 'mkdir.name', 'path', 'error']) assert.ok(labels.includes(label), label);
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(
        new vscode.Location(opcodesUri, new vscode.Position(line, 0)),
        true,
        'name == "made"',
      ),
    ]);
    assert.ok(
      await vscode.commands.executeCommand('virtiofs.debugShare', { kind: 'share', vm, share: vm.facts?.shares[0] }),
    );
    await watched.isSetUp();
    const ran = vm.run('mkdir made && rmdir made');
    const thread = await watched.stopped(0);
    assert.equal(watched.stops[0].reason, 'breakpoint');
    const { threads } = await ask<Dap.ThreadsResponse>('threads');
    assert.match(threads.find(({ id }) => id === thread)?.name ?? '', /^MKDIR unique=\d+ \/made$/);
    // Asked for once more it is the same: a share has one debugger.
    const first = session();
    assert.ok(
      await vscode.commands.executeCommand('virtiofs.debugShare', { kind: 'share', vm, share: vm.facts?.shares[0] }),
    );
    assert.equal(session(), first);
    await vscode.debug.stopDebugging();
    assert.equal((await ran).status, 0);
  });

  it('shows the session that a share has, also while another one is active and it was attached to by its tag', async () => {
    const vm = await share();
    await isUp(vm);
    const { scratch, file } = capture();
    const started: string[] = [];
    const listening = vscode.debug.onDidStartDebugSession(({ name }) => started.push(name));
    try {
      const named = { type: 'virtiofs', request: 'attach', name: 'by tag', share: vm.facts?.shares[0].tag };
      assert.ok(await vscode.debug.startDebugging(undefined, named), watched.failures.join('\n'));
      await watched.isSetUp();
      vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('OPEN')]);
      assert.ok(await vscode.commands.executeCommand('virtiofs.debugCapture', vscode.Uri.file(file)));
      await watched.stopped(0);
      await until('the capture is what is looked at', 20, () => session().name !== 'by tag');
      const target = { kind: 'share', vm, share: vm.facts?.shares[0] };
      assert.ok(await vscode.commands.executeCommand('virtiofs.debugShare', target));
      assert.deepEqual([started.length, watched.failures], [2, []]);
    } finally {
      listening.dispose();
      rmSync(scratch, { recursive: true });
    }
  });

  it("holds twenty of a guest's programs, lists them, and lets them go in order, in no order, and all at once", async () => {
    const vm = await share();
    await isUp(vm);
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('STATFS')]);
    assert.ok(
      await vscode.commands.executeCommand('virtiofs.debugShare', { kind: 'share', vm, share: vm.facts?.shares[0] }),
    );
    await watched.isSetUp();
    const many = 20;
    /** Twenty programs that ask once each; what they have said, and the threads of their requests. */
    const hold = async (): Promise<{ ran: ReturnType<typeof vm.run>; threads: number[] }> => {
      const before = watched.stops.length;
      const ran = vm.run(`for i in $(seq ${many}); do stat -f . >/dev/null & done; wait; echo all`);
      await watched.stopped(before + many - 1);
      return { ran, threads: watched.stops.slice(before).map(({ threadId }) => threadId ?? 0) };
    };
    for (const pick of [(all: number[]) => all, (all: number[]) => all.map((_, index) => all[(index * 7) % many])]) {
      const { ran, threads } = await hold();
      const { result } = await ask<Dap.EvaluateResponse>('evaluate', { expression: 'held', context: 'repl' });
      const waited = result
        .split('\n')
        .map((line) => /^STATFS unique=\d+ \/ {2}at its entry, for (\d+\.\d) s$/.exec(line)?.[1]);
      assert.equal(waited.filter((seconds) => seconds !== undefined).length, many, result);
      for (const threadId of pick(threads)) {
        await ask('continue', { threadId });
        await until('it has gone on', 20, () => exited().at(-1) === threadId);
      }
      assert.deepEqual(await ran, { status: 0, output: 'all\n' });
      assert.deepEqual(exited().slice(-many), pick(threads));
    }
    const { ran } = await hold();
    await vscode.debug.stopDebugging();
    assert.deepEqual(await ran, { status: 0, output: 'all\n' });
  });

  for (const noDebug of [false, true]) {
    const without = noDebug ? ', without debugging whatever breakpoints there are' : '';
    it(`runs a command in a guest of its own, and ends with it${without}`, async () => {
      if (noDebug) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('OPEN hello.txt')]);
      const [folder] = vscode.workspace.workspaceFolders ?? [];
      const configuration = {
        type: 'virtiofs',
        request: 'launch',
        name: 'command',
        directory: sample().fsPath,
        guest: 'uml',
        command: 'cat hello.txt; exit 7',
        faults: ['errno=EIO GETXATTR'],
      };
      await vscode.debug.startDebugging(folder, configuration, { noDebug });
      await until('the session is over', 120, () => watched.events.some(({ event }) => event === 'terminated'));
      const outputs = watched.events.flatMap((event) =>
        event.event === 'output' ? [(event as Dap.OutputEvent).body.output] : [],
      );
      assert.ok(outputs.includes('hello from the host\n'), outputs.join(''));
      const exit = watched.events.find(({ event }) => event === 'exited') as Dap.ExitedEvent;
      assert.equal(exit.body.exitCode, 7);
      assert.deepEqual(watched.stops, []);
    });
  }

  it("lets breakpoints in the daemon's own TypeScript work", async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const source = join(extension().extensionPath, 'src/fs/passthrough.ts');
    const lines = readFileSync(source, 'utf8').split('\n');
    const line = lines.findIndex((text) => text.startsWith('  lookup(')) + 1;
    const inside = new vscode.Location(vscode.Uri.file(source), new vscode.Position(line, 0));
    const stops: Dap.StoppedEvent[] = [];
    const native = vscode.debug.registerDebugAdapterTrackerFactory('pwa-node', {
      createDebugAdapterTracker: () => ({
        onDidSendMessage: (message: Dap.Event) => {
          if (message.event === 'stopped') stops.push(message as Dap.StoppedEvent);
        },
      }),
    });
    try {
      vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(inside)]);
      await vscode.debug.startDebugging(folder, {
        type: 'virtiofs',
        request: 'launch',
        name: 'inspected',
        directory: sample().fsPath,
        guest: 'uml',
        inspectDaemon: true,
      });
      const { vms } = await insides();
      await isUp(vms.all[0]);
      // The breakpoint is bound when the JavaScript debugger has found the worker: each name is a new LOOKUP.
      const ran: Promise<unknown>[] = [];
      for (let name = 0; name < 20 && stops.length === 0; name++) {
        ran.push(vms.all[0].run(`test ! -e nothing${name}`));
        await Promise.race([ran.at(-1), sleep(3000)]);
        await sleep(500);
      }
      assert.equal(stops[0]?.body.reason, 'breakpoint');
      vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
      await vscode.commands.executeCommand('workbench.action.debug.continue');
      await Promise.all(ran);
    } finally {
      native.dispose();
    }
  });

  it('has something to do without a launch.json', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const empty = { type: '', request: '', name: '' };
    const provider = new DebugConfigurations();
    const withoutDebugging = provider.resolveDebugConfiguration(folder, { ...empty, noDebug: true });
    assert.deepEqual([withoutDebugging?.['directory'], withoutDebugging?.noDebug], ['${workspaceFolder}', true]);
    const workspace = provider.resolveDebugConfiguration(folder, empty);
    assert.deepEqual([workspace?.['directory'], workspace?.noDebug], ['${workspaceFolder}', undefined]);
    const vm = await share();
    await isUp(vm);
    const found = provider.resolveDebugConfiguration(folder, empty);
    assert.deepEqual([found?.request, found?.['pid']], ['attach', vm.facts?.shares[0].daemon.pid]);
    assert.equal(provider.resolveDebugConfiguration(folder, { ...empty, noDebug: true })?.request, 'launch');
    const names = runningConfigurations.provideDebugConfigurations?.(folder);
    assert.equal((names as vscode.DebugConfiguration[]).length, 2);
  });

  it('steps a capture forward and back', async () => {
    const { scratch, file } = capture();
    try {
      vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('READ')]);
      assert.ok(await vscode.commands.executeCommand('virtiofs.debugCapture', vscode.Uri.file(file)));
      await watched.stopped(0);
      // Before VS Code looks at the stop its commands are about nothing.
      await shows(/^# INIT #\d+/);
      await vscode.commands.executeCommand('workbench.action.debug.continue');
      await watched.stopped(1);
      await shows(/^# READ #\d+ "\/a\.db"/);
      await vscode.commands.executeCommand('workbench.action.debug.stepBack');
      await watched.stopped(2);
      await shows(/^# OPEN #\d+ "\/a\.db"/);
      await vscode.commands.executeCommand('workbench.action.debug.reverseContinue');
      await watched.stopped(3);
      await shows(/^# INIT #\d+/);
      // What VS Code asks about a stop that it has left already is answered so.
      assert.deepEqual(
        watched.failures.filter((failure) => !failure.includes('is no reference, or not any more')),
        [],
      );
    } finally {
      await vscode.debug.stopDebugging();
      rmSync(scratch, { recursive: true });
    }
  });
});
