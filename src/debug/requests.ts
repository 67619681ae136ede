/**
 * The requests of the Debug Adapter Protocol that are answered, each with what answers it. What is not here is answered
 * with an error.
 */
import type { Given, RequestName } from './arguments';
import type { Debugging } from './debugging';
import * as looking from './looking';
import * as breaking from './breaking';
import * as changing from './changing';
import * as starting from './starting';
import type { Move } from './target';

type Answer = object | undefined | void;

export interface RequestRow<Args> {
  /** Events that it causes come after its answer. */
  readonly moves?: true;
  /** What is wrong is shown where it was asked, not as a message. */
  readonly quiet?: true;
  handle(debugging: Debugging, args: Args): Answer | Promise<Answer>;
  /** After the answer. */
  then?(debugging: Debugging): void;
}

const move = (how: Move): RequestRow<Given<'next'>> => ({
  handle: (d, { threadId }) => changing.move(d, how, threadId),
  moves: true,
});

export const requests: { readonly [Name in RequestName]: RequestRow<Given<Name>> } = {
  // Beginning and end
  initialize: { handle: starting.initialize },
  launch: { handle: (d, args) => starting.start(d, 'launch', args), then: starting.initialized },
  attach: { handle: (d, args) => starting.start(d, 'attach', args), then: starting.initialized },
  configurationDone: { handle: starting.configurationDone, moves: true },
  terminate: { handle: starting.terminate, moves: true },
  disconnect: { handle: starting.disconnect },

  cancel: {
    // Of a progress. A request that nobody waits for any more is answered all the same: others may wait for its work.
    handle: (d, { progressId }) => {
      if (progressId !== undefined) d.cancel(progressId);
    },
  },

  // Breakpoints
  setBreakpoints: { handle: breaking.setBreakpoints },
  setFunctionBreakpoints: { handle: breaking.setFunctions },
  setExceptionBreakpoints: { handle: breaking.setExceptions },
  exceptionInfo: { handle: breaking.exceptionInfo, quiet: true },

  // Looking
  threads: { handle: looking.threads },
  stackTrace: { handle: looking.stackTrace, quiet: true },
  scopes: { handle: looking.scopes, quiet: true },
  variables: { handle: looking.variables, quiet: true },
  source: { handle: looking.source, quiet: true },
  loadedSources: { handle: looking.loadedSources },
  evaluate: { handle: looking.evaluated, moves: true, quiet: true },
  completions: { handle: looking.completions, quiet: true },
  readMemory: { handle: looking.readMemory, quiet: true },

  // Going on
  continue: {
    handle: async (d, { threadId }) => {
      await changing.move(d, 'continue', threadId);
      return { allThreadsContinued: false };
    },
    moves: true,
  },
  next: move('next'),
  stepIn: move('stepIn'),
  stepOut: move('stepOut'),
  stepBack: move('stepBack'),
  reverseContinue: move('reverseContinue'),
  pause: { handle: (d, { threadId }) => changing.pause(d, threadId), moves: true },
  restartFrame: { handle: (d, { frameId }) => changing.restartFrame(d, frameId), moves: true },
  gotoTargets: { handle: (_, args) => changing.gotoTargets(args) },
  goto: { handle: (d, { threadId, targetId }) => changing.goTo(d, threadId, targetId), moves: true },

  // Changing
  setVariable: { handle: changing.setVariable, moves: true, quiet: true },
  setExpression: { handle: changing.setExpression, moves: true, quiet: true },
  writeMemory: { handle: changing.writeMemory, moves: true },
};

export const isRequest = (name: string): name is RequestName => Object.hasOwn(requests, name);
