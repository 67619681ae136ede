/** A filtered capture opens again, with the chosen requests as they were. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Capture } from '../../../src/trace/capture';
import { CaptureReader } from '../../../src/trace/captureReader';
import { filteredCapture } from '../../../src/trace/export/pcapng';
import { jsonRow } from '../../../src/trace/jsonRow';
import { requestLine, whatOf } from '../../../src/trace/line';
import { FuseAt, PacketKind } from '../../../src/trace/packet';
import { CaptureBuilder } from '../captureBuilder';
import { rowOf } from '../readWhole';
import { guestAtWork } from './guestAtWork';

const ENHANCED_PACKET = 6;
/** Of a packet in its block. */
const PACKET = 28;

const folder = { attr: { mode: 0o40755, nlink: 2 } };
const file = { attr: { mode: 0o100644, nlink: 1 } };

function filtered(
  from: CaptureBuilder | CaptureReader,
  choose: (capture: Capture, row: number) => boolean = () => true,
): CaptureReader {
  const capture = from instanceof CaptureBuilder ? from.capture() : from;
  const rows = Uint32Array.from({ length: capture.count }, (_, row) => row).filter((row) => choose(capture, row));
  const reader = new CaptureReader();
  for (const piece of filteredCapture(capture, rows, 'virtiofs-studio test')) reader.push(piece);
  reader.end();
  assert.equal(reader.fault, undefined);
  return reader;
}

const lines = (capture: Capture): string[] => Array.from({ length: capture.count }, (_, row) => whatOf(capture, row));

describe('a filtered capture', () => {
  const everything = (): CaptureBuilder =>
    new CaptureBuilder({ tag: 'work', directory: '/srv' })
      .vhostUser(1)
      .init()
      .exchange('LOOKUP', { names: ['d'], out: { nodeid: 2, ...folder } })
      .exchange('READDIRPLUS', {
        nodeid: 2,
        in: { fh: 1, size: 4096 },
        entries: [{ name: 'x', out: { nodeid: 3, ...file } }],
      })
      .exchange('GETATTR', { nodeid: 3, hostCalls: [{ call: 'statx', arguments: [3], duration: 700 }] })
      .exchange('RENAME', { nodeid: 2, names: ['x', 'y'], in: { newdir: 1 } })
      .exchange('READ', { nodeid: 3, in: { fh: 4, size: 9000 }, outPayload: 9000, queued: 44 })
      .vhostUser(11, { payload: new Uint8Array(8) })
      .exchange('FORGET', { nodeid: 3, in: { nlookup: 1 } });

  it('with everything chosen is the same', () => {
    const original = everything().capture();
    const again = filtered(everything(), () => true);
    const json = (capture: Capture): string[] =>
      Array.from({ length: capture.count }, (_, row) => jsonRow(capture, row));
    assert.deepEqual(json(again), json(original));
    assert.deepEqual(again.share, original.share);
    assert.equal(again.control.length, 2);
  });

  it('is no larger than what it is of, however many sections and whatever queue numbers that has', () => {
    const built = new CaptureBuilder().init();
    for (let section = 0; section < 50; section++) built.section();
    const bytes = built.exchange('STATFS').bytes();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // The numbers as no daemon of ours writes them, in every packet of FUSE.
    for (let at = 0; at < bytes.length; at += view.getUint32(at + 4, true)) {
      const kind: PacketKind = bytes[at + PACKET + 1];
      const isFuse =
        view.getUint32(at, true) === ENHANCED_PACKET && (kind === PacketKind.Request || kind === PacketKind.Reply);
      if (isFuse) view.setUint16(at + PACKET + FuseAt.queue, 0xffff, true);
    }
    const reader = new CaptureReader();
    reader.push(bytes);
    reader.end();
    const all = Uint32Array.from({ length: reader.count }, (_, row) => row);
    let length = 0;
    for (const piece of filteredCapture(reader, all, 'virtiofs-studio test')) length += piece.length;
    assert.ok(length < 2 * bytes.length, `${length} bytes of ${bytes.length}`);
    assert.deepEqual([...filtered(reader).columns.queue.subarray(0, 2)], [0xffff, 0xffff]);
  });

  it('has only the chosen requests with their replies and host calls, INIT, and all control messages', () => {
    const again = filtered(everything(), (capture, row) => capture.request(row)?.opcode?.name === 'GETATTR');
    assert.deepEqual(
      lines(again).map((line) => line.split(' ')[0]),
      ['INIT', 'GETATTR'],
    );
    assert.equal(again.control.length, 2);
    assert.deepEqual(
      again.hostCalls(1).map(({ duration }) => duration),
      [700],
    );
    assert.equal(again.session(1)?.minor, 46);
    assert.deepEqual(again.notes, []);
  });

  it('keeps paths that requests left out have told, also after a rename', () => {
    const again = filtered(everything(), (_, row) => [3, 5].includes(row));
    assert.match(lines(again)[1], /^GETATTR "\/d\/x"/);
    assert.match(lines(again)[2], /^READ "\/y"/);
  });

  it('keeps paths that were known before the capture', () => {
    const builder = new CaptureBuilder()
      .names([{ nodeid: 5, parent: 1, name: 'old' }])
      .exchange('STATFS')
      .exchange('GETATTR', { nodeid: 5 });
    assert.match(lines(filtered(builder, (_, row) => row === 1))[0], /^GETATTR "\/old"/);
  });

  describe('calls nothing by a name that was taken back in a request left out', () => {
    const opcodes = (...chosen: string[]) => {
      return (capture: Capture, row: number): boolean => chosen.includes(capture.request(row)?.opcode?.name ?? '');
    };
    const pathsOf = (capture: Capture): string[] =>
      Array.from({ length: capture.count }, (_, row) => capture.path(capture.columns.path[row]));
    /**
     * What the guest knew of node 5 when it was `/a`; then it is something else, of which nothing is in the capture.
     */
    const usedAgain = (): CaptureBuilder =>
      new CaptureBuilder()
        .exchange('LOOKUP', { names: ['a'], out: { nodeid: 5, ...file } })
        .exchange('FORGET', { nodeid: 5, in: { nlookup: 1 } })
        .lost(2);

    it('a nodeid that stands for another file', () => {
      const again = filtered(usedAgain().exchange('GETATTR', { nodeid: 5 }), opcodes('LOOKUP', 'GETATTR'));
      assert.deepEqual(pathsOf(again), ['/a', '']);
    });

    it('also where many were forgotten at once', () => {
      const builder = new CaptureBuilder()
        .exchange('LOOKUP', { names: ['a'], out: { nodeid: 5, ...file } })
        .exchange('BATCH_FORGET', { forgets: [{ nodeid: 5, nlookup: 1 }] })
        .exchange('GETATTR', { nodeid: 5 });
      assert.deepEqual(pathsOf(filtered(builder, opcodes('LOOKUP', 'GETATTR'))), ['/a', '']);
    });

    it('a folder whose nodeid is that of another one', () => {
      const builder = new CaptureBuilder()
        .exchange('LOOKUP', { names: ['d'], out: { nodeid: 5, ...folder } })
        .exchange('FORGET', { nodeid: 5, in: { nlookup: 1 } })
        .exchange('CREATE', { nodeid: 5, names: ['x'], out: [{ nodeid: 6, ...file }, { fh: 1 }] })
        .exchange('MKDIR', { nodeid: 5, names: ['e'], out: { nodeid: 7, ...folder } })
        .exchange('GETATTR', { nodeid: 6 })
        .exchange('UNLINK', { nodeid: 7, names: ['y'] });
      assert.deepEqual(pathsOf(filtered(builder, (_, row) => row !== 1)), ['/d', '?5/x', '?5/e', '?5/x', '?5/e/y']);
      assert.deepEqual(pathsOf(filtered(builder, (_, row) => [0, 4].includes(row))), ['/d', '?5/x']);
      assert.deepEqual(pathsOf(filtered(builder, (_, row) => [0, 5].includes(row))), ['/d', '?5/e/y']);
    });

    it('what is linked, and the folder that something is moved to', () => {
      const builder = usedAgain()
        .exchange('LINK', { names: ['b'], in: { oldnodeid: 5 }, error: 'EMLINK' })
        .exchange('RENAME', { names: ['b', 'c'], in: { newdir: 5 } });
      const again = filtered(builder, (_, row) => row !== 1);
      const others = Array.from(again.columns.otherPath.subarray(0, again.count), (path) => again.path(path));
      assert.deepEqual(others, ['', '', '?5/c']);
    });

    it('and by the name that it has once that is known', () => {
      const builder = usedAgain()
        .exchange('GETATTR', { nodeid: 5 })
        .exchange('LOOKUP', { names: ['b'], out: { nodeid: 5, attr: { mode: 0o100644, nlink: 2 } } })
        .exchange('GETATTR', { nodeid: 5 });
      const again = filtered(builder, (_, row) => row !== 1);
      assert.deepEqual(pathsOf(again), ['/a', '', '/b', '/b']);
      const names = again.node(5n)?.paths.map((path) => again.path(path));
      assert.deepEqual(names, ['/b'], 'also as one of several');
    });
  });

  it('keeps requests in flight, replies without a request, losses, and heads that come again', () => {
    const builder = new CaptureBuilder();
    builder.request('SETLKW', { in: { fh: 1 }, head: 6 });
    builder.lost(4);
    builder.reply(
      { row: undefined, queue: 1, head: 8, unique: 77, at: 9_000, queued: 0, asked: undefined },
      { error: 'EIO' },
    );
    builder.exchange('STATFS', { head: 10 }).exchange('STATFS', { head: 10, latency: 77 });
    const again = filtered(builder, (_, row) => row !== 2);
    assert.deepEqual(
      lines(again).map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['SETLKW "/"', '(no request)', 'STATFS "/"'],
    );
    assert.equal(again.columns.latency[2], 77);
    assert.deepEqual(
      again.gaps.map(({ packets }) => packets),
      [4],
    );
  });

  it('comes of any bytes without a fault', () => {
    const good = everything().bytes();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 10 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          const capture = new CaptureReader();
          capture.push(bytes);
          capture.end();
          assert.equal(filtered(capture).count, capture.count);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what is kept of a live capture', () => {
  /** All that is said of a row. */
  const said = (capture: CaptureReader, row: number): unknown => ({
    line: requestLine(capture, row),
    columns: rowOf(capture, row),
    other: capture.path(capture.columns.otherPath[row]),
    held: capture.columns.held[row],
    hostCalls: capture.hostCalls(row),
    request: capture.request(row),
    reply: capture.reply(row),
  });
  const opcode = (capture: CaptureReader, row: number): string | undefined => capture.request(row)?.opcode?.name;

  /** The rows of the export that are the last ones of the original, which it is compared with. */
  function same(again: CaptureReader, original: CaptureReader): number {
    const extra = again.count + Number(again.share.earlier ?? 0) - original.count;
    assert.ok(extra === 0 || (extra === 1 && opcode(again, 0) === 'INIT'));
    const rows = again.count - extra;
    for (let row = 0; row < rows; row++) {
      assert.deepEqual(said(again, row + extra), said(original, original.count - rows + row));
    }
    return rows;
  }

  const seeds = fc.integer({ min: 0, max: 0xffff_ffff });

  it('is the same as long as that is everything', () => {
    fc.assert(
      fc.property(seeds, fc.nat(600), (seed, steps) => {
        const original = guestAtWork(seed, steps).capture();
        const again = filtered(original);
        assert.equal(same(again, original), original.count);
        assert.deepEqual(again.control, original.control);
        assert.deepEqual(again.windowNotes, original.windowNotes);
        assert.deepEqual(again.gaps, original.gaps);
        assert.deepEqual(again.share, original.share);
        assert.deepEqual(again.notes, original.notes);
        assert.equal(again.origin, original.origin);
      }),
      { numRuns: 15 },
    );
  });

  it('is the same after the oldest rows were dropped, behind the INIT that they began with', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 500, max: 900 }), (seed, steps) => {
        const builder = guestAtWork(seed, steps, { sections: false });
        const original = builder.capture();
        const dropping = builder.capture();
        const dropped = dropping.drop(dropping.count - 10);
        const again = filtered(dropping);
        assert.equal(same(again, original), original.count - dropped);
        assert.equal(opcode(again, 0), 'INIT');
        assert.equal(again.share.earlier, dropped);
        assert.match(again.notes.join(), new RegExp(`^${dropped} earlier requests were not kept`));
        assert.deepEqual(again.control, original.control);
        assert.deepEqual(filtered(again).share, again.share);
      }),
      { numRuns: 15 },
    );
  });

  it('is the same after the oldest messages are gone, whose rows are still there', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const builder = guestAtWork(seed, 3000);
        const original = builder.capture();
        const again = filtered(builder.capture({ liveLimit: 1 }));
        const rows = same(again, original);
        assert.ok(rows > 200 && rows < original.count - 200);
        assert.equal(again.share.earlier, original.count - rows);
        assert.deepEqual(again.control, original.control);
        assert.deepEqual(again.windowNotes, original.windowNotes);
      }),
      { numRuns: 5 },
    );
  });

  it('has of what goes while it is written as many packets lost as there are missing', () => {
    const builder = new CaptureBuilder().init();
    for (let i = 0; i < 5000; i++) builder.exchange('GETATTR');
    const capture = builder.capture({ liveLimit: 1 << 20 });
    const whole = filtered(capture);
    const all = Uint32Array.from({ length: capture.count }, (_, row) => row);
    const reader = new CaptureReader();
    for (const piece of filteredCapture(capture, all, 'test')) {
      reader.push(piece);
      if (capture.count < 5002) capture.push(builder.bytes().subarray(0, 600 << 10));
    }
    reader.end();
    const [note] = reader.notes.filter((each) => /packets lost/.test(each));
    assert.ok(note);
    assert.ok(Number.parseInt(note) >= whole.count - reader.count && reader.count < whole.count);
  });

  it('has the requests that are chosen, each with the path that it had', () => {
    fc.assert(
      fc.property(seeds, fc.nat(700), fc.integer({ min: 2, max: 9 }), (seed, steps, each) => {
        const capture = guestAtWork(seed, steps).capture();
        const isChosen = (row: number): boolean => row % each === 0 || opcode(capture, row) === 'INIT';
        const again = filtered(capture, (_, row) => isChosen(row));
        const chosen = Array.from({ length: capture.count }, (_, row) => row).filter(isChosen);
        assert.equal(again.count, chosen.length);
        chosen.forEach((row, index) => {
          assert.equal(again.columns.flags[index], capture.columns.flags[row]);
          assert.equal(again.path(again.columns.path[index]), capture.path(capture.columns.path[row]));
          assert.equal(again.path(again.columns.otherPath[index]), capture.path(capture.columns.otherPath[row]));
        });
      }),
      { numRuns: 15 },
    );
  });
});
