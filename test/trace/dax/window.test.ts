/**
 * The DAX window's model: whatever events come, ranges never overlap, sums are right, and every moment can be had
 * again.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import { CaptureReader } from '../../../src/trace/captureReader';
import { windowFigures } from '../../../src/trace/dax/windowFigures';
import { WindowEvent, WindowEvents } from '../../../src/trace/dax/windowEvents';
import { WindowHistory } from '../../../src/trace/dax/windowHistory';
import { MOST_RANGES, WindowState } from '../../../src/trace/dax/windowState';
import { stateText, windowText } from '../../../src/trace/dax/windowText';
import { DaxNote } from '../../../src/fs/dax/frontEnd';
import { windowCapture } from './windowCapture';

const PAGE = 4096;
const RANGE = 2 << 20;
const SIZE = 64 * PAGE;

interface Event {
  readonly kind: WindowEvent;
  readonly place: number;
  readonly pages: number;
  readonly nodeid: number;
  readonly from: number;
}

const anEvent: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom(WindowEvent.Map, WindowEvent.Map, WindowEvent.Unmap, WindowEvent.Reset, WindowEvent.Refused),
  place: fc.nat(60),
  pages: fc.integer({ min: 1, max: 8 }),
  nodeid: fc.integer({ min: 1, max: 3 }),
  from: fc.nat(10),
});

function eventsOf(list: readonly Event[]): WindowEvents {
  const events = new WindowEvents();
  list.forEach(({ kind, place, pages, nodeid, from }, index) =>
    events.add(kind, index * 1000, place * PAGE, pages * PAGE, from * PAGE, nodeid, nodeid, index & 1, index),
  );
  return events;
}

function played(events: WindowEvents, count: number): WindowState {
  const state = new WindowState();
  for (let at = 0; at < count; at++) state.apply(events, at);
  return state;
}

describe('the model of a DAX window', () => {
  it('never has ranges that overlap, and its sum is theirs', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 200 }), (list) => {
        const events = eventsOf(list);
        const state = new WindowState();
        for (let at = 0; at < events.count; at++) {
          state.apply(events, at);
          let end = 0;
          let sum = 0;
          for (const range of state.all) {
            assert.ok(range.windowOffset >= end, 'apart, and in order');
            end = range.windowOffset + range.length;
            sum += range.length;
            assert.equal(state.at(range.windowOffset + range.length - 1), range);
          }
          assert.equal(state.mappedBytes, sum);
        }
      }),
    );
  });

  it('each byte is that of the latest mapping over it that nothing has touched since', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 100 }), (list) => {
        // One entry for each page: which event owns it. An event that touches a range takes all of it away.
        const owner = new Array<number>(SIZE / PAGE + 8).fill(-1);
        list.forEach(({ kind, place, pages }, index) => {
          if (kind === WindowEvent.Refused) return;
          if (kind === WindowEvent.Reset) return void owner.fill(-1);
          const touched = new Set(owner.slice(place, place + pages).filter((each) => each >= 0));
          owner.forEach((each, page) => touched.has(each) && (owner[page] = -1));
          if (kind === WindowEvent.Map) owner.fill(index, place, place + pages);
        });
        const state = played(eventsOf(list), list.length);
        owner.forEach((index, page) => {
          const range = state.at(page * PAGE);
          assert.equal(range?.nodeid, index < 0 ? undefined : list[index].nodeid);
          if (index >= 0) assert.equal(range?.fileOffset, list[index].from * PAGE);
        });
      }),
    );
  });

  it('the same place with another length is another mapping', () => {
    const map = { kind: WindowEvent.Map, place: 3, nodeid: 1, from: 2 };
    const state = played(
      eventsOf([
        { ...map, pages: 4 },
        { ...map, pages: 2 },
      ]),
      2,
    );
    assert.deepEqual(
      [state.maps, state.all.map(({ uses, since, length }) => [uses, since, length])],
      [2, [[2, 1000, 2 * PAGE]]],
    );
  });

  it('counts the uses of so many places and no more', () => {
    const events = new WindowEvents();
    const places = MOST_RANGES + 2;
    for (let at = 0; at < places; at++) {
      events.add(WindowEvent.Map, at, at * PAGE, PAGE, 0, 1, 1, 0, at);
      events.add(WindowEvent.Unmap, at, at * PAGE, PAGE, 0, 1, 1, 0, at);
    }
    assert.equal(played(events, 2 * places).entries, MOST_RANGES);
  });

  it('back in time it is what it was', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 900 }), fc.array(fc.nat(900), { maxLength: 20 }), (list, counts) => {
        const events = eventsOf(list);
        const history = new WindowHistory(events, SIZE);
        for (const count of counts) {
          const wanted = Math.min(count, list.length);
          assert.deepEqual(history.after(count), played(events, wanted));
          assert.deepEqual(history.at(wanted * 1000 - 1), played(events, wanted));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('events are put into the order of time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 100 }), (times) => {
        const events = new WindowEvents();
        times.forEach((time, index) => events.add(WindowEvent.Map, time, index, 1, 0, 1, 0, 0, index));
        events.sort();
        for (let at = 1; at < events.count; at++) {
          const inOrder =
            events.time[at - 1] < events.time[at] ||
            (events.time[at - 1] === events.time[at] && events.row[at - 1] < events.row[at]);
          assert.ok(inOrder);
          assert.equal(events.time[at], times[events.row[at]]);
        }
      }),
    );
  });
});

describe('the DAX window of a capture', () => {
  const read = (bytes: Uint8Array): CaptureReader => {
    const reader = new CaptureReader();
    reader.push(bytes);
    reader.end();
    return reader;
  };

  const ordinary = (): CaptureReader =>
    read(
      windowCapture((c) => {
        c.shmem(4 * RANGE);
        c.init(1);
        c.lookup(2, 'a', 7);
        c.lookup(3, 'b', 8);
        c.setup(10, 7, 0, RANGE, 0, 2);
        c.setup(11, 7, 0, RANGE, 0, 3);
        c.setup(20, 8, RANGE, RANGE, RANGE, 2);
        c.remove(30, 7, [[0, RANGE]]);
        c.setup(40, 7, 0, RANGE, 2 * RANGE, 2);
        c.setup(50, 8, 0, RANGE, 3 * RANGE, 2, -5);
        c.read(60, 7, 4096);
        c.note(70, DaxNote.Refused, 9, 'c', 'it is empty');
        c.mapAnswered(80, 0.5);
        c.mapAnswered(90, 1.5);
        c.end(2000);
      }),
    );

  it('says what is mapped when', () => {
    const capture = ordinary();
    const history = WindowHistory.of(capture);
    assert.equal(history.size, 4 * RANGE);
    const places = (ms: number): number[] => history.at(ms * 1e6).all.map((range) => range.windowOffset / RANGE);
    assert.deepEqual([5, 15, 25, 35, 45, 100].map(places), [[], [0], [0, 1], [1], [1, 2], [1, 2]]);
    const [range] = history.at(15e6).all;
    assert.deepEqual([range.nodeid, range.fileOffset, range.flags, range.uses], [7, 0, 1, 1], 'and now for writing');
    assert.equal(capture.path(range.path), '/a');
  });

  it('counts files, thrash, what still goes through requests, round trips and reasons', () => {
    const capture = ordinary();
    const figures = windowFigures(capture, WindowHistory.of(capture), { slices: 4, thrashMs: 10 });
    assert.deepEqual([figures.maps, figures.unmaps, figures.refusals, figures.again], [3, 1, 1, 1]);
    const [a] = figures.files.filter((file) => file.path === '/a');
    assert.deepEqual([a.maps, a.again, a.reads, a.bytes, a.mostBytes], [2, 1, 1, 4096, RANGE]);
    assert.equal(
      figures.slices.reduce((sum, slice) => sum + slice.maps, 0),
      3,
    );
    assert.equal(figures.slices.at(-1)?.end, 0.5);
    assert.deepEqual(
      figures.roundTrips.map(({ from, count, most }) => [from, count, most]),
      [[0, 2, 1.5e6]],
    );
    assert.deepEqual(figures.notes, [{ path: 'c', what: DaxNote.Refused, text: 'it is empty' }]);
    assert.equal(windowFigures(capture, WindowHistory.of(capture), { thrashMs: 9 }).again, 0);
    const text = windowText(figures).join('\n');
    for (const said of ['3 made by the guest, 1 removed, ', ', 1 refused', '"/a"', '"/c": it is empty', '0 and more'])
      assert.ok(text.includes(said), said);
    assert.match(stateText(capture, WindowHistory.of(capture).at(1e9), 1e9).join('\n'), /^2 ranges, 4 MiB\n/);
  });

  it('knows what was mapped before it began', () => {
    const capture = read(
      windowCapture((c) => {
        c.mapped(0, 7, 'deep/a', 0, RANGE, RANGE);
        c.remove(5, 7, [[RANGE, RANGE]]);
      }),
    );
    const history = WindowHistory.of(capture);
    assert.equal(history.after(1).mappedBytes, RANGE);
    assert.equal(history.after(2).mappedBytes, 0);
    assert.equal(windowFigures(capture, history).files[0].path, '/deep/a');
    assert.deepEqual(capture.notes, []);
  });

  it('tells names and reasons as nothing but text, whoever wrote the capture', () => {
    const capture = read(
      windowCapture((c) => {
        c.mapped(0, 7, '\u001b[2Jdeep/a', 0, RANGE, RANGE);
        c.note(1, DaxNote.Refused, 9, 'b\u001b]0;', 'it is\u001b[31m empty\nnote');
      }),
    );
    const history = WindowHistory.of(capture);
    const lines = [...windowText(windowFigures(capture, history)), ...stateText(capture, history.at(1e9), 1e9)];
    assert.doesNotMatch(lines.join(''), /[\u0000-\u001f]/);
    assert.match(stateText(capture, history.at(1e9), 1e9)[1], /"\/\\u001b\[2Jdeep\/a"/);
  });

  it('ends with the session', () => {
    const capture = read(
      windowCapture((c) => {
        c.setup(1, 7, 0, RANGE, 0, 2);
        c.init(5);
        c.setup(6, 7, 0, RANGE, 0, 2);
      }),
    );
    const history = WindowHistory.of(capture);
    assert.deepEqual(
      [1, 2, 3].map((count) => history.after(count).mappedBytes),
      [RANGE, 0, RANGE],
    );
  });

  it('takes requests of any bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(Opcode.SETUPMAPPING, Opcode.REMOVEMAPPING),
            fc.uint8Array({ maxLength: 120 }),
            fc.constantFrom(0, 0, -22),
          ),
          { maxLength: 30 },
        ),
        (requests) => {
          const capture = read(
            windowCapture((c) => requests.forEach(([opcode, body, error], at) => c.raw(at, opcode, 7, body, error))),
          );
          const figures = windowFigures(capture, WindowHistory.of(capture));
          assert.ok(figures.slices.every(({ end, most }) => end >= 0 && most <= 1 && end <= most));
          windowText(figures);
        },
      ),
    );
  });
});
