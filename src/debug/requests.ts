/**
 * The requests of the Debug Adapter Protocol that are answered, each with what answers it. What is not here is answered
 * with an error.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Debugging } from './debugging';
import * as looking from './looking';
import * as breaking from './breaking';
import * as changing from './changing';
import * as starting from './starting';

export interface RequestRow {
  /** Events that it causes come after its answer. */
  readonly moves?: true;
  /** What is wrong is shown where it was asked, not as a message. */
  readonly quiet?: true;
  handle(debugging: Debugging, args: never): object | undefined | void | Promise<object | undefined | void>;
  /** After the answer. */
  then?(debugging: Debugging): void;
}

const row = <Args, Body extends object | undefined | void>(
  handle: (debugging: Debugging, args: Args) => Body | Promise<Body>,
  extra: Omit<RequestRow, 'handle'> = {},
): RequestRow => ({ handle, ...extra });

const moves = { moves: true } as const;
const quiet = { quiet: true } as const;

const move = (how: Parameters<typeof changing.move>[1]): RequestRow =>
  row((debugging: Debugging, { threadId }: { threadId: number }) => changing.move(debugging, how, threadId), moves);

export const requests: Readonly<Record<string, RequestRow>> = {
  // Beginning and end
  initialize: row((d, args: Dap.InitializeRequestArguments) => starting.initialize(d, args)),
  launch: row((d, args: Record<string, unknown>) => starting.start(d, 'launch', args), { then: starting.initialized }),
  attach: row((d, args: Record<string, unknown>) => starting.start(d, 'attach', args), { then: starting.initialized }),
  configurationDone: row((d) => starting.configurationDone(d), moves),
  terminate: row((d) => starting.terminate(d), moves),
  disconnect: row((d, args: Dap.DisconnectArguments) => starting.disconnect(d, args)),

  /** Of a progress; a request that nobody waits for any more is answered all the same. */
  cancel: row((d, { progressId }: Dap.CancelArguments) => {
    if (progressId !== undefined) d.cancel(progressId);
  }),

  // Breakpoints
  setBreakpoints: row((d, args: Dap.SetBreakpointsArguments) => breaking.setBreakpoints(d, args)),
  setFunctionBreakpoints: row((d, args: Dap.SetFunctionBreakpointsArguments) => breaking.setFunctions(d, args)),
  setExceptionBreakpoints: row((d, args: Dap.SetExceptionBreakpointsArguments) => breaking.setExceptions(d, args)),
  exceptionInfo: row((d, args: Dap.ExceptionInfoArguments) => breaking.exceptionInfo(d, args), quiet),

  // Looking
  threads: row((d) => looking.threads(d)),
  stackTrace: row((d, args: Dap.StackTraceArguments) => looking.stackTrace(d, args), quiet),
  scopes: row((d, args: Dap.ScopesArguments) => looking.scopes(d, args), quiet),
  variables: row((d, args: Dap.VariablesArguments) => looking.variables(d, args), quiet),
  source: row((d, args: Dap.SourceArguments) => looking.source(d, args), quiet),
  loadedSources: row((d) => looking.loadedSources(d)),
  evaluate: row((d, args: Dap.EvaluateArguments) => looking.evaluated(d, args), { ...moves, ...quiet }),
  completions: row((d, args: Dap.CompletionsArguments) => looking.completions(d, args), quiet),
  readMemory: row((d, args: Dap.ReadMemoryArguments) => looking.readMemory(d, args), quiet),

  // Going on
  continue: row(async (d, { threadId }: Dap.ContinueArguments) => {
    await changing.move(d, 'continue', threadId);
    return { allThreadsContinued: false };
  }, moves),
  next: move('next'),
  stepIn: move('stepIn'),
  stepOut: move('stepOut'),
  stepBack: move('stepBack'),
  reverseContinue: move('reverseContinue'),
  pause: row((d, { threadId }: Dap.PauseArguments) => changing.pause(d, threadId), moves),
  restartFrame: row((d, { frameId }: Dap.RestartFrameArguments) => changing.restartFrame(d, frameId), moves),
  gotoTargets: row((_, args: Dap.GotoTargetsArguments) => changing.gotoTargets(args)),
  goto: row((d, { threadId, targetId }: Dap.GotoArguments) => changing.goTo(d, threadId, targetId), moves),

  // Changing
  setVariable: row((d, args: Dap.SetVariableArguments) => changing.setVariable(d, args), { ...moves, ...quiet }),
  setExpression: row((d, args: Dap.SetExpressionArguments) => changing.setExpression(d, args), { ...moves, ...quiet }),
  writeMemory: row((d, args: Dap.WriteMemoryArguments) => changing.writeMemory(d, args), moves),
};
