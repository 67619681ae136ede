/**
 * A host system call as one line in strace's manner: `openat(7, "a.txt", O_RDONLY|O_NOFOLLOW, 0) = 9`.
 *
 * Which arguments there are and how each is shown is the table's business (protocol/hostCalls.ts).
 */
import { errnoName } from '../protocol/errno';
import { hostCalls, type HostArgument } from '../protocol/hostCalls';
import { printDevice, printEnum, printFlags, printHex, printSize } from '../protocol/print';
import { quote } from '../protocol/text';
import type { HostCallRecord } from './capture';

/** AT_FDCWD, where a descriptor is expected. */
const CURRENT_FOLDER = -100n;

export function hostCallName(call: number): string {
  return hostCalls[call]?.name ?? `call ${call}`;
}

export function hostCallLine(record: HostCallRecord): string {
  const row = hostCalls[record.call];
  let texts = 0;
  const shown = record.arguments.map((value, index) => {
    const argument = row?.arguments[index];
    if (argument === undefined) return printHex(value);
    if (argument.kind !== 'path') return hostArgument(argument, value);
    const text = record.texts[texts++];
    return text === undefined ? '?' : quote(text);
  });
  const result = record.result < 0 ? `-1 ${errnoName(record.result)}` : String(record.result);
  return `${hostCallName(record.call)}(${shown.join(', ')}) = ${result}`;
}

function hostArgument({ kind, show, flags, enum: names }: HostArgument, value: bigint): string {
  if (kind === 'fd') return value === CURRENT_FOLDER ? 'AT_FDCWD' : value.toString();
  if (kind === 'address') return value === 0n ? 'NULL' : '…';
  if (flags) return printFlags(flags, value);
  if (names) return printEnum(names, value);
  switch (show) {
    case 'hex':
      return printHex(value);
    case 'size':
      return printSize(value);
    case 'mode':
    case 'octal':
      return `0${value.toString(8).padStart(3, '0')}`;
    case 'device':
      return printDevice(Number(BigInt.asUintN(32, value)));
    default:
      return value.toString();
  }
}
