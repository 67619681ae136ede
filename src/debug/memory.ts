/**
 * Memory references: which bytes a string in a DAP message means. `request/1007/40` is 40 bytes into that thread's
 * request, `guest/0/1f000` is guest memory at 0x1f000.
 */
import { trouble } from '../base/catalogue';
import type { Side } from './target';

export type MemoryKind = Side | 'guest';

export interface MemoryPlace {
  readonly kind: MemoryKind;
  readonly thread: number;
  readonly at: number;
}

export const memoryOf = (thread: number, kind: MemoryKind, at: number): string =>
  `${kind}/${kind === 'guest' ? 0 : thread}/${at.toString(16)}`;

/** Throws a Trouble. A plain address (`0x1f000`) is guest memory. */
export function parseMemory(reference: string): MemoryPlace {
  const plain = /^0x([0-9a-f]{1,13})$/i.exec(reference);
  if (plain) return { kind: 'guest', thread: 0, at: parseInt(plain[1], 16) };
  const match = /^(request|reply|guest)\/(\d{1,10})\/([0-9a-f]{1,13})$/.exec(reference);
  if (!match) throw trouble('debugMemoryUnknown', reference.slice(0, 100));
  return { kind: match[1] as MemoryKind, thread: Number(match[2]), at: parseInt(match[3], 16) };
}
