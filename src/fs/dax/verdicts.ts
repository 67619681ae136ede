/**
 * Whether a file of the shared folder can go through the DAX window, and why not: the owner's policy and what the host
 * allows. What does not change with every request is asked of the host once for each inode. Maps nothing.
 */
import { Errno, errnoName } from '../../protocol/errno';
import { ROOT, type Node } from '../fileSystem';
import type { HostFolder } from '../hostFolder';
import * as linux from '../linux';
import type { DaxAreas } from './areas';
import { type DaxPolicy, pathMatcher, sizeFault } from './policy';

const SECTOR = 512;
/** PATH_MAX. */
const LONGEST_PATH = 4096;

export class Verdicts {
  /** By node, what does not depend on its size: undefined for a file that nothing speaks against. */
  private readonly lasting = new Map<Node, string | undefined>();
  private readonly matches: (path: string) => boolean;

  constructor(
    private readonly folder: HostFolder,
    private readonly areas: DaxAreas,
    private readonly policy: DaxPolicy,
  ) {
    this.matches = pathMatcher(policy);
  }

  /** Of a regular file whose attributes have just been filled; undefined: it can. */
  fault(node: Node): string | undefined {
    const { arena, areas } = this.folder;
    const size = arena.getU64(areas.attributes + linux.Statx.size);
    return (
      sizeFault(this.policy, size) ?? this.attributeFault() ?? this.lastingFault(node) ?? this.roomFault(node, size)
    );
  }

  /** From now on this is why not: the front-end has refused it. */
  refuse(node: Node, reason: string): void {
    this.lasting.set(node, reason);
  }

  forget(node: Node): void {
    this.lasting.delete(node);
  }

  /** Path of a node below the share, as it is now; empty where it is not to be found out. */
  path(node: Node): string {
    const { nodes, arena } = this.folder;
    if (nodes.fd[node] >= 0) return this.pathOf(nodes.fd[node]);
    const parent = nodes.parent[node];
    if (parent === 0) return '';
    nodes.copyName(node, arena.u8, this.areas.data);
    const end = arena.u8.indexOf(0, this.areas.data);
    const name = new TextDecoder().decode(arena.u8.slice(this.areas.data, end));
    const above = parent === ROOT ? '' : this.pathOf(nodes.fd[parent]);
    return above === '' ? name : `${above}/${name}`;
  }

  private lastingFault(node: Node): string | undefined {
    const known = this.lasting.get(node);
    if (known !== undefined || this.lasting.has(node)) return known;
    const fault = this.matches(this.path(node)) ? this.accessFault(node) : 'no pattern of --dax-policy names it';
    this.lasting.set(node, fault);
    return fault;
  }

  /** Set on the host by an administrator, who may take it back: permissions say nothing of it. */
  private attributeFault(): string | undefined {
    const { arena, areas } = this.folder;
    const attributes = arena.getU32(areas.attributes + linux.Statx.attributes);
    if (attributes & linux.STATX_ATTR_APPEND) return 'the host lets it only be appended to (chattr +a)';
    if (attributes & linux.STATX_ATTR_VERITY) return 'the host lets nobody write to it (fs-verity)';
    return undefined;
  }

  /** QEMU maps only what is open for reading and writing. */
  private accessFault(node: Node): string | undefined {
    const { nodes, arena, calls, procSelfFd } = this.folder;
    const fd = nodes.fd[node];
    let failed: number;
    if (fd >= 0) {
      failed = calls.faccessat2(procSelfFd, this.folder.nameOf(fd), linux.R_OK | linux.W_OK, linux.AT_EACCESS);
    } else {
      nodes.copyName(node, arena.u8, this.areas.data);
      const flags = linux.AT_EACCESS | linux.AT_SYMLINK_NOFOLLOW;
      const name = arena.address(this.areas.data);
      failed = calls.faccessat2(nodes.fd[nodes.parent[node]], name, linux.R_OK | linux.W_OK, flags);
    }
    if (failed >= 0 || failed === -Errno.ENOSYS) return undefined;
    return `the daemon may not open it for reading and writing (${errnoName(-failed)})`;
  }

  /** A store into a hole that finds no room would end QEMU with SIGBUS. */
  private roomFault(node: Node, size: number): string | undefined {
    const { arena, areas, nodes, calls } = this.folder;
    const missing = size - arena.getU64(areas.attributes + linux.Statx.blocks) * SECTOR;
    if (missing <= 0) return undefined;
    const fd = nodes.fd[node] >= 0 ? nodes.fd[node] : nodes.fd[nodes.parent[node]];
    const into = this.areas.small;
    if (calls.fstatfs(fd, arena.address(into)) < 0) return undefined;
    const room = arena.getU64(into + linux.Statfs.available) * arena.getU64(into + linux.Statfs.blockSize);
    return room < missing ? 'it has holes, and the disk has no room to fill them' : undefined;
  }

  private pathOf(fd: number): string {
    const root = this.linkOf(this.folder.nodes.fd[ROOT]);
    const path = this.linkOf(fd);
    const prefix = root === '/' ? '/' : `${root}/`;
    return path.startsWith(prefix) ? path.slice(prefix.length) : '';
  }

  private linkOf(fd: number): string {
    const { calls, arena, procSelfFd } = this.folder;
    const into = this.areas.data;
    const length = calls.readlinkat(procSelfFd, this.folder.nameOf(fd), arena.address(into), LONGEST_PATH);
    return length < 0 ? '' : new TextDecoder().decode(arena.bytes(into, length).slice());
  }
}
