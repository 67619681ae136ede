/**
 * What each request of the Debug Adapter Protocol is given, as far as it is used here: a request that is given
 * something else is refused before anybody handles it.
 */
import { trouble } from '../base/catalogue';
import { checked, flag, integer, list, object, optional, text, type Shape, type Value } from '../control/shapes';

/** Of `writeMemory`, in base64. */
const MOST_DATA = 64 << 20;

const any = integer(Number.MIN_SAFE_INTEGER);
const id = integer();
const one = text();
const source = object({ name: optional(one), path: optional(one), sourceReference: optional(id) });
const written = { condition: optional(one), hitCondition: optional(one) };
const thread = object({ threadId: id });

/** What a launch.json says: `configuration.ts` knows. */
const configuration: Shape<Readonly<Record<string, unknown>>> = (value, place, problems) => {
  object({})(value, place, problems);
  return value as Readonly<Record<string, unknown>>;
};

const shapes = {
  initialize: object({
    clientID: optional(one),
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
  cancel: object({ progressId: optional(one) }),

  setBreakpoints: object({
    source,
    breakpoints: optional(list(object({ line: id, ...written, logMessage: optional(one) }))),
  }),
  setFunctionBreakpoints: object({ breakpoints: list(object({ name: one, ...written })) }),
  setExceptionBreakpoints: object({
    filters: list(one),
    filterOptions: optional(list(object({ filterId: one, condition: optional(one) }))),
  }),
  exceptionInfo: thread,

  threads: object({}),
  stackTrace: object({ threadId: id, startFrame: optional(any), levels: optional(any) }),
  scopes: object({ frameId: id }),
  variables: object({ variablesReference: id, filter: optional(one), start: optional(any), count: optional(any) }),
  source: object({ source: optional(source), sourceReference: optional(id) }),
  loadedSources: object({}),
  evaluate: object({ expression: one, frameId: optional(id), context: optional(one) }),
  completions: object({ text: one, column: any, line: optional(any) }),
  readMemory: object({ memoryReference: one, offset: optional(any), count: any }),

  continue: thread,
  next: thread,
  stepIn: thread,
  stepOut: thread,
  stepBack: thread,
  reverseContinue: thread,
  pause: thread,
  restartFrame: object({ frameId: id }),
  gotoTargets: object({ line: any }),
  goto: object({ threadId: id, targetId: any }),

  setVariable: object({ variablesReference: id, name: one, value: one }),
  setExpression: object({ expression: one, value: one, frameId: optional(id) }),
  writeMemory: object({ memoryReference: one, offset: optional(any), data: text(MOST_DATA) }),
} as const;

export type RequestName = keyof typeof shapes;
export type Given<Name extends RequestName> = Value<(typeof shapes)[Name]>;

/** Throws a Trouble. */
export function given<Name extends RequestName>(name: Name, args: unknown): Given<Name> {
  const result = checked(shapes[name] as Shape<Given<Name>>, args ?? {});
  if (!result.ok) throw trouble('debugArgumentBad', name, result.problems.join('; ').replace('the message', 'it'));
  return result.value;
}
