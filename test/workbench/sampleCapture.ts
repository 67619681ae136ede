/**
 * A capture with something of everything, for tests and pictures: a build in a guest, as a shell, a compiler and a
 * linker would ask for it. Two queues, four processes, overlapping requests, errors, host calls, one request without a
 * reply.
 */
import { CaptureBuilder, type ExchangeOptions } from '../trace/captureBuilder';

/** The same numbers each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface SampleOptions {
  readonly files?: number;
  /** Multiplies latencies: for a second one to compare with. */
  readonly slower?: number;
}

export function sampleCapture({ files = 60, slower = 1 }: SampleOptions = {}): CaptureBuilder {
  const next = random(7);
  const builder = new CaptureBuilder({ tag: 'work', directory: '/srv/work', queues: 3 });
  builder.init({ flags: ['ASYNC_READ', 'DO_READDIRPLUS', 'MAX_PAGES'] });
  let at = 400_000;
  const latency = (base: number): number =>
    Math.round(slower * (base * (0.6 + next()) + (next() < 0.02 ? base * 40 : 0)));
  const ask = (opcode: Parameters<CaptureBuilder['exchange']>[0], base: number, options: ExchangeOptions): void => {
    at += Math.round(4000 + next() * 26_000);
    const whole = latency(base);
    const host = Math.round(whole * (0.35 + next() * 0.35));
    const writing = Math.round(whole * 0.08);
    const queued = Math.round(next() * 6000);
    builder.exchange(opcode, { at, queued, latency: whole, host, writing, ...options });
  };
  const entry = (nodeid: number, mode = 0o100644) => ({
    nodeid,
    generation: 1,
    attr: { ino: nodeid, mode, nlink: 1, size: 8192 },
  });
  ask('LOOKUP', 20_000, { pid: 310, queue: 1, names: ['src'], out: entry(2, 0o040755) });
  ask('OPENDIR', 12_000, { pid: 310, queue: 1, nodeid: 2, out: { fh: 1 } });
  ask('READDIRPLUS', 180_000, {
    pid: 310,
    queue: 1,
    nodeid: 2,
    in: { fh: 1, size: 32768 },
    entries: Array.from({ length: 12 }, (_, i) => ({ name: `part${i}.c`, ino: 10 + i, out: entry(10 + i) })),
  });
  for (let file = 0; file < files; file++) {
    const nodeid = 10 + file;
    const pid = [412, 413, 414][file % 3];
    const queue = 1 + (file % 2);
    const name = `part${file}.c`;
    ask('LOOKUP', 18_000, { pid, queue, nodeid: 2, names: [name], out: entry(nodeid) });
    if (file % 4 === 1) ask('LOOKUP', 9_000, { pid, queue, nodeid: 2, names: [`${name}.h`], error: 'ENOENT' });
    ask('OPEN', 24_000, {
      pid,
      queue,
      nodeid,
      in: { flags: 0o100000 },
      out: { fh: nodeid },
      hostCalls: [{ call: 'openat', arguments: [7, 0, 0o400000, 0], texts: [name], result: 12, duration: 9_000 }],
    });
    ask('GETATTR', 8_000, { pid, queue, nodeid, out: { attr: { ino: nodeid, mode: 0o100644, size: 8192 } } });
    for (let part = 0; part < 3; part++) {
      ask('READ', 70_000, {
        pid,
        queue,
        nodeid,
        in: { fh: nodeid, offset: part * 131072, size: 131072 },
        outPayload: 131072,
        hostCalls: [
          { call: 'preadv2', arguments: [12, 1, 32, part * 131072, 8], result: -11, duration: 3_000 },
          {
            call: 'preadv',
            arguments: [12, 1, 32, part * 131072],
            result: 131072,
            duration: 40_000,
            otherThread: true,
          },
        ],
      });
    }
    if (file % 3 === 0) {
      ask('CREATE', 60_000, {
        pid,
        queue,
        nodeid: 2,
        names: [`part${file}.o`],
        out: [entry(500 + file), { fh: 900 + file }],
      });
      ask('WRITE', 110_000, {
        pid,
        queue,
        nodeid: 500 + file,
        in: { fh: 900 + file },
        payload: 65536,
        out: { size: 65536 },
      });
      ask('FSYNC', 900_000, { pid, queue, nodeid: 500 + file, in: { fh: 900 + file } });
      ask('RELEASE', 9_000, { pid, queue, nodeid: 500 + file, in: { fh: 900 + file } });
    }
    if (file % 9 === 4) ask('UNLINK', 30_000, { pid, queue, nodeid: 2, names: ['old.o'], error: 'EACCES' });
    ask('RELEASE', 9_000, { pid, queue, nodeid, in: { fh: nodeid } });
    if (file % 10 === 9) ask('FORGET', 1_000, { pid: 0, queue: 0, nodeid, in: { nlookup: 1 } });
  }
  builder.request('SETLKW', { pid: 414, queue: 2, nodeid: 12, at: at + 20_000, in: { fh: 12 } });
  return builder;
}
