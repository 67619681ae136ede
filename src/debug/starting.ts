/** The handlers of a session's beginning and end: what is debugged is found, shared or read; and let go. */
import { Trouble, trouble } from '../base/catalogue';
import type { Given } from './arguments';
import { capabilities, recordedCapabilities } from './capabilities';
import { checkConfiguration, type Configuration } from './configuration';
import type { Debugging } from './debugging';
import { LiveTarget } from './liveTarget';
import { RecordedTarget } from './recordedTarget';

export function initialize(debugging: Debugging, args: Given<'initialize'>): object {
  debugging.client = {
    linesStartAt1: args.linesStartAt1 ?? true,
    columnsStartAt1: args.columnsStartAt1 ?? true,
    // VS Code takes it for an index into the text, whatever it says of columns, and filters by what it finds there.
    firstCompletionColumn: (args.columnsStartAt1 ?? true) && args.clientID !== 'vscode' ? 1 : 0,
    progress: args.supportsProgressReporting ?? false,
    paging: args.supportsVariablePaging ?? false,
    invalidated: args.supportsInvalidatedEvent ?? false,
    memory: args.supportsMemoryEvent ?? false,
  };
  return capabilities;
}

export async function start(
  debugging: Debugging,
  request: 'launch' | 'attach',
  args: Record<string, unknown>,
): Promise<void> {
  if (debugging.starting) throw trouble('debugNotNow', `a second "${request}"`, 'this session has something to debug');
  debugging.starting = true;
  try {
    await begin(debugging, request, args);
  } catch (error) {
    debugging.starting = false;
    throw error;
  }
}

async function begin(debugging: Debugging, request: 'launch' | 'attach', args: Record<string, unknown>): Promise<void> {
  const configuration = checkConfiguration(request, args);
  switch (configuration.kind) {
    case 'capture':
      return openCapture(debugging, configuration.capture);
    case 'attach': {
      const { title, debugSocket } = debugging.surroundings.findShare(configuration.share);
      debugging.use(await LiveTarget.connect(debugSocket, title, configuration.live, debugging.events));
      return;
    }
    case 'launch':
      return launch(debugging, configuration);
  }
}

/** Breakpoints may come now. */
export function initialized(debugging: Debugging): void {
  if (debugging.target.recorded) debugging.event('capabilities', { capabilities: recordedCapabilities });
  debugging.event('initialized');
}

async function openCapture(debugging: Debugging, path: string): Promise<void> {
  debugging.use(await RecordedTarget.open(path, debugging.events));
}

type Launch = Extract<Configuration, { kind: 'launch' }>;

async function launch(debugging: Debugging, { plan, live, noDebug }: Launch): Promise<void> {
  debugging.noDebug = noDebug;
  const progress = debugging.progress('Starting the guest');
  try {
    const launched = await debugging.surroundings.launch(plan, (text) => progress.report(text));
    if (debugging.over) {
      await launched.stop();
      throw trouble('debugCancelled');
    }
    debugging.launched = launched;
    debugging.command = plan.command;
    try {
      debugging.use(await LiveTarget.connect(launched.debugSocket, launched.tag, live, debugging.events));
    } catch (error) {
      await launched.stop();
      throw error;
    }
    if (launched.inspectorPort !== undefined) debugging.event('virtiofsInspector', { port: launched.inspectorPort });
    void launched.ended.then((how) => {
      debugging.output('console', `The guest has ended: ${how}`);
      debugging.terminated();
    });
    void launched.up
      .then(() => debugging.output('console', 'The guest is up.'))
      .catch((error: unknown) => debugging.output('stderr', `${sentence(error)}`))
      .finally(() => progress.end());
  } catch (error) {
    progress.end();
    throw error;
  }
}

export async function configurationDone(debugging: Debugging): Promise<void> {
  const { target } = debugging;
  if (debugging.configured) throw trouble('debugNotNow', 'a second "configurationDone"', 'the session has begun');
  debugging.configured = true;
  await target.begin();
  const { launched, command } = debugging;
  launched?.begin();
  if (launched === undefined || command === undefined) return;
  void launched.up
    .then(() => launched.run(command))
    .then(({ status, output }) => {
      if (output !== '') debugging.output('stdout', output);
      debugging.event('exited', { exitCode: status });
      return launched.stop();
    })
    .catch((error: unknown) => {
      debugging.output('stderr', sentence(error));
      debugging.terminated();
    });
}

const sentence = (error: unknown): string =>
  error instanceof Trouble
    ? `${error.message}. ${error.remedy}`
    : error instanceof Error
      ? error.message
      : String(error);

/** A guest that was launched is asked to stop; held requests go on, so that it can. */
export async function terminate(debugging: Debugging): Promise<void> {
  const { launched } = debugging;
  debugging.letGo();
  if (launched !== undefined) await launched.stop();
  debugging.terminated();
}

export async function disconnect(debugging: Debugging, { terminateDebuggee }: Given<'disconnect'>): Promise<void> {
  // Asked for first: a guest that was not to start yet never does.
  const stopped = terminateDebuggee === false ? undefined : debugging.launched?.stop().catch(() => undefined);
  debugging.end();
  await stopped;
}
