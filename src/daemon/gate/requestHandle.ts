/** The open file that a request's arguments name, where its opcode has one. */
import { opcodes } from '../../protocol/fuse/opcodes';
import { InHeader } from '../../protocol/fuse/structs';
import type { GateRequest } from './gateRequest';

/** By opcode: where its `fh` (of a copy: the one that is read from) is in the message. */
const places = new Map<number, number>();
for (const row of opcodes) {
  const [table] = row.in;
  const at = table?.offset['fh'] ?? table?.offset['fh_in'];
  if (at !== undefined) places.set(row.number, InHeader.size + at);
}

/** Low and high half; undefined for opcodes that are about no open file, and for requests cut too short. */
export function handleAt(request: GateRequest): [low: number, high: number] | undefined {
  const at = places.get(request.opcode);
  if (at === undefined || request.requestLength < at + 8) return undefined;
  return [request.word(at), request.word(at + 4)];
}
