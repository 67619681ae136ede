/**
 * The names of the inodes that a guest knows, for a capture that begins while it is at work.
 *
 * An inode that is known by its name has it in the table; one with a descriptor is asked of the kernel, which gives its
 * path at this moment. Never on the request path; takes about two microseconds for each descriptor.
 */
import { ROOT, type Node } from './fileSystem';
import type { HostCalls } from './hostCalls';
import type { HostFolder } from './hostFolder';

export interface KnownName {
  readonly nodeid: readonly [low: number, high: number];
  /** The folder that the name is in; the root, where the name is a path below it. */
  readonly parent: readonly [low: number, high: number];
  readonly lookups: number;
  readonly name: Uint8Array;
}

/** Inodes beyond these have no name in the capture until the guest looks them up: the guest must not wait long. */
const MOST = 1 << 16;
const SLASH = 0x2f;
/** NAME_MAX + 1: no name in the table is longer. */
const NAME_ROOM = 256;

/** `calls`: those of `folder`, or others that are not traced. */
export function knownNames(folder: HostFolder, calls: HostCalls): KnownName[] {
  const { nodes } = folder;
  const names: KnownName[] = [];
  const id = (node: Node): [number, number] => [node, nodes.generation[node]];
  const root = pathOf(folder, calls, nodes.fd[ROOT]);
  const name = new Uint8Array(NAME_ROOM);
  nodes.forEach((node) => {
    if (names.length === MOST) return;
    const common = { nodeid: id(node), lookups: nodes.lookups[node] };
    if (nodes.fd[node] < 0) {
      nodes.copyName(node, name, 0);
      names.push({ ...common, parent: id(nodes.parent[node]), name: name.slice(0, name.indexOf(0)) });
      return;
    }
    const path = pathOf(folder, calls, nodes.fd[node]);
    const below = root && path && pathBelow(path, root);
    if (below) names.push({ ...common, parent: id(ROOT), name: below });
  });
  return names;
}

/** Where the kernel says that a descriptor's inode is. */
function pathOf(folder: HostFolder, calls: HostCalls, fd: number): Uint8Array | undefined {
  const { arena, areas, procSelfFd } = folder;
  const into = areas.link;
  const length = calls.readlinkat(procSelfFd, folder.nameOf(fd), arena.address(into), areas.linkSize);
  return length < 0 ? undefined : arena.bytes(into, length).slice();
}

/** Undefined for what the host has moved out of the share, and for the root itself. */
function pathBelow(path: Uint8Array, root: Uint8Array): Uint8Array | undefined {
  // The root of all is the only folder whose path ends with a slash.
  const prefix = root.length === 1 ? 0 : root.length;
  const below = path.subarray(prefix + 1);
  if (below.length === 0 || path[prefix] !== SLASH) return undefined;
  return root.every((byte, at) => path[at] === byte) ? below : undefined;
}
