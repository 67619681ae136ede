import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    const events = eventsWith((title, cancel) => {
      shown(title, cancel);
      return { report: () => undefined, end: () => undefined };
    });
    // Every look at the clock is 20 ms after the one before.
    let clock = 0;
    target = await RecordedTarget.open(file, events, () => (clock += 20));
    await stopAfter(() => target.begin());
  });
  afterEach(() => target.close());

  const eventsWith = (progress: TargetEvents['progress']): TargetEvents => {
    const nothing = (): void => undefined;
    return {
      stopped: (stop) => stops(stop),
      running: nothing,
      threadBegan: nothing,
      threadEnded: nothing,
      ended: nothing,
      output: (_, text) => lines.push(text),
      progress,
    };
  };

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
      assert.ok(target.threads()[0].name.includes(` #${length} `));
      shown = () => undefined;
      assert.equal((await stopAfter(() => target.move(1, 'continue'))).reason, 'entry');
      assert.deepEqual(
        lines,
        Array.from({ length: ROWS - 1 }, (_, i) => String(i + 1)),
      );
    });
  }

  it('write so many lines at once that whoever reads them keeps up', async () => {
    target.close();
    const quiet = eventsWith(() => ({ report: () => undefined, end: () => undefined }));
    // A machine on which they take no time.
    target = await RecordedTarget.open(file, quiet, () => 0);
    await stopAfter(() => target.begin());
    await target.setBreakpoints([logs]);
    let before = 0;
    let most = 0;
    let over = false;
    const look = (): void => {
      most = Math.max(most, lines.length - before);
      before = lines.length;
      if (!over) setImmediate(look);
    };
    setImmediate(look);
    await stopAfter(() => target.move(1, 'continue'));
    over = true;
    look();
    assert.equal(lines.length, ROWS - 1);
    assert.ok(most <= 256, `${most} at once`);
  });

  it('stop for every breakpoint that holds at a place', async () => {
    const about = (id: number, condition: string): BreakpointRule => ({
      id,
      opcodes: 'READ',
      condition,
      phase: 'entry',
    });
    await target.setBreakpoints([about(2, 'read.offset == 7'), about(3, 'read.offset < 8 && read.offset > 6')]);
    for (const how of ['continue', 'reverseContinue'] as const) {
      assert.deepEqual((await stopAfter(() => target.move(1, how))).rules, [2, 3]);
      await stopAfter(() => target.move(1, how));
    }
  });

  it('are no stop as long as they last', async () => {
    await target.setBreakpoints([logs]);
    const seen: boolean[] = [];
    const refused: Promise<void>[] = [];
    shown = () => {
      seen.push(target.isStopped(1));
      refused.push(assert.rejects(target.move(1, 'next'), { code: 'debugNotStopped' }));
    };
    await stopAfter(() => target.move(1, 'continue'));
    assert.deepEqual([...seen, target.isStopped(1)], [false, true]);
    await Promise.all(refused);
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

  it('leave a breakpoint that stands as it is when the search for another one is cancelled', async () => {
    const first: BreakpointRule = { id: 1, opcodes: 'READ', condition: 'read.offset == 77', phase: 'entry' };
    const second: BreakpointRule = { id: 2, opcodes: 'READ', condition: 'read.offset == 78', phase: 'entry' };
    await target.setBreakpoints([first]);
    shown = (_, cancel) => cancel();
    const verdicts = await target.setBreakpoints([second, { ...first, id: 3 }]);
    assert.deepEqual(
      verdicts.map(({ id, verified }) => [id, verified]),
      [
        [2, false],
        [3, true],
      ],
    );
    shown = () => undefined;
    const stop = await stopAfter(() => target.move(1, 'continue'));
    assert.deepEqual([stop.reason, stop.rules], ['function breakpoint', [3]]);
  });

  it('end after the piece of the file that is being read when they are cancelled', async () => {
    let pieces = 0;
    const events = eventsWith((_, cancel) => ({ report: () => (pieces++, cancel()), end: () => undefined }));
    await assert.rejects(RecordedTarget.open(file, events), { code: 'debugCancelled' });
    assert.equal(pieces, 1);
    const whole = await RecordedTarget.open(
      file,
      eventsWith(() => ({ report: () => pieces++, end: () => undefined })),
    );
    whole.close();
    assert.ok(pieces > 2, 'it has several');
  });

  it('say why the file cannot be read any more, with what to do, and stop', async () => {
    const big = new CaptureBuilder().init();
    // More than is kept in memory.
    for (let i = 1; i < ROWS; i++) big.exchange('WRITE', { nodeid: 1, payload: 1000, snap: 1000 });
    const failing = join(folder, 'failing.fuse.pcapng');
    writeFileSync(failing, big.bytes());
    target.close();
    target = await RecordedTarget.open(
      failing,
      eventsWith(() => ({ report: () => undefined, end: () => undefined })),
    );
    await stopAfter(() => target.begin());
    await target.setBreakpoints([{ ...logs, opcodes: 'WRITE', logMessage: '{write.size}' }]);
    const { readSync } = fs;
    let good = 0;
    fs.readSync = ((...args: Parameters<typeof readSync>) => {
      if (good-- > 0) return readSync(...args);
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    }) as typeof readSync;
    try {
      await assert.rejects(target.move(1, 'continue'), { code: 'captureReadFailed' });
      good = 5;
      await stopAfter(() => target.move(1, 'continue'));
      const told = /^error: the capture ".*" could be opened, .*: i\/o error \(EIO\) \[captureReadFailed\]\n {2}\w/;
      assert.match(lines.at(-1) ?? '', told);
    } finally {
      fs.readSync = readSync;
    }
  });

  it('begin no more, and read nothing, when the target is closed', async () => {
    target.close();
    assert.equal(target.isStopped(1), false);
    await assert.rejects(target.picture(1), { code: 'debugNotStopped' });
    await assert.rejects(target.inode('1'), { code: 'debugCancelled' });
    const [verdict] = await target.setBreakpoints([logs]);
    assert.equal(verdict.verified, false);
  });

  it('show a request without the share around it when finding that out is cancelled', async () => {
    shown = (_, cancel) => cancel();
    await stopAfter(() => target.move(1, 'continue'));
    const { facts } = await target.picture(1);
    assert.deepEqual([facts.name, facts.model?.[0].name], ['READ', 'not known']);
  });
});
