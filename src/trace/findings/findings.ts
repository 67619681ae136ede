/**
 * Findings: one pass over a capture that names what users fall over, each with the requests that prove it.
 *
 * Owns the pass only: which rows are shown to which finding, in the order in which requests were taken. A finding is a
 * small object of its own file; a new one is a row in `table.ts` and a line here. A capture that grows is looked at
 * anew.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { RowFlag, type Capture } from '../capture';
import { DescriptorGrowth } from './descriptorGrowth';
import type { Detector, DetectorContext } from './detector';
import { DirectIoRefused } from './directIo';
import { DescriptorsExhausted, EnosysRepeated, Estale, NoSpace } from './errors';
import type { Finding } from './finding';
import { LocksNeverSeen } from './locksNeverSeen';
import { LostPackets } from './lostPackets';
import { MmapRefused } from './mmapRefused';
import { Negotiated } from './negotiated';
import { NegativeLookups } from './negativeLookups';
import { Observed, observing } from './observed';
import { PermissionErrors } from './permissionErrors';
import { QueueSizeCaps } from './queueSize';
import { QueueStarvation } from './queueStarvation';
import { ReaddirWithoutPlus } from './readdirWithoutPlus';
import { RequestsInFlight } from './requestsInFlight';
import { Row } from './row';
import { SlowRequests } from './slowRequests';
import { SmallIo } from './smallIo';
import { StaleCache } from './staleCache';
import { findingCodes, type FindingCode, type Severity } from './table';
import { MOST_ROWS } from './thresholds';
import { times } from './words';
import { XattrStorm } from './xattrStorm';

export type { Finding, FindingJson } from './finding';
export { findingJson } from './finding';
export { findingCodes, findingTable, type FindingCode, type Severity } from './table';

const detectors: Readonly<Record<FindingCode, new (context: DetectorContext) => Detector>> = {
  'requests-in-flight': RequestsInFlight,
  'descriptors-exhausted': DescriptorsExhausted,
  'no-space': NoSpace,
  estale: Estale,
  'lost-packets': LostPackets,
  'stale-cache': StaleCache,
  'permission-errors': PermissionErrors,
  'direct-io-refused': DirectIoRefused,
  'mmap-refused': MmapRefused,
  'locks-never-seen': LocksNeverSeen,
  'queue-size-caps': QueueSizeCaps,
  'queue-starvation': QueueStarvation,
  'slow-requests': SlowRequests,
  'small-io': SmallIo,
  'readdir-without-plus': ReaddirWithoutPlus,
  'descriptor-growth': DescriptorGrowth,
  'xattr-storm': XattrStorm,
  'enosys-repeated': EnosysRepeated,
  'negative-lookups': NegativeLookups,
};

export interface FindingsOptions {
  /** Only these; all of them otherwise. */
  readonly codes?: readonly FindingCode[];
  /** How many rows a finding names; 64 unless said. */
  readonly rows?: number;
  /** Told of each inode that was stale: the rows of both looks, and for how long. */
  readonly stale?: DetectorContext['stale'];
}

/** Opcodes are below it; what is above is shown only to those who want every row. */
const OPCODES = 64;

const order: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** What is found, the worst first. */
export function findings(capture: Capture, options: FindingsOptions = {}): Finding[] {
  const pass = new FindingsPass(capture, options);
  pass.advance(() => false);
  return pass.found();
}

/** What findings do not speak of, of so many requests that were changed; undefined for none. */
export function leftOut(changed: number): string | undefined {
  return changed === 0
    ? undefined
    : `left out of findings: ${times(changed, 'request')} that faults or a debugger changed`;
}

const ROWS_BETWEEN_LOOKS = 1024;

/**
 * The same in steps, over the rows that there are when it begins; of a capture that has grown there is another pass.
 */
export class FindingsPass {
  private readonly session = new Negotiated();
  private readonly chosen: readonly Detector[];
  private readonly wanting: readonly (readonly Detector[])[];
  /** The same of rows that a fault or a debugger changed. */
  private readonly wantingChanged: readonly (readonly Detector[])[];
  private readonly observers: readonly Detector[];
  private readonly observable = new Uint8Array(OPCODES + 1);
  private readonly row: Row;
  private readonly inode: Observed;
  private readonly visit = (): void => {
    for (const each of this.observers) each.observe?.(this.row, this.inode);
  };
  private readonly count: number;
  private next: number;
  /** Requests so far that a fault or a debugger changed. */
  changed = 0;
  private gap = 0;

  /** `from`: rows before it are as if they had not been. */
  constructor(
    private readonly capture: Capture,
    options: FindingsOptions = {},
    from = 0,
  ) {
    const { session } = this;
    const context: DetectorContext = {
      capture,
      session,
      rows: options.rows ?? MOST_ROWS,
      ...(options.stale && { stale: options.stale }),
    };
    const codes = options.codes ?? findingCodes;
    this.chosen = findingCodes.filter((code) => codes.includes(code)).map((code) => new detectors[code](context));
    this.wanting = Array.from({ length: OPCODES + 1 }, (_, opcode) =>
      this.chosen.filter((each) => !each.opcodes || each.opcodes.includes(opcode)),
    );
    this.wantingChanged = this.wanting.map((wanting) => wanting.filter((each) => !each.ownOnly));
    this.observers = this.chosen.filter((each) => each.observe !== undefined);
    if (this.observers.length > 0) for (const opcode of observing) this.observable[opcode] = 1;
    this.row = new Row(capture);
    this.inode = new Observed(capture.origin);
    this.count = capture.count;
    this.next = from;
  }

  /** Looks at rows until `over`. True when that were all. */
  advance(over: () => boolean): boolean {
    const { capture, row, chosen } = this;
    const { flags } = capture.columns;
    const count = Math.min(this.count, capture.count);
    while (this.next < count) {
      if (this.next % ROWS_BETWEEN_LOOKS === 0 && over()) return false;
      const index = this.next++;
      for (; this.gap < capture.gaps.length && capture.gaps[this.gap].row <= index; this.gap++) {
        for (const each of chosen) each.gap?.(index);
      }
      if (flags[index] & RowFlag.ORPHAN) continue;
      row.load(index);
      if (row.opcode === Opcode.INIT) {
        this.session.take(row);
        for (const each of chosen) each.restart?.();
      }
      const opcode = Math.min(row.opcode, OPCODES);
      const { changed } = row;
      if (changed) this.changed++;
      for (const each of (changed ? this.wantingChanged : this.wanting)[opcode]) each.take(row);
      if (!changed && this.observable[opcode] === 1 && row.succeeded) this.inode.each(row, this.visit);
    }
    return true;
  }

  /** What was found; once, at the end. */
  found(): Finding[] {
    return this.chosen
      .flatMap((each) => each.end())
      .sort(
        (a, b) => order[a.severity] - order[b.severity] || findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code),
      );
  }
}
