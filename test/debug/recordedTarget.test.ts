import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BreakpointRule } from '../../src/debug/breakpoints';
import { RecordedTarget } from '../../src/debug/recordedTarget';
import type { Stop, TargetEvents } from '../../src/debug/target';
import { CaptureBuilder } from '../trace/captureBuilder';

const ROWS = 6000;

describe('long ways in a capture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'virtiofs-recorded-'));
  const file = join(folder, 'a.fuse.pcapng');
  const logs: BreakpointRule = { id: 1, opcodes: 'READ', logMessage: '{read.offset}', phase: 'entry' };
  let target: RecordedTarget;
  let lines: string[];
  let shown: (title: string, cancel: () => void) => void;
  let stops: (stop: Stop) => void;

  before(() => {
    const builder = new CaptureBuilder().init();
    for (let offset = 1; offset < ROWS; offset++) builder.exchange('READ', { nodeid: 1, in: { offset } });
    writeFileSync(file, builder.bytes());
  });
  after(() => rmSync(folder, { recursive: true }));

  beforeEach(async () => {
    lines = [];
    shown = () => undefined;
    stops = () => undefined;
    const nothing = (): void => undefined;
    const events: TargetEvents = {
      stopped: (stop) => stops(stop),
      running: nothing,
      threadBegan: nothing,
      threadEnded: nothing,
      ended: nothing,
      output: (_, text) => lines.push(text),
      progress: (title, cancel) => {
        shown(title, cancel);
        return { report: nothing, end: nothing };
      },
    };
    // Every look at the clock is 20 ms after the one before.
    let clock = 0;
    target = await RecordedTarget.open(file, events, () => (clock += 20));
    await stopAfter(() => target.begin());
  });
  afterEach(() => target.close());

  const stopAfter = (act: () => Promise<void>): Promise<Stop> =>
    new Promise((resolve, reject) => {
      stops = resolve;
      act().catch(reject);
    });

  for (const how of ['paused', 'cancelled']) {
    it(`stop where they have come to when they are ${how}, and log each place once`, async () => {
      await target.setBreakpoints([logs]);
      shown = (_, cancel) => (how === 'paused' ? void target.pause() : cancel());
      const stop = await stopAfter(() => target.move(1, 'continue'));
      assert.equal(stop.reason, 'pause');
      const { length } = lines;
      assert.ok(length > 0 && length < ROWS - 1);
      assert.ok(target.threads()[0].name.includes(`(${length + 1} of ${ROWS})`));
      shown = () => undefined;
      assert.equal((await stopAfter(() => target.move(1, 'continue'))).reason, 'entry');
      assert.deepEqual(
        lines,
        Array.from({ length: ROWS - 1 }, (_, i) => String(i + 1)),
      );
    });
  }

  it('are no stop as long as they last', async () => {
    await target.setBreakpoints([logs]);
    shown = () => {
      assert.equal(target.isStopped(1), false);
      void assert.rejects(target.move(1, 'next'), { code: 'debugNotStopped' });
    };
    await stopAfter(() => target.move(1, 'continue'));
    assert.equal(target.isStopped(1), true);
  });

  it('say of a breakpoint whose search was cancelled that it does not hold; set again, it does', async () => {
    shown = (_, cancel) => cancel();
    const rule: BreakpointRule = { id: 2, opcodes: 'READ', condition: 'read.offset == 5999', phase: 'entry' };
    const [verdict] = await target.setBreakpoints([rule]);
    assert.equal(verdict.verified, false);
    assert.match(verdict.message ?? '', /cancelled/);
    assert.match((await stopAfter(() => target.move(1, 'continue'))).description, /end of the capture/);
    shown = () => undefined;
    assert.deepEqual(await target.setBreakpoints([rule]), [
      { id: 2, verified: true, message: '1 place in the capture' },
    ]);
    assert.match((await stopAfter(() => target.move(1, 'reverseContinue'))).description, /^entry/);
  });

  it('show a request without the share around it when finding that out is cancelled', async () => {
    shown = (_, cancel) => cancel();
    await stopAfter(() => target.move(1, 'continue'));
    const { facts } = await target.picture(1);
    assert.deepEqual([facts.name, facts.model?.[0].name], ['READ', 'not known']);
  });
});
