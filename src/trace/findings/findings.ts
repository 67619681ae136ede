/**
 * Findings: one pass over a capture that names what users fall over, each with the requests that prove it.
 *
 * Owns the pass only: which rows are shown to which finding, in the order in which requests were taken. A finding is a
 * small object of its own file; a new one is a row in `table.ts` and a line here. A capture that grows is looked at anew.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { RowFlag, type Capture } from '../capture';
import { DescriptorGrowth } from './descriptorGrowth';
import type { Detector, DetectorContext } from './detector';
import { DirectIoRefused } from './directIo';
import { DescriptorsExhausted, EnosysRepeated, Estale } from './errors';
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
import { XattrStorm } from './xattrStorm';

export type { Finding, FindingJson } from './finding';
export { findingJson } from './finding';
export { findingCodes, findingTable, type FindingCode, type Severity } from './table';

const detectors: Readonly<Record<FindingCode, new (context: DetectorContext) => Detector>> = {
  'requests-in-flight': RequestsInFlight,
  'descriptors-exhausted': DescriptorsExhausted,
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
}

/** Opcodes are below it; what is above is shown only to those who want every row. */
const OPCODES = 64;

const order: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** What is found, the worst first. */
export function findings(capture: Capture, options: FindingsOptions = {}): Finding[] {
  const session = new Negotiated();
  const context: DetectorContext = { capture, session, rows: options.rows ?? MOST_ROWS };
  const codes = options.codes ?? findingCodes;
  const chosen = findingCodes.filter((code) => codes.includes(code)).map((code) => new detectors[code](context));
  walk(capture, session, chosen);
  return chosen
    .flatMap((each) => each.end())
    .sort(
      (a, b) => order[a.severity] - order[b.severity] || findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code),
    );
}

function walk(capture: Capture, session: Negotiated, chosen: readonly Detector[]): void {
  const wanting = Array.from({ length: OPCODES + 1 }, (_, opcode) =>
    chosen.filter((each) => !each.opcodes || each.opcodes.includes(opcode)),
  );
  const observers = chosen.filter((each) => each.observe !== undefined);
  const observable = new Uint8Array(OPCODES + 1);
  if (observers.length > 0) for (const opcode of observing) observable[opcode] = 1;
  const row = new Row(capture);
  const inode = new Observed(capture.origin);
  const visit = (): void => {
    for (const each of observers) each.observe?.(row, inode);
  };
  const { flags } = capture.columns;
  let gap = 0;
  for (let index = 0; index < capture.count; index++) {
    for (; gap < capture.gaps.length && capture.gaps[gap].row <= index; gap++) {
      for (const each of chosen) each.gap?.(index);
    }
    if (flags[index] & RowFlag.ORPHAN) continue;
    row.load(index);
    if (row.opcode === Opcode.INIT) {
      session.take(row);
      for (const each of chosen) each.restart?.();
    }
    const opcode = Math.min(row.opcode, OPCODES);
    for (const each of wanting[opcode]) each.take(row);
    if (observable[opcode] === 1 && row.succeeded) inode.each(row, visit);
  }
}
