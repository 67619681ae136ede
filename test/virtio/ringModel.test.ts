/** Random traffic between both sides of a ring: every request comes out as it went in, every reply comes back. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RingBench, SCRATCH } from './ringBench';

interface Request {
  readonly readable: readonly number[];
  readonly writable: readonly number[];
  readonly indirect: boolean;
}

type Step = { readonly kind: 'offer'; readonly request: Request } | { readonly kind: 'serve' | 'finish' | 'take' };

const lengths = fc.array(fc.integer({ min: 0, max: 48 }), { maxLength: 4 });
const request: fc.Arbitrary<Request> = fc
  .record({ readable: lengths, writable: lengths, indirect: fc.boolean() })
  .filter(({ readable, writable }) => readable.length + writable.length > 0);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: request.map((r): Step => ({ kind: 'offer', request: r })) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'serve' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'finish' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'take' }) },
);

/** Each head has its own kilobyte of guest memory: buffers first, an indirect table behind them. */
const BUFFERS = 65536;
const TABLE = 512;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

class Traffic {
  readonly bench: RingBench;
  /** Sent and not yet seen by the device, in order. */
  private readonly sent: { head: number; bytes: number[]; room: number }[] = [];
  /** Taken by the device, not yet given back. */
  private readonly held: { head: number; reply: number[]; room: readonly number[] }[] = [];
  /** Given back, not yet taken by the driver, in order. */
  private readonly given: { head: number; reply: number[] }[] = [];
  private readonly rooms = new Map<number, readonly number[]>();
  private readonly outAt = new Map<number, number>();
  private place = 0;
  private fill = 0;
  /** Whether each side would be asleep but for a kick or call. */
  private deviceSleeps = false;

  constructor(size: number, base: number, eventIndex: boolean) {
    this.bench = new RingBench({ size, base, eventIndex });
    this.deviceSleeps = !this.bench.queue.listen();
  }

  run(next: Step): void {
    if (next.kind === 'offer') this.offer(next.request);
    else if (next.kind === 'serve') this.serve();
    else if (next.kind === 'finish') this.finish();
    else this.take();
  }

  drain(): void {
    while (this.sent.length > 0) this.serve();
    while (this.held.length > 0) this.finish();
    while (this.given.length > 0) this.take();
    assert.equal(this.bench.queue.pop(this.bench.chain), 'empty');
    assert.equal(this.bench.driver.take(), -1);
    assert.equal(this.bench.driver.inFlight, 0);
  }

  private offer({ readable, writable, indirect }: Request): void {
    const { bench } = this;
    const base = BUFFERS + (this.place++ % 64) * 1024;
    const bytes = Array.from({ length: sum(readable) }, () => (this.fill = (this.fill * 5 + 17) & 0xff));
    bench.guest.u8.set(bytes, base);
    let at = base;
    const segments = [...readable, ...writable].map((length, index) => {
      const piece = bench.piece(at, length, index >= readable.length);
      at += length;
      return piece;
    });
    const head = bench.driver.chain(segments, indirect ? base + TABLE : -1);
    if (head < 0) return;
    bench.driver.offer(head);
    if (bench.driver.publish()) this.deviceSleeps = false;
    this.sent.push({ head, bytes, room: sum(writable) });
    this.rooms.set(head, writable);
    this.outAt.set(head, base + bytes.length);
  }

  private serve(): void {
    const { bench } = this;
    const wanted = this.sent.shift();
    if (!wanted) {
      assert.equal(bench.queue.pop(bench.chain), 'empty');
      bench.queue.quiet();
      this.deviceSleeps = !bench.queue.listen();
      return;
    }
    assert.equal(this.deviceSleeps, false, 'a request for which nobody has woken the device');
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    const { chain, arena } = bench;
    assert.deepEqual(
      [chain.head, [...bench.request()], chain.writable],
      [wanted.head, wanted.bytes, wanted.room],
      'as it went in',
    );
    const reply = wanted.bytes.concat([1, 2, 3]).slice(0, wanted.room);
    arena.u8.set(reply, SCRATCH);
    assert.equal(chain.copyOut(0, reply.length, SCRATCH), 0);
    this.held.push({ head: wanted.head, reply, room: this.rooms.get(wanted.head) ?? [] });
  }

  /** Not in the order in which they came: the newest first, as slow requests let others pass. */
  private finish(): void {
    const done = this.held.pop();
    if (!done) return;
    this.bench.queue.push(done.head, done.reply.length);
    this.given.push(done);
  }

  private take(): void {
    const { driver, guest } = this.bench;
    const wanted = this.given.shift();
    const head = driver.take();
    assert.equal(head, wanted?.head ?? -1);
    if (!wanted) return;
    assert.equal(driver.usedLength, wanted.reply.length);
    const at = this.outAt.get(head) ?? 0;
    assert.deepEqual([...guest.bytes(at, wanted.reply.length)], wanted.reply);
    driver.free(head);
  }
}

describe('ring model', () => {
  it('random chains in random order come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(4, 16),
        fc.constantFrom(0, 1, 0xfffe, 0x7fff),
        fc.boolean(),
        fc.array(step, { maxLength: 120 }),
        (size, base, eventIndex, steps) => {
          const traffic = new Traffic(size, base, eventIndex);
          for (const next of steps) traffic.run(next);
          traffic.drain();
        },
      ),
      { numRuns: 150 },
    );
  });
});
