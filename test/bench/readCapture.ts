/**
 * How long a capture of a million requests takes to read, pair and index, and how much memory: in a process of its own,
 * on a file made for it.
 *
 * Called by the bench; run as a program with a file's name it is that process.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { InHeader, OutHeader } from '../../src/protocol/fuse/structs';
import { CaptureReader } from '../../src/trace/captureReader';
import { compileFilter, select } from '../../src/trace/filter/filter';
import { FuseAt } from '../../src/trace/packet';
import { Bench as TsharkBench, hasTshark } from '../trace/dissector/tshark';
import { CaptureBuilder, EPOCH, type ExchangeOptions } from '../trace/captureBuilder';

export interface CaptureFigures {
  readonly requests: number;
  readonly fileBytes: number;
  /** Reading, pairing and indexing with paths. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
  readonly paths: number;
  /** Rows that each filter selects, and how long that takes the first time it is asked. */
  readonly filters: readonly { readonly text: string; readonly rows: number; readonly seconds: number }[];
  /** The same file through tshark with our dissector, a filter applied; undefined without tshark. */
  readonly tshark?: { readonly requests: number; readonly seconds: number };
}

/** What people ask: columns only, a path, fields that lie in the messages, both. */
const FILTERS = [
  'opcode == READ && latency > 5us',
  'error == ENOENT',
  'path ~ "*17.txt" || path ~ "**/dir-000042/*"',
  'read.size >= 4K',
  'opcode == LOOKUP && lookup.reply.attr.size == 0',
  'read.size >= 4K && latency > 5us && path ~ "**/file*"',
];
/** So many requests are given to tshark, which takes a tenth of a millisecond for each message. */
const FOR_TSHARK = 100_000;

const FOLDERS = 1000;
const FILES_IN_EACH = 40;
const CHUNK = 1 << 20;
/** Places in an enhanced packet block. */
const BLOCK_TIME = 12;
const BLOCK_PACKET = 28;
const REQUEST = BLOCK_PACKET + FuseAt.message;

/** The two blocks of one exchange, to be copied and changed. */
interface Template {
  readonly bytes: Uint8Array;
  readonly replyAt: number;
  /** Where the digits of the name end, in the first block; 0: no name. */
  readonly nameEnd: number;
}

function template(opcode: Parameters<CaptureBuilder['exchange']>[0], options: ExchangeOptions): Template {
  const builder = new CaptureBuilder({ queues: 3 });
  const before = builder.bytes().length;
  const bytes = builder
    .exchange(opcode, { queue: 1, head: 0, ...options })
    .bytes()
    .slice(before);
  const replyAt = new DataView(bytes.buffer).getUint32(4, true);
  const name = options.names?.[0];
  const at = name === undefined ? -1 : Buffer.from(bytes).indexOf(name);
  return { bytes, replyAt, nameEnd: at < 0 ? 0 : at + (name?.length ?? 0) };
}

class Generator {
  written = 0;
  private readonly buffer = new Uint8Array(CHUNK + (64 << 10));
  private readonly view = new DataView(this.buffer.buffer);
  private used = 0;
  private clock = 0;
  private unique = 2;

  constructor(private readonly fd: number) {
    this.put(new CaptureBuilder({ tag: 'bench', queues: 3 }).init().bytes());
  }

  private put(bytes: Uint8Array): number {
    const at = this.used;
    this.buffer.set(bytes, at);
    this.used += bytes.length;
    return at;
  }

  flush(): void {
    writeSync(this.fd, this.buffer, 0, this.used);
    this.used = 0;
  }

  /** One exchange; `number` becomes the last digits of the name, `found` the nodeid in the reply. */
  exchange({ bytes, replyAt, nameEnd }: Template, nodeid: number, number = 0, found = 0): number {
    if (this.used > CHUNK - bytes.length) this.flush();
    const at = this.put(bytes);
    const { view } = this;
    this.clock += 9_000;
    this.unique += 2;
    const time = EPOCH + BigInt(this.clock);
    const queue = 1 + (this.written & 1);
    const latency = 4_000n + BigInt((this.written * 7919) % 60_000);
    this.stamp(at, time, time, queue);
    this.stamp(at + replyAt, time, time + latency, queue);
    view.setUint32(at + REQUEST + InHeader.offset.unique, this.unique, true);
    view.setUint32(at + REQUEST + InHeader.offset.nodeid, nodeid, true);
    view.setUint32(at + REQUEST + InHeader.offset.pid, 100 + (number % 16), true);
    view.setUint32(at + replyAt + REQUEST + OutHeader.offset.unique, this.unique, true);
    if (nameEnd > 0) this.digits(at + nameEnd, number);
    if (found > 0) view.setUint32(at + replyAt + REQUEST + OutHeader.size, found, true);
    this.written++;
    return at;
  }

  digits(end: number, number: number): void {
    for (let i = 1, rest = number; i <= 6; i++, rest = Math.floor(rest / 10)) this.buffer[end - i] = 48 + (rest % 10);
  }

  private stamp(at: number, taken: bigint, time: bigint, queue: number): void {
    const { view } = this;
    view.setUint32(at + 8, 2 + queue, true);
    view.setUint32(at + BLOCK_TIME, Number(time >> 32n), true);
    view.setUint32(at + BLOCK_TIME + 4, Number(time & 0xffff_ffffn), true);
    view.setUint16(at + BLOCK_PACKET + FuseAt.queue, queue, true);
    view.setBigUint64(at + BLOCK_PACKET + FuseAt.taken, taken, true);
  }

  /** A listing of folder `folder`: its entries get their nodeids and names. */
  listing(of: Template, folder: number): void {
    const at = this.exchange(of, folderId(folder)) + of.replyAt + REQUEST + OutHeader.size;
    for (let i = 0; i < FILES_IN_EACH; i++) {
      const entry = at + i * ENTRY_SIZE;
      this.view.setUint32(entry, fileId(folder, i), true);
      this.digits(entry + ENTRY_NAME + 10, folder * FILES_IN_EACH + i);
    }
  }
}

/** fuse_direntplus with a name of ten bytes. */
const ENTRY_NAME = 152;
const ENTRY_SIZE = 168;
const folderId = (folder: number): number => 2 + folder;
const fileId = (folder: number, file: number): number => 10_000 + folder * FILES_IN_EACH + file;

/** Writes a capture of about `requests` requests: walks over a tree, reads and writes, listings, renames of folders. */
export function writeCapture(file: string, requests: number): void {
  const entry = (mode: number) => ({ nodeid: 1, generation: 1, attr: { mode, nlink: 1 } });
  const lookupFolder = template('LOOKUP', { names: ['dir-000000'], out: entry(0o040755) });
  const lookupFile = template('LOOKUP', { names: ['file000000'], out: entry(0o100644) });
  const missing = template('LOOKUP', { names: ['none000000'], error: 'ENOENT' });
  const getattr = template('GETATTR', { out: { attr: { mode: 0o100644 } } });
  const open = template('OPEN', { out: { fh: 5 } });
  const read = template('READ', { in: { fh: 5, size: 4096 }, outPayload: 4096 });
  const write = template('WRITE', { in: { fh: 5 }, payload: 4096, out: { size: 4096 } });
  const release = template('RELEASE', { in: { fh: 5 } });
  const names = Array.from({ length: FILES_IN_EACH }, () => ({ name: 'file000000', out: entry(0o100644) }));
  const readdirplus = template('READDIRPLUS', { in: { fh: 6, size: 32768 }, entries: names });
  const away = template('RENAME', { in: { newdir: 1 }, names: ['dir-000000', 'moved'] });
  const back = template('RENAME', { in: { newdir: 1 }, names: ['moved', 'dir-000000'] });
  const fd = openSync(file, 'w');
  try {
    const generator = new Generator(fd);
    for (let turn = 0; generator.written < requests; turn++) {
      const folder = (turn * 7) % FOLDERS;
      generator.exchange(lookupFolder, 1, folder, folderId(folder));
      generator.listing(readdirplus, folder);
      for (let file = turn % 3; file < FILES_IN_EACH; file += 3) {
        const id = fileId(folder, file);
        generator.exchange(lookupFile, folderId(folder), folder * FILES_IN_EACH + file, id);
        generator.exchange(getattr, id, file);
        generator.exchange(open, id, file);
        for (let i = 0; i < 4; i++) generator.exchange(read, id, file);
        generator.exchange(write, id, file);
        generator.exchange(release, id, file);
        if (file % 4 === 0) generator.exchange(missing, folderId(folder), turn);
      }
      if (turn % 10 === 0) renameAndBack(generator, away, back, folder, getattr);
    }
    generator.flush();
  } finally {
    closeSync(fd);
  }
}

function renameAndBack(generator: Generator, away: Template, back: Template, folder: number, getattr: Template): void {
  generator.exchange(away, 1, folder);
  generator.exchange(getattr, fileId(folder, 1));
  const at = generator.exchange({ ...back, nameEnd: 0 }, 1);
  generator.digits(at + back.bytes.subarray(0, back.replyAt).lastIndexOf(0x30) + 1, folder);
}

/** Makes the file, reads it in a child process, removes it. */
export function measureReading(requests = 1_000_000): CaptureFigures {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'virtiofs-bench-capture-'));
  try {
    const file = path.join(folder, 'capture.fuse.pcapng');
    writeCapture(file, requests);
    const figures = JSON.parse(
      execFileSync(process.execPath, [__filename, file], { encoding: 'utf8' }),
    ) as CaptureFigures;
    const seconds = withTshark(file, Math.min(requests, FOR_TSHARK));
    return seconds === undefined ? figures : { ...figures, tshark: seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One pass of tshark over the first `requests` of the file, as `nobody`: as root it runs no scripts. */
function withTshark(file: string, requests: number): CaptureFigures['tshark'] {
  if (!hasTshark()) return undefined;
  const bench = new TsharkBench();
  try {
    const begin = performance.now();
    bench.onePass(file, [
      '-c',
      String(2 * requests),
      '-Y',
      'fuse.read.size >= 4096',
      '-T',
      'fields',
      '-e',
      'frame.number',
    ]);
    return { requests, seconds: (performance.now() - begin) / 1000 };
  } finally {
    bench.remove();
  }
}

/** Reads a capture file as the command line does; its messages are to be had while `use` is at work. */
export function readCaptureFile<T>(file: string, use: (capture: CaptureReader) => T): T {
  const fd = openSync(file, 'r');
  try {
    const readAt = (at: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, at));
    };
    const reader = new CaptureReader({ read: readAt });
    const chunk = new Uint8Array(CHUNK);
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) reader.push(chunk.subarray(0, n));
    reader.end();
    return use(reader);
  } finally {
    closeSync(fd);
  }
}

if (require.main === module) {
  const [file] = process.argv.slice(2);
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const figures = readCaptureFile(file, (capture): CaptureFigures => {
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - begin) / 1000;
    const filters = FILTERS.map((text) => {
      const begun = performance.now();
      const compiled = compileFilter(text);
      if (!compiled.ok) throw new Error(compiled.error.message);
      const rows = select(capture, compiled.value).length;
      return { text, rows, seconds: (performance.now() - begun) / 1000 };
    });
    return {
      requests: capture.count,
      fileBytes: statSync(file).size,
      seconds,
      filters,
      cpuSeconds: (user + system) / 1e6,
      peakResidentBytes: process.resourceUsage().maxRSS * 1024,
      paths: capture.paths,
    };
  });
  console.log(JSON.stringify(figures));
}
