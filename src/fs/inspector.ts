/**
 * What the passthrough file system knows of inodes and handles, told to a debugger: read only, without a host call of
 * its own and without the areas that calls share, so that it may look while a request is in the middle of its handler.
 *
 * `linkOf` says where the kernel has a descriptor's inode (the target of /proc/self/fd/N).
 */
import { decodeText } from '../protocol/text';
import { ROOT, type Handle, type Node } from './fileSystem';
import { HandleKind } from './handleTable';
import type { HostFolder } from './hostFolder';

export interface NodeFacts {
  readonly path: string;
  /** st_mode >> 12. */
  readonly type: number;
  readonly lookups: number;
  readonly generation: number;
  readonly inoLow: number;
  readonly inoHigh: number;
  readonly device: number;
  readonly mount: number;
  readonly fd: number;
}

export interface HandleState {
  readonly isFolder: boolean;
  readonly flags: number;
  readonly generation: number;
  readonly fd: number;
}

/** NAME_MAX + 1. */
const NAME_ROOM = 256;

export class Inspector {
  private readonly name = new Uint8Array(NAME_ROOM);

  constructor(
    private readonly folder: HostFolder,
    private readonly linkOf: (fd: number) => Uint8Array | undefined,
  ) {}

  get nodes(): number {
    return this.folder.nodes.count;
  }

  get handles(): number {
    return this.folder.handles.count;
  }

  /** A live node of a wire nodeid, or undefined. */
  nodeOf(idLow: number, idHigh: number): Node | undefined {
    return this.folder.nodes.resolve(idLow, idHigh) || undefined;
  }

  /** Below the share, `/` is its root; '' for what nobody knows, or the host has moved out. */
  path(node: Node): string {
    const { nodes } = this.folder;
    if (node === ROOT) return '/';
    const fd = nodes.fd[node];
    if (fd >= 0) return this.below(fd);
    const parent = this.path(nodes.parent[node]);
    nodes.copyName(node, this.name, 0);
    return parent === '' ? '' : joined(parent, decodeText(this.name, 0, this.name.indexOf(0)));
  }

  node(node: Node): NodeFacts {
    const { nodes } = this.folder;
    return {
      path: this.path(node),
      type: nodes.type[node],
      lookups: nodes.lookups[node],
      generation: nodes.generation[node],
      inoLow: nodes.inoLow[node],
      inoHigh: nodes.inoHigh[node],
      device: nodes.device[node],
      mount: nodes.mount[node],
      fd: nodes.fd[node],
    };
  }

  handle(fhLow: number, fhHigh: number, node: Node): HandleState | undefined {
    const { handles } = this.folder;
    const handle: Handle | number = handles.resolve(fhLow, fhHigh, node);
    if (handle < 0) return undefined;
    return {
      isFolder: handles.kind[handle] === (HandleKind.Folder as number),
      flags: handles.flags[handle] >>> 0,
      generation: handles.generation[handle],
      fd: handles.fd[handle],
    };
  }

  private below(fd: number): string {
    const root = this.linkOf(this.folder.nodes.fd[ROOT]);
    const path = this.linkOf(fd);
    if (!root || !path) return '';
    // The root of all is the only folder whose path ends with a slash.
    const prefix = root.length === 1 ? 0 : root.length;
    for (let at = 0; at < prefix; at++) if (path[at] !== root[at]) return '';
    return path[prefix] === 0x2f ? decodeText(path, prefix, path.length - prefix) : '';
  }
}

/** A name in a folder. */
export const joined = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);
