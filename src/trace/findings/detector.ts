/** What one finding is to the pass: an object that is shown rows, and says at the end what it has found. */
import type { Capture } from '../capture';
import type { Finding } from './finding';
import type { Negotiated } from './negotiated';
import type { Observed } from './observed';
import type { Row } from './row';

export interface Detector {
  /** Rows with these opcodes are shown to it; without it, all are. */
  readonly opcodes?: readonly number[];
  /** Rows that a fault or a debugger changed are not shown to it: they say nothing of the share. */
  readonly ownOnly?: true;
  take(row: Row): void;
  /** An inode that the reply of the row, which was taken before, speaks of. */
  observe?(row: Row, inode: Observed): void;
  /** A new INIT: the guest has forgotten everything. It is shown before the row of INIT. */
  restart?(): void;
  /** Packets were lost before this row: what is remembered may be wrong. */
  gap?(row: number): void;
  end(): readonly Finding[];
}

/** What detectors are made with. */
export interface DetectorContext {
  readonly capture: Capture;
  readonly session: Negotiated;
  /** How many rows a finding names. */
  readonly rows: number;
  /** Told of each inode that was stale: the rows of both looks, and for how long (nanoseconds). */
  readonly stale?: ((nodeid: number, first: number, second: number, stale: number) => void) | undefined;
}
