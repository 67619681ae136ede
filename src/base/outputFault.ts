/** What it means that output cannot be written: its reader has gone, which is no fault, or the machine's condition. */
import { systemReason } from './systemReason';
import { type Trouble, trouble } from './catalogue';

/** A closed pipe, or a terminal that was closed. */
export function isReaderGone({ code }: { code?: string | undefined }, stream: { isTTY?: boolean }): boolean {
  return code === 'EPIPE' || (code === 'EIO' && stream.isTTY === true);
}

/** Of standard output, when its reader has not gone. */
export function outputTrouble(error: Error): Trouble {
  return trouble('stdoutUnusable', systemReason(error) ?? error.message);
}
