/**
 * What a finding is to those who show it, and how one is made.
 *
 * A finding names rows of its capture that prove it: as many as the limit, the first ones, and how many there are.
 */
import { findingTable, type FindingCode, type Severity } from './table';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly title: string;
  /** What was seen, with its numbers. */
  readonly text: string;
  readonly remedy: string;
  /** Rows that prove it, in order; bounded. */
  readonly rows: Uint32Array;
  /** How many rows prove it, named or not. */
  readonly total: number;
  /** The path it is mostly about, as `Capture.path` gives it. */
  readonly path?: string;
}

/** A finding as it goes through JSON. */
export interface FindingJson {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly title: string;
  readonly means: string;
  readonly text: string;
  readonly remedy: string;
  readonly rows: readonly number[];
  readonly total: number;
  readonly path?: string;
}

/** Rows that prove a finding: the first ones, and how many there were. */
export class Proof {
  total = 0;
  private readonly kept: number[] = [];

  constructor(private readonly most: number) {}

  /** One more row. Several findings add two rows for one event: `counts` false for the one that is not counted. */
  add(row: number, counts = true): void {
    if (counts) this.total++;
    if (this.kept.length < this.most) this.kept.push(row);
  }

  rows(): Uint32Array {
    return Uint32Array.from(new Set(this.kept)).sort();
  }
}

export interface FindingDetails {
  readonly severity?: Severity;
  readonly path?: string | undefined;
  /** More to do than the table says. */
  readonly remedy?: string;
}

export function finding(code: FindingCode, proof: Proof, text: string, details: FindingDetails = {}): Finding {
  const row = findingTable[code];
  return {
    code,
    severity: details.severity ?? row.severity,
    title: row.title,
    text,
    remedy: details.remedy === undefined ? row.remedy : `${row.remedy} ${details.remedy}`,
    rows: proof.rows(),
    total: proof.total,
    ...(details.path ? { path: details.path } : {}),
  };
}

export function findingJson(of: Finding): FindingJson {
  const { code, severity, title, text, remedy, total, path } = of;
  const { means } = findingTable[code];
  return { code, severity, title, means, text, remedy, rows: [...of.rows], total, ...(path ? { path } : {}) };
}
