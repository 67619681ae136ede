/** lost-packets: what the capture's own statistics say to be missing, and where. */
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { list, times } from './words';

/** Places that the text names. */
const PLACES = 8;

export class LostPackets implements Detector {
  readonly opcodes: readonly number[] = [];

  constructor(private readonly context: DetectorContext) {}

  take(): void {
    // The gaps are beside the rows.
  }

  end(): readonly Finding[] {
    const { capture, rows } = this.context;
    const proof = new Proof(rows);
    let packets = 0;
    for (const gap of capture.gaps) {
      packets += gap.packets;
      // A gap at the end is after the last row.
      if (capture.count > 0) proof.add(Math.min(gap.row, capture.count - 1));
    }
    if (packets === 0) return [];
    const places = capture.gaps.slice(0, PLACES).map((gap) => `#${gap.row} (${gap.packets})`);
    const where = list(places, capture.gaps.length - places.length);
    return [finding('lost-packets', proof, `${times(packets, 'packet')} lost before ${where}.`)];
  }
}
