/**
 * Where a capture goes: a file, a descriptor, whoever is connected. Takes whole blocks as they come; none of it makes
 * the guest wait.
 */
export interface TraceSink {
  /** The capture begins: what it must know of the session comes first. */
  begin(preamble: readonly Uint8Array[]): void;
  /**
   * Whole blocks. The pieces are views of the ring that are valid during the call, or until the promise is settled,
   * where one is given; the ring's room is kept until then.
   */
  write(pieces: readonly Uint8Array[]): void | Promise<void>;
  /** So many packets have been lost since the last call. */
  lost(packets: number): void;
  /** It wants to begin anew, in another file. */
  readonly full: boolean;
  /** No more comes. */
  end(): void | Promise<void>;
}
