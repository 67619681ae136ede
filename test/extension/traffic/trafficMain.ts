/**
 * A guest that does what it is told, in a process of its own: our daemon on a folder, and the driver of test/driver in
 * place of a kernel. Takes orders by IPC (`traffic.ts`), answers each; ends when its parent does.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAST_OPTIONS } from '../../bench/session';
import { Pump } from '../../bench/pump';
import { AttachedDevice } from '../../driver/attachedDevice';
import { type Daemon, startDaemon } from '../../driver/daemons';
import { FuseCalls } from '../../driver/fuseCalls';
import { FuseClient } from '../../driver/fuseClient';

export type Order =
  | { readonly kind: 'begin'; readonly folder: string; readonly tag: string; readonly options: readonly string[] }
  /** Looks around like a shell and a compiler: lookups that find and do not, listings, reads, writes, a lock. */
  | { readonly kind: 'work' }
  /** So many GETATTR a second. */
  | { readonly kind: 'pump'; readonly perSecond: number; readonly milliseconds: number }
  | { readonly kind: 'lock' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'end' };

/** What an order comes to. */
export interface Done {
  readonly pid?: number;
  readonly requests?: number;
  readonly error?: string;
}

const O_RDWR = 2;
const O_CREAT = 0o100;

let daemon: Daemon | undefined;
let device: AttachedDevice | undefined;
let calls: FuseCalls | undefined;

async function begin(order: Order & { kind: 'begin' }): Promise<Done> {
  daemon = await startDaemon('ours', order.folder, {
    arguments: [...(order.options.length > 0 ? order.options : FAST_OPTIONS.ours), '--tag', order.tag],
  });
  device = new AttachedDevice(daemon.frontEnd, { regions: [16 << 20] });
  calls = new FuseCalls(new FuseClient(device, 1 << 16, 8));
  calls.init();
  return { pid: daemon.pid };
}

/** `requests` in what it comes to: how many it has made, those answered with an error among them. */
function work(guest: FuseCalls): Done {
  let requests = 0;
  const made = <T>(ask: () => T): T => {
    requests++;
    return ask();
  };
  const source = made(() => guest.lookup(1n, 'src'));
  const folder = made(() => guest.opendir(source.nodeid));
  made(() => guest.readdirplus(source.nodeid, folder.fh, 0n, 8192));
  made(() => guest.releasedir(source.nodeid, folder.fh));
  for (const name of ['main.c', 'util.c', 'util.h', 'missing.h']) {
    attempt(() => {
      const entry = made(() => guest.lookup(source.nodeid, name));
      made(() => guest.getattr(entry.nodeid));
      const open = made(() => guest.open(entry.nodeid, 0));
      made(() => guest.read(entry.nodeid, open.fh, 0, 4096));
      made(() => guest.flush(entry.nodeid, open.fh));
      made(() => guest.release(entry.nodeid, open.fh));
      made(() => guest.getxattr(entry.nodeid, 'security.capability'));
    });
  }
  attempt(() => made(() => guest.unlink(1n, 'out.o')));
  const out = made(() => guest.create(1n, 'out.o', O_RDWR | O_CREAT, 0o644));
  for (let i = 0; i < 4; i++) made(() => guest.write(out.nodeid, out.fh, i * 4096, new Uint8Array(4096)));
  made(() => guest.fsync(out.nodeid, out.fh, false));
  attempt(() => made(() => guest.mkdir(1n, 'src')));
  return { requests };
}

function attempt(what: () => unknown): void {
  try {
    what();
  } catch {
    // An error of the server is what was wanted.
  }
}

/** A file that stays open, with a lock. */
function lock(guest: FuseCalls): Done {
  const file = guest.lookup(1n, 'data.db');
  const open = guest.open(file.nodeid, O_RDWR);
  attempt(() => guest.setlk(file.nodeid, open.fh, 7n, { start: 0n, end: 99n, type: 1, pid: 4711 }));
  return {};
}

async function pump(at: AttachedDevice, perSecond: number, milliseconds: number): Promise<Done> {
  const own = new Pump(at, 1);
  const depth = 16;
  const heads = Array.from({ length: depth }, (_, slot) => own.prepare(slot, 3, 1n, [16], 104).head);
  const started = performance.now();
  let requests = 0;
  while (performance.now() - started < milliseconds) {
    const due = ((performance.now() - started) / 1000) * perSecond;
    for (; requests < due; requests += depth) {
      for (const head of heads) own.offer(head);
      own.settle();
    }
    await sleep(1);
  }
  own.release();
  return { requests };
}

async function obey(order: Order): Promise<Done> {
  if (order.kind === 'begin') return begin(order);
  if (!daemon || !device || !calls) throw new Error('nothing has begun');
  switch (order.kind) {
    case 'work':
      return work(calls);
    case 'pump':
      return pump(device, order.perSecond, order.milliseconds);
    case 'lock':
      return lock(calls);
    case 'kill':
      process.kill(daemon.pid, 'SIGKILL');
      return { pid: daemon.pid };
    case 'end':
      device.close();
      await daemon.stop();
      return {};
  }
}

/** What `work` looks at. */
export function makeFolder(folder: string): void {
  fs.mkdirSync(path.join(folder, 'src'), { recursive: true });
  for (const name of ['main.c', 'util.c', 'util.h'])
    fs.writeFileSync(path.join(folder, 'src', name), '/* */\n'.repeat(40));
  fs.writeFileSync(path.join(folder, 'data.db'), Buffer.alloc(8192));
}

if (require.main === module) {
  process.on('message', (order: Order) => {
    obey(order).then(
      (done) => process.send?.(done),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => void (daemon?.stop() ?? Promise.resolve()).finally(() => process.exit(0)));
}
