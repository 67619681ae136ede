/**
 * Whether a guest can have DAX windows, as far as that follows from what is asked for alone: asked where a person
 * chooses, and by the launcher. What this machine's programs can do is `vm/daxChecks.ts`'s to say.
 */
import { trouble } from './catalogue';
import { daxGuestBytes, daxSizeFault, MOST_DAX_BYTES } from './daxSize';

export interface AskedWindows {
  readonly guest: string;
  readonly memoryMiB: number;
  /** Bytes of each share's window. */
  readonly windows: readonly number[];
  readonly readOnly: boolean;
  readonly cache: string;
}

const MIB = 1 << 20;
/** More of the guest's memory than this is too much for describing a window. */
const MOST_SHARE = 1 / 16;

/** Throws a Trouble that says why not, and the fix. */
export function checkAskedWindows({ guest, memoryMiB, windows, readOnly, cache }: AskedWindows): void {
  if (guest === 'uml') throw trouble('daxUml');
  if (readOnly) throw trouble('daxReadOnly');
  if (cache === 'never' || cache === 'metadata') throw trouble('daxCache', cache);
  for (const bytes of windows) {
    const fault = daxSizeFault(bytes);
    if (fault !== undefined) throw trouble('daxSizeBad', mebibytes(bytes), fault);
  }
  const total = windows.reduce((sum, bytes) => sum + bytes, 0);
  if (total > MOST_DAX_BYTES) throw trouble('daxTooMuch', mebibytes(total));
  const needed = daxGuestBytes(total);
  if (needed > memoryMiB * MIB * MOST_SHARE) {
    throw trouble('daxGuestMemory', mebibytes(total), `${memoryMiB}M`, mebibytes(needed));
  }
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / MIB)}M`;
