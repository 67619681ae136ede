/**
 * What may follow the arguments of a request that creates: security contexts and supplementary groups.
 *
 * Source: include/uapi/linux/fuse.h, fuse_ext_header (7.38) and fuse_secctx_header (7.36). Both begin with a size and a
 * number, of which values up to 31 count contexts and 32 means groups.
 */
import { decodeStruct, node, numberAt, scalarAt, type Node } from './decode';
import { ExtType } from './fuse/flags';
import { ExtHeader, Secctx, SecctxHeader, SuppGroups } from './fuse/structs';
import { decodeText } from './text';

/** One node for all of [at, at + length), with one for each extension in it. */
export function extensionNodes(bytes: Uint8Array, at: number, length: number): Node {
  const children: Node[] = [];
  const end = Math.min(at + length, bytes.length);
  for (let from = at; from + ExtHeader.size <= end;) {
    const type = Number(scalarAt('u32', bytes, from + ExtHeader.offset.type));
    const size = Number(scalarAt('u32', bytes, from + ExtHeader.offset.size));
    const to = Math.min(from + size, end);
    if (size < ExtHeader.size) break;
    if (type === ExtType.EXT_GROUPS) children.push(groups(bytes, from, to));
    else if (type <= ExtType.MAX_NR_SECCTX) children.push(contexts(bytes, from, to));
    else children.push(decodeStruct(ExtHeader, bytes, from));
    // No `recordAlign`: whoever sends it may claim 32 bits, of which that makes a step back, or none.
    from += Math.ceil(size / 8) * 8;
  }
  return node({ name: 'extensions', at, length, value: null, children }, bytes);
}

function groups(bytes: Uint8Array, at: number, end: number): Node {
  const header = decodeStruct(ExtHeader, bytes, at);
  const start = at + ExtHeader.size;
  const table = decodeStruct(SuppGroups, bytes, start, Math.min(SuppGroups.size, end - start));
  const first = start + SuppGroups.size;
  const room = Math.max(0, Math.floor((end - first) / 4));
  const count = Math.min(numberAt(table, 'nr_groups') ?? 0, room);
  const list = Array.from({ length: count }, (_, i): Node => {
    const place = first + 4 * i;
    return { name: `groups[${i}]`, at: place, length: 4, value: scalarAt('u32', bytes, place) };
  });
  return { name: 'supplementary groups', at, length: end - at, value: null, children: [header, table, ...list] };
}

function contexts(bytes: Uint8Array, at: number, end: number): Node {
  const header = decodeStruct(SecctxHeader, bytes, at);
  const children: Node[] = [header];
  let from = at + SecctxHeader.size;
  for (let left = numberAt(header, 'nr_secctx') ?? 0; left > 0 && from + Secctx.size <= end; left--) {
    const one = decodeStruct(Secctx, bytes, from);
    const nameAt = from + Secctx.size;
    const nul = bytes.subarray(nameAt, end).indexOf(0);
    if (nul < 0) break;
    const valueAt = nameAt + nul + 1;
    const valueLength = Math.min(numberAt(one, 'size') ?? 0, end - valueAt);
    const name: Node = { name: 'name', at: nameAt, length: nul + 1, value: decodeText(bytes, nameAt, nul) };
    const value: Node = {
      name: 'context',
      at: valueAt,
      length: valueLength,
      value: decodeText(bytes, valueAt, valueLength).replace(/\0$/, ''),
    };
    children.push({ ...one, length: valueAt + valueLength - from, children: [...(one.children ?? []), name, value] });
    from = at + (((valueAt + valueLength - at + 7) >> 3) << 3);
  }
  return { name: 'security contexts', at, length: end - at, value: null, children };
}
