/**
 * What a timeline counts: requests in flight, and bytes read and written per second, at no more points than a screen
 * can show. A point stands for a span of equal length; in flight is the most at any moment of it.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import type { Capture } from '../capture';
import { isInFlight, isOrphan } from '../line';

export const MOST_POINTS = 10_000;
/** Below this span more points show nothing. */
const LEAST_SPAN = 1_000;

export interface Series {
  readonly name: string;
  /** Time in nanoseconds after the capture's origin, and the value from then on. */
  readonly values: readonly (readonly [time: number, value: number])[];
}

export function counterSeries(capture: Capture, rows: Uint32Array): Series[] {
  const { start, latency, opcode, payload, error } = capture.columns;
  const wanted = rows.filter((row) => !isOrphan(capture, row));
  if (wanted.length === 0) return [];
  const begins = Float64Array.from(wanted, (row) => start[row]).sort();
  const ends = Float64Array.from(wanted, (row) =>
    isInFlight(capture, row) ? Infinity : start[row] + (Number.isNaN(latency[row]) ? 0 : latency[row]),
  ).sort();
  const last = ends.findLast((end) => end !== Infinity) ?? 0;
  const first = begins[0];
  const whole = Math.max(begins[begins.length - 1], last) - first;
  const span = Math.max(LEAST_SPAN, whole / MOST_POINTS);
  const points = Math.floor(whole / span) + 1;
  const read = new Float64Array(points);
  const written = new Float64Array(points);
  for (const row of wanted) {
    if (error[row] !== 0 || Number.isNaN(latency[row])) continue;
    const into = opcode[row] === Opcode.READ ? read : opcode[row] === Opcode.WRITE ? written : undefined;
    if (into) into[Math.min(points - 1, Math.floor((start[row] + latency[row] - first) / span))] += payload[row];
  }
  const perSecond = (bytes: Float64Array): Float64Array => bytes.map((each) => Math.round((each * 1e9) / span));
  return [
    { name: 'requests in flight', values: changes(most(begins, ends, first, span, points), first, span) },
    { name: 'READ bytes/s', values: changes(perSecond(read), first, span) },
    { name: 'WRITE bytes/s', values: changes(perSecond(written), first, span) },
  ].filter(({ values }) => values.some(([, value]) => value !== 0));
}

/** The most that were under way in each span. Both lists are sorted; one that ends when another begins is gone. */
function most(begins: Float64Array, ends: Float64Array, first: number, span: number, points: number): Float64Array {
  const values = new Float64Array(points);
  let now = 0;
  let b = 0;
  let e = 0;
  for (let point = 0; point < points; point++) {
    const until = point === points - 1 ? Infinity : first + (point + 1) * span;
    let top = now;
    while (b < begins.length && begins[b] < until) {
      while (e < ends.length && ends[e] <= begins[b]) {
        now--;
        e++;
      }
      b++;
      top = Math.max(top, ++now);
    }
    while (e < ends.length && ends[e] < until) {
      now--;
      e++;
    }
    values[point] = top;
  }
  return values;
}

/** The points where the value is another one, and a zero at the end. */
function changes(values: Float64Array, first: number, span: number): [number, number][] {
  const list: [number, number][] = [];
  values.forEach((value, point) => {
    if (point === 0 || value !== values[point - 1]) list.push([first + point * span, value]);
  });
  list.push([first + values.length * span, 0]);
  return list;
}
