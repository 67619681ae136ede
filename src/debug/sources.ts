/** The sources that a client is shown: the opcodes document and the text of each stopped request. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Debugging } from './debugging';
import { OPCODES_TITLE } from './opcodeDocument';

/** Source references: the opcodes document, then requests by their thread. */
const OPCODES = 1;
const FIRST_REQUEST = 10;

export function opcodesSource({ surroundings }: Debugging): Dap.Source {
  const path = surroundings.documentUri?.('opcodes');
  return path === undefined ? { name: OPCODES_TITLE, sourceReference: OPCODES } : { name: OPCODES_TITLE, path };
}

export function requestSource({ surroundings }: Debugging, thread: number, title: string): Dap.Source {
  const path = surroundings.documentUri?.({ thread, title });
  return path === undefined
    ? { name: title, sourceReference: FIRST_REQUEST + thread, origin: 'virtio-fs request' }
    : { name: title, path, origin: 'virtio-fs request' };
}

export function isOpcodes(debugging: Debugging, source: Dap.Source): boolean {
  const own = opcodesSource(debugging);
  return source.path === undefined
    ? source.sourceReference === OPCODES || source.name === OPCODES_TITLE
    : source.path === own.path;
}

/** The thread whose request the reference shows; undefined for the opcodes document. */
export const threadOfSource = (reference: number): number | undefined =>
  reference >= FIRST_REQUEST ? reference - FIRST_REQUEST : undefined;
