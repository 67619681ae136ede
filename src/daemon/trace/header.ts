/** What every capture of a share starts with: section and interfaces, and the count of lost packets. */
import { hostname, release, type } from 'node:os';
import { randomUUID } from 'node:crypto';
import { VERSION } from '../../base/version';
import { interfaceDescription, interfaceStatistics, sectionHeader } from '../../trace/pcapngWriter';
import { type DaemonOptions, shareName } from '../daemonOptions';
import { CONTROL_INTERFACE } from './block';

export class CaptureHeader {
  private readonly facts: Readonly<Record<string, unknown>>;
  private readonly name: string;

  constructor(private readonly options: DaemonOptions) {
    this.name = shareName(options);
    const { sharedDir, cache, writeback, xattr, readonly, readdirplus, allowDirectIo, allowMmap } = options;
    const { posixLocks, flock, killprivV2, queues, snapLength, traceSyscalls } = options;
    this.facts = {
      ...{
        id: randomUUID(),
        host: hostname(),
        pid: process.pid,
        tag: this.name,
        directory: sharedDir,
        cache,
        writeback,
      },
      ...{ xattr, readonly, readdirplus, allowDirectIo, allowMmap, posixLocks, flock, killprivV2, queues },
      ...{ snaplen: snapLength, syscalls: traceSyscalls },
    };
  }

  /** The first blocks of piece `piece` of a capture. */
  start(piece = 0): Uint8Array[] {
    const name = (rest: string): string => `${this.name} ${rest}`;
    const comment = JSON.stringify({ ...this.facts, piece });
    return [
      sectionHeader({ os: `${type()} ${release()}`, application: `virtiofs-studio ${VERSION}`, comment }),
      interfaceDescription(name('control')),
      interfaceDescription(name('host')),
      ...Array.from({ length: this.options.queues + 1 }, (_, queue) => interfaceDescription(name(`queue ${queue}`))),
    ];
  }
}

/** The block that says how many packets a section has lost so far. */
export function lostPackets(total: number): Uint8Array {
  return interfaceStatistics(CONTROL_INTERFACE, BigInt(Date.now()) * 1_000_000n, BigInt(total));
}
