/** What a capture's stream brings, in order: what is known at any moment of it follows from that. */
export interface Journal {
  /** A request, or a reply without one, became a row. Its slot until it is answered; -1: it has none. */
  taken(row: number, slot: number): void;
  /** The row's reply has come. */
  answered(row: number): void;
  /** A section that knows nothing of what was before. */
  section(): void;
  /** Packets were lost. */
  lost(): void;
  /** Names known before, in a packet there. */
  names(place: number, captured: number): void;
}
