/** What a request that is being served is about, as captures name it: its inode's path, or a name in that folder. */
import type { Inspector } from '../../fs/inspector';
import { joined } from '../../fs/inspector';
import { Opcode, opcodes } from '../../protocol/fuse/opcodes';
import { InHeader } from '../../protocol/fuse/structs';
import { decodeText } from '../../protocol/text';
import type { GateRequest } from './gateRequest';

/** Opcodes whose name is that of an attribute. */
const ATTRIBUTES: ReadonlySet<number> = new Set([Opcode.SETXATTR, Opcode.GETXATTR, Opcode.REMOVEXATTR]);

/** By opcode: where its first name begins, for those that are about a name in a folder. */
const nameAt = new Map(
  opcodes
    .filter(({ names, number }) => names.length > 0 && !ATTRIBUTES.has(number))
    .map((row) => [row.number, row.in.reduce((sum, table) => sum + table.size, InHeader.size)] as const),
);

const { nodeid } = InHeader.offset;

/** '' where nobody knows. */
export function requestPath(request: GateRequest, inspector: Inspector): string {
  const node = inspector.nodeOf(request.word(nodeid), request.word(nodeid + 4));
  if (node === undefined) return '';
  const path = inspector.path(node);
  const at = nameAt.get(request.opcode);
  if (at === undefined || path === '' || at >= request.requestLength) return path;
  const { bytes } = request;
  const end = bytes.indexOf(0, at);
  const name = decodeText(bytes, at, (end < 0 ? bytes.length : end) - at);
  return name === '' ? path : joined(path, name);
}
