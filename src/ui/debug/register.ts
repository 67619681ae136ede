/**
 * The debugger in VS Code: the adapter runs inline, one for each session; its documents; the JavaScript debugger beside
 * it where the daemon's own source is wanted.
 */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { debugSocketOf, resolveShare, runningShares } from '../../control/runningShares';
import type { DebugAdapter } from '../../debug/adapter';
import type { ShareToAttach } from '../../debug/surroundings';
import type { Studio } from '../studio';
import { DebugConfigurations, runningConfigurations, TYPE } from './configurations';
import { DebugDocuments } from './documents';

export function registerDebugger(studio: Studio): vscode.Disposable[] {
  const documents = new DebugDocuments();
  let sessions = 0;
  const factory: vscode.DebugAdapterDescriptorFactory = {
    createDebugAdapterDescriptor: async () => {
      // With all the tables of the protocol: not before somebody debugs.
      const { DebugAdapter: Adapter } = await import('../../debug/adapter.js');
      const session = String(++sessions);
      const adapter = new Adapter({
        launch: async (plan, told) => {
          const launched = await (await import('./launchGuest.js')).launchGuest(studio, plan, told);
          studio.debugged.set(session, launched.debugSocket);
          return launched;
        },
        findShare: (name) => {
          const share = findShare(name);
          studio.debugged.set(session, share.debugSocket);
          return share;
        },
        documentUri: (what) => documents.uri(session, what),
        requestChanged: (thread) => documents.refresh(session, thread),
      });
      documents.add(session, adapter);
      return new vscode.DebugAdapterInlineImplementation({
        onDidSendMessage: adapter.onDidSendMessage as unknown as vscode.Event<vscode.DebugProtocolMessage>,
        handleMessage: (message) => adapter.handleMessage(message as Parameters<DebugAdapter['handleMessage']>[0]),
        dispose: () => {
          adapter.dispose();
          studio.debugged.delete(session);
          documents.remove(session);
        },
      });
    },
  };
  const initial = vscode.DebugConfigurationProviderTriggerKind.Initial;
  const dynamic = vscode.DebugConfigurationProviderTriggerKind.Dynamic;
  return [
    documents,
    vscode.debug.registerDebugAdapterDescriptorFactory(TYPE, factory),
    vscode.debug.registerDebugConfigurationProvider(TYPE, new DebugConfigurations(), initial),
    vscode.debug.registerDebugConfigurationProvider(TYPE, runningConfigurations, dynamic),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((told) => {
      if (told.session.type === TYPE && told.event === 'virtiofsInspector') void inspect(studio, told);
    }),
    // A word of a request's text is a field; with its dots it is one of a message.
    vscode.languages.registerEvaluatableExpressionProvider('fuse-request', {
      provideEvaluatableExpression: (document, position) => {
        const range = document.getWordRangeAtPosition(position, /[A-Za-z_]\w*(?:\.\w+)*/);
        return range && new vscode.EvaluatableExpression(range);
      },
    }),
  ];
}

/** Throws a Trouble when there is none, or several without a name. */
function findShare(name: string | undefined): ShareToAttach {
  const shares = runningShares();
  const share = name === undefined && shares.length === 1 ? shares[0] : resolveShare(name ?? '', shares);
  return { title: share.tag || share.directory, debugSocket: debugSocketOf(share.pid) };
}

/** The built-in JavaScript debugger on the daemon's own source. */
async function inspect({ extensionPath }: Studio, { session, body }: vscode.DebugSessionCustomEvent): Promise<void> {
  const { port } = body as { port: number };
  const configuration: vscode.DebugConfiguration = {
    type: 'node',
    request: 'attach',
    name: `${session.name}: the daemon's JavaScript`,
    address: '127.0.0.1',
    port,
    continueOnAttach: true,
    sourceMaps: true,
    outFiles: [join(extensionPath, 'dist', '*.js')],
    resolveSourceMapLocations: [`${extensionPath}/**`],
    sourceMapPathOverrides: {
      'webpack://virtiofs-studio/./*': `${extensionPath}/*`,
      'webpack:///./*': `${extensionPath}/*`,
    },
  };
  await vscode.debug.startDebugging(session.workspaceFolder, configuration, {
    parentSession: session,
    lifecycleManagedByParent: true,
    suppressSaveBeforeStart: true,
  });
}
