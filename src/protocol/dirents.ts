/**
 * The payload of READDIR and READDIRPLUS: records of a fixed part, a name, and padding to 8 bytes.
 *
 * Source: FUSE_DIRENT_SIZE and FUSE_DIRENTPLUS_SIZE of include/uapi/linux/fuse.h. Stops at the first record that is not
 * all there, or that says so of itself.
 */
import { decodeStruct, numberAt, type Node } from './decode';
import { Direntplus, recordAlign } from './fuse/structs';
import type { StructTable } from './struct';
import { decodeText } from './text';

/** One node for each entry in [at, at + size), with the fields of the record and a `name`. */
export function direntNodes(record: StructTable, bytes: Uint8Array, at: number, size: number): Node[] {
  const nodes: Node[] = [];
  const end = Math.min(at + size, bytes.length);
  const path = record.name === Direntplus.name ? 'dirent.namelen' : 'namelen';
  for (let from = at; from + record.size <= end;) {
    const tree = decodeStruct(record, bytes, from);
    const namelen = numberAt(tree, path) ?? 0;
    const length = recordAlign(record.size + namelen);
    if (namelen === 0 || from + record.size + namelen > end) break;
    const value = decodeText(bytes, from + record.size, namelen);
    const name: Node = { name: 'name', at: from + record.size, length: namelen, value };
    nodes.push({ ...tree, length: Math.min(length, end - from), value, children: [...(tree.children ?? []), name] });
    from += length;
  }
  return nodes;
}
