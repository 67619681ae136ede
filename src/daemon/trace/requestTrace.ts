/** What a trace keeps about one request while it is served. Belongs to its exchange, and is used again with it. */
export class RequestTrace {
  /** Its request packet is in the capture. */
  traced = false;
  queue = 0;
  head = 0;
  opcode = 0;
  /** Milliseconds of this thread's clock: taken from the queue; waited before that. */
  taken = 0;
  queued = 0;
  /** `taken` as the capture has it: nanoseconds since the epoch. */
  takenLow = 0;
  takenHigh = 0;
  /** Host system calls: how many, the time in them, when the last one ended. */
  calls = 0;
  host = 0;
  hostEnd = 0;
  /** Answered later: by another thread, or after a wait. */
  later = false;
  /** Milliseconds that a debugger or a fault held it; whether one changed it. */
  held = 0;
  /** Of these, since the last host system call. */
  heldAfter = 0;
  changed = false;
}
