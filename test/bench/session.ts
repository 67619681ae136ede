/**
 * One measured daemon: started with its fast options, attached, initialised as Linux does it.
 */
import { AttachedDevice } from '../driver/attachedDevice';
import { type Daemon, type DaemonKind, startDaemon } from '../driver/daemons';
import { FuseCalls } from '../driver/fuseCalls';
import { FuseClient } from '../driver/fuseClient';
import type { Session } from './workloads';

/** The options that the table's figures stand for. */
export const FAST_OPTIONS: Readonly<Record<DaemonKind, readonly string[]>> = {
  ours: ['--cache', 'never'],
  rust: ['--inode-file-handles=never', '--sandbox', 'none', '--seccomp', 'none', '--cache', 'never'],
  c: ['-o', 'sandbox=chroot', '-o', 'cache=none', '-o', 'readdirplus'],
};

const OPENDIR = 27;

export class MeasuredSession implements Session {
  readonly client: FuseClient;
  watchful = false;
  private readonly calls: FuseCalls;
  private readonly nodes = new Map<string, bigint>();

  private constructor(
    readonly daemon: Daemon,
    readonly device: AttachedDevice,
  ) {
    // Eight slots of 64 KiB for set-up work; the rest of the memory is the pumps'.
    this.client = new FuseClient(device, 1 << 16, 8);
    this.calls = new FuseCalls(this.client);
    this.calls.init();
  }

  /** `largest`: bytes of guest memory that the workloads need. */
  static async start(
    kind: DaemonKind,
    folder: string,
    largest: number,
    more: readonly string[] = [],
    program?: string,
  ): Promise<MeasuredSession> {
    const daemon = await startDaemon(kind, folder, { arguments: [...FAST_OPTIONS[kind], ...more], program });
    try {
      return new MeasuredSession(daemon, new AttachedDevice(daemon.frontEnd, { regions: [largest] }));
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  node(path: string): bigint {
    const known = this.nodes.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const parent = cut < 0 ? 1n : this.node(path.slice(0, cut));
    const { nodeid } = this.calls.lookup(parent, path.slice(cut + 1));
    this.nodes.set(path, nodeid);
    return nodeid;
  }

  open(nodeid: bigint, flags: number, opcode: number): bigint {
    return opcode === OPENDIR ? this.calls.opendir(nodeid).fh : this.calls.open(nodeid, flags).fh;
  }

  close(nodeid: bigint, fh: bigint, opcode: number): void {
    if (opcode === OPENDIR + 2) this.calls.releasedir(nodeid, fh);
    else this.calls.release(nodeid, fh);
  }

  /** The daemon ends by itself, as it does when its front-end goes, and finishes what it is writing. */
  async end(): Promise<void> {
    this.device.close();
    await this.daemon.exit(10_000);
    await this.daemon.stop();
  }

  async stop(): Promise<void> {
    this.device.close();
    await this.daemon.stop();
  }
}
