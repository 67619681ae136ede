/**
 * What each request of the Debug Adapter Protocol is given, as far as it is used here: a request that is given
 * something else is refused before anybody handles it.
 */
import { trouble } from '../base/catalogue';
import { checked, flag, integer, list, object, optional, text, type Shape, type Value } from '../control/shapes';

/** Of `writeMemory`, in base64. */
const MOST_DATA = 64 << 20;

const signed = integer(Number.MIN_SAFE_INTEGER);
const natural = integer();
const words = text();
const source = object({ name: optional(words), path: optional(words), sourceReference: optional(natural) });
const written = { condition: optional(words), hitCondition: optional(words) };
const thread = object({ threadId: natural });

/** What a launch.json says: `configuration.ts` knows. */
const configuration: Shape<Readonly<Record<string, unknown>>> = (value, place, problems) => {
  object({})(value, place, problems);
  return value as Readonly<Record<string, unknown>>;
};

const shapes = {
  initialize: object({
    clientID: optional(words),
    linesStartAt1: optional(flag),
    columnsStartAt1: optional(flag),
    supportsProgressReporting: optional(flag),
    supportsVariablePaging: optional(flag),
    supportsInvalidatedEvent: optional(flag),
    supportsMemoryEvent: optional(flag),
  }),
  launch: configuration,
  attach: configuration,
  configurationDone: object({}),
  terminate: object({}),
  disconnect: object({ terminateDebuggee: optional(flag) }),
  cancel: object({ progressId: optional(words) }),

  setBreakpoints: object({
    source,
    breakpoints: optional(list(object({ line: natural, ...written, logMessage: optional(words) }))),
  }),
  setFunctionBreakpoints: object({ breakpoints: list(object({ name: words, ...written })) }),
  setExceptionBreakpoints: object({
    filters: list(words),
    filterOptions: optional(list(object({ filterId: words, condition: optional(words) }))),
  }),
  exceptionInfo: thread,

  threads: object({}),
  stackTrace: object({ threadId: natural, startFrame: optional(signed), levels: optional(signed) }),
  scopes: object({ frameId: natural }),
  variables: object({
    variablesReference: natural,
    filter: optional(words),
    start: optional(signed),
    count: optional(signed),
  }),
  source: object({ source: optional(source), sourceReference: optional(natural) }),
  loadedSources: object({}),
  evaluate: object({ expression: words, frameId: optional(natural), context: optional(words) }),
  completions: object({ text: words, column: signed, line: optional(signed) }),
  readMemory: object({ memoryReference: words, offset: optional(signed), count: signed }),

  continue: thread,
  next: thread,
  stepIn: thread,
  stepOut: thread,
  stepBack: thread,
  reverseContinue: thread,
  pause: thread,
  restartFrame: object({ frameId: natural }),
  gotoTargets: object({ line: signed }),
  goto: object({ threadId: natural, targetId: signed }),

  setVariable: object({ variablesReference: natural, name: words, value: words }),
  setExpression: object({ expression: words, value: words, frameId: optional(natural) }),
  writeMemory: object({ memoryReference: words, offset: optional(signed), data: text(MOST_DATA) }),
} as const;

export type RequestName = keyof typeof shapes;
export type Given<Name extends RequestName> = Value<(typeof shapes)[Name]>;

/** Throws a Trouble. */
export function given<Name extends RequestName>(name: Name, args: unknown): Given<Name> {
  const result = checked(shapes[name] as Shape<Given<Name>>, args ?? {});
  if (!result.ok) throw trouble('debugArgumentBad', name, result.problems.join('; ').replace('the message', 'it'));
  return result.value;
}
