import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RowFlag } from '../../src/trace/capture';
import { compileFilter, select } from '../../src/trace/filter/filter';
import { ALL, type Grouping } from '../../src/trace/requestGroups';
import { RequestIndex } from '../../src/trace/requestIndex';
import { CaptureBuilder } from './captureBuilder';

const filterOf = (text: string) => {
  const filter = compileFilter(text);
  assert.ok(filter.ok);
  return filter.value;
};

const never = (): boolean => false;

function builder(): CaptureBuilder {
  return new CaptureBuilder()
    .init()
    .exchange('LOOKUP', { names: ['src'], pid: 7, out: { nodeid: 2, attr: { mode: 0o040755 } } })
    .exchange('LOOKUP', { nodeid: 2, names: ['a.c'], pid: 7, out: { nodeid: 3, attr: { mode: 0o100644 } } })
    .exchange('READ', { nodeid: 3, pid: 8, in: { fh: 1, size: 4096 }, outPayload: 100, latency: 9_000_000 })
    .exchange('LOOKUP', { nodeid: 2, names: ['b.c'], pid: 7, error: 'ENOENT' })
    .exchange('FORGET', { nodeid: 3, in: { nlookup: 1 } });
}

function index(capture = builder().capture(), grouping: Grouping = 'time', filter?: string): RequestIndex {
  const made = new RequestIndex(capture, filter === undefined ? undefined : filterOf(filter), 0, grouping);
  assert.ok(made.advance(capture.count, never));
  return made;
}

describe('the rows that a view shows', () => {
  it('are all of them without a filter, the newest first', () => {
    assert.deepEqual(index().newest(10), [5, 4, 3, 2, 1, 0]);
    assert.deepEqual(index().newest(2), [5, 4]);
    assert.deepEqual(index().newest(2, 3), [2, 1]);
  });

  it('are grouped by opcode and by process, the largest group first', () => {
    const named = (grouping: Grouping) =>
      index(undefined, grouping)
        .groups.groups(ALL, 10)
        .map(({ name, count, errors, failed }) => [name, count, errors, failed]);
    // ENOENT, which is an error that guests expect.
    assert.deepEqual(named('opcode')[0], ['LOOKUP', 3, 1, 0]);
    assert.deepEqual(
      named('opcode')
        .slice(1)
        .map(([name]) => name)
        .sort(),
      ['FORGET', 'INIT', 'READ'],
    );
    assert.deepEqual(named('process')[0], ['7', 3, 1, 0]);
  });

  it('are grouped by file as a tree of folders that counts what is in it', () => {
    const { groups } = index(undefined, 'file');
    const [src] = groups.groups(ALL, 10).filter(({ name }) => name === 'src');
    assert.deepEqual([src.count, src.errors, src.groups, src.own], [5, 1, 2, 1]);
    const [a, b] = groups.groups(src.id, 10);
    assert.deepEqual([a.name, a.count, b.name, b.errors], ['a.c', 3, 'b.c', 1]);
    // LOOKUP and READ; FORGET has no reply, and no latency that would count.
    assert.deepEqual([a.timed, a.time / a.timed], [2, (10_000 + 9_000_000) / 2]);
    assert.equal(groups.path(a.id), '/src/a.c');
    assert.deepEqual(groups.newest(a.id, 10), [5, 3, 2]);
  });

  it('are told apart by file where a name looks like a folder of which only the nodeid is known', () => {
    const made = builder()
      .exchange('LOOKUP', { names: ['?70'], out: { nodeid: 4, attr: { mode: 0o040755 } } })
      .exchange('LOOKUP', { nodeid: 4, names: ['x'], error: 'ENOENT' })
      .exchange('LOOKUP', { nodeid: 70, names: ['y'], error: 'ENOENT' });
    const { groups } = index(made.capture(), 'file');
    const alike = groups.groups(ALL, 10).filter(({ name }) => name === '?70');
    const paths = alike.map(({ id, count }) => [groups.path(id), count, groups.path(groups.groups(id, 10)[0].id)]);
    assert.deepEqual(paths.sort(), [
      ['/?70', 2, '/?70/x'],
      ['?70', 1, '?70/y'],
    ]);
  });

  it('are in the same order however few of the groups are asked for', () => {
    const names = fc.array(fc.string({ minLength: 1, maxLength: 2 }), { maxLength: 60 });
    fc.assert(
      fc.property(names, fc.constantFrom('file', 'process'), fc.nat(12), (names, grouping: Grouping, most) => {
        const made = new CaptureBuilder();
        for (const [pid, name] of names.entries())
          made.exchange('LOOKUP', { names: [name], pid: pid % 9, error: 'EIO' });
        const { groups } = index(made.capture(), grouping);
        assert.deepEqual(groups.groups(ALL, most), groups.groups(ALL, 1000).slice(0, most));
      }),
    );
  });

  it('are those that pass, asked when the reply is there', () => {
    const made = new CaptureBuilder().init();
    const sent = made.request('READ', { nodeid: 3, in: { fh: 1, size: 10 } });
    const capture = made.capture();
    const slow = new RequestIndex(capture, filterOf('latency > 5ms'), 0, 'time');
    assert.ok(slow.advance(capture.count, never));
    assert.deepEqual(slow.newest(10), []);
    const length = made.bytes().length;
    made.reply(sent, { latency: 6_000_000 });
    capture.push(made.bytes().subarray(length));
    assert.ok(slow.advance(capture.count, never));
    assert.deepEqual(slow.newest(10), [1]);
  });

  it('tells what is in flight', () => {
    const made = new CaptureBuilder().init();
    made.request('READ', { nodeid: 3, in: { fh: 1, size: 10 } });
    made.request('LOOKUP', { names: ['x'] });
    const capture = made.capture();
    assert.deepEqual(index(capture).inFlight(10), [1, 2]);
    assert.deepEqual(index(capture, 'time', 'opcode == LOOKUP').inFlight(10), [2]);
    assert.deepEqual(index(capture).newest(10), [0]);
  });

  it('finds the errors one after the other', () => {
    const made = builder().exchange('GETATTR', { nodeid: 9, error: 'EIO' }).capture();
    const rows = index(made);
    assert.equal(rows.nextError(-1), 4);
    assert.equal(rows.nextError(4), 6);
    assert.equal(rows.nextError(6), undefined);
    assert.equal(rows.nextError(6, false), 4);
  });

  it('can be walked in steps', () => {
    const capture = builder().capture();
    const rows = new RequestIndex(capture, undefined, 0, 'opcode');
    let asked = 0;
    assert.equal(
      rows.advance(capture.count, () => asked++ === 0),
      false,
    );
    assert.ok(rows.advance(capture.count, never));
    assert.equal(rows.count, 6);
  });

  it('are the same in whatever grouping, and stay when the oldest are dropped', () => {
    const many = new CaptureBuilder().init();
    for (let i = 0; i < 600; i++) {
      many.exchange(i % 3 === 0 ? 'GETATTR' : 'LOOKUP', { names: i % 3 === 0 ? [] : [`n${i % 7}`], error: 'ENOENT' });
    }
    const capture = many.capture();
    for (const grouping of ['time', 'file', 'process', 'opcode'] as const) {
      const rows = index(capture, grouping, 'opcode == GETATTR');
      assert.deepEqual(rows.newest(1000).reverse(), [...select(capture, filterOf('opcode == GETATTR'))]);
      assert.equal(rows.groups.group(ALL).count, 200);
    }
    const rows = index(capture, 'opcode', 'opcode == GETATTR');
    const dropped = capture.drop(300);
    assert.equal(dropped, 300);
    rows.drop(dropped);
    assert.ok(rows.advance(capture.count, never));
    assert.deepEqual(rows.newest(1000).reverse(), [...select(capture, filterOf('opcode == GETATTR'))]);
    assert.equal(rows.groups.group(ALL).count, rows.count);
  });
});

describe('a capture whose oldest rows are dropped', () => {
  it('says of the others what it said before, and pairs what comes later', () => {
    fc.assert(
      fc.property(fc.integer({ min: 257, max: 900 }), fc.integer({ min: 0, max: 1000 }), (rows, ask) => {
        const made = new CaptureBuilder().init();
        for (let i = 1; i < rows; i++) {
          made.exchange('LOOKUP', { names: [`f${i}`], out: { nodeid: i + 1 }, pid: i });
          if (i % 5 === 0) made.hostCall('close', { arguments: [i], result: 0 });
        }
        const late = made.request('GETATTR', { nodeid: 2, pid: 77 });
        const capture = made.capture();
        const whole = made.capture();
        const dropped = capture.drop(Math.min(ask, rows));
        assert.equal(dropped, Math.min(ask, rows));
        assert.equal(capture.count, whole.count - dropped);
        const length = made.bytes().length;
        made.reply(late, { error: 'EIO' });
        for (const each of [capture, whole]) each.push(made.bytes().subarray(length));
        for (let row = 0; row < capture.count; row += 37) {
          const old = row + dropped;
          assert.equal(capture.columns.pid[row], whole.columns.pid[old]);
          assert.equal(capture.path(capture.columns.path[row]), whole.path(whole.columns.path[old]));
          assert.deepEqual(capture.request(row)?.names, whole.request(old)?.names);
          assert.deepEqual(capture.session(row)?.minor, whole.session(old)?.minor);
          assert.deepEqual(
            capture.hostCalls(row).map(({ arguments: each }) => each),
            whole.hostCalls(old).map(({ arguments: each }) => each),
          );
          assert.equal(capture.head(row), whole.head(old));
        }
        const last = capture.count - 1;
        assert.ok((capture.columns.flags[last] & RowFlag.REPLIED) !== 0);
        assert.equal(capture.columns.error[last], -5);
      }),
      { numRuns: 6 },
    );
  });

  it('can lose all that it has', () => {
    const made = new CaptureBuilder().init();
    for (let i = 0; i < 255; i++) made.exchange('GETATTR', { nodeid: 1 });
    const capture = made.capture();
    assert.equal(capture.drop(Infinity), 256);
    assert.equal(capture.count, 0);
    const length = made.bytes().length;
    made.exchange('GETATTR', { nodeid: 1, pid: 3 });
    capture.push(made.bytes().subarray(length));
    assert.deepEqual([capture.count, capture.columns.pid[0], capture.columns.calls[0]], [1, 3, 0]);
  });
});
