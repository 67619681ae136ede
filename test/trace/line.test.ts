/** A request as a line: what is in it, in which order, and that nothing in a name can do harm. */
import assert from 'node:assert/strict';
import { LockType } from '../../src/protocol/fuse/flags';
import type { Capture } from '../../src/trace/capture';
import { jsonRow } from '../../src/trace/jsonRow';
import { kindOf, requestLine, whatOf } from '../../src/trace/line';
import { coloured, plain } from '../../src/trace/palette';
import { rowText } from '../../src/trace/rowText';
import { CaptureBuilder } from './captureBuilder';

const lineOf = (builder: CaptureBuilder, row = 0): string => requestLine(builder.capture(), row);
const what = (builder: CaptureBuilder, row = 0): string => whatOf(builder.capture(), row);

describe('the line of a request', () => {
  const file = (): CaptureBuilder =>
    new CaptureBuilder().exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, attr: { mode: 0o100644, size: 9 } } });

  it('says when, on which queue, who, what, where, how, what came of it, and how long it took', () => {
    const builder = file().exchange('READ', {
      ...{ nodeid: 2, pid: 4711, uid: 1001, at: 1_234_587_000, queued: 2_000, calls: 1 },
      ...{ latency: 130_000, host: 100_000, writing: 5_000 },
      in: { fh: 7, offset: 4096, size: 131072 },
      outPayload: 131072,
    });
    assert.equal(
      lineOf(builder, 1),
      '    1.234567  q1  pid=4711 uid=1001  READ "/a.db" fh=7 offset=4096 size=128K -> 131072 bytes  ' +
        '130 µs (queued 2.00 µs, daemon 25.0 µs, host 100 µs, reply 5.00 µs)',
    );
  });

  it('gives a phase that is longer than a capture can say all that the others leave', () => {
    const most = 0xffff_ffff;
    const times = (reply: object): string => /\(queued.*/.exec(lineOf(file().exchange('FSYNC', reply), 1))?.[0] ?? '';
    // What columns hold exactly.
    const unit = 2 ** 30;
    assert.equal(
      times({ latency: 9 * unit, queued: most, calls: 1, host: most, writing: unit }),
      '(queued 4.29 s or longer, daemon 0 ns, host 8.59 s, reply 1.07 s)',
    );
    assert.equal(
      times({ latency: 9 * unit, calls: 1, host: unit, writing: most }),
      '(queued 0 ns, daemon 0 ns, host 1.07 s, reply 8.59 s)',
    );
    assert.equal(
      times({ latency: 8193 * unit, calls: 1, host: unit, held: most * 1000 }),
      '(queued 0 ns, daemon 0 ns, host 1.07 s, reply 0 ns, held 8796 s)',
    );
    // One that was as long to the nanosecond.
    assert.equal(
      times({ latency: 4_294_967_295, calls: 1, host: most }),
      '(queued 0 ns, daemon 0 ns, host 4.29 s, reply 0 ns)',
    );
  });

  it('shows flags, modes and errors by name', () => {
    const open = new CaptureBuilder().exchange('CREATE', {
      names: ['new'],
      in: { flags: 0o102, mode: 0o100644 },
      error: 'EACCES',
    });
    assert.equal(what(open), 'CREATE "/new" flags=O_RDWR|O_CREAT mode=0100644 -> EACCES');
  });

  it('has a name once: as the end of the path', () => {
    assert.equal(what(file()), 'LOOKUP "/a.db" -> nodeid=2 size=9 mode=0100644 uid=0 gid=0');
    const xattr = file().exchange('GETXATTR', { nodeid: 2, names: ['a.db'], in: { size: 0 }, error: 'ENODATA' });
    assert.equal(what(xattr, 1), 'GETXATTR "/a.db" size=0 "a.db" -> ENODATA');
  });

  it('has both paths of a rename, and of a link, as far as they are known', () => {
    const within = new CaptureBuilder().exchange('RENAME2', { names: ['a', 'b'], in: { newdir: 1, flags: 1 } });
    assert.equal(what(within), 'RENAME2 "/a" flags=RENAME_NOREPLACE to "/b" -> OK');
    const folder = { nodeid: 9, attr: { mode: 0o040755 } };
    const across = new CaptureBuilder()
      .exchange('LOOKUP', { names: ['d'], out: folder })
      .exchange('RENAME', { names: ['a', 'b'], in: { newdir: 9 } })
      .exchange('LINK', { names: ['c'], in: { oldnodeid: 9 }, error: 'EPERM' });
    assert.equal(what(across, 1), 'RENAME "/a" to "/d/b" -> OK');
    assert.equal(what(across, 2), 'LINK "/c" of "/d" -> EPERM');
    assert.match(jsonRow(across.capture(), 1), /"path":"\/a","otherPath":"\/d\/b"/);
    const unknown = new CaptureBuilder().exchange('RENAME', { names: ['a', 'b'], in: { newdir: 77 } });
    assert.equal(what(unknown), 'RENAME "/a" to "?77/b" -> OK');
  });

  it('marks a path that was learned before packets were lost', () => {
    const builder = file().lost(5).exchange('GETATTR', { nodeid: 2 });
    assert.match(what(builder, 1), /^GETATTR "\/a\.db"\(\?\) ->/);
    assert.match(jsonRow(builder.capture(), 1), /"path":"\/a\.db","pathUnsure":true/);
  });

  it('names the nodeid where no path is known', () => {
    const builder = new CaptureBuilder().exchange('GETATTR', { nodeid: 77 });
    assert.match(what(builder), /^GETATTR nodeid=77 ->/);
  });

  it('says that a reply is owed, and nothing of the kind where none is wanted', () => {
    const builder = new CaptureBuilder();
    builder.request('SETLKW', { in: { fh: 3, lk: { type: LockType.WRLCK, end: 100 } }, queued: 900 });
    assert.match(
      lineOf(builder),
      /SETLKW "\/" fh=3 start=0 end=100 type=F_WRLCK pid=0 … in flight {2}\(queued 900 ns\)$/,
    );
    const forget = file().exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } });
    assert.match(lineOf(forget, 1), /q0 {2}pid=100 uid=1000 {2}FORGET "\/a\.db" nlookup=1 {2}\(queued 0 ns\)$/);
  });

  it('shows replies without a request, and notifications', () => {
    const builder = new CaptureBuilder();
    const lost = { row: undefined, queue: 1, head: 4, unique: 99, at: 5_000, queued: 0, asked: undefined };
    const capture = builder.reply(lost, { error: 'EIO' }).notification(5, new Uint8Array(32)).capture();
    assert.match(requestLine(capture, 0), /q1 {2}\(no request\) -> EIO$/);
    assert.match(requestLine(capture, 1), /q1 {2}NOTIFY_RETRIEVE .*nodeid=0 offset=0 size=0$/);
    assert.equal(kindOf(capture, 1), 'NOTIFY_RETRIEVE');
  });

  it('says what is wrong with a message', () => {
    const short = new CaptureBuilder().exchange('OPEN', {
      raw: Uint8Array.from([40, 0, 0, 0, 14, ...Array(35).fill(0)]),
    });
    assert.match(what(short), /OPEN .*\(fuse_open_in needs 8 bytes, 0 are left\)/);
    assert.match(what(new CaptureBuilder().exchange(4242)), /^opcode 4242 .*\(4242 is no opcode\)/);
  });

  it('keeps its width of one line and its hands off the terminal, whatever names say', () => {
    const nasty = 'x\u001b]0;owned\u0007\n\r\u009b2J\u202e"\\';
    const line = lineOf(new CaptureBuilder().exchange('LOOKUP', { names: [nasty], error: 'ENOENT' }));
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    assert.match(line, /\\u001b\]0;owned\\u0007\\n/);
    const bytes = new CaptureBuilder().exchange('LOOKUP', { names: ['\\xff\\xfe'], error: 'ENOENT' });
    assert.match(lineOf(bytes), /"\/\\xff\\xfe"/);
  });

  it('has times since the beginning, in UTC, or since the line before', () => {
    const capture = file().exchange('STATFS', { at: 1_000_020_123 }).capture();
    const at = (time: 'relative' | 'absolute' | 'delta', before?: number): string =>
      requestLine(capture, 1, { time, palette: plain }, before).trim().split('  ')[0];
    assert.equal(at('relative'), '1.000000');
    assert.equal(at('absolute'), '2023-11-14T22:13:21.000020123Z');
    assert.equal(at('delta', 0), '+1.000000');
    assert.equal(at('delta'), '+0.000000');
  });

  it('has colours where they are wanted, and each ends', () => {
    const capture = file().exchange('OPEN', { nodeid: 2, error: 'EIO' }).capture();
    const line = requestLine(capture, 1, { time: 'relative', palette: coloured });
    assert.match(line, /\u001b\[1;36mOPEN\u001b\[0m/);
    assert.match(line, /\u001b\[1;31m-> EIO\u001b\[0m/);
    const bare = line.replace(/\u001b\[[0-9;]*m/g, '');
    assert.equal(bare, requestLine(capture, 1));
  });

  it('says which replies came from another thread', () => {
    assert.match(lineOf(new CaptureBuilder().exchange('FSYNC', { later: true })), /answered later\)$/);
  });

  it('says which a debugger or a fault held or changed', () => {
    const held = { latency: 2_500_000_000, held: 2_000_000_000 };
    assert.match(lineOf(new CaptureBuilder().exchange('FSYNC', held)), /daemon 500 ms, held 2\.00 s\)$/);
    assert.match(
      lineOf(new CaptureBuilder().exchange('FSYNC', { ...held, changed: true })),
      /held 2\.00 s, changed by a fault or a debugger\)$/,
    );
    assert.match(
      lineOf(new CaptureBuilder().exchange('FSYNC', { changed: true })),
      /, changed by a fault or a debugger\)$/,
    );
  });
});

describe('what is under the line', () => {
  const text = (capture: Capture, row: number, also: { syscalls?: boolean; hex?: boolean }): string[] =>
    rowText(capture, row, { time: 'relative', palette: plain, syscalls: false, hex: false, ...also }).slice(1);

  it('is the host system calls, with their arguments in the terms of their manual pages', () => {
    const capture = new CaptureBuilder()
      .exchange('OPEN', {
        hostCalls: [
          {
            call: 'openat',
            arguments: [-100, 0, 0o400002, 0],
            texts: ['a "b"'],
            result: 9,
            duration: 4_000,
            at: 21_500,
          },
          {
            call: 'preadv2',
            arguments: [9, 4096, 1, 128, 8],
            result: -11,
            duration: 900,
            otherThread: true,
            at: 26_000,
          },
        ],
      })
      .capture();
    assert.deepEqual(text(capture, 0, { syscalls: true }), [
      '        +1.50 µs  openat(AT_FDCWD, "a \\"b\\"", O_RDWR|O_NOFOLLOW, 0000) = 9  4.00 µs',
      '        +6.00 µs  preadv2(9, …, 1, 128, RWF_NOWAIT) = -1 EAGAIN  900 ns  (other thread)',
    ]);
  });

  it('says that there were calls where the capture has none', () => {
    const capture = new CaptureBuilder().exchange('READ', { calls: 3, host: 10 }).capture();
    assert.match(text(capture, 0, { syscalls: true })[0], /3 host calls \(made with --trace-syscalls/);
  });

  it('is the bytes, each field with its name and value', () => {
    const capture = new CaptureBuilder({ snaplen: 20 })
      .exchange('WRITE', {
        nodeid: 1,
        in: { fh: 7, offset: 4096 },
        payload: 'hello\u0007world'.padEnd(64, '.'),
        out: { size: 64 },
      })
      .capture();
    const lines = text(capture, 0, { hex: true });
    assert.match(lines[0], /request, 144 bytes, 100 captured$/);
    assert.ok(
      lines.some((line) =>
        line.endsWith('000004  10 00 00 00                                      fuse_in_header.opcode = FUSE_WRITE'),
      ),
    );
    assert.ok(lines.some((line) => /000038 {2}40 00 00 00 +fuse_write_in\.size = 64$/.test(line)));
    assert.ok(lines.some((line) => /000050 .*\|hello\.world\.\.\.\.\.\|$/.test(line)));
    assert.ok(lines.some((line) => /fuse_write_out\.size = 64$/.test(line)));
  });
});
