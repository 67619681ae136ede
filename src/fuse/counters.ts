/** What the server has met that a well-behaved guest does not send. Numbers only grow. */
export class Counters {
  /** Requests that break a rule of the protocol, whether answered with an errno or dropped. */
  refused = 0;
  /** Of these: malformed FORGET and BATCH_FORGET, which have no reply. */
  dropped = 0;
  /** FORGET of inodes that the guest does not have. */
  staleForgets = 0;
  /** Requests or replies that do not lie in guest memory. */
  unaddressable = 0;
}
