import assert from 'node:assert/strict';
import fc from 'fast-check';
import { History } from '../../src/debug/history';
import type { Fact } from '../../src/debug/picture';
import { ReplayedModel } from '../../src/debug/replayedModel';
import { Snapshots } from '../../src/debug/snapshots';
import { Turns } from '../../src/debug/turns';
import { CaptureReader } from '../../src/trace/captureReader';
import { CaptureBuilder, type Sent } from '../trace/captureBuilder';

type Act = readonly [what: number, a: number, b: number];
type Place = readonly [row: number, replied: boolean];

const NODES = 6;
const attr = { mode: 0o100644, nlink: 2 };

/** One request, answered now or later. */
function act(builder: CaptureBuilder, [what, a, b]: Act, open: Sent[]): void {
  const name = `f${a}`;
  const nodeid = 2 + (a % NODES);
  const folder = b % 3 === 0 ? 2 : 1;
  const entry = { nodeid, generation: 1, attr: b % 5 === 0 ? { mode: 0o040755, nlink: 1 } : attr };
  switch (what % 14) {
    case 0:
      builder.exchange('LOOKUP', { nodeid: folder, names: [name], out: entry });
      break;
    case 1:
      builder.exchange('CREATE', { nodeid: folder, names: [name], out: [entry, { fh: b }] });
      break;
    case 2:
      builder.exchange('OPEN', { nodeid, in: { flags: b % 3 }, out: { fh: b } });
      break;
    case 3:
      builder.exchange('RELEASE', { nodeid, in: { fh: b } });
      break;
    case 4:
      builder.exchange('RENAME', { nodeid: folder, in: { newdir: 1 }, names: [name, `f${b}`] });
      break;
    case 5:
      builder.exchange('UNLINK', { nodeid: folder, names: [name], ...(b % 4 === 0 ? { error: 'ENOENT' } : {}) });
      break;
    case 6:
      builder.exchange('LINK', { nodeid: 1, in: { oldnodeid: nodeid }, names: [`f${b}`], out: entry });
      break;
    case 7:
      builder.request('FORGET', { nodeid, in: { nlookup: 1 } });
      break;
    case 8:
      builder.exchange('SETUPMAPPING', { nodeid, in: { fh: b, len: 4096, moffset: b * 4096 } });
      break;
    case 9:
      builder.exchange('READ', { nodeid, in: { fh: b, size: 8 }, outPayload: 8 });
      break;
    case 10:
      open.push(builder.request('LOOKUP', { nodeid: folder, names: [name] }));
      break;
    case 11: {
      const sent = open.shift();
      if (sent !== undefined) builder.reply(sent, { out: entry });
      break;
    }
    case 12:
      if (b === 0) builder.init();
      else if (b === 1) builder.section({ id: 'another', piece: 0 });
      break;
    case 13:
      if (b < 3) builder.lost(1);
  }
}

const acts = fc.array(fc.tuple(fc.nat(13), fc.nat(7), fc.nat(7)), { minLength: 1, maxLength: 60 });
const unhurried = (): Turns =>
  new Turns(
    new AbortController().signal,
    () => assert.fail('it takes no time'),
    () => 0,
  );

function read(bytes: Uint8Array): { capture: CaptureReader; history: History } {
  const history = new History();
  const capture = new CaptureReader({ journal: history });
  capture.push(bytes);
  capture.end();
  return { capture, history };
}

/** All that a person could see. */
function seen(model: ReplayedModel, row: number): (readonly Fact[] | undefined)[] {
  const nodes = Array.from({ length: NODES + 2 }, (_, nodeid) => model.inode(BigInt(nodeid)));
  return [model.facts(row), ...nodes, model.handle(3n, 2n)];
}

describe("the guest's view of the share at a moment of a capture", () => {
  it('is the same after any way forward and back as when it is told from the beginning', async () => {
    await fc.assert(
      fc.asyncProperty(
        acts,
        fc.array(fc.tuple(fc.nat(1000), fc.boolean()), { maxLength: 25 }),
        fc.integer({ min: 1, max: 8 }),
        async (all, ways, nearest) => {
          const builder = new CaptureBuilder().init();
          const open: Sent[] = [];
          for (const one of all) act(builder, one, open);
          const { capture, history } = read(builder.bytes());
          const model = new ReplayedModel(capture, history, new Snapshots(history.count, nearest));
          for (const [at, replied] of ways) {
            const [row, done]: Place = [at % capture.count, replied];
            const here = await model.at(row, done, unhurried(), (view) => seen(view, row));
            const fresh = new ReplayedModel(capture, history, new Snapshots(history.count, Infinity));
            assert.deepEqual(here, await fresh.at(row, done, unhurried(), (view) => seen(view, row)));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is what a reader knows that has got the capture up to there and no further', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const builder = new CaptureBuilder().init();
        const open: Sent[] = [];
        const until = [builder.bytes().slice()];
        for (const one of all) {
          act(builder, one, open);
          until.push(builder.bytes().slice());
        }
        const { capture, history } = read(until[until.length - 1]);
        const model = new ReplayedModel(capture, history);
        const parts = until.map(read);
        // The first with a moment: what has no row of its own comes after it.
        const first = parts.filter((part, i) => part.history.count !== parts[i - 1]?.history.count);
        for (const part of first.reverse()) {
          const moment = part.history.count;
          const rows = Array.from({ length: part.capture.count }, (_, row) => row);
          const row = rows.find((each) => [true, false].some((done) => history.momentOf(each, done) === moment));
          if (row === undefined) continue;
          const replied = history.momentOf(row, true) === moment;
          await model.at(row, replied, unhurried(), (view) => {
            for (let nodeid = 1n; nodeid < BigInt(NODES + 2); nodeid++) {
              const known = part.capture.node(nodeid);
              const facts = view.inode(nodeid);
              const value = (name: string): string | undefined => facts?.find((fact) => fact.name === name)?.value;
              assert.equal(value('lookups'), known && String(known.lookups));
              const path = known?.paths[0];
              assert.equal(value('path'), known && (path === undefined ? '' : part.capture.path(path)));
            }
          });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('has nothing of a section before that is not continued, and keeps everything when INIT fails', async () => {
    const builder = new CaptureBuilder().init();
    builder.exchange('OPEN', { nodeid: 2, out: { fh: 3 } });
    builder.exchange('SETUPMAPPING', { nodeid: 2, in: { fh: 3, len: 4096, moffset: 4096 } });
    builder.request('LOOKUP', { nodeid: 1, names: ['a'] });
    builder.exchange('INIT', { error: 'EPROTO' });
    builder.section({ id: 'another', piece: 0 }).exchange('READ', { nodeid: 1, in: { fh: 9 } });
    const { capture, history } = read(builder.bytes());
    const model = new ReplayedModel(capture, history);
    const counts = async (row: number): Promise<string[]> =>
      (await model.at(row, true, unhurried(), (view) => view.facts(row))).slice(1).map(({ value }) => value);
    assert.deepEqual(await counts(4), ['1', '1 mapped', '1']);
    assert.deepEqual(await counts(5), ['0', '0 mapped', '0']);
  });

  it('has nothing open or mapped of a session before: INIT begins another, DESTROY ends one', async () => {
    const builder = new CaptureBuilder();
    for (const begin of [() => builder.init(), () => builder.exchange('DESTROY')]) {
      begin();
      builder.exchange('OPEN', { nodeid: 2, out: { fh: 3 } });
      builder.exchange('SETUPMAPPING', { nodeid: 2, in: { fh: 3, len: 4096, moffset: 4096 } });
    }
    builder.init();
    const { capture, history } = read(builder.bytes());
    const model = new ReplayedModel(capture, history);
    const counts: string[] = [];
    for (const row of [2, 3, 5, 6]) {
      const facts = await model.at(row, true, unhurried(), (view) => view.facts(row));
      counts.push(
        facts
          .slice(1, 3)
          .map(({ value }) => value)
          .join(', '),
      );
    }
    assert.deepEqual(counts, ['1, 1 mapped', '0, 0 mapped', '1, 1 mapped', '0, 0 mapped']);
  });

  it('is found from a state nearby, wherever one stands, of which few are kept', async () => {
    const builder = new CaptureBuilder().init();
    for (let i = 0; i < 1500; i++) act(builder, [i % 2 === 0 ? 0 : 9, i % 7, i % 5], []);
    const { capture, history } = read(builder.bytes());
    let told = 0;
    const tellNext = history.tellNext.bind(history);
    history.tellNext = (...args) => (told++, tellNext(...args));
    const kept = new Snapshots<never>(history.count, 16);
    const model = new ReplayedModel(capture, history, kept);
    const cost = async (row: number): Promise<number> => {
      told = 0;
      await model.at(row, true, unhurried(), () => undefined);
      return told;
    };
    assert.equal(await cost(1500), history.count);
    let most = 0;
    for (let row = 1499; row >= 0; row--) most = Math.max(most, await cost(row));
    assert.ok(most <= history.count / 8, `a step back has told ${most} of ${history.count} moments`);
    assert.ok(kept.count <= 32);
  });

  it('takes no state for every moment where states are large', () => {
    const kept = new Snapshots<string>(1_000_000);
    const bytes = 80 << 20;
    let copies = 0;
    for (let at = 64; at <= 1_000_000; at += 64) {
      if (!kept.isWanted(at, 1_000_000, bytes)) continue;
      kept.keep(at, '', 1_000_000, bytes);
      copies++;
    }
    assert.ok(copies > 1 && copies <= 12, `${copies} copies`);
    assert.ok(kept.count <= 4);
  });

  it('gives way to others, shows how far it is, and can be cancelled', async () => {
    const builder = new CaptureBuilder().init();
    for (let i = 0; i < 2000; i++) act(builder, [9, i % 7, i % 5], []);
    const { capture, history } = read(builder.bytes());
    const model = new ReplayedModel(capture, history);
    const said: string[] = [];
    const shown = {
      report: (percentage: number) => said.push(`${Math.floor(percentage)}`),
      end: () => said.push('end'),
    };
    let clock = 0;
    const slow = (control: AbortController): Turns =>
      new Turns(
        control.signal,
        () => shown,
        () => (clock += 10),
      );
    let others = 0;
    const other = (): void => void (others++, (next = setImmediate(other)));
    let next = setImmediate(other);
    const turns = slow(new AbortController());
    await model.at(2000, true, turns, () => undefined);
    turns.end();
    clearImmediate(next);
    assert.ok(others > 5, `others had ${others} turns`);
    assert.ok(said.length > 5 && said.at(-1) === 'end');
    assert.deepEqual(
      said.slice(0, -1).map(Number),
      said
        .slice(0, -1)
        .map(Number)
        .sort((a, b) => a - b),
    );
    const control = new AbortController();
    const cancelled = new ReplayedModel(capture, history).at(2000, true, slow(control), () => undefined);
    setImmediate(() => control.abort());
    await assert.rejects(cancelled, /cancelled/);
    // The next one who asks is answered.
    assert.equal((await model.at(0, true, unhurried(), (view) => view.facts(0)))[1].value, '0');
  });
});
