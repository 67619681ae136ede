/** A part of the bench: what it measures, as text, as JSON, and the sentences that the README has above it. */
export interface Plan {
  /** Rounds of each measurement; the median counts. */
  readonly rounds: number;
  /** How long one round is to last, about. */
  readonly milliseconds: number;
  /** Short rounds: for a first look, not for figures. */
  readonly quick: boolean;
  /** No two pages of a request are neighbours in guest memory. */
  readonly scatter: boolean;
  /** Only rows whose name contains this. */
  readonly only: string;
  /** Requests in flight. */
  readonly depths: readonly number[];
  readonly daemons: readonly string[];
}

export interface PartResult {
  readonly json: unknown;
  readonly text: string;
  /** What `text` comes to in a few lines, where it is long. */
  readonly brief?: string;
}

export interface Part {
  readonly name: string;
  readonly about: string;
  measure(plan: Plan, say: (line: string) => void): Promise<PartResult>;
}
