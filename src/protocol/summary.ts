/**
 * One line for a request and one for its reply: `READ nodeid=5 fh=2 offset=4096 size=128K`, `-> ENOENT`.
 *
 * Shows what a person needs to follow the traffic: no padding, no field that does not count, no zero flags, none of the
 * fields that the tables mark as detail. The whole is in the trees of message.ts.
 */
import { splitFlags } from './flagTable';
import { numberAt, type Node } from './decode';
import { errnoName } from './errno';
import { notificationName, type Reply, type Request } from './message';
import { printId, printNode } from './print';
import { quote } from './text';

/** `LOOKUP nodeid=1 "a.txt"`. */
export function requestLine(request: Request): string {
  const parts: string[] = [request.opcode?.name ?? `opcode ${request.number}`];
  if (request.opcode?.name !== 'INIT') parts.push(`nodeid=${printId(request.nodeid)}`);
  parts.push(...requestArguments(request));
  if (request.problems.length > 0) parts.push(`(${request.problems.join('; ')})`);
  return parts.join(' ');
}

/**
 * The arguments alone, `fh=2`, `offset=4096`, `"a.txt"`; without the first `known` names, which are shown elsewhere.
 * `brief`: of a list of flags as long as INIT's only the beginning.
 */
export function requestArguments(request: Request, known = 0, brief = false): string[] {
  const parts: string[] = [];
  for (const tree of request.structs) fields(tree, parts, brief);
  parts.push(...request.names.slice(known).map(quote));
  return parts;
}

/** `-> 4096 bytes`, `-> nodeid=5 size=12 mode=0100644`, `-> ENOENT`, `-> OK`. */
export function replyLine(reply: Reply, brief = false): string {
  const parts: string[] = [];
  if (reply.kind === 'notification') parts.push(`NOTIFY_${notificationName(reply.error)}`);
  else if (reply.error !== 0) parts.push(`-> ${errnoName(reply.error)}`);
  else parts.push('->');
  for (const tree of reply.structs) fields(tree, parts, brief);
  if (reply.payload) parts.push(payload(reply.payload));
  if (parts.length === 1 && parts[0] === '->') parts.push('OK');
  if (reply.problems.length > 0) parts.push(`(${reply.problems.join('; ')})`);
  return parts.join(' ');
}

function payload(data: Node): string {
  if (typeof data.value === 'string') return quote(data.value);
  if (!data.children) return `${data.length} bytes`;
  if (data.missing) return `${data.length} bytes of entries`;
  return `${data.children.length} ${data.children.length === 1 ? 'entry' : 'entries'}`;
}

/** `name=value` of each field that matters, nested ones without their group's name. */
function fields(tree: Node, into: string[], brief: boolean): void {
  for (const child of tree.children ?? []) {
    const { field } = child;
    if (!field || field.show === 'padding' || field.detail || child.missing) continue;
    if (field.validIf && ((numberAt(tree, field.validIf[0]) ?? 0) & field.validIf[1]) === 0) continue;
    if (child.children) fields(child, into, brief);
    else if (!isEmpty(child)) into.push(`${child.name}=${brief ? beginning(child) : printNode(child)}`);
  }
}

/** More flags than any request but INIT has; of these so many are shown. */
const MANY_FLAGS = 7;
const FIRST_FLAGS = 3;

function beginning(node: Node): string {
  const whole = printNode(node);
  const flags = node.field?.flags === undefined ? [] : whole.split('|');
  if (flags.length <= MANY_FLAGS) return whole;
  return `${flags.slice(0, FIRST_FLAGS).join('|')}|… (+${flags.length - FIRST_FLAGS})`;
}

/** A flags field with no bit set, in a table that has no name for that. */
function isEmpty({ field, value }: Node): boolean {
  return field?.flags !== undefined && (value === 0 || value === 0n) && splitFlags(field.flags, 0).rows.length === 0;
}
