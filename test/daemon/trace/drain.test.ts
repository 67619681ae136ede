/** The way from the ring to the sinks: all of them, those that join later, those that are waited for. */
import assert from 'node:assert/strict';
import { type SessionSoFar, TraceDrain } from '../../../src/daemon/trace/drain';
import { TraceReader, TraceWriter, makeTraceRing } from '../../../src/daemon/trace/ring';
import type { TraceSink } from '../../../src/daemon/trace/sink';

const SIZE = 4096;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Notes implements TraceSink {
  full = false;
  readonly said: (string | number)[] = [];
  wait: Promise<void> | undefined;

  begin(preamble: readonly Uint8Array[]): void {
    this.full = false;
    this.said.push(`begin ${preamble.map((block) => block[0]).join()}`);
  }

  write(pieces: readonly Uint8Array[]): void | Promise<void> {
    this.said.push(...pieces.flatMap((piece) => [...piece].filter((_, at) => at % 4 === 0)));
    return this.wait;
  }

  lost(packets: number): void {
    this.said.push(`lost ${packets}`);
  }

  end(): void {
    this.said.push('end');
  }
}

class Bench {
  private readonly address = makeTraceRing(SIZE);
  readonly writer = new TraceWriter(this.address, SIZE);
  readonly reader = new TraceReader(this.address, SIZE);
  asked = 0;
  readonly drain = new TraceDrain(this.reader, () => this.asked++);

  /** A block of four bytes of `value`, or of `length`, where blocks are wanted. */
  put(value: number, length = 4): void {
    if (!this.writer.on) return;
    const at = this.writer.reserve(length);
    if (at < 0) return;
    this.writer.bytes.fill(value, at, at + length);
    this.writer.commit(length);
  }

  /** What the queue worker says when it comes to it. */
  session(...preamble: number[]): SessionSoFar {
    return { written: this.writer.written, preamble: preamble.map((value) => Uint8Array.of(value)) };
  }

  answer(...preamble: number[]): void {
    this.drain.answered(this.session(...preamble));
  }
}

describe('trace drain', () => {
  let bench: Bench;
  beforeEach(() => (bench = new Bench()));
  afterEach(() => bench.drain.end(50));

  it('wants nothing while there is no sink', () => assert.equal(bench.writer.on, false));

  it('gives all blocks to all sinks, without being asked', async () => {
    const [one, two] = [new Notes(), new Notes()];
    bench.drain.start(one);
    bench.drain.start(two);
    assert.equal(bench.writer.on, true);
    bench.put(1);
    bench.put(2);
    await pause(50);
    bench.put(3);
    await bench.drain.end();
    assert.deepEqual(one.said, ['begin ', 1, 2, 3, 'end']);
    assert.deepEqual(two.said, one.said);
  });

  it('a sink that joins begins where the queue worker says, with what it says of the session', async () => {
    const [early, late] = [new Notes(), new Notes()];
    bench.drain.start(early);
    bench.put(1);
    bench.drain.join(late);
    assert.equal(bench.asked, 1);
    bench.put(2);
    await pause(50);
    assert.deepEqual(early.said, ['begin '], 'nothing is taken out until it has answered');
    bench.answer(8, 9);
    bench.put(3);
    await bench.drain.end();
    assert.deepEqual(early.said, ['begin ', 1, 2, 3, 'end']);
    assert.deepEqual(late.said, ['begin 8,9', 3, 'end']);
  });

  it('a sink alone that joins turns the trace on; when the last has left it is off', async () => {
    const sink = new Notes();
    bench.drain.join(sink);
    assert.equal(bench.writer.on, true);
    bench.answer();
    await pause(5);
    bench.put(1);
    await pause(50);
    bench.drain.leave(sink);
    assert.equal(bench.writer.on, false);
    bench.put(2);
    await pause(50);
    assert.deepEqual(sink.said, ['begin ', 1]);
  });

  it('one that leaves before the answer never begins', async () => {
    const sink = new Notes();
    bench.drain.join(sink);
    bench.drain.leave(sink);
    bench.answer();
    await pause(30);
    assert.deepEqual(sink.said, []);
  });

  it('one that joins when another has just left before its answer gets all that comes after the answer', async () => {
    const [gone, next] = [new Notes(), new Notes()];
    bench.drain.join(gone);
    const underWay = bench.session(7);
    bench.drain.leave(gone);
    bench.put(1);
    bench.drain.join(next);
    bench.put(2);
    bench.drain.answered(underWay);
    assert.equal(bench.asked, 1);
    await bench.drain.end();
    assert.deepEqual([gone.said, next.said], [[], ['begin 7', 1, 2, 'end']]);
  });

  it('so it does while others are there, which take blocks at any time', async () => {
    const [early, gone, next] = [new Notes(), new Notes(), new Notes()];
    bench.drain.start(early);
    bench.drain.join(gone);
    const underWay = bench.session(7);
    bench.drain.leave(gone);
    bench.put(1);
    await pause(50);
    bench.drain.join(next);
    bench.put(2);
    bench.drain.answered(underWay);
    assert.equal(bench.asked, 1);
    await bench.drain.end();
    assert.deepEqual(early.said, ['begin ', 1, 2, 'end']);
    assert.deepEqual(next.said, ['begin 7', 1, 2, 'end']);
  });

  it('when the last one left before its answer, the trace is off once that has come, and takes up again', async () => {
    const [gone, next] = [new Notes(), new Notes()];
    bench.drain.join(gone);
    bench.drain.leave(gone);
    bench.put(1);
    bench.answer();
    assert.equal(bench.writer.on, false);
    bench.drain.join(next);
    assert.equal(bench.asked, 2);
    bench.answer(9);
    bench.put(2);
    await bench.drain.end();
    assert.deepEqual(next.said, ['begin 9', 2, 'end']);
  });

  it('the trace is off when the last one has left while it was waited for, and whoever comes begins behind that', async () => {
    const [slow, next] = [new Notes(), new Notes()];
    bench.drain.start(slow);
    let taken = (): void => undefined;
    slow.wait = new Promise((resolve) => (taken = resolve));
    bench.put(1);
    await pause(50);
    bench.put(2);
    bench.drain.leave(slow);
    taken();
    await pause(5);
    assert.equal(bench.writer.on, false);
    bench.drain.join(next);
    bench.answer(9);
    bench.put(3);
    await bench.drain.end();
    assert.deepEqual(next.said, ['begin 9', 3, 'end']);
  });

  it('one that is full begins anew at the place of the answer, and misses nothing', async () => {
    const sink = new Notes();
    bench.drain.start(sink);
    bench.put(1);
    sink.full = true;
    await pause(50);
    assert.equal(bench.asked, 1);
    bench.put(2);
    bench.answer(9);
    bench.put(3);
    await bench.drain.end();
    assert.deepEqual(sink.said, ['begin ', 1, 2, 'begin 9', 3, 'end']);
  });

  it('keeps the room of blocks that a sink has not taken yet, and tells how many found none', async () => {
    const sink = new Notes();
    bench.drain.start(sink);
    let taken = (): void => undefined;
    sink.wait = new Promise((resolve) => (taken = resolve));
    bench.put(1, SIZE / 2);
    await pause(50);
    bench.put(2, SIZE / 2);
    bench.put(3);
    bench.put(4);
    assert.equal(bench.reader.dropped, 2);
    sink.wait = undefined;
    taken();
    await pause(50);
    bench.put(5);
    await bench.drain.end();
    const short = sink.said.filter((one, at) => one !== sink.said[at - 1]);
    assert.deepEqual(short, ['begin ', 1, 'lost 2', 2, 5, 'end']);
  });

  it('the end does not wait for a sink that takes nothing', async () => {
    const sink = new Notes();
    bench.drain.start(sink);
    sink.wait = new Promise(() => undefined);
    bench.put(1);
    await pause(30);
    await bench.drain.end(100);
  });
});
