/**
 * What a session gives to a page, and when. The page's end is played here: it takes a message when the test says so.
 */
import assert from 'node:assert/strict';
import type { Note, ToTimeline } from '../../../src/control/timeline';
import { unpackRows } from '../../../src/control/timelineRows';
import type { SourceState } from '../../../src/ui/timeline/captureSource';
import { keptNotes } from '../../../src/ui/timeline/notePlaces';
import { MOST_ROWS } from '../../../src/ui/timeline/rowStream';
import { TimelineSession } from '../../../src/ui/timeline/session';
import { CaptureReader } from '../../../src/trace/captureReader';
import { CaptureBuilder } from '../../trace/captureBuilder';

/** Requests that want no reply: the shortest ones. */
const forgets = (count: number): Uint8Array => {
  const builder = new CaptureBuilder().init();
  const before = builder.bytes().length;
  builder.request('FORGET', { unique: 4, head: 9, in: { nlookup: 1 } });
  const one = builder.bytes().slice(before);
  const bytes = new Uint8Array(before + count * one.length);
  bytes.set(builder.bytes().subarray(0, before));
  for (let i = 0; i < count; i++) bytes.set(one, before + i * one.length);
  return bytes;
};

interface Page {
  readonly session: TimelineSession;
  readonly got: ToTimeline[];
  readonly reader: CaptureReader;
  /** The source begins anew, as a live one does whose share is another one now. */
  beginAnew(bytes: Uint8Array): void;
  /** The source has more, or is in another phase. */
  change(phase: SourceState['phase'], bytes?: Uint8Array): void;
  /** The page takes what waits; from then on at once. */
  release(): void;
}

type Notes = ConstructorParameters<typeof TimelineSession>[0]['notes'];

const noNotes: Notes = {
  load: () => Promise.resolve({ notes: [], place: 'memory' }),
  save: (notes) => Promise.resolve({ notes, place: 'memory' }),
};

function page(phase: SourceState['phase'], bytes: Uint8Array, held = false, notes = noNotes): Page {
  let reader = new CaptureReader();
  reader.push(bytes);
  let now = phase;
  let listener = (): void => undefined;
  const got: ToTimeline[] = [];
  let open: (() => void) | undefined;
  const gate = held ? new Promise<void>((resolve) => (open = resolve)) : Promise.resolve();
  const session = new TimelineSession({
    sources: [
      {
        get capture() {
          return reader;
        },
        dropped: phase === 'live' ? 1000 : 0,
        state: () => ({ title: 'a', phase: now, bytesRead: 1, bytes: 2, trouble: undefined, notes: [] }),
        onChange: (told) => {
          listener = told;
          return () => undefined;
        },
      },
    ],
    live: false,
    post: (message) => {
      got.push(message);
      return message.kind === 'begin' || message.kind === 'notes' ? Promise.resolve() : gate;
    },
    notes,
    compare: () => Promise.reject(new Error('nothing to compare with')),
    exportRows: () => undefined,
    compareWith: () => undefined,
  });
  return {
    session,
    got,
    reader,
    beginAnew: (fresh) => {
      reader = new CaptureReader();
      reader.push(fresh);
      listener();
    },
    change: (next, more) => {
      if (more) reader.push(more);
      now = next;
      listener();
    },
    release: () => open?.(),
  };
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

const rowsIn = (got: readonly ToTimeline[]): number[] =>
  got.flatMap((message) => {
    if (message.kind !== 'rows') return [];
    assert.ok(unpackRows(message.columns, message.count), 'a buffer that can be read');
    return [message.count];
  });

const phasesIn = (got: readonly ToTimeline[]): string[] =>
  got.flatMap((message) => (message.kind === 'state' ? [message.state.phase] : []));

describe("a timeline's session", () => {
  it('gives a capture that is read in messages of bounded size, and then says that this is all', async () => {
    const { session, got } = page('complete', forgets(2 * MOST_ROWS));
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(rowsIn(got), [MOST_ROWS, MOST_ROWS, 1]);
    assert.equal(phasesIn(got).at(-1), 'complete');
    const complete = got.findIndex((message) => message.kind === 'state' && message.state.phase === 'complete');
    assert.ok(complete > got.findLastIndex(({ kind }) => kind === 'rows'));
    session.end();
  });

  it('packs rows while others are on their way, but only so many', async () => {
    const { session, got, release } = page('complete', forgets(6 * MOST_ROWS), true);
    void session.take({ kind: 'ready' });
    await settled();
    assert.equal(got.filter(({ kind }) => kind === 'rows' || kind === 'state').length, 5);
    assert.ok(rowsIn(got).length > 1);
    release();
    await settled();
    assert.deepEqual(rowsIn(got), [...Array<number>(6).fill(MOST_ROWS), 1]);
    session.end();
  });

  it('gives what there is first, and while a file is read waits for a message to be full', async () => {
    const { session, got, change } = page('reading', forgets(10));
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(rowsIn(got), [11]);
    change('reading', forgets(100));
    await settled();
    assert.deepEqual(rowsIn(got), [11]);
    change('reading', forgets(MOST_ROWS));
    await settled();
    assert.deepEqual(rowsIn(got), [11, MOST_ROWS]);
    change('complete');
    await settled();
    assert.deepEqual(rowsIn(got), [11, MOST_ROWS, 102]);
    assert.equal(phasesIn(got).at(-1), 'complete');
    session.end();
  });

  it('gives all of it again to a page that is loaded anew', async () => {
    const { session, got } = page('complete', forgets(3));
    await session.take({ kind: 'ready' });
    await settled();
    got.length = 0;
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(
      got.map(({ kind }) => kind).filter((kind) => kind !== 'notes'),
      ['begin', 'state', 'rows', 'state'],
    );
    session.end();
  });

  it('says what number the first request has that is there', async () => {
    for (const [phase, first] of [
      ['live', 1000],
      ['complete', 0],
    ] as const) {
      const { session, got } = page(phase, forgets(1));
      await session.take({ kind: 'ready' });
      assert.deepEqual(got[0], { kind: 'begin', sides: 1, live: false, first });
      session.end();
    }
  });

  it('gives all of it to a page that is loaded anew just when there is more, as when the oldest rows were dropped', async () => {
    const { session, got, change } = page('complete', forgets(3));
    await session.take({ kind: 'ready' });
    await settled();
    got.length = 0;
    change('complete', forgets(2));
    await session.take({ kind: 'ready' });
    await settled();
    const begun = got.findLastIndex(({ kind }) => kind === 'begin');
    assert.deepEqual(rowsIn(got.slice(begun)), [7]);
    session.end();
  });

  it('goes on with the capture that a source has after it began anew: rows, details and what passes the filter', async () => {
    const { session, got, beginAnew, change } = page('live', forgets(5));
    await session.take({ kind: 'ready' });
    await settled();
    got.length = 0;
    const beginning = new CaptureBuilder().init().bytes();
    beginAnew(new CaptureBuilder().init().exchange('GETATTR').bytes());
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(rowsIn(got.slice(got.findLastIndex(({ kind }) => kind === 'begin'))), [2]);
    await session.take({ kind: 'question', id: 1, ask: { about: 'filter', filter: 1, text: 'opcode == GETATTR' } });
    await session.take({ kind: 'question', id: 2, ask: { about: 'request', side: 0, row: 1 } });
    const [filter, details] = got.flatMap((message) => (message.kind === 'answer' ? [message] : []));
    assert.ok('give' in filter && filter.give.about === 'filter' && 'passed' in filter.give);
    assert.deepEqual(filter.give.passed, [{ count: 2, bits: Uint8Array.of(0b10) }]);
    assert.ok('give' in details && details.give.about === 'request');
    assert.equal(details.give.request.opcode, 'GETATTR');
    change('live', forgets(3).subarray(beginning.length));
    await settled();
    assert.deepEqual(rowsIn(got).at(-1), 3);
    session.end();
  });

  it('filters the rows that are there now when they became others while it was at it', async () => {
    const { session, got, beginAnew } = page('live', forgets(5));
    await session.take({ kind: 'ready' });
    await settled();
    void session.take({ kind: 'question', id: 1, ask: { about: 'filter', filter: 1, text: 'opcode == GETATTR' } });
    beginAnew(new CaptureBuilder().init().exchange('GETATTR').bytes());
    await session.take({ kind: 'ready' });
    await settled();
    const passed = got.flatMap((message) => {
      if (message.kind === 'passed') return [...message.rows];
      if (message.kind !== 'answer') return [];
      assert.ok('give' in message && message.give.about === 'filter' && 'passed' in message.give);
      const [{ count, bits }] = message.give.passed ?? [];
      return Array.from({ length: count }, (_, row) => row).filter((row) => bits[row >> 3] & (1 << (row & 7)));
    });
    assert.deepEqual(passed, [1]);
    session.end();
  });

  it('gives a page that nobody sees nothing, and what it has missed later', async () => {
    const { session, got } = page('complete', forgets(3));
    session.show(false);
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(rowsIn(got), []);
    session.show(true);
    await settled();
    assert.deepEqual(rowsIn(got), [4]);
    session.end();
  });

  it('keeps the newest notes, one write at a time, and answers with no older ones', async () => {
    const written: string[] = [];
    const writing: (() => void)[] = [];
    const { session, got } = page('complete', forgets(1), false, {
      ...noNotes,
      save: async (notes) => {
        written.push(...notes.map(({ text }) => text));
        await new Promise<void>((resolve) => writing.push(resolve));
        return { notes, place: 'memory' };
      },
    });
    const lists = ['', 'why', 'why so slow?'].map((text): readonly Note[] => [{ id: 'a', at: 1, text }]);
    let edition = 0;
    const take = (notes: readonly Note[]): Promise<void> =>
      session.take({ kind: 'notes', notes, removed: [], edition: ++edition });
    const taken = [take(lists[0])];
    await settled();
    assert.deepEqual(written, ['']);
    taken.push(take(lists[1]), take(lists[2]));
    await settled();
    assert.deepEqual(written, ['']);
    writing[0]();
    await settled();
    assert.deepEqual(written, ['', 'why so slow?']);
    writing[1]();
    await Promise.all(taken);
    assert.deepEqual(
      got.flatMap((message) => (message.kind === 'notes' ? [[message.edition, message.notes]] : [])),
      [[3, lists[2]]],
    );
    session.end();
  });

  it('gives notes at once, and again with their requests when those have been read', async () => {
    const bytes = new CaptureBuilder().init().exchange('STATFS').exchange('GETATTR').bytes();
    const whole = new CaptureReader();
    whole.push(bytes);
    const { columns } = whole;
    const row = 2;
    let stored = keptNotes(whole, [{ id: 'a', at: columns.start[row], row, text: 'slow' }], []);
    const half = whole.place(row);
    const { session, got, change } = page('reading', bytes.subarray(0, half), false, {
      load: () => Promise.resolve({ notes: stored, place: 'beside' }),
      save: (notes) => Promise.resolve({ notes: (stored = [...notes]), place: 'beside' }),
    });
    const given = (): readonly Note[] => got.flatMap((message) => (message.kind === 'notes' ? message.notes : []));
    await session.take({ kind: 'ready' });
    await settled();
    assert.deepEqual(given(), [{ id: 'a', at: columns.start[row], text: 'slow' }]);
    const changed = given().map((note) => ({ ...note, text: 'why?' }));
    await session.take({ kind: 'notes', notes: changed, removed: [], edition: 1 });
    got.length = 0;
    change('complete', bytes.subarray(half));
    await settled();
    assert.deepEqual(given(), [{ id: 'a', at: columns.start[row], row, text: 'why?' }]);
    assert.deepEqual(stored, keptNotes(whole, given(), []), 'what is kept has not lost its request');
    session.end();
  });

  it('saves notes after some that could not be saved', async () => {
    const removals: (readonly string[])[] = [];
    const { session, got } = page('complete', forgets(1), false, {
      ...noNotes,
      save: (notes, removed) => {
        removals.push(removed);
        if (removals.length === 1) return Promise.reject(new Error('no room'));
        return Promise.resolve({ notes, place: 'memory' });
      },
    });
    const [first, second] = ['first', 'second'].map((id): Note => ({ id, at: 1, text: '' }));
    await assert.rejects(session.take({ kind: 'notes', notes: [first], removed: [], edition: 1 }), /no room/);
    await session.take({ kind: 'notes', notes: [second], removed: ['third'], edition: 2 });
    const given = got.flatMap((message) => (message.kind === 'notes' ? [message] : []));
    assert.deepEqual(
      given.map(({ notes, edition }) => [notes.map(({ id }) => id).sort(), edition]),
      [[['first', 'second'], 2]],
    );
    assert.deepEqual(removals, [[], ['third']]);
    session.end();
  });
});
