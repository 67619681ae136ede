/** Captures in files and on descriptors: valid pcapng, the newest kept, what cannot be written. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { DaemonOptions } from '../../../src/daemon/daemonOptions';
import { parseOptions } from '../../../src/daemon/options';
import { CaptureFile } from '../../../src/daemon/trace/captureFile';
import { CaptureStream } from '../../../src/daemon/trace/captureStream';
import { CaptureHeader } from '../../../src/daemon/trace/header';
import { wholeBlocks } from '../../../src/daemon/trace/wholeBlocks';
import { enhancedPacket } from '../../../src/trace/pcapngWriter';
import { readStrictly } from '../../trace/strictPcapng';

function options(...argv: string[]): DaemonOptions {
  const parsed = parseOptions(['--shared-dir=/srv', '--fd=3', ...argv], '0');
  assert.equal(parsed.kind, 'run');
  return parsed.kind === 'run' ? parsed.options : assert.fail();
}

const packet = (value: number, length = 64): Uint8Array => enhancedPacket(2, 1n, new Uint8Array(length).fill(value));
const values = (file: string): number[] => readStrictly(fs.readFileSync(file)).packets.map(({ bytes }) => bytes[0]);

/** Where a descriptor of this process leads; one that listing them had open is there no more. */
function linkOf(fd: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

describe('whole blocks', () => {
  it('of bytes that end anywhere', () => {
    const [one, two] = [packet(1, 16), packet(2, 100)];
    const bytes = Buffer.concat([one, two]);
    const found = (length: number): number[] => {
      const { count, bytes: whole } = wholeBlocks(bytes.subarray(0, length));
      return [count, whole];
    };
    for (const length of [0, 1, 7, 8, one.length - 1]) assert.deepEqual(found(length), [0, 0], `${length} bytes`);
    for (const length of [0, 5, 9, two.length - 1]) assert.deepEqual(found(one.length + length), [1, one.length]);
    assert.deepEqual(found(bytes.length), [2, bytes.length]);
  });
});

describe('captures', () => {
  let folder: string;
  let file: string;
  let failures: string[];
  const failed = (error: NodeJS.ErrnoException): void => void failures.push(error.code ?? error.message);
  const stopped = (why: string): void => void failures.push(why);
  const header = new CaptureHeader(options('--tag=work', '--queues=2', '--cache=always'));

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'captures-'));
    file = path.join(folder, 'capture');
    failures = [];
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('begin with the section, the share, and an interface for each purpose and queue', () => {
    const capture = readStrictly(Buffer.concat(header.start(3)));
    const name = (each: { name: string }): string => each.name;
    assert.deepEqual(
      capture.interfaces.map(name),
      ['control', 'host', 'queue 0', 'queue 1', 'queue 2'].map((rest) => `work ${rest}`),
    );
    for (const one of capture.interfaces)
      assert.deepEqual([one.linkType, one.snapLength, one.resolution], [147, 0, 10n ** 9n]);
    const text = Buffer.concat(header.start(3)).toString('latin1');
    assert.match(text, /"tag":"work","directory":"\/srv","cache":"always".*"snaplen":256.*"piece":3/);
  });

  it('call the share by the name that was given, else by its tag, else by its folder', () => {
    const called = (...argv: string[]): string[] => {
      const start = Buffer.concat(new CaptureHeader(options(...argv)).start());
      const tag = /"tag":"([^"]*)"/.exec(start.toString('latin1'))?.[1] ?? '';
      return [tag, readStrictly(start).interfaces[0].name];
    };
    assert.deepEqual(called('--tag=work', '--name=mine'), ['mine', 'mine control']);
    assert.deepEqual(called('--tag=work'), ['work', 'work control']);
    assert.deepEqual(called('--shared-dir=/srv/project/'), ['project', 'project control']);
    assert.deepEqual(called('--shared-dir=.'), [
      path.basename(process.cwd()),
      `${path.basename(process.cwd())} control`,
    ]);
    assert.deepEqual(called('--shared-dir=/'), ['/', '/ control']);
  });

  describe('in a file', () => {
    it('hold what was written, for nobody but their user', () => {
      const sink = new CaptureFile(file, undefined, header, stopped);
      sink.begin([packet(9)]);
      sink.write([packet(1), packet(2)]);
      sink.lost(5);
      sink.lost(2);
      sink.end();
      assert.deepEqual(values(file), [9, 1, 2]);
      assert.deepEqual(readStrictly(fs.readFileSync(file)).dropped, [5n, 7n]);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    });

    it('with a limit keep the newest in two halves, each readable by itself', () => {
      const limit = 8 << 20;
      const sink = new CaptureFile(file, limit, header, stopped);
      sink.begin([]);
      const big = 1 << 19;
      for (let value = 0; value < 40; value++) {
        if (sink.full) sink.begin([packet(200)]);
        sink.write([packet(value, big)]);
        const sizes = [file, `${file}.old`].map((name) => fs.statSync(name, { throwIfNoEntry: false })?.size ?? 0);
        assert.ok(sizes[0] + sizes[1] <= limit + big, `${sizes.join(' and ')} bytes`);
      }
      sink.end();
      const [older, newer] = [values(`${file}.old`), values(file)];
      assert.equal(older[0], 200);
      assert.equal(newer[0], 200);
      const kept = [...older, ...newer].filter((value) => value !== 200);
      assert.deepEqual(
        kept,
        Array.from({ length: kept.length }, (_, at) => 40 - kept.length + at),
        'no gap, up to the last',
      );
      assert.ok(kept.length >= 8);
      assert.deepEqual(failures, []);
    });

    it('where nothing can be written from the start there is none', () => {
      const make = (): unknown => new CaptureFile('/dev/full', undefined, header, stopped);
      assert.throws(make, {
        code: 'captureUnusable',
        message: /"\/dev\/full" cannot be written: no space left on device \(ENOSPC\)/,
      });
      assert.deepEqual(failures, []);
    });

    it('on a disk that takes nothing more, not even the cut, end and stop nothing else', () => {
      const sink = new CaptureFile(file, undefined, header, stopped);
      sink.begin([packet(1)]);
      const own = fs.readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === file);
      assert.equal(own.length, 1);
      fs.closeSync(Number(own[0]));
      sink.write([packet(2)]);
      sink.write([packet(3)]);
      sink.end();
      assert.equal(failures.length, 1);
      assert.match(failures[0], /^bad file descriptor \(EBADF\)$/);
      assert.deepEqual(values(file), [1]);
    });

    it('whose older half cannot be put away is told once, and keeps what it has', () => {
      const sink = new CaptureFile(file, 4096, header, stopped);
      sink.begin([]);
      for (let value = 0; !sink.full; value++) sink.write([packet(value)]);
      const before = values(file);
      fs.writeFileSync(`${file}.old`, 'somebody wrote this meanwhile');
      sink.begin([packet(200)]);
      sink.write([packet(201)]);
      sink.lost(1);
      sink.end();
      assert.equal(failures.length, 1);
      assert.match(failures[0], /is no capture/);
      assert.equal(sink.full, false);
      assert.deepEqual(values(file), before);
    });

    it('one that cannot be made says why and what to do', () => {
      const make = (): unknown => new CaptureFile(path.join(folder, 'no/such/place'), undefined, header, stopped);
      assert.throws(make, { code: 'captureUnusable', message: /written: no such file or directory \(ENOENT\)$/ });
    });
  });

  describe('on a descriptor', () => {
    it('one that is no good is told once', async () => {
      const readOnly = fs.openSync(file, fs.constants.O_CREAT | fs.constants.O_RDONLY);
      const sink = new CaptureStream(readOnly, header, failed);
      sink.begin([]);
      await sink.write([packet(1)]);
      await sink.write([packet(2)]);
      await sink.end();
      fs.closeSync(readOnly);
      assert.deepEqual(failures, ['EBADF']);
    });

    it('into a pipe everything arrives, also by a reader that is slow to begin', async () => {
      const [fifo, out] = [path.join(folder, 'fifo'), path.join(folder, 'out')];
      execFileSync('mkfifo', [fifo]);
      const reader = spawn('sh', ['-c', 'exec 3<"$1"; sleep 0.2; cat <&3 >"$2"', 'sh', fifo, out], { stdio: 'ignore' });
      const pipe = fs.openSync(fifo, 'w');
      const sink = new CaptureStream(pipe, header, failed);
      sink.begin([packet(9)]);
      for (let value = 0; value < 100; value++) await sink.write([packet(value, 10_000)]);
      sink.lost(3);
      await sink.end();
      fs.closeSync(pipe);
      await once(reader, 'exit');
      assert.deepEqual(values(out), [9, ...Array.from({ length: 100 }, (_, at) => at)]);
      assert.deepEqual(readStrictly(fs.readFileSync(out)).dropped, [3n]);
      assert.deepEqual(failures, []);
    });
  });
});
