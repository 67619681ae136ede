/**
 * The rules of the Trace Event Format ("Trace Event Format", Google, the document that chrome://tracing links to), as
 * far as they concern the events that are written here. Throws where one is broken.
 */
import assert from 'node:assert/strict';

export interface TraceEvent {
  ph: string;
  name: string;
  pid: number;
  tid?: number;
  ts?: number;
  dur?: number;
  cat?: string;
  id?: number;
  s?: string;
  args?: Record<string, unknown>;
}

export interface Trace {
  traceEvents: TraceEvent[];
  displayTimeUnit: string;
  otherData: Record<string, unknown>;
}

export function checkTrace(text: string): Trace {
  const trace = JSON.parse(text) as Trace;
  assert.ok(['ms', 'ns'].includes(trace.displayTimeUnit));
  const threads = new Map<string, TraceEvent[]>();
  const open = new Map<string, number>();
  for (const event of trace.traceEvents) {
    const told = JSON.stringify(event);
    assert.equal(typeof event.name, 'string', told);
    assert.ok(Number.isInteger(event.pid), told);
    if (event.ph !== 'M') assert.ok(Number.isFinite(event.ts), told);
    switch (event.ph) {
      case 'X':
        assert.ok(Number.isInteger(event.tid) && (event.dur ?? -1) >= 0, told);
        push(threads, event);
        break;
      case 'B':
        assert.ok(Number.isInteger(event.tid), told);
        push(threads, event);
        break;
      case 'i':
        assert.ok(['g', 'p', 't'].includes(event.s ?? 't'), told);
        break;
      case 'b':
      case 'e': {
        assert.ok(event.id !== undefined && event.cat !== undefined, told);
        const key = `${event.cat} ${event.id} ${event.name}`;
        open.set(key, (open.get(key) ?? 0) + (event.ph === 'b' ? 1 : -1));
        assert.ok((open.get(key) ?? 0) >= 0, told);
        break;
      }
      case 'C':
        assert.ok(
          Object.values(event.args ?? {}).every((value) => Number.isFinite(value)),
          told,
        );
        break;
      case 'M':
        metadata(event, told);
        break;
      default:
        assert.fail(`no such phase: ${told}`);
    }
  }
  for (const events of threads.values()) nest(events);
  return trace;
}

function push(threads: Map<string, TraceEvent[]>, event: TraceEvent): void {
  const key = `${event.pid} ${event.tid}`;
  threads.set(key, [...(threads.get(key) ?? []), event]);
}

function metadata({ name, args, tid }: TraceEvent, told: string): void {
  if (name === 'process_name' || name === 'thread_name') assert.equal(typeof args?.['name'], 'string', told);
  else if (name === 'thread_sort_index') assert.ok(Number.isInteger(args?.['sort_index']), told);
  else assert.fail(`no such metadata: ${told}`);
  if (name.startsWith('thread')) assert.ok(Number.isInteger(tid), told);
}

/** Slices of one thread are within each other or apart; in whole nanoseconds, since the format counts microseconds. */
function nest(events: readonly TraceEvent[]): void {
  const nano = (micro: number): number => Math.round(micro * 1000);
  const spans = events
    .map((event) => ({
      event,
      from: nano(event.ts ?? 0),
      to: event.ph === 'B' ? Infinity : nano((event.ts ?? 0) + (event.dur ?? 0)),
    }))
    .sort((a, b) => a.from - b.from || b.to - a.to);
  const around: { to: number }[] = [];
  for (const span of spans) {
    while (around.length > 0 && around[around.length - 1].to <= span.from) around.pop();
    const outer = around.at(-1);
    assert.ok(!outer || span.to <= outer.to, `not nested: ${JSON.stringify(span.event)}`);
    around.push(span);
  }
}
