/** The bench's part about captures: measures, and says it as text. */
import { rmSync } from 'node:fs';
import { type CaptureCost, captureCosts, captureEndurance, type Endurance } from './capture';
import { guestCapture, type GuestCaptureFigures } from './guestCapture';
import type { Part, Plan } from './part';
import { type CaptureFigures, measureReading } from './readCapture';
import { table } from './report';
import { makeTree } from './tree';

export interface CaptureResults {
  readonly costs: readonly CaptureCost[];
  readonly endurance: Endurance;
  readonly guest: GuestCaptureFigures;
  readonly reading: CaptureFigures;
}

const PER_SECOND = 100_000;

export const captures: Part = {
  name: 'captures',
  about: 'Our daemon with and without `--capture`, in turn; medians.',
  measure: async (plan, say) => {
    const folder = makeTree();
    try {
      const results = await measureCaptures(folder, plan, say);
      return { json: results, text: captureReport(results) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measureCaptures(folder: string, plan: Plan, say: (line: string) => void): Promise<CaptureResults> {
  say('captures: what they cost the queue worker');
  const costs = await captureCosts(folder, plan.rounds, plan.milliseconds);
  say(`captures: ${PER_SECOND} requests a second`);
  const endurance = await captureEndurance(folder, PER_SECOND, plan.quick ? 1 : 10);
  say('captures: the same work in two guests');
  const guest = await guestCapture(plan.rounds, say);
  say('captures: a million requests read');
  const reading = measureReading(plan.quick ? 100_000 : 1_000_000);
  return { costs, endurance, guest, reading };
}

const micros = (value: number): string => value.toFixed(2);
const thousands = (value: number): string => Math.round(value).toLocaleString('en');

export function captureReport({ costs, endurance, guest, reading }: CaptureResults): string {
  const rows = costs.map((cost) => [
    cost.name,
    ...[cost.without, cost.captured, cost.captured - cost.without, cost.syscalls - cost.without].map(micros),
  ]);
  const { tshark } = reading;
  return [
    'capture on, depth 16: CPU microseconds of the queue worker per request',
    ...table([['request', 'without', 'captured', 'costs', 'with host calls costs'], ...rows]),
    '',
    `${thousands(endurance.perSecond)} requests a second for ${endurance.seconds.toFixed(1)} s, drained to a file of ` +
      `${(endurance.bytes / 1e6).toFixed(0)} MB: ${thousands(endurance.lost)} of ${thousands(2 * endurance.requests)} packets lost`,
    `the same work in a User Mode Linux guest: ${guest.without.toFixed(2)} s, captured ${guest.captured.toFixed(2)} s ` +
      `(${percent(guest.captured / guest.without)})`,
    '',
    `a capture of ${thousands(reading.requests)} requests, ${(reading.fileBytes / 1e6).toFixed(0)} MB: read, paired, indexed ` +
      `in ${reading.seconds.toFixed(2)} s, ${(reading.peakResidentBytes / 1e6).toFixed(0)} MB resident at most`,
    ...table([
      ['filter', 'requests', 'seconds'],
      ...reading.filters.map((one) => [one.text, thousands(one.rows), one.seconds.toFixed(3)]),
      ...(tshark === undefined
        ? []
        : [[`tshark, one such filter over ${thousands(tshark.requests)} requests`, '', tshark.seconds.toFixed(1)]]),
    ]),
    '',
  ].join('\n');
}

const percent = (ratio: number): string => `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
