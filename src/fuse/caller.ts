/** Who asks, as the file system sees it: the credentials in the header, and the way to answer later. */
import { type Caller, type Deferred, NO_GROUP, type Node, type Payload } from '../fs/fileSystem';
import type { Exchange } from './exchange';
import type { ParkedRequests } from './parked';

/** What of the request being served is needed to park it. */
export interface Current {
  readonly exchange: Exchange;
  readonly opcode: number;
  readonly node: Node;
}

export class RequestCaller implements Caller {
  uid = 0;
  gid = 0;
  pid = 0;
  supplementaryGid: number = NO_GROUP;
  uniqueLow = 0;
  uniqueHigh = 0;

  constructor(
    private readonly current: Current,
    private readonly parked: ParkedRequests,
  ) {}

  defer(): Deferred & { readonly payload: Payload } {
    const { exchange, opcode, node } = this.current;
    return this.parked.add(exchange.park(), opcode, node, this.uniqueLow, this.uniqueHigh);
  }
}
