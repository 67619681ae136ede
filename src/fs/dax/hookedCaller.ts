/** A caller whose request, should it be parked, has something done at its end before the guest hears of that. */
import type { Caller, Deferred, Payload } from '../fileSystem';

export class HookedCaller implements Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly supplementaryGid: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;

  constructor(
    private readonly caller: Caller,
    private readonly atEnd: (result: number) => void,
  ) {
    this.uid = caller.uid;
    this.gid = caller.gid;
    this.pid = caller.pid;
    this.supplementaryGid = caller.supplementaryGid;
    this.uniqueLow = caller.uniqueLow;
    this.uniqueHigh = caller.uniqueHigh;
  }

  defer(): Deferred & { readonly payload: Payload } {
    const parked = this.caller.defer();
    return {
      payload: parked.payload,
      finish: (result) => {
        this.atEnd(result);
        parked.finish(result);
      },
    };
  }
}
