/**
 * One request that changes a file with parts in the DAX window: a caller that stands for the request's own, so that the
 * window is brought up to date at the request's end, now or later, before the guest hears of it.
 *
 * Knows when, and how far the change may reach; what has to be done then is `MappedFiles`'s to know.
 */
import { DEFERRED, type Caller, type Deferred, type Node, type Payload } from '../fileSystem';
import type { MappedFiles } from './mappedFiles';

/** How many bytes a request for `length` may have changed whose result is this. */
export type Reach = (result: number, length: number) => number;

/** The result does not say. */
export const asAsked: Reach = (_result, length) => length;
/** After an error some of what a guest's kernel wrote back may be there. */
export const asWritten: Reach = (result, length) => (result < 0 ? length : result);
export const asCopied: Reach = (result) => Math.max(0, result);

export class MappedChange implements Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly supplementaryGid: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;

  /** The change begins here: what the guest has stored through the window comes first. */
  constructor(
    private readonly window: Pick<MappedFiles, 'before' | 'after'>,
    private readonly node: Node,
    private readonly caller: Caller,
    private readonly reach: Reach,
    private readonly offset = 0,
    private readonly length = 0,
  ) {
    this.uid = caller.uid;
    this.gid = caller.gid;
    this.pid = caller.pid;
    this.supplementaryGid = caller.supplementaryGid;
    this.uniqueLow = caller.uniqueLow;
    this.uniqueHigh = caller.uniqueHigh;
    window.before(node);
  }

  defer(): Deferred & { readonly payload: Payload } {
    const parked = this.caller.defer();
    return {
      payload: parked.payload,
      get answerable() {
        return parked.answerable;
      },
      finish: (result) => {
        parked.finish(this.ended(result));
      },
    };
  }

  /** The request's own result, handed on. */
  ended(result: number): number {
    if (result !== DEFERRED) this.window.after(this.node, this.offset, this.offset + this.reach(result, this.length));
    return result;
  }
}
