/**
 * What the main thread and the queue worker say to each other about debugging: the debugger's messages, checked
 * already.
 */
import type { DebugEvent, DebugRequest } from '../../control/debug';

/** What is told instead of a result. `bytes`: it is the bytes that cannot be, not the moment. */
export interface Refused {
  readonly refused: string;
  readonly bytes?: true;
}

/** To the queue worker, by a message port that is looked at when its eventfd says so. */
export type DebugCommand =
  | { readonly kind: 'request'; readonly id: number; readonly name: DebugRequest; readonly params: unknown }
  /** The debugger has gone. */
  | { readonly kind: 'detach' };

/** From it. */
export type DebugNews =
  | ({ readonly kind: 'debugAnswer'; readonly id: number; readonly result: unknown } & Partial<Refused>)
  | { readonly kind: 'debugEvent'; readonly name: DebugEvent; readonly facts: unknown };
