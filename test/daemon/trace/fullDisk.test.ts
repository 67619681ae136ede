/** A capture on a disk that becomes full: a tmpfs in a mount namespace of the daemon's own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseProblem } from '../../../src/control/problemLines';
import { CaptureReader } from '../../../src/trace/captureReader';
import { need } from '../../support/need';
import { readStrictly } from '../../trace/strictPcapng';
import { DaemonProcess, ROOT, Session } from '../daemonProcess';

const ON_TMPFS = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o "size=$1" small "$2" && shift 2 && exec "$@"', 'sh'];
const SIZE = 256 << 10;

describe('daemon with a capture on a full disk', () => {
  let home: string;
  let disk: string;
  let daemon: DaemonProcess | undefined;

  before(function () {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'full-'));
    const [command, ...rest] = [...ON_TMPFS, '64k', place, 'true'];
    const { status, stderr } = spawnSync(command, rest, { encoding: 'utf8' });
    fs.rmdirSync(place);
    need(this, 'a tmpfs in a mount namespace', status === 0, stderr);
  });

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'full-'));
    disk = path.join(home, 'disk');
    for (const name of ['disk', 'share']) fs.mkdirSync(path.join(home, name));
  });

  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    fs.rmSync(home, { recursive: true });
  });

  function start(argv: readonly string[], descriptors: readonly number[] = []): DaemonProcess {
    daemon = new DaemonProcess(
      [`--socket-path=${home}/socket`, `--shared-dir=${home}/share`, `--capture=${disk}/capture`, ...argv],
      { wrap: [...ON_TMPFS, String(SIZE), disk], descriptors },
    );
    return daemon;
  }

  /** The capture as the daemon sees it. */
  const capture = (): Buffer => fs.readFileSync(path.join(`/proc/${daemon?.pid}/root`, disk, 'capture'));

  /** Requests until the capture does not grow any more, since there is no room: `told` says so. */
  async function fill({ calls }: Session, told: () => boolean): Promise<void> {
    const { nodeid, fh } = calls.create(ROOT, 'data', 2, 0o644);
    for (let round = 0; round < 500 && !told(); round++) {
      for (let index = 0; index < 10; index++) calls.write(nodeid, fh, 0, Buffer.alloc(1000, round));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(told(), 'the disk became full and nothing was said');
  }

  it('tells it once with what to do, serves on, and leaves whole blocks', async () => {
    const served = start([]);
    const session = await Session.begin(`${home}/socket`);
    const told = /^error: the capture ".*capture" is incomplete: .*ENOSPC.*\[captureStopped\]\n {2}The share goes on/m;
    await fill(session, () => told.test(served.log));
    await served.says(told);
    const size = capture().length;
    for (let index = 0; index < 1000; index++) session.calls.getattr(ROOT);
    const bytes = capture();
    assert.equal(bytes.length, size, 'nothing is added behind the gap');
    assert.ok(size > SIZE / 2 && size <= SIZE, `${size} bytes of ${SIZE} were used`);
    readStrictly(bytes);
    const reader = new CaptureReader();
    reader.push(bytes);
    reader.end();
    assert.deepEqual(reader.notes, []);
    assert.ok(reader.count > 50, `${reader.count} requests can be read`);
    session.end();
    assert.equal(await served.exit(), 0);
    assert.equal(served.log.match(/captureStopped/g)?.length, 1);
  });

  it('tells whoever started it on the descriptor of --problems-fd, and not in the log as well', async () => {
    const heard = path.join(home, 'heard');
    const fd = fs.openSync(heard, 'w');
    const served = start(['--problems-fd=3'], [fd]);
    fs.closeSync(fd);
    const session = await Session.begin(`${home}/socket`);
    await fill(session, () => fs.statSync(heard).size > 0);
    session.end();
    assert.equal(await served.exit(), 0);
    const [line, ...rest] = fs.readFileSync(heard, 'utf8').split('\n');
    assert.deepEqual(rest, ['']);
    const { tag, code, text } = parseProblem('work', line) ?? assert.fail(line);
    assert.deepEqual([tag, code], ['work', 'captureStopped']);
    assert.match(text, /ENOSPC/);
    assert.doesNotMatch(served.log, /captureStopped|incomplete/);
  });

  it('that is full from the start does not begin, and leaves no socket', async () => {
    const full = new DaemonProcess([
      `--socket-path=${home}/socket`,
      `--shared-dir=${home}/share`,
      '--capture=/dev/full',
    ]);
    assert.equal(await full.exit(), 3);
    assert.match(
      full.log,
      /^error: the capture "\/dev\/full" cannot be written: no space left on device \(ENOSPC\) \[captureUnusable\]/m,
    );
    assert.equal(fs.existsSync(`${home}/socket`), false);
  });
});
