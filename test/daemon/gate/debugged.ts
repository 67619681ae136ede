/**
 * A share under a debugger: the daemon as a process, the driver as its guest, and a debug client over the real socket.
 *
 * The driver's own waits stop this thread, so a test starts a request, awaits what the debugger is told, acts, and only
 * then waits for the reply.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Breakpoint, DebugEvent, EventFacts, Held, HeldPhase, Result } from '../../../src/control/debug';
import { DebugClient } from '../../../src/control/debugClient';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import type { DeviceOptions } from '../../driver/attachedDevice';
import type { Pending, SendOptions } from '../../driver/fuseClient';
import { pack } from '../../driver/pack';
import { DaemonProcess, Session } from '../daemonProcess';

const PATIENCE = 8000;

type Told = { [Name in DebugEvent]: { readonly name: Name; readonly facts: EventFacts<Name> } }[DebugEvent];

export class Debugged {
  /** All that the debugger was told, in order. */
  readonly told: Told[] = [];
  client!: DebugClient;
  hello!: Result<'hello'>;
  private seen = 0;
  private stirred: () => void = () => undefined;

  private constructor(
    readonly home: string,
    readonly daemon: DaemonProcess,
    readonly session: Session,
  ) {}

  static async begin(
    options: { arguments?: readonly string[]; wrap?: readonly string[]; device?: DeviceOptions } = {},
  ): Promise<Debugged> {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gate-'));
    fs.mkdirSync(path.join(home, 'share/folder'), { recursive: true });
    fs.writeFileSync(path.join(home, 'share/file'), Buffer.alloc(65536, 'abcd'));
    fs.writeFileSync(path.join(home, 'share/folder/inner.db'), 'inner');
    fs.mkdirSync(path.join(home, 'run'));
    const socket = path.join(home, 'socket');
    const daemon = new DaemonProcess(
      [`--socket-path=${socket}`, `--shared-dir=${home}/share`, '--tag=work', ...(options.arguments ?? [])],
      { wrap: ['env', `XDG_RUNTIME_DIR=${home}/run`, ...(options.wrap ?? [])] },
    );
    const session = await Session.begin(socket, { requestQueues: 1, ...options.device });
    const debugged = new Debugged(home, daemon, session);
    try {
      await debugged.connect();
    } catch (error) {
      session.end();
      await daemon.stop();
      fs.rmSync(home, { recursive: true, force: true });
      throw error;
    }
    return debugged;
  }

  /** One whose daemon does these faults. */
  static withFaults(...rules: readonly string[]): Promise<Debugged> {
    return Debugged.begin({ arguments: rules.map((rule) => `--fault=${rule}`) });
  }

  /** The debugger sets these faults, which are all good. */
  async setFaults(...rules: readonly string[]): Promise<void> {
    const { verdicts } = await this.client.ask('setFaults', { rules });
    for (const { verified, message } of verdicts) assert.ok(verified, message);
  }

  get socket(): string {
    const folder = path.join(this.home, 'run/virtiofs-studio');
    const name = fs.readdirSync(folder).find((one) => one.endsWith('.debug'));
    assert.ok(name, 'there is a debug socket');
    return path.join(folder, name);
  }

  async connect(): Promise<void> {
    const { client, daemon } = await DebugClient.connect(this.socket, 'test');
    this.client = client;
    this.hello = daemon;
    for (const name of ['held', 'stepped', 'released', 'logpoint', 'log', 'ended'] as const) {
      client.on(name, (facts) => {
        this.told.push({ name, facts } as Told);
        this.stirred();
      });
    }
  }

  /** The next event of that name, after those awaited before. */
  async next<Name extends DebugEvent>(
    name: Name,
    what: (facts: EventFacts<Name>) => boolean = () => true,
  ): Promise<EventFacts<Name>> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      for (; this.seen < this.told.length;) {
        const one = this.told[this.seen++];
        if (one.name === name && what(one.facts as EventFacts<Name>)) return one.facts as EventFacts<Name>;
      }
      if (Date.now() > end) throw new Error(`no ${name} came: ${JSON.stringify(this.told)}\n${this.daemon.log}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.stirred = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Steps, and where it stands then. */
  async step(how: 'stepIn' | 'stepOver' | 'stepOut', request: number, phase?: HeldPhase): Promise<Held> {
    await this.client.ask(how, { request });
    return this.next('stepped', (facts) => facts.request === request && (phase === undefined || facts.phase === phase));
  }

  async breakOn(...breakpoints: readonly (Partial<Breakpoint> & { opcodes: string })[]): Promise<void> {
    const { verdicts } = await this.client.ask('setBreakpoints', {
      breakpoints: breakpoints.map((one, index) => ({ id: index + 1, phase: 'entry' as const, ...one })),
    });
    for (const verdict of verdicts) assert.ok(verdict.verified, verdict.message);
  }

  async go(request?: number): Promise<void> {
    await this.client.ask('continue', request === undefined ? {} : { request });
  }

  // Requests that are started, and waited for later.

  start(opcode: number, nodeid: bigint, parts: readonly Uint8Array[] = [], options: SendOptions = {}): Pending {
    return this.session.client.start(opcode, nodeid, parts, options);
  }

  getattr(nodeid = 1n): Pending {
    return this.start(Opcode.GETATTR, nodeid, [pack(wire.GetattrIn, {})], { room: wire.AttrOut.size });
  }

  lookup(name: string, parent = 1n): Pending {
    return this.start(Opcode.LOOKUP, parent, [Buffer.from(`${name}\0`)], { room: wire.EntryOut.size });
  }

  read(nodeid: bigint, fh: bigint, size: number, offset = 0): Pending {
    return this.start(Opcode.READ, nodeid, [pack(wire.ReadIn, { fh, size, offset })], { room: size });
  }

  write(nodeid: bigint, fh: bigint, data: Uint8Array, offset = 0): Pending {
    const args = pack(wire.WriteIn, { fh, size: data.length, offset });
    return this.start(Opcode.WRITE, nodeid, [args, data], { room: wire.WriteOut.size });
  }

  open(name = 'file', flags = 2): { nodeid: bigint; fh: bigint } {
    const { nodeid } = this.session.calls.lookup(1n, name);
    return { nodeid, fh: this.session.calls.open(nodeid, flags).fh };
  }

  done(pending: Pending): boolean {
    return this.session.client.done(pending);
  }

  /** 0, or a negative errno. */
  errorOf(pending: Pending): number {
    return this.session.client.wait(pending).error;
  }

  bodyOf(pending: Pending): Uint8Array {
    const reply = this.session.client.wait(pending);
    assert.equal(reply.error, 0);
    return reply.body;
  }

  /** Ends all; what is held then must not keep the daemon. */
  async end(): Promise<void> {
    try {
      this.client.close();
      this.session.end();
      assert.equal(await this.daemon.exit(), 0, this.daemon.log);
    } finally {
      await this.daemon.stop();
      fs.rmSync(this.home, { recursive: true, force: true });
    }
  }
}
