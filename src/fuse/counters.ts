/** What the server has met that a well-behaved guest does not send. Numbers only grow. */
export class Counters {
  /** Replies that were an error, of whatever kind. */
  failed = 0;
  /** Requests that break a rule of the protocol, whether answered with an errno or dropped. */
  refused = 0;
  /** Of these: requests that have no reply, such as a malformed FORGET. */
  dropped = 0;
  /** FORGET of inodes that the guest does not have. */
  staleForgets = 0;
  /** Requests or replies that do not lie in guest memory. */
  unaddressable = 0;
}
