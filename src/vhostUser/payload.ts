/** What comes of a message, and numbers in the payloads of messages and replies. */

/** The reason, for the log. */
export interface Refused {
  readonly refused: string;
}

export interface Replied {
  readonly reply: Uint8Array;
}

/** Undefined: done, and there is nothing to say. */
export type Outcome = Replied | Refused | undefined;

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A u64 as a number, or -1 when a double cannot hold it. */
export function safeU64(payload: DataView, at: number): number {
  const value = payload.getBigUint64(at, true);
  return value <= SAFE ? Number(value) : -1;
}

/** A reply that is one u64. */
export function u64(value: bigint | number): Replied {
  const reply = new Uint8Array(8);
  new DataView(reply.buffer).setBigUint64(0, BigInt(value), true);
  return { reply };
}
